"""Tests of `provenance claim`: the future owner signs, any account pays, and errors name the contract's refusal."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.signing import claim_digest
from tests.support.chain_fixtures import (
    FOR_EVER,
    DeployedRegistry,
    checksummed,
    deploy_registry,
    long_signature,
    make_record,
)

pytestmark = pytest.mark.chain
IDENTITY = "06" * 32


@pytest.fixture
def own_registry(anvil: EmbeddedChain) -> Iterator[DeployedRegistry]:
    """Return a registry on a chain of its own, so that a test can decide when the chain mines."""
    with run_anvil() as chain:
        yield deploy_registry(chain)


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
    taken = f"NamespaceTaken(namespaceId 0x{namespace_id('acme').hex()}, owner {registry.stranger.address})"
    refusals = (
        ("acme", taken),
        ("ac me", "NamespaceInvalid"),
        ("..", "NamespaceInvalid"),
        ("acme/model", "acme/model"),
    )
    for name, error in refusals:
        exit_code, document = _claim(registry, name, "--owner-key-variable", "OWNER")
        assert exit_code == 2
        assert document["error"]["got"].startswith(error)
        assert document["error"]["wanted"]
    assert document["error"]["wanted"] == "the part before the slash: provenance claim acme"


def test_the_owner_s_key_is_asked_for_by_its_options(registry: DeployedRegistry) -> None:
    exit_code, document = _claim(registry, "acme", "--owner-keystore", "none")
    assert (exit_code, document["error"]["got"]) == (2, "--owner-keystore")
    assert "--owner-password-file FILE" in document["error"]["wanted"]


def test_a_claim_that_another_one_overtakes_fails_and_says_so(own_registry: DeployedRegistry) -> None:
    """Both claims are in one block. The second was valid when it was sent, but the first pays more and goes first."""
    registry, other = own_registry, own_registry.owner
    place = bytes.fromhex(registry.namespaces.address[2:])
    terms: Any = {"identity_limit": 0, "identities": (), "nonce": 0, "deadline": FOR_EVER}
    digest = claim_digest(registry.chain.chain_id, place, "acme", bytes.fromhex(other.address[2:]), **terms)
    signature = long_signature(digest, other.key)
    call = registry.namespaces.functions.claimNamespace("acme", checksummed(other), 0, [], 0, FOR_EVER, signature)
    rpc = registry.contract.w3.provider.make_request
    rpc("evm_setAutomine", [False])
    call.transact({"from": checksummed(other), "gasPrice": 10**12})

    def mine_both() -> None:
        deadline = time.monotonic() + 60
        while int(rpc("txpool_status", [])["result"]["pending"], 16) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        rpc("evm_mine", [])

    miner = threading.Thread(target=mine_both)
    miner.start()
    exit_code, document = _claim(registry, "acme")
    miner.join()
    assert (exit_code, document["error"]["class"]) == (4, "VerificationError")
    assert "the transaction failed" in document["error"]["message"]


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
