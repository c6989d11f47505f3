"""Tests of the names that users may import: they exist and are sorted, and the pages use no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

import provenance_oracle
from provenance_oracle import hub, loaders, oracle, verifier

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
FACADES: dict[str, ModuleType] = {
    module.__name__: module for module in (provenance_oracle, hub, loaders, verifier, oracle)
}
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("facade", FACADES.values(), ids=FACADES)
def test_every_exported_name_resolves(facade: ModuleType) -> None:
    assert facade.__all__ == sorted(set(facade.__all__))
    for name in facade.__all__:
        assert getattr(facade, name) is not None
    assert set(facade.__all__) <= set(dir(facade))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = facade.nothing


@pytest.mark.parametrize("facade", [verifier, oracle], ids=["verifier", "oracle"])
def test_type_checkers_see_what_python_imports(facade: ModuleType) -> None:
    """The imports for type checkers and the late imports give the same objects."""
    tree = ast.parse(Path(facade.__file__ or "").read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted(imported) == facade.__all__
    for name, module in imported.items():
        assert getattr(facade, name) is getattr(__import__(str(module), fromlist=[name]), name)


def test_the_distribution_exports_what_the_verifier_does() -> None:
    assert provenance_oracle.__all__ == verifier.__all__
    assert all(getattr(provenance_oracle, name) is getattr(verifier, name) for name in verifier.__all__)


def test_the_version_is_that_of_the_distribution() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert f'\nversion = "{provenance_oracle.__version__}"\n' in text
    assert verifier.__version__ == provenance_oracle.__version__
    assert "__version__" in dir(provenance_oracle)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_import_nothing_but_exported_names(page: Path) -> None:
    for block in _PYTHON.findall(page.read_text()):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("provenance_oracle.") for alias in node.names), block
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "provenance_oracle":
                assert node.module in FACADES, f"{page.name} imports from {node.module}"
                assert {alias.name for alias in node.names} <= set(FACADES[node.module].__all__)


def test_pages_import_something() -> None:
    assert sum("from provenance_oracle import " in page.read_text() for page in PAGES) >= 4
