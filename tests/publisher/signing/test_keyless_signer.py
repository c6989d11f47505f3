"""Keyless signing against a private sigstore: sigstore-python asks it as it asks the public instance."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.publisher.signing import keyless_signer as module
from provenance_oracle.publisher.signing.keyless_signer import KeylessSigner
from provenance_oracle.publisher.signing.signature import ModelSignature, Publisher
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.identity.bundle import SigningMethod, parse_bundle
from provenance_oracle.verifier.identity.names import parse_identity
from tests.support.sigstore_server import SigstoreServer, sigstore_server, token_of

DIGESTS = {"model.safetensors": bytes(32), "provenance/manifest.dsse.json": bytes(range(32))}
GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "acme/models/.github/workflows/release.yml"
ISSUER = "https://accounts.example.org"
ME = f"sigstore {ISSUER} email:me@example.org"


@pytest.fixture(params=[1, 2])
def sigstore(request: pytest.FixtureRequest) -> Iterator[SigstoreServer]:
    with sigstore_server(request.param) as server:
        yield server


@pytest.fixture
def sigstore_v1() -> Iterator[SigstoreServer]:
    with sigstore_server() as server:
        yield server


def sign(sigstore: SigstoreServer, token: str | None, line: str = "") -> ModelSignature:
    signer = KeylessSigner(sigstore.config(), token)
    named = parse_identity(line, "line") if line else None
    return Publisher(named, signer, lambda: datetime.now(UTC)).sign("acme/tiny", DIGESTS)


def test_what_sigstore_signed_verifies(sigstore: SigstoreServer) -> None:
    signature = sign(sigstore, token_of(ISSUER, email="me@example.org"))
    assert signature.verified.identity.line == ME
    assert signature.verified.signer.method is SigningMethod.SIGSTORE
    assert signature.verified.signer.signed_at is not None
    assert {part.path: part.digest for part in signature.verified.signed.parts} == DIGESTS
    assert signature.key is None
    log = "/api/v1/log/entries" if sigstore.world.version == 1 else "/api/v2/log/entries"
    assert [path for path in sigstore.requests if path != "/timestamp"] == ["/api/v2/signingCert", log]


def test_the_signed_bytes_are_the_payload_s_own(sigstore_v1: SigstoreServer) -> None:
    one, two = (sign(sigstore_v1, token_of(ISSUER, email="me@example.org")).bundle for _ in range(2))
    assert parse_bundle(one, "x").envelope.payload == parse_bundle(two, "x").envelope.payload


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1@2"])
def test_a_workflow_has_a_line_with_its_ref_and_one_without(sigstore_v1: SigstoreServer, ref: str) -> None:
    token = token_of(GITHUB, job_workflow_ref=f"{WORKFLOW}@{ref}")
    signature = sign(sigstore_v1, token)
    assert signature.verified.identity.line == f"sigstore {GITHUB} uri:https://github.com/{WORKFLOW}@{ref}"
    line = f"workflow {GITHUB} https://github.com/{WORKFLOW}"
    assert sign(sigstore_v1, token, line).verified.identity.line == line


def test_another_publisher_is_refused_before_anything_is_public(sigstore_v1: SigstoreServer) -> None:
    with pytest.raises(UsageError) as raised:
        sign(sigstore_v1, token_of(ISSUER, email="me@example.org"), ME.replace("me@", "you@"))
    assert (raised.value.check, raised.value.got) == (Check.PUBLISHER_IDENTITY, ME)
    assert sigstore_v1.requests == []


def test_where_the_token_does_not_tell_the_name_it_must_be_given(sigstore_v1: SigstoreServer) -> None:
    with pytest.raises(UsageError, match="--publisher LINE"):
        sign(sigstore_v1, token_of(ISSUER))
    assert sigstore_v1.requests == []


def test_a_trial_asks_nobody(sigstore_v1: SigstoreServer) -> None:
    Publisher(None, KeylessSigner(sigstore_v1.config(), "no token"), lambda: datetime.now(UTC)).try_out()
    assert sigstore_v1.requests == []


@pytest.mark.parametrize("token", ["no token", token_of(ISSUER, seconds=-10, email="me@example.org")])
def test_a_malformed_or_expired_token_is_a_usage_error(sigstore_v1: SigstoreServer, token: str) -> None:
    with pytest.raises(UsageError) as raised:
        sign(sigstore_v1, token)
    assert raised.value.where == "--identity-token"
    assert token not in str(raised.value)  # it is a secret


@pytest.mark.parametrize("status", [400, 500])
def test_a_service_that_refuses_is_a_temporary_error(sigstore_v1: SigstoreServer, status: int) -> None:
    sigstore_v1.status = status
    token = token_of(ISSUER, email="me@example.org")
    with pytest.raises(TemporaryError, match="sigstore did not sign") as raised:
        sign(sigstore_v1, token)
    assert token not in str(raised.value)


def test_a_service_that_is_silent_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.2)
    with socket.socket() as silent, sigstore_server() as server:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="no answer in"):
            sign(server, token_of(ISSUER, email="me@example.org"))


@pytest.mark.parametrize("config", [b"", b"{}", b"[]", b'{"trustedRoot": []}'])
def test_a_malformed_trust_configuration_is_refused(config: bytes) -> None:
    with pytest.raises((UsageError, FormatError)) as raised:
        KeylessSigner(config)
    assert raised.value.where.startswith("--sigstore-config")


def test_without_the_extra_it_is_a_usage_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    with pytest.raises(UsageError, match=r"pip install 'provenance-oracle\[identity\]'"):
        KeylessSigner()


def test_without_a_network_the_public_instance_is_a_temporary_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    signer = KeylessSigner(token=token_of(ISSUER, email="me@example.org"))
    with pytest.raises(TemporaryError, match="configuration cannot be fetched"):
        Publisher(None, signer, lambda: datetime.now(UTC)).sign("acme/tiny", DIGESTS)
