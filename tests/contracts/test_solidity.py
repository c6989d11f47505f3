"""forge runs the unit tests, fuzz tests and invariants of hardhat/test, which are written in Solidity."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2] / "hardhat" / "test"
_WRITTEN = re.compile(r"function ((?:test|invariant)\w*)\(")
_PASSED = re.compile(r"^\[PASS\] (\w+)\(", re.MULTILINE)
_BEHAVIOUR = re.compile(r"^abstract contract (\w+Behaviour) is ", re.MULTILINE)
_IMPLEMENTED = re.compile(r"^contract \w+ is (\w+Behaviour), (From\w+) ", re.MULTILINE)


def test_every_solidity_test_passes(npm_run: Callable[..., str]) -> None:
    printed = npm_run("test")
    written = {name for file in TESTS.rglob("*.sol") for name in _WRITTEN.findall(file.read_text())}
    assert any(name.startswith("invariant") for name in written)
    assert any(name.startswith("testFuzz") for name in written)
    assert written - set(_PASSED.findall(printed)) == set(), printed
    assert ", 0 failed, 0 skipped" in printed, printed


def test_the_commands_end_as_forge_does(npm_run: Callable[..., str]) -> None:
    """forge's start script from npm exits with 0 in any case, which would hide failures from a pipeline."""
    for script in ("forge", "test"):
        with pytest.raises(AssertionError, match="unexpected argument '--no-such-option'"):
            npm_run(script, "--", "--no-such-option")


def test_an_input_of_any_length_compiles(npm_run: Callable[..., str], tmp_path: Path) -> None:
    """The compiler's own start script overflows its stack at some 1.2 million characters; all our sources come near."""
    source = f"// SPDX-License-Identifier: MIT\npragma solidity ^0.8.20;\n/*{'x' * 2_000_000}*/\ncontract Long {{}}\n"
    wanted = {"outputSelection": {"*": {"*": ["abi"]}}}
    file = tmp_path / "input.json"
    file.write_text(json.dumps({"language": "Solidity", "sources": {"a.sol": {"content": source}}, "settings": wanted}))
    printed = npm_run("solc", "--", "--standard-json", str(file))
    assert '"contracts":{"a.sol":{"Long":{"abi":[]}}}' in printed


def test_every_behaviour_is_that_of_the_source_and_of_the_shipped_bytes() -> None:
    texts = [file.read_text() for file in TESTS.rglob("*.t.sol")]
    behaviours = {name for text in texts if _WRITTEN.search(text) for name in _BEHAVIOUR.findall(text)}
    implemented = {pair for text in texts for pair in _IMPLEMENTED.findall(text)}
    wanted = {(name, implementation) for name in behaviours for implementation in ("FromSource", "FromShipped")}
    assert len(behaviours) > 10
    assert wanted - implemented == set()
