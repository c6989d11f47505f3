"""The committed ABI and bytecode are what the sources compile to, whoever compiles them."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HARDHAT = ROOT / "hardhat"
COMMITTED = ROOT / "verifier" / "abi" / "ProvenanceRegistry.json"


@pytest.fixture(scope="module")
def compare() -> dict[str, Any]:
    """The names in hardhat/compare.py; skips where npm's development packages are not installed."""
    if not (HARDHAT / "node_modules" / "hardhat").is_dir():
        problem = "no Hardhat; run: python tools/npm.py ci --prefix hardhat"
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)
    return runpy.run_path(str(HARDHAT / "compare.py"))


def test_hardhat_compiles_to_the_committed_bytes(compare: dict[str, Any], tmp_path: Path) -> None:
    exported = tmp_path / "ProvenanceRegistry.json"
    npm = [sys.executable, str(ROOT / "tools" / "npm.py"), "run", "--prefix", str(HARDHAT)]
    done = subprocess.run(
        [*npm, "export", "--", str(exported)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr.replace("npm warn", "")
    assert exported.read_text() == COMMITTED.read_text(), "run `make abi` and commit verifier/abi"


def test_the_plain_compiler_gives_the_same_bytes(compare: dict[str, Any]) -> None:
    compiled = compare["compile_registry"](compare["NPM_SOLC"])
    assert compare["differences"](compiled) == []
    # No immutables: any reader can compare the code it finds on chain with the committed bytes.
    assert compiled["evm"]["deployedBytecode"].get("immutableReferences", {}) == {}


def test_the_compiler_and_its_settings_are_the_pinned_ones(compare: dict[str, Any]) -> None:
    exported = json.loads(COMMITTED.read_text())
    package = json.loads((HARDHAT / "package.json").read_text())
    assert exported["compiler"]["version"].startswith(package["devDependencies"]["solc"] + "+")
    assert exported["compiler"]["settings"] == json.loads((HARDHAT / "compiler.json").read_text())
    assert exported["compiler"]["settings"]["evmVersion"] == "paris"


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in (HARDHAT / "package-lock.json").read_text()
