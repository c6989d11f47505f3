"""Tests of the method `key`: keys, hints and signatures."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, FormatError, VerificationError
from provenance_oracle.verifier.identity.bundle import SignatureBundle, parse_bundle
from provenance_oracle.verifier.identity.key_method import parse_publisher_key, verify_by_key
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.identity.signer import match_signer
from tests.support.model_signatures import SIGNING_KEY, bundle_of, key_bundle, pae_of, pem_of

KEY = parse_publisher_key(pem_of(SIGNING_KEY), "key.pub")
OTHER = ec.derive_private_key(12, ec.SECP256R1())


def bundle(members: dict[str, Any]) -> SignatureBundle:
    return parse_bundle(json.dumps(members).encode(), "model.sig")


def test_the_identity_is_the_digest_of_the_key() -> None:
    signer = verify_by_key(bundle(key_bundle()), KEY)
    spki = SIGNING_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert signer.lines == (f"key {hashlib.sha256(spki).hexdigest()}",)
    assert match_signer(signer, None, "model.sig") == KEY.identity
    with pytest.raises(AppraisalError, match=signer.lines[0]) as refused:
        match_signer(signer, parse_identity(f"key {'00' * 32}", "line"), "model.sig")
    assert refused.value.check is Check.PUBLISHER_IDENTITY


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), SHA256()), (ec.SECP384R1(), SHA384()), (ec.SECP521R1(), SHA512())]
)
def test_the_hash_follows_from_the_curve(curve: ec.EllipticCurve, algorithm: SHA256 | SHA384 | SHA512) -> None:
    private = ec.derive_private_key(5, curve)
    key = parse_publisher_key(pem_of(private), "key.pub")
    signed = bundle_of(b"{}", private.sign(pae_of(b"{}"), ec.ECDSA(algorithm)), {"publicKey": {}})
    assert verify_by_key(bundle(signed), key).lines == (key.identity.line,)
    other = SHA512() if isinstance(algorithm, SHA256) else SHA256()
    with pytest.raises(VerificationError, match="does not verify"):
        verify_by_key(bundle(bundle_of(b"{}", private.sign(pae_of(b"{}"), ec.ECDSA(other)), {"publicKey": {}})), key)


def test_the_form_of_the_first_signers_is_accepted_only_where_it_is_asked_for() -> None:
    old = b"DSSEV1 28 application/vnd.in-toto+json 2 b'{}'"
    signed = bundle(bundle_of(b"{}", SIGNING_KEY.sign(old, ec.ECDSA(SHA256())), {"publicKey": {}}))
    assert verify_by_key(signed, KEY, allow_old=True).is_old
    with pytest.raises(VerificationError, match="does not verify"):
        verify_by_key(signed, KEY)


@pytest.mark.parametrize(
    ("material", "problem"),
    [
        ({"publicKey": {"hint": "00" * 32}}, "names another key"),
        ({"publicKey": {"rawBytes": base64.b64encode(pem_of(OTHER)).decode()}}, "holds another key"),
    ],
)
def test_a_bundle_that_names_another_key_is_refused(material: dict[str, Any], problem: str) -> None:
    members = key_bundle() | {"verificationMaterial": material}
    with pytest.raises(VerificationError, match=problem):
        verify_by_key(bundle(members), KEY)


def test_a_signature_by_another_key_is_refused() -> None:
    signed = bundle(key_bundle() | {"verificationMaterial": {"publicKey": {}}})
    with pytest.raises(VerificationError, match="does not verify") as refused:
        verify_by_key(signed, parse_publisher_key(pem_of(OTHER), "key.pub"))
    assert refused.value.check is Check.PUBLISHER_SIGNATURE


def test_text_around_a_key_is_passed_over() -> None:
    assert parse_publisher_key(b"Curve: P-256\n" + pem_of(SIGNING_KEY) + b"\nend\n", "key.pub") == KEY


ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()


@pytest.mark.parametrize(
    ("pem", "wanted"),
    [
        (b"", "PUBLIC KEY"),
        (b"x" * 20_000, "at most"),
        (ED25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "P-521"),
        (pem_of(ec.derive_private_key(5, ec.SECP256K1())), "P-521"),
        (pem_of(SIGNING_KEY) + pem_of(OTHER), "canonical"),
        (pem_of(SIGNING_KEY).replace(b"END PUBLIC", b"END  PUBLIC"), "PUBLIC KEY"),
    ],
)
def test_refuses_a_key(pem: bytes, wanted: str) -> None:
    with pytest.raises(FormatError, match=wanted):
        parse_publisher_key(pem, "key.pub")
