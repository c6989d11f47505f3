"""Compile the registry with another build of the pinned compiler and compare with the committed bytes.

    python hardhat/compare.py           the compiler that npm brings (WebAssembly)
    python hardhat/compare.py solc      a native one on PATH, such as the one of solc-select 0.8.24

Standard library only. Ends with 0 if ABI, creation code and runtime code are equal, with 1 if not.
"""

from __future__ import annotations

import json
import posixpath
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HARDHAT = Path(__file__).parent
ROOT = HARDHAT.parent
COMMITTED = ROOT / "verifier" / "abi" / "ProvenanceRegistry.json"
SOURCE, CONTRACT = "contracts/ProvenanceRegistry.sol", "ProvenanceRegistry"
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
NPM_SOLC = (sys.executable, str(ROOT / "tools" / "npm.py"), "run", "--silent", "--prefix", str(HARDHAT), "solc")
_IMPORT = re.compile(r'^\s*(?:import\s|\}\s*from\s|from\s)[^";]*"([^"]+)";', re.MULTILINE)


def main(*arguments: str) -> None:
    different = differences(compile_registry((*arguments, "--standard-json") if arguments else NPM_SOLC))
    committed = COMMITTED.relative_to(ROOT)
    if different:
        sys.exit(f"compare.py: {', '.join(different)} not as in {committed}")
    sys.stdout.write(f"equal to {committed}\n")


def compile_registry(command: tuple[str, ...]) -> dict[str, Any]:
    """Run a compiler that takes standard JSON on standard input; warnings end the program like errors."""
    text = json.dumps(standard_input())
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"compare.py: {command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    output = json.loads(done.stdout)
    if output.get("errors"):
        sys.exit("\n".join(one["formattedMessage"] for one in output["errors"]))
    compiled: dict[str, Any] = output["contracts"][SOURCE][CONTRACT]
    return compiled


def differences(compiled: dict[str, Any]) -> list[str]:
    """Names of the parts that are not as committed."""
    committed = json.loads(COMMITTED.read_text())
    parts = {
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + compiled["evm"]["deployedBytecode"]["object"],
    }
    return [name for name, part in parts.items() if part != committed[name]]


def standard_input() -> dict[str, Any]:
    """The compiler's input: our sources and what they import, with the committed settings."""
    sources: dict[str, str] = {}
    waiting = [SOURCE]
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = _path_of(name).read_text()
            waiting += [_resolve(name, imported) for imported in _IMPORT.findall(sources[name])]
    settings = json.loads((HARDHAT / "compiler.json").read_text())
    return {
        "language": "Solidity",
        "sources": {name: {"content": sources[name]} for name in sorted(sources)},
        "settings": settings | {"outputSelection": {SOURCE: {CONTRACT: OUTPUTS}}},
    }


def _path_of(name: str) -> Path:
    return HARDHAT / "node_modules" / name if name.startswith("@") else ROOT / name


def _resolve(importer: str, imported: str) -> str:
    if not imported.startswith("."):
        return imported
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported))


if __name__ == "__main__":
    main(*sys.argv[1:])
