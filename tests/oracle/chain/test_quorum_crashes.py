"""Tests that kill an oracle of a quorum with SIGKILL at the steps of a batch: nothing is lost, nothing recorded twice.

The victim proposes the batch, or signs that of the other one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chain, pytest.mark.timeout(900), pytest.mark.usefixtures("anvil_program")]
_ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("role", ["proposer", "follower"])
def test_each_release_is_recorded_once_whenever_one_oracle_is_killed(role: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.quorum_crash_driver", str(tmp_path), role],
        cwd=_ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-3000:]
    cycles = [json.loads(line) for line in found.stdout.splitlines()]
    steps = [cycle["step"] for cycle in cycles]
    wanted = {"before commit", "after commit", "sign", "offer", "read"} | ({"send"} if role == "proposer" else set())
    assert wanted <= set(steps)
    assert len(cycles) >= 8
    for cycle in cycles:
        assert (cycle["twice"], cycle["missing"]) == (0, 0), cycle
        assert (cycle["batches"], cycle["singles"]) == (1, 0), cycle
