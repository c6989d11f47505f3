"""Imports run downward only, and the base package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "verifier": {"publisher", "oracle"},
    "publisher": {"oracle"},
    "oracle": {"publisher"},
}
# The one assembled command line, and the demo that plays every part.
ASSEMBLERS = {"oracle/cli/main.py", "oracle/demo/run.py"}
HEAVY = ("torch", "cupy", "web3", "eth_account", "watchdog", "sigstore", "requests", "pydantic", "numpy")
# Inside verifier/: a room may import those above it in this list, never those below.
FLOORS = (
    ("checks", "text"),
    ("errors",),
    ("strict",),
    ("snp", "manifest", "disk"),
    ("policy", "digest", "record"),
    ("judgement", "registry"),
    ("cli",),
)


def _sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_downward(package: str) -> None:
    for path in _sources(package):
        if str(path.relative_to(ROOT)) in ASSEMBLERS:
            continue
        tops = {name.split(".")[0] for name in _imports(path)}
        assert not tops & FORBIDDEN[package], f"{path} imports {tops & FORBIDDEN[package]}"


def test_rooms_of_the_verifier_import_downward() -> None:
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    for path in _sources("verifier"):
        room = path.relative_to(ROOT / "verifier").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in floor_of, f"verifier/{room} has no floor in this test"
        for name in _imports(path):
            parts = name.split(".")
            if parts[0] == "verifier" and len(parts) > 1:
                assert floor_of[parts[1]] <= floor_of[room], f"{path} imports upward: {name}"


@pytest.mark.parametrize("package", FORBIDDEN)
def test_heavy_packages_are_imported_only_inside_functions(package: str) -> None:
    for path in _sources(package):
        tree = ast.parse(path.read_text())
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
        heavy = {name for name in names if name.split(".")[0] in HEAVY}
        assert not heavy, f"{path} imports {heavy} at module level"


@pytest.mark.parametrize(
    "module", ["verifier", "verifier.judgement.judge", "verifier.cli.commands", "publisher.cli", "oracle.cli.main"]
)
def test_importing_loads_no_heavy_package(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


def test_there_are_no_import_cycles() -> None:
    graph = {}
    for package in FORBIDDEN:
        for path in _sources(package):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[module] = {name for name in _imports(path) if name.split(".")[0] in FORBIDDEN}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"import cycle: {' -> '.join((*trail, module))}"
        if module in done or module not in graph:
            return
        for name in graph[module]:
            visit(name, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())
