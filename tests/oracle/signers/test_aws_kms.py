"""Tests of keys in AWS KMS, with boto3 and moto's server."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.oracle.signers.signatures import full_signature, split_compact
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER
from tests.support.moto_kms import MotoKms, running_kms
from tests.support.verdict_signers import signers_of_verdicts

with light_imports():
    from eth_account import Account

DIGEST = bytes(range(32))
FIELDS = {"chainId": 31337, "nonce": 0, "to": "0x" + "11" * 20, "value": 0, "data": b"x", "gas": 50_000, "gasPrice": 9}


@pytest.fixture(scope="module")
def server() -> Iterator[MotoKms]:
    with pytest.MonkeyPatch.context() as patch, running_kms(patch) as kms:
        yield kms


@pytest.fixture
def kms(server: MotoKms) -> MotoKms:
    server.faults.clear()
    server.signs.clear()
    return server


def signed_by(signer: Signer) -> str:
    return str(Account._recover_hash(DIGEST, signature=full_signature(signer.sign_digest(DIGEST))))


def test_a_key_in_kms_signs_digests_and_transactions(kms: MotoKms) -> None:
    """KMS gives either s in about half of the cases. Sixteen signatures nearly always have both."""
    arn = kms.make_key()
    signer = open_signer(f"awskms:///{arn}")
    assert not signer.for_development
    signatures = {signer.sign_digest(DIGEST) for _ in range(16)}
    assert len(signatures) == 16, "KMS signs with a nonce of its own each time"
    for signature in signatures:
        assert Account._recover_hash(DIGEST, signature=full_signature(signature)) == signer.address
        assert split_compact(signature)[1] <= CURVE_ORDER // 2
    raw, _ = signer.sign_transaction(FIELDS)
    assert Account.recover_transaction(raw) == signer.address
    assert {sign["KeyId"] for sign in kms.signs} == {arn}


def test_a_key_in_kms_signs_verdicts(kms: MotoKms) -> None:
    signer = open_signer(f"awskms:///{kms.make_key()}")
    assert signers_of_verdicts(signer) == {signer.address}


def test_the_forms_of_cosign_name_the_key(kms: MotoKms) -> None:
    arn = kms.make_key()
    kms.client().create_alias(AliasName="alias/oracle", TargetKeyId=arn)
    host = kms.endpoint.removeprefix("http://")
    names = (f"///{arn}", f"///{arn.rpartition('/')[2]}", "///alias/oracle", f"//{host}/{arn}")
    assert len({open_signer(f"awskms:{name}").address for name in names}) == 1


@pytest.mark.parametrize(
    "uri", ["awskms:x", "awskms://x", "awskms:///", "awskms:///a b", "awskms://u@h/key", "awskms:///k?x"]
)
def test_another_uri_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="names no key in AWS KMS"):
        open_signer(uri)


@pytest.mark.parametrize(
    ("spec", "usage"), [("ECC_NIST_P256", "SIGN_VERIFY"), ("RSA_2048", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT")]
)
def test_a_key_of_another_kind_is_refused(kms: MotoKms, spec: str, usage: str) -> None:
    with pytest.raises(UsageError, match=r"of another kind|cannot sign|refuses the key"):
        open_signer(f"awskms:///{kms.make_key(spec, usage)}")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "ThrottlingException"),
        (429, "TooManyRequestsException"),
        (500, "KMSInternalException"),
        (503, "ServiceUnavailable"),
        (400, "KeyUnavailableException"),
        (400, "ExpiredTokenException"),
    ],
)
def test_a_fault_of_the_service_is_temporary(kms: MotoKms, status: int, name: str) -> None:
    signer = open_signer(f"awskms:///{kms.make_key()}")
    kms.faults += [(status, name)]
    with pytest.raises(TemporaryError, match=f"does not sign now: got status {status}, {name}"):
        signer.sign_digest(DIGEST)
    kms.faults.clear()
    assert signed_by(signer) == signer.address


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("AccessDeniedException", "permissions kms:GetPublicKey and kms:Sign"),
        ("DisabledException", "enable-key"),
        ("KMSInvalidStateException", "describe-key"),
        ("NotFoundException", "id, alias or ARN"),
        ("UnrecognizedClientException", "get-caller-identity"),
    ],
)
def test_a_refusal_names_the_next_step(kms: MotoKms, name: str, step: str) -> None:
    signer = open_signer(f"awskms:///{kms.make_key()}")
    kms.faults += [(400, name)]
    with pytest.raises(UsageError, match=f"{name}, wanted .*{step}"):
        signer.sign_digest(DIGEST)


def test_a_key_that_is_not_there_is_a_usage_error(kms: MotoKms) -> None:
    with pytest.raises(UsageError, match="NotFoundException"):
        open_signer("awskms:///00000000-0000-0000-0000-000000000000")


def test_a_service_that_is_down_is_temporary(kms: MotoKms) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TemporaryError, match="AWS KMS does not answer"):
        open_signer(f"awskms://127.0.0.1:{port}/{kms.make_key()}")


def test_missing_credentials_are_named(kms: MotoKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UsageError, match=r"AWS KMS cannot be asked: got .*credentials"):
        open_signer("awskms:///alias/none")


def test_a_signature_by_another_key_is_refused(kms: MotoKms) -> None:
    signer, other = (open_signer(f"awskms:///{kms.make_key()}") for _ in range(2))
    signer.address = other.address
    with pytest.raises(UsageError, match="the signature is by another key"):
        signer.sign_digest(DIGEST)
