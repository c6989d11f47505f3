"""Tests of the layout: imports run downward by folder, folders form no cycle, and the base package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PREFIX = "provenance_oracle"
FORBIDDEN = {
    "verifier": {"publisher", "oracle"},
    "publisher": {"oracle"},
    "oracle": {"publisher"},
}
# The assembled command line, and the demo, which acts for every party.
ASSEMBLERS = {"oracle/cli/main.py", "oracle/demo/folder.py"}
HEAVY = ("torch", "cupy", "web3", "eth_account", "watchdog", "sigstore", "requests", "pydantic", "numpy")
HEAVY += ("huggingface_hub", "psycopg", "ray")
# A room may import rooms in its own row and in the rows above, and none below. Every room stands in a row.
FLOORS = {
    "verifier": (
        ("characters", "checks", "text"),
        ("errors",),
        ("strict",),
        ("snp", "manifest", "disk", "gpu_evidence"),
        ("policy", "digest", "record"),
        ("identity",),
        ("judgement", "registry"),
        ("proofs",),
        ("documents", "live"),
        ("hub", "loaders"),
        ("cli",),
    ),
    "verifier/digest": (
        ("tree",),
        ("gpu",),
        ("weights",),
        ("bookkeeping", "byte_meter", "choose", "dataset", "files", "match_files", "samples", "sparse"),
    ),
    "publisher": (
        ("simulator", "manifest", "dependencies", "fit_to_publish", "trial"),
        ("evidence", "keys", "signing", "tensor_table"),
        ("pack",),
        ("documents",),
        ("cli",),
    ),
    "oracle": (
        ("backoff", "bell", "clock_check", "logs", "metrics"),
        ("conditions",),
        ("cluster", "deadline", "amd_cache", "index", "journal", "settings", "signers", "sources"),
        ("chain", "judging", "outcomes", "quorum", "queue"),
        ("audit", "pipeline", "recording", "service", "web"),
        ("assembly", "demo", "documents"),
        ("cli",),
    ),
}
# The largest number of modules beside a package's `__init__`. Only modules that every room imports belong there.
MODULES_AT_THE_TOP = {"verifier": 6, "publisher": 8, "oracle": 15}


def _sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    """Return the modules that a file imports, also by `from room import module`; ours without the prefix."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"{module}.{a.name}" if _is_ours(f"{module}.{a.name}") else module for a in node.names}
    return {name.removeprefix(f"{PREFIX}.") for name in found}


def _is_ours(module: str) -> bool:
    place = ROOT / module.removeprefix(f"{PREFIX}.").replace(".", "/")
    return module.startswith(f"{PREFIX}.") and (place.is_dir() or place.with_suffix(".py").is_file())


def _room(place: Path) -> str:
    """Return the folder of a module. A module at the top of a package is a room of its own."""
    parts = place.with_suffix("").parts
    return "/".join(parts if (ROOT / place).is_dir() else parts[: max(2, len(parts) - 1)])


def _edges() -> Iterator[tuple[str, str, Path]]:
    """Yield pairs of rooms (importing, imported) with the file that imports."""
    for package in FORBIDDEN:
        for path in _sources(package):
            if path.name == "__init__.py" and path.parent.parent == ROOT:
                continue  # the facade names rooms, and no room imports it
            for name in _imports(path):
                if name.split(".")[0] in FORBIDDEN:
                    yield _room(path.relative_to(ROOT)), _room(Path(name.replace(".", "/"))), path


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_downward(package: str) -> None:
    for path in _sources(package):
        if str(path.relative_to(ROOT)) in ASSEMBLERS:
            continue
        tops = {name.split(".")[0] for name in _imports(path)}
        assert not tops & FORBIDDEN[package], f"{path} imports {tops & FORBIDDEN[package]}"


@pytest.mark.parametrize("folder", FLOORS)
def test_rooms_import_downward(folder: str) -> None:
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS[folder]) for room in rooms}
    depth = len(Path(folder).parts)
    for path in _sources(folder):
        room = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in floor_of, f"{folder}/{room} has no floor in this test"
        for name in _imports(path):
            parts = name.split(".")
            if "/".join(parts[:depth]) == folder and len(parts) > depth:
                assert floor_of[parts[depth]] <= floor_of[room], f"{path} imports upward: {name}"


@pytest.mark.parametrize("folder", FLOORS)
def test_every_room_with_a_floor_is_there(folder: str) -> None:
    rooms = {path.stem if path.is_file() else path.name for path in (ROOT / folder).iterdir()}
    assert {room for row in FLOORS[folder] for room in row} <= rooms


def test_folders_form_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for importing, imported, _ in _edges():
        if importing != imported:
            graph.setdefault(importing, set()).add(imported)
    _assert_acyclic(graph)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_few_modules_stand_at_the_top(package: str) -> None:
    modules = [path.name for path in (ROOT / package).glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MODULES_AT_THE_TOP[package], modules


@pytest.mark.parametrize("package", FORBIDDEN)
def test_every_folder_says_what_it_is_for(package: str) -> None:
    for path in _sources(package):
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


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
    "module",
    [
        "",
        ".hub",
        ".loaders",
        ".verifier",
        ".verifier.judgement.judge",
        ".verifier.cli.commands",
        ".publisher.cli.pack",
        ".oracle.cli.main",
    ],
)
def test_importing_loads_no_heavy_package(module: str) -> None:
    code = f"import sys, {PREFIX}{module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_sentence_is_a_key_or_decides_anything(package: str) -> None:
    """Sentences are for people, and their words may change. Code therefore compares and looks up only short words."""
    for path in _sources(package):
        for node in ast.walk(ast.parse(path.read_text())):
            texts = [part.value for part in _decisive(node) if isinstance(part, ast.Constant)]
            sentences = [text for text in texts if isinstance(text, str) and len(text.split()) > 2]
            assert not sentences, f"{path}: {sentences}"


def _decisive(node: ast.AST) -> list[ast.expr | None]:
    """Return the expressions in a node that look up a value or compare it."""
    if isinstance(node, ast.Dict):
        return node.keys
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Subscript):
        return [node.slice]
    if isinstance(node, ast.MatchValue):
        return [node.value]
    is_enum = isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases)
    if isinstance(node, ast.ClassDef) and is_enum:
        return [line.value for line in node.body if isinstance(line, ast.Assign)]
    return []


def test_there_are_no_import_cycles() -> None:
    graph = {}
    for package in FORBIDDEN:
        for path in _sources(package):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            # A facade imports its names at their first use, so modules below it may be imported first.
            graph[module] = set() if path.parent.parent == ROOT and path.name == "__init__.py" else _imports(path)
    _assert_acyclic(graph)


def _assert_acyclic(graph: dict[str, set[str]]) -> None:
    done: set[str] = set()

    def visit(node: str, trail: tuple[str, ...]) -> None:
        assert node not in trail, f"import cycle: {' -> '.join((*trail, node))}"
        if node in done or node not in graph:
            return
        for name in sorted(graph[node]):
            visit(name, (*trail, node))
        done.add(node)

    for node in graph:
        visit(node, ())


# The files where a program begins. They pass the time to all other code as an argument.
CLOCKS = {
    "verifier/cli/options.py",
    "verifier/hub/snapshot.py",
    "verifier/live.py",
    "publisher/cli/attest.py",
    "publisher/cli/pack.py",
    "oracle/assembly.py",
}


def test_only_the_edges_read_the_clock() -> None:
    calls = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
    found = {
        str(path.relative_to(ROOT))
        for package in FORBIDDEN
        for path in _sources(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in calls
    }
    assert found == CLOCKS
