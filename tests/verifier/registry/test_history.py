"""The history of a record: returned if its events lead to the record's standing, and refused otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.signing import batch_digest
from provenance_oracle.verifier.registry.events import (
    Admission,
    HistoryEvent,
    LeafClosure,
    Publication,
    Recount,
    Revocation,
)
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry, make_failure, make_record
from tests.support.fake_nodes import lying, telling_calls, telling_logs, with_word

pytestmark = pytest.mark.chain

RECORD = make_record()


def history(registry: DeployedRegistry, record: Record = RECORD) -> tuple[HistoryEvent, ...]:
    reader = registry.reader()
    return reader.history(reader.entries_of_manifest(record.manifest_digest)[0])


def assert_missed(registry: DeployedRegistry, *answers: Any) -> None:
    """Assert that the reader notices a node that gives one of these answers."""
    entry = registry.reader().entry(RECORD.manifest_digest)
    for answer in answers:
        with lying(registry, answer) as (url, _), pytest.raises(TemporaryError):
            RegistryReader(url, registry.address).history(entry)


def keeping_back(event: str) -> Any:
    return telling_logs(event, lambda logs: logs[:-1])


def changing(event: str, change: Callable[[str], str]) -> Any:
    return telling_logs(event, lambda logs: [log | {"data": change(log["data"])} for log in logs])


def test_a_publication(registry: DeployedRegistry) -> None:
    record = make_record(name="exämple/model")
    receipt = registry.publish(record)
    (published,) = history(registry, record)
    assert isinstance(published, Publication)
    assert (published.record.name, published.record.version) == (record.name, record.version)
    assert (published.place.block_number, published.place.transaction_hash) == (
        receipt["blockNumber"],
        bytes(receipt["transactionHash"]),
    )


def test_a_revocation_and_that_it_was_brought_forward(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    now = registry.contract.w3.eth.get_block("latest")["timestamp"]
    registry.revoke(RECORD, "weights were stolen", effective_from=now + 1000)
    registry.publish(make_record(manifest_digest=b"\x22" * 32))
    registry.revoke(RECORD, "at once", effective_from=now)
    published, first, second = history(registry)
    assert isinstance(published, Publication)
    assert isinstance(first, Revocation)
    assert isinstance(second, Revocation)
    assert (first.reason, second.reason) == ("weights were stolen", "at once")
    assert [int(one.revoked_at.timestamp()) for one in (first, second)] == [now + 1000, now]
    assert f"0x{second.guardian.hex()}" == registry.guardian.address
    assert second.revoked_at == registry.reader().entry(RECORD.manifest_digest).revoked_at
    assert_missed(
        registry,
        keeping_back("RecordRevoked"),
        changing("RecordRevoked", lambda data: with_word(data, 0, now + 1)),
        telling_logs("RecordRevoked", lambda _logs: []),
    )


def test_a_revocation_that_never_was_is_not_told(registry: DeployedRegistry) -> None:
    other = make_record(manifest_digest=b"\x22" * 32)
    registry.publish(RECORD)
    registry.publish(other)
    receipt = registry.revoke(other)
    (log,) = _logs_of(registry, receipt)
    forged = log | {"topics": [log["topics"][0], "0x" + record_id(RECORD).hex(), log["topics"][2]]}
    assert_missed(registry, telling_logs("RecordRevoked", lambda _logs: [forged]))


def test_another_release_s_revocation_is_not_told_in_place_of_its_own(registry: DeployedRegistry) -> None:
    other, now = make_record(manifest_digest=b"\x22" * 32), registry.contract.w3.eth.get_block("latest")["timestamp"]
    told: list[Any] = []
    for record, reason in ((other, "slander"), (RECORD, "withdrawn")):
        registry.publish(record)
        receipt = registry.revoke(record, reason, effective_from=now)
        told.append(_logs_of(registry, receipt))
    assert_missed(registry, telling_logs("RecordRevoked", lambda _logs: told[0]))


def _logs_of(registry: DeployedRegistry, receipt: Any) -> Any:
    """Return the logs of a transaction in the node's JSON form."""
    provider = registry.contract.w3.provider
    return provider.make_request("eth_getTransactionReceipt", [receipt["transactionHash"].to_0x_hex()])["result"][
        "logs"
    ]


def test_later_judgements(registry: DeployedRegistry) -> None:
    for revision in range(3):
        registry.publish(replace(RECORD, revision=revision))
    events = history(registry)
    assert [event.record.revision for event in events if isinstance(event, Publication)] == [0, 1, 2]
    assert len(events) == 3


def test_a_recount(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=3, threshold=2)
    registry.publish(RECORD, signers=(0, 1, 2))
    for index in (2, 1):
        registry.revoke_oracle(index)
        registry.send(registry.contract.functions.recount(record_id(RECORD)), registry.stranger)
    _, first, second = history(registry)
    assert isinstance(first, Recount)
    assert isinstance(second, Recount)
    assert (first.signers, first.weight, first.is_doubtful) == (0b011, 2, False)
    assert (second.signers, second.weight, second.is_doubtful) == (0b001, 1, True)
    assert_missed(
        registry,
        keeping_back("Recounted"),
        *(changing("Recounted", lambda data, word=word: with_word(data, word, 0)) for word in (0, 1, 2)),
    )


def test_a_record_held_and_released(registry: DeployedRegistry) -> None:
    registry.claim("example", registry.stranger, identities=(b"\x61" * 32,))
    registry.publish(RECORD)
    (held,) = history(registry)
    assert isinstance(held, Publication)
    assert held.first.held
    registry.trust("example", registry.stranger, RECORD.publisher_identity)
    data = registry.encode(RECORD)
    registry.send(registry.contract.functions.releaseHeld(data), registry.stranger)
    published, admitted = history(registry)
    assert isinstance(published, Publication)
    assert isinstance(admitted, Admission)
    assert published.place < admitted.place
    entry = registry.reader().entry(RECORD.manifest_digest)
    with (
        lying(registry, telling_logs("NamespaceEntry", lambda logs: logs[:-1], "Namespaces")) as (url, _),
        pytest.raises(VerificationError, match="not complete"),
    ):
        RegistryReader(url, registry.address).history(entry)
    held_still = telling_calls("standingById", lambda answer: with_word(answer, 11, 1))
    assert_missed(registry, held_still)


def test_a_record_written_out_of_its_batch(registry: DeployedRegistry) -> None:
    data = registry.encode(RECORD)
    sealed, functions = seal_batch((data,)), registry.contract.functions
    at = registry.contract.w3.eth.get_block("latest")["timestamp"]
    where = (registry.chain.chain_id, registry.address_bytes)
    quorum = registry.quorum(batch_digest(*where, 1, sealed.root, count=1, sealed_at=at, uri=""))
    registry.send(functions.recordBatch(sealed.root, 1, at, "", quorum), registry.stranger)
    receipt = registry.send(functions.materialise(data, sealed.proofs[0].solidity()), registry.stranger)
    events = history(registry)
    (closed,) = (event for event in events if isinstance(event, LeafClosure))
    assert (closed.record_id, closed.root, closed.index) == (record_id(RECORD), sealed.root, 0)
    assert {event.place.transaction_hash for event in events} == {bytes(receipt["transactionHash"])}
    assert_missed(registry, changing("LeafClosed", lambda log: with_word(log, 0, 1)))


def test_a_failed_verdict_has_a_history_of_its_own(registry: DeployedRegistry) -> None:
    failure = make_failure()
    registry.publish(failure)
    registry.publish(RECORD)
    registry.revoke(RECORD)
    reader = registry.reader()
    passed, failed = reader.entries_of_manifest(failure.manifest_digest)
    assert [type(event) for event in reader.history(passed)] == [Publication, Revocation]
    (published,) = reader.history(failed)
    assert isinstance(published, Publication)
    assert published.record_id == record_id(failure)
