"""A publisher's private key: ECDSA on P-256, P-384 or P-521 in PEM, with or without a password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.secret_files import read_secret

_WANTED = "a PEM file with an ECDSA key on P-256, P-384 or P-521"
_KEY_MAX_BYTES = 64 * 1024


def load_publisher_key(path: Path, password: Callable[[], bytes]) -> EllipticCurvePrivateKey:
    """Load the private key of a publisher.

    Args:
        password: returns the password. It is called only if the key has one.

    Raises:
        UsageError: the file does not exist, others can read it, the password is wrong, or it holds another key.
        TemporaryError: the disk fails.
    """
    pem = read_secret(path, _KEY_MAX_BYTES, _WANTED)
    try:
        key = _loaded(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # the library's message may quote the key
        raise UsageError(
            "the key cannot be loaded",
            where=str(path),
            got="a wrong password, or no such key",
            wanted=_WANTED,
        ) from None
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1 | SECP384R1 | SECP521R1):
        return key
    raise UsageError("the key cannot sign models", where=str(path), got=type(key).__name__, wanted=_WANTED)


def _loaded(pem: bytes, password: Callable[[], bytes]) -> object:
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:  # the key has a password
        return load_pem_private_key(pem, password=password())
