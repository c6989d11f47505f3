"""A record whose parent is only in a batch waits until somebody writes the parent out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import NamedParent
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.published import Published
from tests.support.world import fresh_record

pytestmark = pytest.mark.chain


def test_a_child_waits_for_a_parent_that_only_a_batch_has(registry: DeployedRegistry, tmp_path: Path) -> None:
    world = Published(registry, tmp_path)
    try:
        parent, other = fresh_record(model_digest=b"\x51" * 32), fresh_record()
        root = world.publish_batch([other, parent]).root or b""
        child = fresh_record(named_parents=(NamedParent(parent.model_digest, parent.manifest_digest),))
        row_id = world.row(child)
        waiting = world.looking().publish(row_id, child)
        assert (waiting.state, waiting.is_alone) == (State.JUDGED, True)
        assert f"manifest {parent.manifest_digest.hex()}, which is recorded only in batch {root.hex()}" in waiting.note
        assert "write it out with `materialise` and the output of `provenance proof`" in waiting.note
        # as docs/operating.md says
        arguments = ["proof", parent.manifest_digest.hex(), "--journal", str(world.path)]
        printed = json.loads(CliRunner().invoke(main, arguments).stdout)
        words = printed["proof"]
        proof = (words["contentDigest"], int(words["summary"], 16), words["siblings"])
        materialise = registry.contract.functions.materialise
        registry.send(materialise(bytes.fromhex(printed["record"]), proof), registry.stranger)
        world.finish(row_id, child)
        entry = registry.reader().entry_of(child.model_digest, child.manifest_digest)
        assert entry.parents == (record_id(parent),)
    finally:
        world.journal.close()
