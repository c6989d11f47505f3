"""Signing with keys and certificates: what was signed verifies, and a signer that nobody accepts is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.signing.signature import Publisher
from provenance_oracle.publisher.signing.signers import CertificateSigner, KeySigner, PublisherSigner
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.identity.bundle import SigningMethod, parse_bundle
from provenance_oracle.verifier.identity.certificates import parse_signing_certificate
from provenance_oracle.verifier.identity.names import PublisherIdentity, parse_identity
from tests.support.model_signatures import SIGNING_KEY
from tests.support.signing_chains import CA, EMAIL, LEAF, ROOT, SERVER_AUTH, certified, leaf, spki_hex

AT = datetime(2026, 11, 20, tzinfo=UTC)
DIGESTS = {"model.safetensors": bytes(32), "provenance/manifest.dsse.json": bytes(range(32))}
CHAIN = certified(LEAF, CA, ROOT)
NAMED = f"certificate {spki_hex(CHAIN[2])} email:me@example.org"


def publisher(signer: PublisherSigner, line: str = "", at: datetime = AT) -> Publisher:
    return Publisher(parse_identity(line, "line") if line else None, signer, lambda: at)


def certificate_signer(certificates: list[x509.Certificate], key: Any = SIGNING_KEY) -> CertificateSigner:
    chain = [parse_signing_certificate(one.public_bytes(Encoding.DER), "chain") for one in certificates]
    return CertificateSigner(key, chain)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_key_signs_and_is_the_identity(curve: ec.EllipticCurve) -> None:
    signer = KeySigner(ec.generate_private_key(curve))
    signature = publisher(signer).sign("acme/tiny", DIGESTS)
    assert signature.verified.identity == signer.key.identity
    assert signature.key == signer.key.pem
    assert {part.path: part.digest for part in signature.verified.signed.parts} == DIGESTS


def test_a_certificate_signs_and_its_name_under_the_last_ca_is_the_identity() -> None:
    signature = publisher(certificate_signer(CHAIN)).sign("acme/tiny", DIGESTS)
    assert signature.verified.identity.line == NAMED
    assert signature.verified.signer.method is SigningMethod.CERTIFICATE
    assert signature.key is None


@pytest.mark.parametrize("ca", [1, 2])
@pytest.mark.parametrize("kind", ["authority {}", "certificate {} email:me@example.org"])
def test_every_identity_that_fits_can_be_named(ca: int, kind: str) -> None:
    line = kind.format(spki_hex(CHAIN[ca]))
    assert publisher(certificate_signer(CHAIN), line).sign("m", DIGESTS).verified.identity.line == line


@pytest.mark.parametrize(
    "line",
    [
        f"key {'00' * 32}",
        f"authority {'00' * 32}",
        f"authority {spki_hex(CHAIN[0])}",
        NAMED.replace("me@", "you@"),
        "sigstore https://a.example email:me@example.org",
    ],
)
def test_an_identity_of_somebody_else_is_refused_at_once(line: str) -> None:
    for signer in (certificate_signer(CHAIN), KeySigner(SIGNING_KEY)):
        with pytest.raises(UsageError) as raised:
            publisher(signer, line).try_out()
        assert (raised.value.where, raised.value.check) == ("--publisher", Check.PUBLISHER_IDENTITY)
        assert raised.value.wanted == line


@pytest.mark.parametrize(
    ("chain", "problem"),
    [
        (certified(leaf(EMAIL, purposes=[SERVER_AUTH]), CA, ROOT), "another purpose"),
        (certified(leaf(EMAIL, ends=datetime(2026, 1, 1, tzinfo=UTC)), CA, ROOT), "not valid now"),
        ([CHAIN[0], CHAIN[2], CHAIN[1]], "the chain is broken"),
    ],
)
def test_a_certificate_that_verifiers_refuse_is_refused_at_once(chain: list[x509.Certificate], problem: str) -> None:
    with pytest.raises(VerificationError, match=problem):
        publisher(certificate_signer(chain)).try_out()


def test_a_chain_of_another_key_and_one_without_a_ca_are_refused() -> None:
    with pytest.raises(UsageError, match="another key"):
        certificate_signer(CHAIN[1:])
    with pytest.raises(UsageError, match="too short"):
        certificate_signer(CHAIN[:1])


def test_a_self_signed_certificate_is_its_own_ca() -> None:
    own = certified(LEAF)
    line = f"certificate {spki_hex(own[0])} email:me@example.org"
    assert publisher(certificate_signer(own)).sign("m", DIGESTS).verified.identity.line == line


def test_signing_twice_signs_the_same_bytes() -> None:
    one, two = (publisher(KeySigner(SIGNING_KEY)).sign("m", DIGESTS).bundle for _ in range(2))
    assert parse_bundle(one, "x").envelope.payload == parse_bundle(two, "x").envelope.payload


@pytest.mark.parametrize("kind", ["snp-measurement", "simulated-snp-measurement"])
def test_a_workload_signs_nothing(kind: str) -> None:
    for signer in (None, KeySigner(SIGNING_KEY)):
        with pytest.raises(UsageError, match="no signature can prove this"):
            Publisher(PublisherIdentity(f"{kind} {'ab' * 48}"), signer, lambda: AT)


def test_a_publisher_who_signs_elsewhere_is_named_only() -> None:
    named = Publisher(PublisherIdentity(NAMED), None, lambda: AT)
    named.try_out()
    assert named.identity().line == NAMED
