"""The digests to sign equal those of a wallet's library and those of the contracts' own views."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.signing import (
    NAMESPACES_NAME,
    REGISTRY_NAME,
    Domain,
    batch_digest,
    claim_digest,
    identity_change_digest,
    publication_digest,
)
from provenance_oracle.verifier.registry.light_imports import light_imports
from tests.support.chain_fixtures import DeployedRegistry, checksummed, make_record

ADDRESS, OWNER = b"\xa1" * 20, b"\xb2" * 20
CHAIN_ID = 23294
WORD = st.binary(min_size=32, max_size=32)
NUMBER = st.integers(0, 2**16 - 1)


def wallet_digest(name: str, kind: str, fields: dict[str, str], message: dict[str, Any]) -> bytes:
    """The digest as eth-account computes it, a library that makes wallets' signatures."""
    with light_imports():
        from eth_account.messages import encode_typed_data

    domain = {"name": name, "version": "1", "chainId": CHAIN_ID, "verifyingContract": "0x" + ADDRESS.hex()}
    types = {kind: [{"name": field, "type": what} for field, what in fields.items()]}
    signable = encode_typed_data(domain, types, message)
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


@given(epoch=NUMBER, record=st.binary(max_size=300))
def test_a_report(epoch: int, record: bytes) -> None:
    wanted = wallet_digest(
        REGISTRY_NAME, "Report", {"epoch": "uint16", "record": "bytes"}, {"epoch": epoch, "record": record}
    )
    assert publication_digest(CHAIN_ID, ADDRESS, epoch, record) == wanted


@given(epoch=NUMBER, root=WORD, count=st.integers(0, 255), sealed_at=st.integers(0, 2**40 - 1), uri=st.text())
def test_a_batch(epoch: int, root: bytes, count: int, sealed_at: int, uri: str) -> None:
    fields = {"epoch": "uint16", "root": "bytes32", "count": "uint8", "sealedAt": "uint40", "uri": "string"}
    message = {"epoch": epoch, "root": root, "count": count, "sealedAt": sealed_at, "uri": uri}
    wanted = wallet_digest(REGISTRY_NAME, "Batch", fields, message)
    assert batch_digest(CHAIN_ID, ADDRESS, epoch, root, count=count, sealed_at=sealed_at, uri=uri) == wanted


@given(namespace=st.text(), limit=st.integers(0, 255), identities=st.lists(WORD, max_size=4), nonce=NUMBER)
def test_a_claim(namespace: str, limit: int, identities: list[bytes], nonce: int) -> None:
    fields = {
        "namespace": "string",
        "owner": "address",
        "identityLimit": "uint8",
        "identities": "bytes32[]",
        "nonce": "uint256",
        "deadline": "uint40",
    }
    owner = "0x" + OWNER.hex()
    values = (namespace, owner, limit, identities, nonce, 7)
    wanted = wallet_digest(NAMESPACES_NAME, "Claim", fields, dict(zip(fields, values, strict=True)))
    found = claim_digest(
        CHAIN_ID,
        ADDRESS,
        namespace,
        OWNER,
        identity_limit=limit,
        identities=tuple(identities),
        nonce=nonce,
        deadline=7,
    )
    assert found == wanted


@given(epoch=NUMBER, identity=WORD, trust=st.booleans(), approvals=st.integers(0, 16), number=st.integers(0, 2**48 - 1))
def test_a_change_of_identities(epoch: int, identity: bytes, trust: bool, approvals: int, number: int) -> None:
    fields = {
        "epoch": "uint16",
        "namespaceId": "bytes32",
        "identity": "bytes32",
        "trust": "bool",
        "approvals": "uint8",
        "number": "uint48",
    }
    values = (epoch, namespace_id("acme"), identity, trust, approvals, number)
    wanted = wallet_digest(REGISTRY_NAME, "IdentityChange", fields, dict(zip(fields, values, strict=True)))
    found = identity_change_digest(
        CHAIN_ID, ADDRESS, epoch, "acme", identity, trust=trust, approvals=approvals, number=number
    )
    assert found == wanted


def test_a_signature_is_for_one_chain_one_contract_and_one_epoch() -> None:
    digests = {
        publication_digest(CHAIN_ID, ADDRESS, 1, b"record"),
        publication_digest(CHAIN_ID + 1, ADDRESS, 1, b"record"),
        publication_digest(CHAIN_ID, OWNER, 1, b"record"),
        publication_digest(CHAIN_ID, ADDRESS, 2, b"record"),
        Domain(NAMESPACES_NAME, CHAIN_ID, ADDRESS).digest("Report(uint16 epoch,bytes record)", 1, b"record"),
    }
    assert len(digests) == 5


@pytest.mark.chain
def test_the_contracts_give_the_same(registry: DeployedRegistry) -> None:
    functions, where = registry.contract.functions, (registry.chain.chain_id, registry.address_bytes)
    data = registry.encode(make_record())
    assert functions.reportDigest(7, data).call() == publication_digest(*where, 7, data)
    root, uri = b"\x21" * 32, "https://example.org/ä"
    told = functions.batchDigest(7, root, 100, 1_760_000_000, uri).call()
    assert told == batch_digest(*where, 7, root, count=100, sealed_at=1_760_000_000, uri=uri)


@pytest.mark.chain
def test_the_domains_are_the_contracts(registry: DeployedRegistry) -> None:
    for contract, name in ((registry.contract, REGISTRY_NAME), (registry.namespaces, NAMESPACES_NAME)):
        _, told_name, version, chain_id, address, _, _ = contract.functions.eip712Domain().call()
        assert (told_name, version, chain_id, address) == (name, "1", registry.chain.chain_id, contract.address)


@pytest.mark.chain
def test_a_claim_and_an_approved_change_are_taken(registry: DeployedRegistry) -> None:
    identity, other = b"\x31" * 32, b"\x32" * 32
    registry.claim("acme", registry.stranger, identities=(identity,), limit=1)
    functions, key = registry.namespaces.functions, namespace_id("acme")
    number = functions.headOf(key).call() >> 208
    where = (registry.chain.chain_id, registry.address_bytes)
    digest = identity_change_digest(*where, 1, "acme", other, trust=True, approvals=1, number=number)
    call = functions.changeIdentity(key, other, True, 1, number, registry.quorum(digest))
    registry.send(call, registry.stranger)
    assert functions.acceptableFrom(key, other).call() > 0
    assert functions.namespaceOf(key).call()[0] == checksummed(registry.stranger)


@pytest.mark.chain
def test_another_record_s_signature_is_not_taken(registry: DeployedRegistry) -> None:
    data = registry.encode(make_record())
    digest = publication_digest(registry.chain.chain_id, registry.address_bytes, 1, data)
    other = registry.encode(replace(make_record(), version="2.0"))
    refused = registry.refusal(registry.contract.functions.publish(other, registry.quorum(digest)))
    assert refused[0] == "WrongSigner"
