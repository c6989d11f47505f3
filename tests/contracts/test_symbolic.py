"""halmos proves roles, quorums, immutability, idempotence and namespaces for every caller, argument and state.

The proofs over whole records (KeptRecords.t.sol) and of the field of P-384 (Field.t.sol) take minutes; `make prove`
runs them together with these.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

HARDHAT = Path(__file__).parents[2] / "hardhat"
_WRITTEN = re.compile(r"function (check_\w+)\(")


def test_every_check_is_proven(prover_run: Callable[..., str], tmp_path: Path) -> None:
    report = tmp_path / "halmos.json"
    quick = "^(?!KeptRecords|FieldProofs)"
    prover_run("halmos", "--", "--match-contract", quick, "--no-status", "--json-output", str(report))
    results = json.loads(report.read_text())
    assert runpy.run_path(str(HARDHAT / "prove.py"))["unproven"](results) == []

    folder = HARDHAT / "test" / "halmos"
    sources = set(folder.glob("*.t.sol")) - {folder / "KeptRecords.t.sol", folder / "Field.t.sol"}
    written = {name for source in sources for name in _WRITTEN.findall(source.read_text())}
    proven = {check["name"].partition("(")[0] for checks in results["test_results"].values() for check in checks}
    assert written == proven != set(), "a check without a source comes from an old build: remove hardhat/cache/halmos"


def test_nothing_is_proven_of_an_old_build(prover_run: Callable[..., str]) -> None:
    """halmos builds with the `forge` that it finds, and the one from npm never reports a failure to it."""
    with pytest.raises(AssertionError, match="no-such-compiler does not exist"):
        prover_run("halmos", FOUNDRY_SOLC="no-such-compiler")
