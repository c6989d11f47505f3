"""What importing web3 costs and changes. A process of its own: in this one it may have been imported before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
IMPORT = """
import json, sys
from provenance_oracle.verifier.registry.light_imports import light_imports

limit = sys.getrecursionlimit()
with light_imports():
    import web3
assert sys.getrecursionlimit() == limit
pairings = [name for name in sys.modules if name.startswith("py_ecc.") and ("bls" in name or "pairing" in name)]
assert pairings == [], pairings

import eth_keyfile
from eth_keyfile import keyfile
kept = eth_keyfile.create_keyfile_json(bytes(31) + b"\\7", b"words", version=4, iterations=2)
assert eth_keyfile.decode_keyfile_json(kept, b"words") == bytes(31) + b"\\7"
assert sys.getrecursionlimit() == limit

from py_ecc.bls import G2ProofOfPossession
from py_ecc.bls12_381 import curve_order
assert kept["pubkey"] == G2ProofOfPossession.SkToPk(7).hex()
assert keyfile.MAX_V4_PRIVATE_KEY == curve_order - 1
"""
OTHER_NAME = """
from provenance_oracle.verifier.registry.light_imports import light_imports

with light_imports():
    from py_ecc.bls import G2Basic
import py_ecc.bls
assert py_ecc.bls.G2Basic is G2Basic
"""


ALL = """
import importlib, pathlib, sys
import provenance_oracle

limit = sys.getrecursionlimit()
rooms = [pathlib.Path(path) for path in provenance_oracle.__path__]
names = [path.relative_to(room).with_suffix("") for room in rooms for path in sorted(room.glob("*/**/*.py"))]
for name in names:
    module = ".".join(("provenance_oracle", *name.parts)).removesuffix(".__init__")
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(module, error.name)
    assert sys.getrecursionlimit() == limit, module
assert len(names) > 400, len(names)
"""
_SLOW = ("web3", "eth_account", "eth_keyfile", "py_ecc")


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pairings_come_with_their_first_use_and_the_recursion_limit_stays() -> None:
    _run(IMPORT)


def test_a_name_that_is_not_foreseen_is_the_real_one() -> None:
    _run(OTHER_NAME)


def test_no_module_of_the_project_changes_the_recursion_limit() -> None:
    _run(ALL)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_changes_it_for_those_that_run_after_it(path: Path) -> None:
    """Every worker imports all tests before the first one runs."""
    for node in ast.parse(path.read_text()).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.partition(".")[0] in _SLOW], f"line {node.lineno}"
