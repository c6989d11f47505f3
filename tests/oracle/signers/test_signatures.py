"""Tests of the forms of signatures and public keys."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.oracle.signers.signatures import (
    address_of_point,
    address_of_spki,
    parse_der_signature,
    parse_raw_signature,
)
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER

with light_imports():
    from eth_account import Account

KEY = bytes(range(1, 33))
ADDRESS = Account.from_key(KEY).address
PUBLIC = ec.derive_private_key(int.from_bytes(KEY), ec.SECP256K1()).public_key()
POINT = PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SPKI = PublicFormat.SubjectPublicKeyInfo


def test_both_forms_of_a_signature_are_parsed() -> None:
    high = CURVE_ORDER - 1
    assert parse_raw_signature(b"\x00" * 31 + b"\x05" + high.to_bytes(32), "k") == (5, high)
    assert parse_der_signature(encode_dss_signature(5, high), "k") == (5, high)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(63),
        bytes(65),
        bytes(64),
        (0).to_bytes(32) + (1).to_bytes(32),
        (1).to_bytes(32) + (0).to_bytes(32),
        CURVE_ORDER.to_bytes(32) + (1).to_bytes(32),
        (1).to_bytes(32) + CURVE_ORDER.to_bytes(32),
    ],
)
def test_other_bytes_are_no_raw_signature(data: bytes) -> None:
    with pytest.raises(TemporaryError, match="the answer is not a signature"):
        parse_raw_signature(data, "k")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x00",
        encode_dss_signature(5, 6) + b"\x00",
        encode_dss_signature(5, 6)[:-1],
        encode_dss_signature(0, 6),
        encode_dss_signature(5, 0),
        encode_dss_signature(5, CURVE_ORDER),
        encode_dss_signature(CURVE_ORDER, 5),
        bytes.fromhex("30070202000502 0106"),  # r with a zero too many
        bytes.fromhex("3081060201050201 06"),  # the length in a longer form
        bytes.fromhex("3006020185020106"),  # r is negative
        bytes.fromhex("3080020105020106 0000"),  # indefinite length
        bytes.fromhex("3009020105020106020107"),  # three numbers
        bytes.fromhex("3106020105020106"),  # a set
        b"\x30" * 1000,
    ],
)
def test_other_bytes_are_no_signature_in_der(data: bytes) -> None:
    with pytest.raises(TemporaryError, match="the answer is not a signature"):
        parse_der_signature(data, "k")


def test_the_address_is_that_of_the_public_key() -> None:
    assert address_of_point(POINT, "k") == ADDRESS
    assert address_of_spki(PUBLIC.public_bytes(Encoding.DER, SPKI), "k") == ADDRESS
    assert address_of_spki(PUBLIC.public_bytes(Encoding.PEM, SPKI), "k") == ADDRESS


def test_another_public_key_is_refused() -> None:
    p256 = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.DER, SPKI)
    edwards = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, SPKI)
    for data in (p256, edwards, b"", b"-----BEGIN", POINT):
        with pytest.raises(UsageError, match="cannot sign for an account"):
            address_of_spki(data, "k")
    for data in (b"", POINT[:-1], b"\x04" + bytes(64), POINT + b"\x00"):
        with pytest.raises(UsageError, match="cannot sign for an account"):
            address_of_point(data, "k")
