"""`provenance claim`: the owner-to-be signs, anybody pays, and the contract's refusals have names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from oracle.cli import main
from tests.chain_fixtures import DeployedRegistry, make_record

pytestmark = pytest.mark.chain
IDENTITY = "06" * 32


def _claim(registry: DeployedRegistry, *arguments: str) -> tuple[int, Any]:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address, "--key-variable", "PAYER")
    environment = {"PAYER": registry.stranger.key.hex(), "OWNER": registry.guardian.key.hex()}
    result = CliRunner().invoke(main, ["claim", *arguments, *place, "--json"], env=environment)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def test_the_owner_signs_and_another_pays(registry: DeployedRegistry) -> None:
    exit_code, document = _claim(
        registry, "acme", "--owner-key-variable", "OWNER", "--identity", IDENTITY, "--identity-limit", "3"
    )
    assert exit_code == 0
    found = registry.reader().namespace("acme")
    assert found is not None
    assert (found.owner.hex(), found.identity_limit) == (registry.guardian.address[2:].lower(), 3)
    assert found.identities == (bytes.fromhex(IDENTITY),)
    assert document["owner"].lower() == registry.guardian.address
    assert document["identities"] == [IDENTITY]
    receipt = registry.contract.w3.eth.get_transaction_receipt(document["transaction"])
    assert receipt["from"].lower() == registry.stranger.address


def test_by_default_the_payer_owns_it_and_the_first_publisher_is_trusted(registry: DeployedRegistry) -> None:
    _, document = _claim(registry, "example")
    assert (document["owner"].lower(), document["identity_limit"]) == (registry.stranger.address, 1)
    record = make_record()
    registry.publish(record)
    entry = registry.reader().entry_of(record.model_digest, record.manifest_digest)
    assert entry.standing.named


def test_several_can_be_claimed_by_one_owner(registry: DeployedRegistry) -> None:
    for name in ("one", "two"):
        assert _claim(registry, name, "--owner-key-variable", "OWNER")[0] == 0


def test_a_taken_namespace_and_one_that_cannot_be_are_refused_by_name(registry: DeployedRegistry) -> None:
    assert _claim(registry, "acme")[0] == 0
    for name, error in (("acme", "NamespaceTaken"), ("acme/model", "NamespaceInvalid"), ("..", "NamespaceInvalid")):
        exit_code, document = _claim(registry, name, "--owner-key-variable", "OWNER")
        assert (exit_code, document["error"]["got"]) == (2, error)


@pytest.mark.parametrize(
    "options",
    [
        ("--identity", "06"),
        ("--identity", "zz" * 32),
        ("--identity", IDENTITY, "--identity", "07" * 32, "--identity-limit", "1"),
        ("--owner-keystore", "none"),
    ],
)
def test_wrong_options_cost_nothing(registry: DeployedRegistry, options: tuple[str, ...]) -> None:
    head = registry.contract.w3.eth.block_number
    assert _claim(registry, "acme", *options)[0] == 2
    assert registry.contract.w3.eth.block_number == head
