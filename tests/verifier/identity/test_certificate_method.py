"""Tests of the method `certificate`: chains, anchors, and a test for each rule that only it breaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA224
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.certificate_method import verify_by_certificate
from provenance_oracle.verifier.identity.certificates import parse_anchors, parse_signing_certificate
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.identity.signer import ModelSigner
from tests.support.signing_chains import (
    BEGINS,
    CA,
    EMAIL,
    ENDS,
    LEAF,
    ROOT,
    SERVER_AUTH,
    Described,
    ca,
    certificate_bundle,
    certified,
    key_usage,
    leaf,
    pem_of_certificates,
    spki_hex,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
RSA_2048 = rsa.generate_private_key(65537, 2048)


def verified(
    chain: Sequence[x509.Certificate],
    *,
    anchors: Sequence[x509.Certificate] = (),
    identity: str = "",
    at: datetime = AT,
) -> ModelSigner:
    return verify_by_certificate(
        parse_bundle(json.dumps(certificate_bundle(chain)).encode(), "model.sig"),
        expected=PublisherIdentity(identity) if identity else None,
        anchors=parse_anchors(pem_of_certificates(anchors), "ca.pem") if anchors else (),
        at=at,
    )


def judged(*described: Described, at: datetime = AT) -> ModelSigner:
    chain = certified(*described)
    return verified(chain[:-1], anchors=chain[-1:], at=at)


GOOD = certified(LEAF, CA, ROOT)


def test_the_identity_names_the_anchor_and_each_name_of_the_leaf() -> None:
    names = x509.SubjectAlternativeName(
        [
            x509.RFC822Name("me@example.org"),
            x509.DNSName("example.org"),
            x509.UniformResourceIdentifier("https://example.org/me"),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        ]
    )
    anchor = spki_hex(GOOD[-1])
    assert judged(leaf((names, False)), CA, ROOT).lines == (
        f"certificate {anchor} email:me@example.org",
        f"certificate {anchor} dns:example.org",
        f"certificate {anchor} uri:https://example.org/me",
        f"authority {anchor}",
    )
    assert judged(leaf(), CA, ROOT).lines == (f"certificate {anchor} dn:CN=Signer", f"authority {anchor}")


def test_the_anchor_may_be_in_the_bundle_or_beside_it_and_be_an_intermediate_ca() -> None:
    root, middle = spki_hex(GOOD[2]), spki_hex(GOOD[1])
    assert verified(GOOD, anchors=GOOD[2:]).lines[-1] == f"authority {root}"
    assert verified(GOOD[:2], anchors=GOOD[2:]).lines[-1] == f"authority {root}"
    assert verified(GOOD, identity=f"authority {root}").lines[-1] == f"authority {root}"
    assert verified(GOOD, identity=f"certificate {middle} email:x").lines[-1] == f"authority {middle}"
    assert verified(GOOD[:1], anchors=GOOD[1:2]).lines[-1] == f"authority {middle}"


def test_without_an_anchor_nothing_is_verified() -> None:
    with pytest.raises(UsageError, match="--publisher-ca"):
        verified(GOOD)
    with pytest.raises(UsageError, match="--publisher-ca"):
        verified(GOOD, identity="sigstore https://example.org email:me@example.org")


def test_the_leaf_is_no_anchor() -> None:
    with pytest.raises(VerificationError, match="another CA"):
        verified(GOOD, identity=f"authority {spki_hex(GOOD[0])}")


def test_a_self_signed_leaf_is_an_anchor_that_may_be_trusted() -> None:
    own, other = certified(LEAF), certified(replace(LEAF, key=CA.key))
    assert verified(own, anchors=own).lines == (
        f"certificate {spki_hex(own[0])} email:me@example.org",
        f"authority {spki_hex(own[0])}",
    )
    with pytest.raises(VerificationError, match="did not sign it"):  # of the same name, by another key
        verified(own, anchors=other)


def test_an_anchor_of_the_same_name_is_another_anchor() -> None:
    with pytest.raises(VerificationError, match="did not sign it"):
        verified(GOOD[:2], anchors=certified(ca("Root", 99)))
    with pytest.raises(VerificationError, match="another CA"):
        verified(GOOD, identity=f"authority {'00' * 32}")


def test_a_chain_out_of_order_is_broken() -> None:
    with pytest.raises(VerificationError, match="did not sign it"):
        verified([GOOD[0], GOOD[2], GOOD[1]], anchors=GOOD[2:])


@pytest.mark.parametrize("at", [BEGINS, ENDS])
def test_the_validity_includes_both_ends(at: datetime) -> None:
    assert judged(LEAF, CA, ROOT, at=at)
    for position in range(3):
        described = [LEAF, CA, ROOT]
        described[position] = replace(
            described[position], begins=BEGINS + timedelta(days=1), ends=ENDS - timedelta(days=1)
        )
        with pytest.raises(VerificationError, match="not valid now"):
            judged(*described, at=at)


ACCEPTED = {
    "no purpose": (leaf(EMAIL, purposes=()), CA, ROOT),
    "several purposes": (leaf(EMAIL, purposes=(SERVER_AUTH, x509.ObjectIdentifier("1.3.6.1.5.5.7.3.3"))), CA, ROOT),
    "a CA flag on the leaf": (leaf((x509.BasicConstraints(True, None), True)), CA, ROOT),
    "an RSA CA": (LEAF, replace(CA, key=RSA_2048), ROOT),
    "critical alternative names": (leaf((EMAIL[0], True)), CA, ROOT),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name: str) -> None:
    assert judged(*ACCEPTED[name])


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
NO_SIGN = replace(LEAF, extensions=((key_usage(key_agreement=True), True),))
REFUSED = {
    "another purpose": ((leaf(EMAIL, purposes=(SERVER_AUTH,)), CA, ROOT), "another purpose"),
    "another purpose of the CA": (
        (LEAF, replace(CA, extensions=(*CA.extensions, (x509.ExtendedKeyUsage([SERVER_AUTH]), False))), ROOT),
        "another purpose",
    ),
    "no digitalSignature": ((NO_SIGN, CA, ROOT), "may not sign"),
    "no key usage": ((replace(LEAF, extensions=()), CA, ROOT), "may not sign"),
    "no CA flag": ((LEAF, replace(CA, extensions=CA.extensions[1:]), ROOT), "no CA"),
    "no keyCertSign": ((LEAF, replace(CA, extensions=CA.extensions[:1]), ROOT), "no CA"),
    "path length of the root": ((LEAF, CA, ca("Root", 21, 0)), "too long"),
    "chain too long": ((LEAF, ca("A", 31), ca("B", 32, 0), ROOT), "too long"),
    "unknown critical extension": ((leaf(EMAIL, (UNKNOWN, True)), CA, ROOT), "1.2.3.4"),
    "unknown critical extension of the CA": (
        (LEAF, replace(CA, extensions=(*CA.extensions, (UNKNOWN, True))), ROOT),
        "1.2.3.4",
    ),
    "an RSA leaf": ((replace(LEAF, key=RSA_2048), CA, ROOT), "another kind"),
    "name constraints": (
        (
            LEAF,
            replace(
                CA,
                extensions=(*CA.extensions, (x509.NameConstraints([x509.RFC822Name("example.com")], None), True)),
            ),
            ROOT,
        ),
        "OpenSSL refuses",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    described, problem = REFUSED[name]
    with pytest.raises(VerificationError, match=problem) as refused:
        judged(*described)
    assert refused.value.check is Check.PUBLISHER_SIGNATURE


def test_refuses_a_hash_that_no_signer_of_models_uses() -> None:
    with pytest.raises(VerificationError, match="another hash"):
        judged(replace(LEAF, hashed_with=SHA224()), CA, ROOT)


def test_the_leaf_signed_the_payload() -> None:
    other = replace(LEAF, key=ec.derive_private_key(77, ec.SECP256R1()))
    with pytest.raises(VerificationError, match="does not verify"):
        judged(other, CA, ROOT)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", GOOD[0].tbs_certificate_bytes])
def test_refuses_what_is_no_certificate(der: bytes) -> None:
    with pytest.raises(FormatError, match="DER certificate"):
        parse_signing_certificate(der, "leaf")


_ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
_UNKNOWN = bytes.fromhex("300a06082a8648ce3d040c02")


def _changed(certificate: x509.Certificate, old: bytes, new: bytes) -> bytes:
    """Return a certificate with the last place changed where it has the bytes `old`."""
    head, _, tail = certificate.public_bytes(Encoding.DER).rpartition(old)
    return head + new + tail


def test_refuses_a_curve_of_another_kind() -> None:
    with pytest.raises(FormatError, match="P-521"):
        judged(LEAF, replace(CA, key=ec.derive_private_key(5, ec.SECP256K1())), ROOT)


def test_refuses_an_anchor_whose_signature_has_an_algorithm_that_nobody_knows() -> None:
    """Nothing verifies the signature of an anchor, so that only this rule looks at it."""
    root = x509.load_der_x509_certificate(_changed(GOOD[2], _ALGORITHM, _UNKNOWN))
    with pytest.raises(VerificationError, match="another hash"):
        verified([*GOOD[:2], root], identity=f"authority {spki_hex(root)}")


@pytest.mark.parametrize("name", [b"Signer", b"CA"])
def test_refuses_a_certificate_whose_subject_or_issuer_is_no_name(name: bytes) -> None:
    text = bytes([0x0C, len(name)]) + name  # UTF8String
    with pytest.raises(FormatError, match="DER certificate"):
        parse_signing_certificate(_changed(GOOD[0], text, bytes([0x8C]) + text[1:]), "leaf")


def test_refuses_a_certificate_that_openssl_cannot_read() -> None:
    """An OCTET STRING as a name, which `cryptography` reads as text."""
    der = certified(LEAF)[0].public_bytes(Encoding.DER).replace(b"\x0c\x06Signer", b"\x04\x06Signer")
    own = x509.load_der_x509_certificate(der)
    with pytest.raises(FormatError, match="OpenSSL can read"):
        verified([own], identity=f"authority {spki_hex(own)}")


def test_refuses_a_file_without_certificates() -> None:
    with pytest.raises(FormatError, match="PEM"):
        parse_anchors(b"nothing", "ca.pem")
