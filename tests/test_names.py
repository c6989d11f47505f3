"""Tests that a name has one meaning.

No two modules define the same public name at their top, and a section of a docstring has one name.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Not an interface: functions with which a program or a command line starts.
_ENTRY_POINTS = {"main"}
_SECTIONS = {"Args", "Attributes", "Example", "Examples", "Raises", "Returns", "Yields"}
_SECTION = re.compile(r"^ *([A-Z][a-z]+):$", re.MULTILINE)


def _public_names(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_") and name not in _ENTRY_POINTS)


def test_no_two_modules_define_one_public_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for package in ("verifier", "publisher", "oracle"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name != "__init__.py":  # an `__init__` repeats names that its modules define
                for name in set(_public_names(path)):
                    homes[name].append(str(path.relative_to(ROOT)))
    assert len(homes) > 500
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_the_sections_of_docstrings_have_one_name_each() -> None:
    found = set()
    for package in ("verifier", "publisher", "oracle"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    found |= set(_SECTION.findall(ast.get_docstring(node) or ""))
    assert found <= _SECTIONS
