"""Fuzz tests and invariants, written in Solidity and run by Hardhat: see hardhat/test."""

from __future__ import annotations

import re
from collections.abc import Callable

INVARIANTS_AND_FUZZ_TESTS = 7


def test_fuzz_tests_and_invariants_hold(npm_run: Callable[..., str]) -> None:
    printed = npm_run("test")
    found = re.search(r"^\s*(\d+) passing$", printed, re.MULTILINE)
    assert found, printed
    assert int(found[1]) == INVARIANTS_AND_FUZZ_TESTS, printed
    assert "failing" not in printed
