"""Killed at every step, with SIGKILL, and started again: nothing lost, nothing recorded twice, the same bytes sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.chain_fixtures import DeployedRegistry
from verifier.registry import Publication

pytestmark = pytest.mark.chain
_ROOT = Path(__file__).parents[2]


def drive(registry: DeployedRegistry, folder: Path, mode: str) -> list[dict[str, list[str]]]:
    arguments = [str(folder), registry.chain.rpc_url, registry.address, mode]
    found = subprocess.run(
        [sys.executable, "-m", "tests.oracle.crash_driver", *arguments],
        cwd=_ROOT,
        env={**os.environ, "CRASH_KEY": registry.oracle.key.hex()},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


@pytest.mark.parametrize("mode", ["automine", "forgetful"])
def test_one_record_whatever_the_moment(registry: DeployedRegistry, tmp_path: Path, mode: str) -> None:
    cycles = drive(registry, tmp_path, mode)
    steps = [str(cycle["step"]) for cycle in cycles]
    assert {"send", "before commit", "after commit", "entry", "nonce"} <= set(steps)
    assert len(steps) > 20
    reader = registry.reader()
    for cycle in cycles:
        assert (cycle["restarted"], cycle["states"]) == (0, ["final"]), cycle
        (manifest,) = cycle["manifests"]
        events = reader.history(bytes.fromhex(manifest))
        (event,) = (event for event in events if isinstance(event, Publication))
        assert [event.transaction_hash.hex()] == cycle["transactions"], "the transaction first stored is the one mined"
    assert_key_is_nowhere(registry.oracle.key, tmp_path)


def assert_key_is_nowhere(key: bytes, folder: Path) -> None:
    forms = (key, key.hex().encode(), key.hex().upper().encode(), str(int.from_bytes(key)).encode(), b64encode(key))
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not [form for form in forms if form in data], path
