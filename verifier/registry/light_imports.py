"""Import web3 and eth-account without the slow part that this project never uses, and undo their change to Python.

eth-account imports eth-keyfile, which imports py_ecc for the keyfiles of Ethereum's beacon chain (EIP-2335). py_ecc
computes the constants of its BLS pairings at import: a third of the time that a command takes to start.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_BLS, _CURVE = "py_ecc.bls", "py_ecc.bls12_381"
# The order of BLS12-381's groups, the only number that eth-keyfile reads of the curve at import.
_CURVE_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


@contextmanager
def light_imports() -> Iterator[None]:
    """Keep py_ecc's pairings and its recursion limit out of the imports of web3 and eth-account in the block.

    The pairings are imported when eth-keyfile first uses them, so its keyfiles of every version go on working.

    py_ecc raises the recursion limit to 100000. Up to Python 3.11 that is more than the C stack holds: a deeply nested
    answer of a node would end the process instead of raising RecursionError.
    """
    limit = sys.getrecursionlimit()
    late = [_LateModule(_BLS, G2ProofOfPossession=_LateScheme()), _LateModule(_CURVE, curve_order=_CURVE_ORDER)]
    if "eth_keyfile" not in sys.modules:
        for module in late:
            sys.modules.setdefault(module.__name__, module)
    try:
        yield
    finally:
        for module in late:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]
        sys.setrecursionlimit(limit)


class _LateModule(ModuleType):
    """A module with a few names; every other name is looked up in the real module, which is then imported."""

    def __init__(self, name: str, **known: object) -> None:
        super().__init__(name)
        vars(self).update(known)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


class _LateScheme:
    """py_ecc's signature scheme of EIP-2335, imported when one of its functions is first looked up."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_real(_BLS).G2ProofOfPossession, name)


def _real(name: str) -> ModuleType:
    limit = sys.getrecursionlimit()
    if isinstance(sys.modules.get(name), _LateModule):
        del sys.modules[name]
    try:
        return importlib.import_module(name)
    finally:
        sys.setrecursionlimit(limit)
