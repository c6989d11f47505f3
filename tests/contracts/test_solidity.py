"""Unit tests, fuzz tests and invariants that are written in Solidity and run by forge: see hardhat/test."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parents[2] / "hardhat" / "test"
_WRITTEN = re.compile(r"function ((?:test|invariant)\w*)\(")
_PASSED = re.compile(r"^\[PASS\] (\w+)\(", re.MULTILINE)


def test_every_solidity_test_passes(npm_run: Callable[..., str]) -> None:
    printed = npm_run("test")
    written = {name for file in TESTS.rglob("*.sol") for name in _WRITTEN.findall(file.read_text())}
    assert any(name.startswith("invariant") for name in written)
    assert any(name.startswith("testFuzz") for name in written)
    assert written - set(_PASSED.findall(printed)) == set(), printed
    assert ", 0 failed, 0 skipped" in printed, printed
