"""The package's reader takes the real output of `provenance proof`, and the contract accepts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from tests.contracts.npm.project import release_of
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.published import Published
from tests.support.world import fresh_record

pytestmark = pytest.mark.chain


def test_the_printed_proof_opens_the_gate(
    ask: Callable[..., list[Any]], registry: DeployedRegistry, tmp_path: Path
) -> None:
    world = Published(registry, tmp_path)
    try:
        records = [fresh_record(version=version) for version in ("1.0", "2.0")]
        world.publish_batch(records)
    finally:
        world.journal.close()
    arguments = ["proof", records[1].manifest_digest.hex(), "--journal", str(world.path)]
    plain, as_json = (json.loads(CliRunner().invoke(main, [*arguments, *more]).stdout) for more in ([], ["--json"]))
    assert plain.items() <= as_json.items()
    release, proof = (f"0x{plain['model_digest']}", f"0x{plain['manifest_digest']}"), plain["proof"]
    assert release == release_of(records[1])
    gates = tuple((name, *release, proof, 1) for name in ("requireModelFromProof", "isModelFromProof"))
    other = ("isModelFromProof", *release_of(records[0]), proof, 1)
    assert ask(*gates, other) == [None, True, False]
    summaries = (proof["summary"][:-1], proof["summary"] + "0", proof["summary"][2:], "7")
    refused = ask(*(("isModelFromProof", *release, proof | {"summary": one}, 1) for one in summaries))
    assert [one["error"] for one in refused] == ["FormatError"] * len(summaries)
