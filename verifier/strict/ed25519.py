"""Ed25519 without points of small order, about which verifiers differ.

A signature by a key of small order says nothing: anybody makes one over any message. RFC 8032, section 5.1.7, lets a
verifier take such points. OpenSSL 4, Chromium and Firefox do; Node.js does not, as the Web Cryptography API asks.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

POINT_BYTES = 32
_PRIME = 2**255 - 19
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The coordinates y of the eight points whose order divides 8: of orders 1, 2, 4 (two points) and 8 (four points).
_SMALL_ORDER = {1, _PRIME - 1, 0, _ORDER_8, _PRIME - _ORDER_8}


def is_acceptable_point(point: bytes) -> bool:
    """Return whether the encoding of a point, 32 bytes, has a y below the prime, and that of no point of small order.

    Whether there is such a point is not checked.
    """
    y = int.from_bytes(point, "little") & (1 << 255) - 1
    return y < _PRIME and y not in _SMALL_ORDER


def verify_ed25519(key: Ed25519PublicKey, signature: bytes, message: bytes) -> None:
    """Verify a signature. The caller has refused keys that are no acceptable point.

    Raises:
        InvalidSignature: it does not verify, or its point is not acceptable.
    """
    if not is_acceptable_point(signature[:POINT_BYTES]):
        raise InvalidSignature
    key.verify(signature, message)
