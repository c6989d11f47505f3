"""What importing web3 costs and changes. A process of its own: in this one it may have been imported before."""

from __future__ import annotations

import subprocess
import sys

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


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pairings_come_with_their_first_use_and_the_recursion_limit_stays() -> None:
    _run(IMPORT)


def test_a_name_that_is_not_foreseen_is_the_real_one() -> None:
    _run(OTHER_NAME)
