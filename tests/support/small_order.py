"""Points of small order on the curve of Ed25519, and signatures with one (RFC 8032, section 5.1)."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIME = 2**255 - 19
SIGN = 1 << 255
_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
_ORDER_8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
# The coordinates y of all eight points, of which three pairs have the same.
SMALL_ORDER = (0, 1, PRIME - 1, _ORDER_8, PRIME - _ORDER_8)
IDENTITY = (1).to_bytes(32, "little")
SPKI_HEAD = bytes.fromhex("302a300506032b6570032100")


def signed_with_identity(secret: bytes, message: bytes) -> bytes:
    """Return a signature by a secret key whose point R is the identity: s is then the digest times the scalar."""
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    scalar = int.from_bytes(hashlib.sha512(secret).digest()[:32], "little") & (1 << 254) - 8 | 1 << 254
    digest = int.from_bytes(hashlib.sha512(IDENTITY + public + message).digest(), "little")
    return IDENTITY + (digest * scalar % _GROUP_ORDER).to_bytes(32, "little")
