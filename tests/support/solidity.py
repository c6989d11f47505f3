"""Compile single contracts in the ways that tests need: other compilers, code generators, or changed sources."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import runpy
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HARDHAT = Path(__file__).parents[2] / "hardhat"
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Way:
    """A way to compile: a compiler of package.json, the fork it compiles for, and the code generator."""

    package: str = "solc"
    evm_version: str = "paris"
    via_ir: bool = True


Compile = Callable[..., Mapping[str, Any]]


@pytest.fixture(scope="session")
def compile_one(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Return a function that compiles one contract, `compile(source, contract, way, changed={})`; see `_compiled`.

    What it returns is kept for the run, for all of its processes. Skips the test if the compilers are not installed.
    """
    missing = [name for name in ("solc", "solc-current") if not (HARDHAT / "node_modules" / name).is_dir()]
    if missing:
        problem = f"no {', '.join(missing)}; run: python tools/npm.py ci --prefix hardhat"
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)
    base = tmp_path_factory.getbasetemp()
    kept = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def compiled(
        source: str, contract: str, way: Way | None = None, changed: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return _compiled(kept, source, contract, way or Way(), changed or {})

    return compiled


def _compiled(kept: Path, source: str, contract: str, way: Way, changed: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the compiler's output for one contract, with the committed settings but for those of `way`.

    Args:
        kept: folder of outputs from earlier calls.
        source: path from the root of the repository.
        changed: texts that replace those of sources, by path.
    """
    compare = runpy.run_path(str(HARDHAT / "compare.py"))
    sources = compare["with_imports"]([source]) | {name: {"content": text} for name, text in changed.items()}
    settings = json.loads((HARDHAT / "compiler.json").read_text())
    wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", *(["irOptimized"] if way.via_ir else [])]
    settings |= {"evmVersion": way.evm_version, "viaIR": way.via_ir, "outputSelection": {source: {contract: wanted}}}
    text = json.dumps({"language": "Solidity", "sources": sources, "settings": settings})
    output = kept / f"{hashlib.sha256(f'{way.package} {text}'.encode()).hexdigest()}.json"
    with output.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not output.exists():
            done = subprocess.run(
                [*compare["NPM_SOLC"], "--standard-json"],
                input=text,
                env=os.environ | {"SOLC_PACKAGE": way.package},
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_SECONDS,
                check=True,
            )
            output.write_text(done.stdout)
    answer = json.loads(output.read_text())
    assert answer.get("errors", []) == [], answer["errors"]
    found: Mapping[str, Any] = answer["contracts"][source][contract]
    return found


def code_of(compiled: Mapping[str, Any]) -> bytes:
    """Return the creation code in a compiler's output."""
    return bytes.fromhex(compiled["evm"]["bytecode"]["object"])
