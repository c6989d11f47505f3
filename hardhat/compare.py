"""Compile the contracts with another build of the pinned compiler and compare the result with the committed bytes.

    python hardhat/compare.py           with the compiler from npm (WebAssembly)
    python hardhat/compare.py solc      with a native compiler on PATH, such as 0.8.24 of solc-select

Uses the standard library only. Exits with 0 if ABI, creation code and runtime code of every contract in exported.json
are equal, with 1 if not.
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
ABI = ROOT / "verifier" / "abi"
EXPORTED: dict[str, str] = json.loads((HARDHAT / "exported.json").read_text())
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
NPM_SOLC = (sys.executable, str(ROOT / "tools" / "npm.py"), "run", "--silent", "--prefix", str(HARDHAT), "solc", "--")
_IMPORT = re.compile(r'^\s*(?:import\s|\}\s*from\s|from\s)[^";]*"([^"]+)";', re.MULTILINE)


def main(*arguments: str) -> None:
    compiled = compile_all(arguments or NPM_SOLC)
    for contract, source in EXPORTED.items():
        committed = ABI / f"{contract}.json"
        name = committed.relative_to(ROOT)
        if different := differences(compiled[source][contract], committed):
            sys.exit(f"compare.py: {', '.join(different)} not as in {name}")
        sys.stdout.write(f"equal to {name}\n")


def compile_all(
    command: tuple[str, ...], evm_version: str | None = None, contracts: dict[str, str] = EXPORTED
) -> dict[str, Any]:
    """Analyse all sources, and compile some contracts. A warning about our code ends the program like an error.

    Args:
        command: starts a compiler that takes --standard-json.
        evm_version: replaces the committed one.
        contracts: those whose code is wanted, with their sources. Code of all takes minutes.
    Returns:
        The compiler's outputs for contracts/, by source and contract.
    """
    text = json.dumps(standard_input(evm_version, contracts))
    command = (*command, "--standard-json")
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(f"compare.py: {command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    output = json.loads(done.stdout)
    if problems := [one["formattedMessage"] for one in output.get("errors", ()) if not _is_theirs(one)]:
        sys.exit("\n".join(problems))
    compiled: dict[str, Any] = output["contracts"]
    return {source: compiled.get(source, {}) for source in our_sources()}


def _is_theirs(problem: dict[str, Any]) -> bool:
    """Return whether this is a warning about OpenZeppelin's code, whose pinned release predates newer compilers."""
    file = problem.get("sourceLocation", {}).get("file", "")
    return problem["severity"] != "error" and file.startswith("@openzeppelin/")


def differences(compiled: dict[str, Any], committed_file: Path) -> list[str]:
    """Return the names of the parts that differ from the committed ones."""
    committed = json.loads(committed_file.read_text())
    parts = {
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + compiled["evm"]["deployedBytecode"]["object"],
    }
    return [name for name, part in parts.items() if part != committed[name]]


def our_sources() -> list[str]:
    """Return the names of all files in contracts/, in the form that the compiler gets."""
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "contracts").rglob("*.sol"))


def standard_input(evm_version: str | None, contracts: dict[str, str]) -> dict[str, Any]:
    """Return the compiler's input: our sources and their imports, with the committed settings."""
    sources = with_imports(our_sources())
    settings = json.loads((HARDHAT / "compiler.json").read_text())
    settings["evmVersion"] = evm_version or settings["evmVersion"]
    return {
        "language": "Solidity",
        "sources": sources,
        "settings": settings | {"outputSelection": _outputs(contracts)},
    }


def _outputs(contracts: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    # Not even the ABI of another contract: the compiler generates the code of every contract that it is asked about.
    outputs: dict[str, dict[str, list[str]]] = {source: {} for source in contracts.values()}
    for contract, source in contracts.items():
        outputs[source][contract] = OUTPUTS
    return outputs


def with_imports(names: list[str]) -> dict[str, dict[str, str]]:
    """Return these sources and all that they import, in the form that the compiler gets."""
    sources: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in sources:
            sources[name] = _path_of(name).read_text()
            waiting += [_resolve(name, imported) for imported in _IMPORT.findall(sources[name])]
    return {name: {"content": sources[name]} for name in sorted(sources)}


def _path_of(name: str) -> Path:
    return HARDHAT / "node_modules" / name if name.startswith("@") else ROOT / name


def _resolve(importer: str, imported: str) -> str:
    if not imported.startswith("."):
        return imported
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported))


if __name__ == "__main__":
    main(*sys.argv[1:])
