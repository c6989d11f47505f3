"""Tests of `provenance revoke`: a guardian revokes a model, anyone applies it, and readers say so at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain import revoke_model
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.fields import Record
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record

pytestmark = pytest.mark.chain

MODEL = b"\x02" * 32  # that of `make_record`


def release(number: int) -> Record:
    return make_record(manifest_digest=bytes([0x70 + number]) * 32)


def revoke(registry: DeployedRegistry, *arguments: str, key: str = "GUARDIAN") -> tuple[int, Any]:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address, "--key-variable", key)
    environment = {name: getattr(registry, name.lower()).key.hex() for name in ("GUARDIAN", "OWNER", "STRANGER")}
    result = CliRunner().invoke(main, ["revoke", MODEL.hex(), *arguments, *place, "--json"], env=environment)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def test_it_revokes_the_model_and_every_release_of_it(registry: DeployedRegistry) -> None:
    for number in range(3):
        registry.publish(release(number))
    registry.publish(make_failure(manifest_digest=b"\x79" * 32))
    other = make_record(model_digest=b"\x42" * 32)
    registry.publish(other)
    exit_code, document = revoke(registry, "--reason", "a backdoor")
    assert exit_code == 0
    assert document["applied_to"] == [release(number).manifest_digest.hex() for number in range(3)]
    assert (document["model_digest"], document["reason"], document["left"]) == (MODEL.hex(), "a backdoor", 0)
    assert document["guardian"] == registry.guardian.address
    assert len(document["transactions"]) == 2
    reader = registry.reader()
    for entry in reader.entries_of_model(MODEL):
        assert entry.closure is (Closure.REVOKED if entry.passed else Closure.FAILED)
        assert not reader.is_open(entry)
    assert reader.is_open(reader.entry(other.manifest_digest))
    registry.publish(release(4))
    assert not reader.is_open(reader.entry(release(4).manifest_digest)), "revoked from the start"


def test_the_owner_may_too_and_nobody_else(registry: DeployedRegistry) -> None:
    exit_code, document = revoke(registry, "--reason", "x", key="STRANGER")
    assert exit_code == 2
    assert document["error"]["got"].startswith("NotAllowed(caller 0x")
    assert revoke(registry, "--reason", "x", key="OWNER")[0] == 0


def test_anyone_applies_it_in_bounded_steps(registry: DeployedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        registry.publish(release(number))
    registry.send(registry.contract.functions.revokeAllOf(MODEL, "a backdoor"), registry.guardian)
    monkeypatch.setattr(revoke_model, "LIST_MAX", 2)
    monkeypatch.setattr(revoke_model, "APPLIED_MAX", 3)
    counts = []
    for _ in range(3):
        exit_code, document = revoke(registry, "--apply", key="STRANGER")
        assert exit_code == 0
        counts.append((len(document["applied_to"]), len(document["transactions"]), document["left"]))
    assert counts == [(3, 2, 2), (2, 1, 0), (0, 0, 0)]


@pytest.mark.parametrize(
    ("arguments", "got", "wanted"),
    [
        ((), "neither", '--reason "TEXT"'),
        (("--apply", "--reason", "x"), "both", "or --apply"),
        (("--apply",), "--apply", "--reason revokes it"),
        (("--reason", ""), "0 bytes", "1 to 256 bytes"),
        (("--reason", "ü" * 129), "258 bytes", "1 to 256 bytes"),
    ],
)
def test_every_refusal_says_the_next_step(
    registry: DeployedRegistry, arguments: tuple[str, ...], got: str, wanted: str
) -> None:
    exit_code, document = revoke(registry, *arguments)
    assert exit_code == 2
    assert document["error"]["got"] == got
    assert wanted in document["error"]["wanted"]


def test_a_second_revocation_says_how_to_apply_the_first(registry: DeployedRegistry) -> None:
    assert revoke(registry, "--reason", "a backdoor")[0] == 0
    exit_code, document = revoke(registry, "--reason", "again", key="OWNER")
    assert exit_code == 2
    assert document["error"]["wanted"].startswith("--apply instead of --reason")


def test_a_digest_is_needed(registry: DeployedRegistry) -> None:
    result = CliRunner().invoke(main, ["revoke", "acme/model", "--apply", "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["wanted"] == "64 hex digits"
