"""Tests that kill the oracle with SIGKILL after steps of each kind (`make prove`: after every one) and start it again.

It must lose nothing, record nothing twice, and send the same bytes again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.registry.events import Publication
from tests.support.chain_fixtures import DeployedRegistry

pytestmark = [pytest.mark.chain, pytest.mark.timeout(3600)]
_ROOT = Path(__file__).parents[2]


def drive(registry: DeployedRegistry, folder: Path, mode: str) -> list[dict[str, Any]]:
    arguments = [str(folder), registry.chain.rpc_url, registry.address, mode]
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_driver", *arguments],
        cwd=_ROOT,
        env={**os.environ, "CRASH_KEY": registry.oracle.key.hex()},
        capture_output=True,
        text=True,
        timeout=1800 if os.environ.get("PROVENANCE_STRIDE") == "1" else 290,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def test_one_record_and_one_number_whatever_the_moment(registry: DeployedRegistry, tmp_path: Path) -> None:
    """The policy has no number yet, so the oracle sends two transactions, one after the other."""
    cycles = drive(registry, tmp_path, "automine")
    steps = [str(cycle["step"]) for cycle in cycles]
    assert {"send", "before commit", "after commit", "entry_of", "nonce", "policy_id", "seats"} <= set(steps)
    assert len(steps) > 20
    for cycle in cycles:
        assert (cycle["restarted"], cycle["states"]) == (0, ["final", "final"]), cycle
        manifest = bytes.fromhex(cycle["manifest"])
        policy = bytes.fromhex(cycle["policy"])
        assert cycle["names"] == ["model", f"policy {policy.hex()}"]
        assert_first_stored_is_mined(cycle, [writers_of(registry, manifest), numberers_of(registry, policy)])
    assert_key_is_nowhere(registry.oracle.key, tmp_path)


def test_one_record_though_the_node_forgets_what_it_was_sent(registry: DeployedRegistry, tmp_path: Path) -> None:
    registry.policy_id(load_policy("baseline").digest)
    cycles = drive(registry, tmp_path, "forgetful")
    assert len(cycles) > 10
    for cycle in cycles:
        assert (cycle["restarted"], cycle["states"]) == (0, ["final"]), cycle
        assert_first_stored_is_mined(cycle, [writers_of(registry, bytes.fromhex(cycle["manifest"]))])


def assert_first_stored_is_mined(cycle: dict[str, Any], mined: list[list[str]]) -> None:
    assert mined == cycle["transactions"], cycle
    assert {len(hashes) for hashes in mined} == {1}


def writers_of(registry: DeployedRegistry, manifest: bytes) -> list[str]:
    reader = registry.reader()
    events = reader.history(reader.entry(manifest))
    return [event.place.transaction_hash.hex() for event in events if isinstance(event, Publication)]


def numberers_of(registry: DeployedRegistry, policy_digest: bytes) -> list[str]:
    logs = registry.contract.events.PolicyNumbered().get_logs(
        from_block=0, argument_filters={"policyDigest": policy_digest}
    )
    return [bytes(log["transactionHash"]).hex() for log in logs]


def assert_key_is_nowhere(key: bytes, folder: Path) -> None:
    forms = (key, key.hex().encode(), key.hex().upper().encode(), str(int.from_bytes(key)).encode(), b64encode(key))
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not [form for form in forms if form in data], path
