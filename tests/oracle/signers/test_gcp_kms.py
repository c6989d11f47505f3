"""Tests of keys in Google Cloud KMS, with google-auth and a stand-in that checks the shape of every request."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.oracle.signers.signatures import full_signature, split_compact
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER
from provenance_oracle.verifier.strict.crc32c import crc32c
from tests.support.gcp_kms import NAME, GcpKms, castagnoli, running_gcp_kms
from tests.support.verdict_signers import signers_of_verdicts

with light_imports():
    from eth_account import Account

URI = f"gcpkms://{NAME}"
DIGEST = bytes(range(32))
ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"


@pytest.fixture
def kms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GcpKms]:
    with running_gcp_kms(monkeypatch, tmp_path) as server:
        yield server
        assert server.problems == []


def signed_by(signer: Signer) -> str:
    return str(Account._recover_hash(DIGEST, signature=full_signature(signer.sign_digest(DIGEST))))


def test_a_key_in_kms_signs_verdicts(kms: GcpKms) -> None:
    signer = open_signer(URI)
    assert signers_of_verdicts(signer) == {signer.address}


def test_a_key_in_kms_signs_digests_with_one_token(kms: GcpKms) -> None:
    signer = open_signer(URI)
    assert not signer.for_development
    signatures = {signer.sign_digest(DIGEST) for _ in range(16)}
    assert len(signatures) == kms.signs == 16, "KMS signs with a nonce of its own each time"
    for signature in signatures:
        assert Account._recover_hash(DIGEST, signature=full_signature(signature)) == signer.address
        assert split_compact(signature)[1] <= CURVE_ORDER // 2
    assert len(kms.tokens) == 1


def test_the_checksum_is_castagnoli_s() -> None:
    """Two values of RFC 3720, appendix B.4, and the check value of the catalogue of CRCs."""
    known = {bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, b"123456789": 0xE3069283}
    for data, value in known.items():
        assert crc32c(data) == castagnoli(data) == value


@pytest.mark.parametrize(
    "uri",
    [
        "gcpkms:x",
        f"gcpkms:{NAME}",
        f"gcpkms://{NAME.rpartition('/')[0]}",
        f"gcpkms://{NAME}0?x",
        f"gcpkms://{NAME.replace('/1', '/0')}",
        f"gcpkms://{NAME.replace('example', 'a/b')}",
        f"gcpkms://{NAME}/publicKey",
    ],
)
def test_another_uri_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="names no key in Google Cloud KMS"):
        open_signer(uri)


@pytest.mark.parametrize(
    ("status", "name"),
    [(429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (408, "")],
)
def test_a_fault_of_the_service_is_temporary(kms: GcpKms, status: int, name: str) -> None:
    signer = open_signer(URI)
    kms.faults.append((status, name))
    with pytest.raises(TemporaryError, match=f"does not sign now: got status {status}"):
        signer.sign_digest(DIGEST)
    assert signed_by(signer) == signer.address


@pytest.mark.parametrize(
    ("status", "name", "step"),
    [
        (403, "PERMISSION_DENIED", "cloudkms.signerVerifier"),
        (404, "NOT_FOUND", "the name of a key's version"),
        (401, "UNAUTHENTICATED", "application-default login"),
        (400, "FAILED_PRECONDITION", "versions enable"),
    ],
)
def test_a_refusal_names_the_next_step(kms: GcpKms, status: int, name: str, step: str) -> None:
    signer = open_signer(URI)
    kms.faults.append((status, name))
    with pytest.raises(UsageError, match=f"{name}, wanted .*{step}"):
        signer.sign_digest(DIGEST)


@pytest.mark.parametrize(
    "change",
    [
        {"signatureCrc32c": "1"},
        {"signatureCrc32c": None},
        {"verifiedDigestCrc32c": False},
        {"verifiedDigestCrc32c": 1},
        {"name": NAME + "0"},
        {"signature": "!"},
        {"signature": ""},
        {"signature": base64.b64encode(b"x").decode(), "signatureCrc32c": str(castagnoli(b"x"))},
    ],
)
def test_an_altered_answer_is_asked_for_again(kms: GcpKms, change: dict[str, object]) -> None:
    signer = open_signer(URI)
    kms.changes = change
    with pytest.raises(TemporaryError, match=r"does not fit|is not a signature"):
        signer.sign_digest(DIGEST)
    kms.changes = {}
    assert signed_by(signer) == signer.address


def test_an_altered_public_key_is_noticed(kms: GcpKms) -> None:
    kms.changes = {"pemCrc32c": "1"}
    with pytest.raises(TemporaryError, match="pemCrc32c does not fit"):
        open_signer(URI)


def test_a_signature_by_another_key_is_refused(kms: GcpKms) -> None:
    signer = open_signer(URI)
    signature = ec.generate_private_key(ec.SECP256K1()).sign(DIGEST, ec.ECDSA(hashes.SHA256()))
    kms.changes = {
        "signature": base64.b64encode(signature).decode(),
        "signatureCrc32c": str(castagnoli(signature)),
    }
    with pytest.raises(UsageError, match="the signature is by another key"):
        signer.sign_digest(DIGEST)


@pytest.mark.parametrize(("algorithm", "curve"), [("EC_SIGN_P256_SHA256", ec.SECP256R1()), ("", ec.SECP256K1())])
def test_a_key_of_another_kind_is_refused(kms: GcpKms, algorithm: str, curve: ec.EllipticCurve) -> None:
    kms.algorithm, kms.key = algorithm, ec.generate_private_key(curve)
    with pytest.raises(UsageError, match="the key is of another kind"):
        open_signer(URI)


def test_the_algorithm_alone_is_not_believed(kms: GcpKms) -> None:
    kms.key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(UsageError, match="a key on secp256r1"):
        open_signer(URI)


def test_a_token_that_is_refused_is_a_usage_error(kms: GcpKms) -> None:
    kms.token_faults.append(400)
    with pytest.raises(UsageError, match="no access token can be had: got RefreshError"):
        open_signer(URI)


def test_a_service_that_is_down_is_temporary(kms: GcpKms, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(TemporaryError, match="cannot be reached"):
        open_signer(URI)


def test_an_answer_that_is_too_large_is_temporary(kms: GcpKms) -> None:
    kms.changes = {"pem": "x" * 70_000}
    with pytest.raises(TemporaryError):
        open_signer(URI)


def test_a_token_never_goes_out_unencrypted(kms: GcpKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://kms.example")
    with pytest.raises(UsageError, match="must be reached by https"):
        open_signer(URI)
    assert kms.tokens == []


def test_missing_credentials_are_named(kms: GcpKms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="no access token can be had: got DefaultCredentialsError"):
        open_signer(URI)
