"""The contracts compile, without a warning, for the newest fork with a new compiler too.

For `paris`, which Oasis Sapphire runs, tests/contracts/test_fresh.py compiles them with the pinned one.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

HARDHAT = Path(__file__).parents[2] / "hardhat"
CURRENT_FORK = "osaka"


def test_every_contract_compiles_without_a_warning(
    npm_run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "0.8.24" not in npm_run("solc", "--", "--version", SOLC_PACKAGE="solc-current")
    monkeypatch.setenv("SOLC_PACKAGE", "solc-current")
    compare = runpy.run_path(str(HARDHAT / "compare.py"))
    compiled = compare["compile_all"](compare["NPM_SOLC"], CURRENT_FORK)
    for contract, source in compare["EXPORTED"].items():
        # other code, the same interface
        different = compare["differences"](compiled[source][contract], compare["ABI"] / f"{contract}.json")
        assert different == ["bytecode", "deployedBytecode"]
