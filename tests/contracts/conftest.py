"""The npm tool chain of the contracts."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HARDHAT = Path(__file__).parents[2] / "hardhat"
NPM = [sys.executable, str(HARDHAT.parent / "tools" / "npm.py"), "run", "--prefix", str(HARDHAT)]


@pytest.fixture
def npm_run() -> Callable[..., str]:
    """Runs a script of hardhat/package.json and returns what it printed; skips where Hardhat is not installed."""
    if not (HARDHAT / "node_modules" / "hardhat").is_dir():
        problem = "no Hardhat; run: python tools/npm.py ci --prefix hardhat"
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)
    return _run_alone


def _run_alone(*arguments: str) -> str:
    # Hardhat's artifacts are one folder, and tests may run side by side.
    with (HARDHAT / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([*NPM, *arguments], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
