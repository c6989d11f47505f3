"""Signatures and public keys of secp256k1, in the forms that devices and services give and contracts take.

A device gives r and s as 64 bytes (PKCS #11, mechanism CKM_ECDSA) or in DER (ECDSA-Sig-Value of RFC 3279). Both forms
lack the parity of y, and s may be the higher of its two values. The registry takes r and the lower s with the parity
(ERC-2098).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.secp256k1 import (
    CURVE_ORDER,
    AccountKey,
    checksum_address,
    possible_signers,
    recovered_key,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_SCALAR_BYTES = 32
_WANTED_KEY = "a key on the curve secp256k1"


def compact_signature(digest: bytes, r: int, s: int, address: str) -> bytes:
    """Return the only form of a signature that the registry takes: r, then the lower s with the parity of y as top bit.

    The signature of a KMS has no parity, and its s may be the higher one. The function tries both parities until the
    signature recovers to the signer.

    Args:
        digest: 32 bytes.
        address: the signer's address in checksum form.

    Returns:
        The compact signature (ERC-2098), 64 bytes.

    Raises:
        UsageError: r and s are not a signature over `digest` by `address`.
    """
    low = min(s, CURVE_ORDER - s)
    for parity in (0, 1):
        key = recovered_key(digest, r, low, parity)
        if key is not None and checksum_address(key.address) == address:
            return r.to_bytes(32, "big") + (low | parity << 255).to_bytes(32, "big")
    raise _by_another_key(address)


def recovered_address(digest: bytes, compact: bytes) -> str | None:
    """Return the address of the key that made a compact signature, in checksum form; None if it is no signature.

    Args:
        digest: 32 bytes.
        compact: 64 bytes (ERC-2098). A signature with the higher s is none: the registry refuses it.
    """
    r, s, parity = split_compact(compact)
    key = None if s > CURVE_ORDER // 2 else recovered_key(digest, r, s, parity)
    return None if key is None else checksum_address(key.address)


def full_signature(compact: bytes) -> bytes:
    """Return a compact signature as 65 bytes: r, s, then 27 or 28. The contract Namespaces takes this form."""
    r, s, parity = split_compact(compact)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + parity,))


def recovered_public_key(digest: bytes, r: int, s: int, address: str) -> EllipticCurvePublicKey:
    """Return the public key that made a signature over `digest` (32 bytes).

    Raises:
        UsageError: no key of the account `address` (in checksum form) made it.
    """
    for key in possible_signers(digest, r, min(s, CURVE_ORDER - s)):
        if checksum_address(key.address) == address:
            return key.public_key
    raise _by_another_key(address)


def der_signature(digest: bytes, r: int, s: int, public: EllipticCurvePublicKey, address: str) -> bytes:
    """Return a signature in DER (ECDSA-Sig-Value of RFC 3279) with the lower s, after verifying it.

    Raises:
        UsageError: r and s are not a signature over `digest` (32 bytes) by the key `public` of `address`.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    encoded = encode_dss_signature(r, min(s, CURVE_ORDER - s))
    try:
        public.verify(encoded, digest, ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        raise _by_another_key(address) from None
    return encoded


def split_compact(compact: bytes) -> tuple[int, int, int]:
    """Return r, s and the parity of y (0 or 1) of a compact signature of 64 bytes."""
    word = int.from_bytes(compact[32:], "big")
    return int.from_bytes(compact[:32], "big"), word & (1 << 255) - 1, word >> 255


def parse_raw_signature(data: bytes, where: str) -> tuple[int, int]:
    """Return r and s of a signature of exactly 64 bytes, big-endian.

    Raises:
        TemporaryError: the bytes are something else, so the device failed.
    """
    if len(data) != 2 * _SCALAR_BYTES:
        raise _no_signature(where, f"{len(data)} bytes", "64 bytes")
    return _in_range(int.from_bytes(data[:_SCALAR_BYTES], "big"), int.from_bytes(data[_SCALAR_BYTES:], "big"), where)


def parse_der_signature(data: bytes, where: str) -> tuple[int, int]:
    """Return r and s of a signature in strict DER: a sequence of two integers in their shortest form, and no more.

    Raises:
        TemporaryError: the bytes are something else, so the service failed.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    try:
        r, s = decode_dss_signature(data)
        is_strict = encode_dss_signature(r, s) == data
    except (ValueError, OverflowError):
        is_strict = False
    if not is_strict:
        raise _no_signature(where, f"{len(data)} other bytes", "ECDSA-Sig-Value in DER")
    return _in_range(r, s, where)


def address_of_spki(data: bytes, where: str) -> str:
    """Return the address of a public key in checksum form. The key is a SubjectPublicKeyInfo in DER or PEM.

    Raises:
        UsageError: the bytes are no public key on secp256k1.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_pem_public_key if data.startswith(b"-----") else serialization.load_der_public_key
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    return _address(key, where)


def address_of_point(data: bytes, where: str) -> str:
    """Return the address of a public key in checksum form. The key is an uncompressed point of secp256k1, 65 bytes.

    Raises:
        UsageError: the bytes are no such point.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), data)
    except ValueError:
        key = None
    return _address(key, where)


def eth_account() -> Any:
    """Return the library's class `Account`.

    Raises:
        UsageError: the library is not installed.
    """
    with naming_extras(), light_imports():
        from eth_account import Account
    return Account


def private_key(key: bytes) -> Any:
    """Return a key of eth-keys, which signs with libsecp256k1 where that is installed, as in an oracle it is.

    Raises:
        UsageError: the library is not installed.
    """
    return _key_class()(key)


@cache
def _key_class() -> Any:
    with naming_extras(), light_imports():
        from eth_keys.datatypes import PrivateKey
    return PrivateKey


def _address(key: object, where: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256K1):
        got = f"a key on {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else "another key"
        raise UsageError("the key cannot sign for an account of an EVM chain", where=where, got=got, wanted=_WANTED_KEY)
    numbers = key.public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return checksum_address(AccountKey(point).address)


def _in_range(r: int, s: int, where: str) -> tuple[int, int]:
    if not (0 < r < CURVE_ORDER and 0 < s < CURVE_ORDER):
        raise _no_signature(where, "r or s out of range", "1 to n - 1")
    return r, s


def _by_another_key(address: str) -> UsageError:
    return UsageError("the signature is by another key", where=f"account {address}", wanted="one that recovers to it")


def _no_signature(where: str, got: str, wanted: str) -> TemporaryError:
    return TemporaryError("the answer is not a signature", where=where, got=got, wanted=wanted)
