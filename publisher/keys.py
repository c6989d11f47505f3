"""The VM's private key. It is made once inside the VM and kept in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from provenance_oracle.publisher.manifest import PrivateKey
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.strict.secret_files import read_secret, write_secret

_MAX_BYTES = 64 * 1024
# A signature on P-256 costs 2.7 million gas less to check on chain, and lets five times as many files fit into a proof
# (docs/proofs.md). Both curves are at least as strong as the chains' own signatures.
DEFAULT_KEY_TYPE = "p256"
_CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1}


def load_or_make_key(path: Path, key_type: str = DEFAULT_KEY_TYPE) -> PrivateKey:
    """Load the key in `path`, or make one there as `make_key` does. An existing file is never changed.

    Raises:
        UsageError: see `load_key`, or the file cannot be written. TemporaryError: the disk is full or fails.
    """
    return load_key(path) if os.path.lexists(path) else make_key(path, key_type)


def make_key(path: Path, key_type: str = DEFAULT_KEY_TYPE) -> PrivateKey:
    """Make a key in the new file `path`: ECDSA on the curve that `key_type` names, p256 or p384; mode 0600.

    Raises:
        UsageError: the file exists, or cannot be written. TemporaryError: the disk is full or fails.
    """
    forbid_core_dumps()
    key = ec.generate_private_key(_CURVES[key_type]())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(path, pem, wanted="a new file; leave out --new-key to use the key in a file that is there")
    return key


def load_key(path: Path) -> PrivateKey:
    """Load a PEM private key without a password.

    Raises:
        UsageError: the file does not exist, others can read it, or it is not an ECDSA P-256, P-384 or Ed25519 key.
        TemporaryError: the disk fails.
    """
    pem = read_secret(path, _MAX_BYTES, "a PEM file; `provenance attest --new-key` makes one")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the library's message may quote the key
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    raise UsageError(
        "the file has no key that can sign manifests",
        where=str(path),
        got="something else",
        wanted="P-256, P-384 or Ed25519 in PEM",
    )
