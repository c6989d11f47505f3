"""The contracts also compile without a warning for the newest fork with a current compiler.

tests/contracts/test_fresh.py compiles them for `paris`, the fork of Oasis Sapphire, with the pinned compiler.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

HARDHAT = Path(__file__).parents[2] / "hardhat"
EXAMPLES = HARDHAT.parent / "contracts" / "examples"  # what a dApp's author would compile with a compiler of their own
CURRENT_FORK = "osaka"
# amd/test_genuine.py compiles the verifier with this compiler; it takes longer than all others together.
_VERIFIERS = ("contracts/amd/", "contracts/testing/")


def test_every_contract_compiles_without_a_warning(
    npm_run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "0.8.24" not in npm_run("solc", "--", "--version", SOLC_PACKAGE="solc-current")
    monkeypatch.setenv("SOLC_PACKAGE", "solc-current")
    compare = runpy.run_path(str(HARDHAT / "compare.py"))
    contracts = {name: source for name, source in compare["EXPORTED"].items() if not source.startswith(_VERIFIERS)}
    examples = {source.stem: f"contracts/examples/{source.name}" for source in EXAMPLES.glob("*.sol")}
    compiled = compare["compile_all"](compare["NPM_SOLC"], CURRENT_FORK, contracts | examples)
    assert all(compiled[source][example]["evm"] for example, source in examples.items())
    for contract, source in contracts.items():
        # The code differs; the interface is the same.
        different = compare["differences"](compiled[source][contract], compare["ABI"] / f"{contract}.json")
        assert different == ["bytecode", "deployedBytecode"]
