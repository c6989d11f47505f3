"""Run the npm tool chain of the contracts, and slither and halmos, which have a Python environment of their own."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARDHAT = ROOT / "hardhat"
NPM = [sys.executable, str(ROOT / "tools" / "npm.py"), "run", "--prefix", str(HARDHAT)]
NPM_TOOLS = ("hardhat", "@foundry-rs/forge", "solc", "solc-current")
PROVERS = ("slither", "halmos")

# One build of all contracts takes a minute or two, and a test may have to wait for the build of another test.
SLOW_SECONDS = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "npm_run" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


@pytest.fixture
def npm_run() -> Callable[..., str]:
    """Return a function that runs a script of hardhat/package.json and returns its output.

    Keyword arguments of that function are environment variables for the script. Skips the test if the tools are not
    installed.
    """
    missing = [name for name in NPM_TOOLS if not (HARDHAT / "node_modules" / name).is_dir()]
    if missing:
        _miss(f"no {', '.join(missing)}; run: python tools/npm.py ci --prefix hardhat")
    return _run_alone


@pytest.fixture
def prover_run(npm_run: Callable[..., str]) -> Callable[..., str]:
    """Return `npm_run` for the scripts `slither` and `halmos`."""
    missing = [name for name in PROVERS if not (ROOT / ".make" / "prove" / "bin" / name).is_file()]
    if missing:
        _miss(f"no {', '.join(missing)}; run: make .make/prove/.made")
    return npm_run


def _miss(problem: str) -> None:
    if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
        pytest.fail(problem)
    pytest.skip(problem)


def _run_alone(*arguments: str, **environment: str) -> str:
    # Each tool has a single folder of artifacts, and tests may run side by side.
    with (HARDHAT / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [*NPM, *arguments], env=os.environ | environment, capture_output=True, text=True, timeout=1500, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
