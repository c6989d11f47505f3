"""What shuts a record: it is shown, and never passed as an active one."""

from __future__ import annotations

import pytest

from tests.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    deploy_registry,
    make_record,
    oracle_tuple,
)
from verifier.batch import seal_batch
from verifier.checks import Check
from verifier.errors import RecordError
from verifier.record import Record
from verifier.record_bytes import record_id
from verifier.typed_data import batch_digest, report_digest

pytestmark = pytest.mark.chain


def assert_shut(registry: DeployedRegistry, record: Record, words: str) -> None:
    reader = registry.reader()
    assert words in reader.entry(record.manifest_digest).closed_because
    for read in (lambda: reader.active_entry(record.manifest_digest), lambda: reader.match_record(record)):
        with pytest.raises(RecordError, match=words) as caught:
            read()
        assert (caught.value.check, caught.value.exit_code) == (Check.REGISTRY_RECORD, 6)


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
    registry.revoke_oracle(1)  # did not sign
    assert registry.reader().match_record(record).weight == 2
    registry.revoke_oracle(2)
    assert registry.contract.functions.isModel(record.model_digest, record.manifest_digest, 1).call()
    assert_shut(registry, record, "doubtful")  # though nobody recounted
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
    digest = report_digest(registry.chain.chain_id, registry.address_bytes, 1, data)
    registry.send(registry.contract.functions.addSigners(data, registry.quorum(digest, (0, 2))), registry.stranger)
    entry = registry.reader().match_record(record)
    assert [(signer.index, signer.counts) for signer in entry.signers] == [(0, True), (1, True), (2, True)]
    assert entry.weight == 3


def test_a_key_revoked_for_later_takes_nothing_away(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    later = registry.contract.w3.eth.get_block("latest")["timestamp"] + 1
    registry.revoke_oracle(0, effective_from=later)
    assert registry.reader().match_record(make_record()).weight == 1


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
    with pytest.raises(RecordError, match="revoked in its batch"):
        registry.reader().match_record(record)
