"""Files of a publisher: private keys with and without a password, and certificate chains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from tests.support.model_signatures import SIGNING_KEY
from tests.support.signing_chains import CA, LEAF, ROOT, certified, pem_of_certificates


def write_key(path: Path, key: EllipticCurvePrivateKey = SIGNING_KEY, password: bytes = b"", mode: int = 0o600) -> Path:
    """Write a private key in PEM (PKCS #8), and return its path."""
    protection: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    path.chmod(mode)
    return path


def write_chain(path: Path, certificates: Sequence[x509.Certificate] = ()) -> Path:
    """Write certificates in PEM, by default those of SIGNING_KEY up to a root, and return the path."""
    path.write_bytes(pem_of_certificates(certificates or certified(LEAF, CA, ROOT)))
    return path
