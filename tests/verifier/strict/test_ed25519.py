"""Tests of points of small order: the curve's own arithmetic finds all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.identity.sigstore_root import RootLog, ValidityWindow
from provenance_oracle.verifier.manifest.dsse import verify_signature
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.strict.ed25519 import is_acceptable_point, verify_ed25519
from tests.support.small_order import IDENTITY, PRIME, SIGN, SMALL_ORDER, signed_with_identity

_KEY = Ed25519PrivateKey.from_private_bytes(b"7" * 32)


def _encoded(y: int) -> bytes:
    return y.to_bytes(32, "little")


def _double(x: int, y: int) -> tuple[int, int]:
    """Double a point of -x² + y² = 1 + dx²y² (RFC 8032, section 5.1.4, in affine coordinates)."""
    product = -121665 * pow(121666, -1, PRIME) * x * x * y * y
    return (
        2 * x * y * pow(1 + product, -1, PRIME) % PRIME,
        (y * y + x * x) * pow(1 - product, -1, PRIME) % PRIME,
    )


def _square_root(square: int) -> int:
    root = pow(square, (PRIME + 3) // 8, PRIME)
    return root if root * root % PRIME == square else root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME


@pytest.mark.parametrize("y", SMALL_ORDER)
def test_a_point_of_small_order_is_not_acceptable(y: int) -> None:
    d = -121665 * pow(121666, -1, PRIME)
    point = (_square_root((y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME), y)
    for _ in range(3):
        point = _double(*point)
    assert point == (0, 1)
    assert not is_acceptable_point(_encoded(y))
    assert not is_acceptable_point(_encoded(y | SIGN))


def test_a_y_that_is_not_below_the_prime_is_not_acceptable() -> None:
    assert is_acceptable_point(_encoded(PRIME - 2))
    assert is_acceptable_point(_encoded(2))
    assert not is_acceptable_point(_encoded(PRIME + 2))  # 2 in another encoding


def test_a_key_by_which_anybody_signs_is_refused() -> None:
    key = Ed25519PublicKey.from_public_bytes(IDENTITY)
    key.verify(IDENTITY + bytes(32), b"any message")  # OpenSSL takes it
    with pytest.raises(FormatError) as raised:
        parse_public_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "key")
    assert raised.value.check is Check.KEY_BINDING


def test_a_signature_with_a_point_of_small_order_does_not_verify() -> None:
    public, signature = _KEY.public_key(), signed_with_identity(b"7" * 32, b"message")
    public.verify(signature, b"message")  # OpenSSL takes it
    with pytest.raises(InvalidSignature):
        verify_ed25519(public, signature, b"message")
    verify_ed25519(public, _KEY.sign(b"message"), b"message")


def test_a_log_of_sigstore_makes_no_such_signature() -> None:
    log = RootLog(bytes(32), bytes(32), _KEY.public_key(), ValidityWindow(datetime(2026, 1, 1, tzinfo=UTC), None))
    assert log.signed(_KEY.sign(b"message"), b"message")
    assert not log.signed(signed_with_identity(b"7" * 32, b"message"), b"message")


def test_a_manifest_has_no_such_signature() -> None:
    public = _KEY.public_key()
    key = parse_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "key")
    with pytest.raises(VerificationError):
        verify_signature(key, signed_with_identity(b"7" * 32, b"message"), b"message", "manifest")
