"""The sources compile to the committed ABIs and bytecode, with Hardhat and with the compiler alone."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HARDHAT = ROOT / "hardhat"
ABI = ROOT / "verifier" / "abi"
EXPORTED = json.loads((HARDHAT / "exported.json").read_text())


def test_hardhat_compiles_to_the_committed_bytes(npm_run: Callable[..., str], tmp_path: Path) -> None:
    printed = npm_run("export", "--", str(tmp_path))
    assert "arning" not in printed
    exported = {path.name: path.read_text() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text() for path in ABI.glob("*.json")}
    assert exported == committed, "run `make abi` and commit verifier/abi"
    assert {f"{contract}.json" for contract in EXPORTED} == set(committed)


def test_the_plain_compiler_gives_the_same_bytes(npm_run: Callable[..., str]) -> None:
    compare = runpy.run_path(str(HARDHAT / "compare.py"))
    """Of contracts that compile soon. `make prove` compares all of them, and Hardhat compiles all above."""
    contracts = {name: EXPORTED[name] for name in ("Lineage", "Namespaces", "P384")}
    compiled = compare["compile_all"](compare["NPM_SOLC"], contracts=contracts)
    for contract, source in contracts.items():
        assert compare["differences"](compiled[source][contract], ABI / f"{contract}.json") == []
        # Without immutables, any reader can compare the code on chain with the committed bytes.
        assert compiled[source][contract]["evm"]["deployedBytecode"].get("immutableReferences", {}) == {}


def test_forge_compiles_with_the_same_settings_but_for_the_slow_pipeline() -> None:
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    settings = json.loads((HARDHAT / "compiler.json").read_text())
    assert settings.pop("viaIR") is True
    assert settings == {
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"]},
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
    }


def test_the_compiler_wrapper_refuses_what_it_does_not_do(npm_run: Callable[..., str]) -> None:
    assert npm_run("solc", "--", "--version").strip().endswith(".Linux.g++")
    for options in (("--optimize",), ("--combined-json", "abi"), ()):
        with pytest.raises(AssertionError, match=r"solc\.mjs: "):
            npm_run("solc", "--", *options)


def test_the_compiler_and_its_settings_are_the_pinned_ones() -> None:
    package = json.loads((HARDHAT / "package.json").read_text())
    for contract in EXPORTED:
        compiler = json.loads((ABI / f"{contract}.json").read_text())["compiler"]
        assert compiler["version"].startswith(package["devDependencies"]["solc"] + "+")
        assert compiler["settings"] == json.loads((HARDHAT / "compiler.json").read_text())
        assert compiler["settings"]["evmVersion"] == "paris"


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in (HARDHAT / "package-lock.json").read_text()


def test_the_lock_file_serves_every_platform_and_pins_every_package() -> None:
    # `npm ci` refuses a lock file without the native packages of other platforms. If npm does not see those of a
    # platform when it writes the lock file, they have to be entered by hand, with the digest that the registry names.
    packages = json.loads((HARDHAT / "package-lock.json").read_text())["packages"]
    optional = {
        f"node_modules/{name}" for package in packages.values() for name in package.get("optionalDependencies", {})
    }
    assert optional <= packages.keys()
    integrity = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
    unpinned = [path for path, one in packages.items() if path and not integrity.fullmatch(one.get("integrity", ""))]
    assert unpinned == []
