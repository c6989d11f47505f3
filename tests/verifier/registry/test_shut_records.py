"""Records that are shut: the reader shows them, and never passes one as active."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.signing import batch_digest, publication_digest
from tests.support.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    checksummed,
    deploy_registry,
    make_record,
    oracle_tuple,
)

pytestmark = pytest.mark.chain


def assert_shut(registry: DeployedRegistry, record: Record, words: str) -> None:
    reader = registry.reader()
    entry = reader.entry(record.manifest_digest)
    assert entry.closure and words in entry.closure.explanation
    refusal = reader.refusal(entry)
    assert refusal is not None
    with pytest.raises(RecordError, match=words) as caught:
        reader.match_record(record)
    for error in (refusal, caught.value):
        assert words in str(error)
        assert (error.check, error.exit_code) == (Check.REGISTRY_RECORD, 6)


def test_a_revoked_record_is_shown_and_never_passed(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    registry.revoke(make_record())
    assert_shut(registry, make_record(), "revoked")


def test_a_revocation_that_was_announced_counts_already(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    tomorrow = registry.contract.w3.eth.get_block("latest")["timestamp"] + 86400
    registry.revoke(make_record(), effective_from=tomorrow)
    assert_shut(registry, make_record(), "revoked")


def test_a_record_that_its_namespace_holds_is_never_passed(registry: DeployedRegistry) -> None:
    registry.claim("example", registry.stranger, identities=(b"\x61" * 32,), limit=1)
    record = make_record()
    registry.publish(record)
    assert_shut(registry, record, "held")
    registry.trust("example", registry.stranger, record.publisher_identity)
    registry.send(registry.contract.functions.releaseHeld(registry.encode(record)), registry.stranger)
    entry = registry.reader().match_record(record)
    assert (entry.standing.held, entry.standing.named) == (False, True)


def test_a_record_whose_oracles_lost_their_keys_is_never_passed(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=3, threshold=2)
    record = make_record()
    registry.publish(record, signers=(0, 2))
    assert registry.reader().match_record(record).weight == 2
    registry.revoke_oracle(1)  # this oracle did not sign
    assert registry.reader().match_record(record).weight == 2
    registry.revoke_oracle(2)
    assert registry.contract.functions.isModel(record.model_digest, record.manifest_digest, 1).call()
    assert_shut(registry, record, "doubtful")  # although nobody called `recount`
    entry = registry.reader().entry(record.manifest_digest)
    assert [(signer.index, signer.counts) for signer in entry.signers] == [(0, True), (2, False)]
    assert (entry.weight, entry.threshold) == (1, 2)
    registry.send(registry.contract.functions.recount(record_id(record)), registry.stranger)
    assert_shut(registry, record, "doubtful")
    assert [signer.index for signer in registry.reader().entry(record.manifest_digest).signers] == [0]


def test_signers_may_join_later(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=3, threshold=1)
    record = make_record()
    registry.publish(record, signers=(1,))
    data = registry.encode(record)
    digest = publication_digest(registry.chain.chain_id, registry.address_bytes, 1, data)
    registry.send(registry.contract.functions.addSigners(data, registry.quorum(digest, (0, 2))), registry.stranger)
    entry = registry.reader().match_record(record)
    assert [(signer.index, signer.counts) for signer in entry.signers] == [(0, True), (1, True), (2, True)]
    assert entry.weight == 3


def test_a_key_counts_for_what_was_recorded_before_it_was_revoked(registry: DeployedRegistry) -> None:
    receipt = registry.publish(make_record())
    recorded_at = registry.contract.w3.eth.get_block(receipt["blockNumber"])["timestamp"]
    registry.revoke_oracle(0, effective_from=recorded_at + 1)
    assert registry.reader().match_record(make_record()).weight == 1
    registry.revoke_oracle(0, effective_from=recorded_at)
    assert_shut(registry, make_record(), "doubtful")


# Code that answers (0, CBOR true) to every caller, as Oasis Sapphire does for the origin that runs the app.
SUBCALL, YES = "0x0100000000000000000000000000000000000103", "6080600c60003960806000f3"


def test_a_key_that_a_rofl_app_bound_since_did_not_sign(registry: DeployedRegistry) -> None:
    functions, provider = registry.contract.functions, registry.contract.w3.provider
    app = [(*oracle_tuple(registry.oracle)[:4], b"\x07" * 21)]
    registry.send(functions.scheduleOracles(app, 1), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.activateOracles(app, 1), registry.stranger)
    registry.publish(make_record())
    (before,) = registry.reader().match_record(make_record()).signers
    registry.pass_time(1)
    answer = bytes(32) + (64).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\xf5".ljust(32, b"\0")
    provider.make_request("anvil_setCode", [SUBCALL, "0x" + YES + answer.hex()])
    try:
        registry.send(functions.bindRoflKey(0, checksummed(registry.chain.accounts[30])), registry.stranger)
    finally:
        provider.make_request("anvil_setCode", [SUBCALL, "0x"])
    (after,) = registry.reader().match_record(make_record()).signers
    assert after == replace(before, address=None)
    assert before.address == bytes.fromhex(registry.oracle.address[2:])


def test_signers_are_those_of_the_set_that_signed(registry: DeployedRegistry) -> None:
    record = make_record()
    registry.publish(record)
    other = oracle_tuple(registry.chain.accounts[30], weight=5)
    functions = registry.contract.functions
    registry.send(functions.scheduleOracles([other], 5), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.activateOracles([other], 5), registry.stranger)
    (signer,) = registry.reader().match_record(record).signers
    assert signer.address == bytes.fromhex(registry.oracle.address[2:])


def test_a_leaf_that_was_revoked_in_its_batch_is_no_record(registry: DeployedRegistry) -> None:
    record = make_record()
    sealed = seal_batch((registry.encode(record),))
    at = registry.contract.w3.eth.get_block("latest")["timestamp"]
    where = (registry.chain.chain_id, registry.address_bytes)
    quorum = registry.quorum(batch_digest(*where, 1, sealed.root, count=1, sealed_at=at, uri=""))
    functions, proof = registry.contract.functions, sealed.proofs[0].solidity()
    registry.send(functions.recordBatch(sealed.root, 1, at, "", quorum), registry.stranger)
    revoking = functions.revokeInBatch(record.model_digest, record.manifest_digest, proof, at, "withdrawn")
    registry.send(revoking, registry.guardian)
    for read in (lambda one: one.match_record(record), lambda one: one.entries_of_id(record_id(record))):
        with pytest.raises(RecordError, match="revoked in its batch"):
            read(registry.reader())


def test_the_plain_gate_is_open_until_the_contract_knows_better(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=2, threshold=2)
    record, simulated = make_record(), make_record(model_digest=b"\x31" * 32, product_line=255, grade=0)
    reader = registry.reader()
    for one in (record, simulated):
        registry.publish(one, signers=(0, 1))
    entry, other = (reader.entry_of(one.model_digest, one.manifest_digest) for one in (record, simulated))
    assert (reader.is_open(entry), reader.is_open(other)) == (True, False)
    registry.revoke_oracle(1)
    assert reader.is_open(entry)
    registry.send(registry.contract.functions.recount(record_id(record)), registry.stranger)
    assert not reader.is_open(entry)
