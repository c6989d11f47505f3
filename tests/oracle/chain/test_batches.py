"""Tests of batches on a real chain: many rows in one transaction, and what frees rows again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.batches import Batching, BatchPublisher
from provenance_oracle.oracle.chain.calls import refused_now
from provenance_oracle.oracle.chain.rpc import revert_data
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.journal.publications import PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import AttemptState, State
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.fields import NamedParent, Record
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.world import World, fresh_record

pytestmark = pytest.mark.chain
URI = "https://oracle.example/batches/"


class Batches(World):
    """A world whose writer publishes batches, with `uri` as the place of their records."""

    uri = URI

    def connected(self, **changes: Any) -> Any:
        return super().connected(batching=Batching(128, 0, self.uri), **changes)

    @property
    def publisher(self) -> BatchPublisher:
        found = self.looking().batches
        assert found is not None
        return found

    def entry(self, record: Record) -> bytes:
        found = self.looking().batch_entry(record)
        assert isinstance(found, bytes)
        return found

    def opened(self, records: Sequence[Record]) -> tuple[StoredPublication, list[int]]:
        rows = [self.row(record) for record in records]
        return self.publisher.open([(row, self.entry(one)) for row, one in zip(rows, records, strict=True)]), rows

    def found(self, records: Sequence[Record]) -> list[tuple[bytes, datetime]]:
        return [(self.entry(record), record.judged_at) for record in records]

    def step(self, publication: StoredPublication, records: Sequence[Record]) -> StoredPublication:
        now = self.journal.publication(publication.id)
        return self.publisher.follow(now, lambda: self.found(records))

    def until(self, state: PublicationState, publication: StoredPublication, records: Sequence[Record]) -> Any:
        deadline = time.monotonic() + 20
        while (now := self.step(publication, records)).state is not state:
            assert time.monotonic() < deadline, now
            time.sleep(0.01)
        return now

    def states(self, rows: Sequence[int]) -> set[State]:
        return {self.journal.row(row).state for row in rows}


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[Batches]:
    made = Batches(registry, tmp_path)
    yield made
    made.journal.close()


def test_many_rows_take_one_transaction_and_each_leaf_opens_the_gate(world: Batches) -> None:
    records = [fresh_record() for _ in range(3)]
    publication, rows = world.opened(records)
    nonce = world.web3.eth.get_transaction_count(world.web3.to_checksum_address(world.payer.address))
    now = world.until(PublicationState.FINAL, publication, records)
    assert world.states(rows) == {State.FINAL}
    assert world.web3.eth.get_transaction_count(world.web3.to_checksum_address(world.payer.address)) == nonce + 1
    assert [one.state for one in world.journal.attempts_of(now.id)] == [AttemptState.MINED]
    members = world.journal.members(now.id)
    batch = seal_batch(tuple(member.record or b"" for member in members))
    assert (batch.root, now.count, now.uri) == (now.root, 3, f"{URI}{batch.root.hex()}.json")
    for record, proof in zip(records, batch.proofs, strict=True):
        gate = world.registry.contract.functions.requireModelFromProof
        gate(record.model_digest, record.manifest_digest, proof.solidity(), 1).call()


def test_the_batch_is_final_only_in_a_block_deep_enough(world: Batches) -> None:
    world.confirmations = 3
    world.restart()
    records = [fresh_record() for _ in range(2)]
    world.rpc("anvil_mine", "0x4")
    publication, rows = world.opened(records)
    world.until(PublicationState.MINED, publication, records)
    assert world.states(rows) == {State.MINED}
    world.rpc("anvil_mine", "0x3")
    assert world.step(publication, records).state is PublicationState.FINAL


def test_the_same_bytes_are_sent_again_after_a_restart(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, _ = world.opened(records)
    world.rpc("evm_setAutomine", False)
    try:
        assert world.step(publication, records).state is PublicationState.SENT
        (sent,) = world.journal.attempts_of(publication.id)
        world.rpc("anvil_dropTransaction", "0x" + sent.transaction.hash.hex())
        world.restart()
        assert world.step(publication, records).state is PublicationState.SENT
        assert [one.transaction.raw for one in world.journal.attempts_of(publication.id)] == [sent.transaction.raw]
    finally:
        world.rpc("evm_setAutomine", True)
    world.rpc("anvil_mine", "0x1")
    world.until(PublicationState.FINAL, publication, records)


@pytest.mark.parametrize("is_sent", [True, False])
def test_without_a_place_for_batches_one_that_is_sent_ends_and_another_frees_its_rows(
    world: Batches, is_sent: bool
) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, rows = world.opened(records)
    world.rpc("evm_setAutomine", False)
    try:
        if is_sent:
            assert world.step(publication, records).state is PublicationState.SENT
        world.uri = ""
        world.restart()
    finally:
        world.rpc("evm_setAutomine", True)
    world.rpc("anvil_mine", "0x1")
    end = PublicationState.FINAL if is_sent else PublicationState.DROPPED
    now = world.until(end, publication, records)
    assert world.states(rows) == {State.FINAL if is_sent else State.JUDGED}
    assert is_sent or "batch_uri is not set any more" in now.note


def test_a_batch_whose_nonce_another_transaction_used_frees_its_rows(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, rows = world.opened(records)
    world.rpc("evm_setAutomine", False)
    try:
        world.step(publication, records)
        (sent,) = world.journal.attempts_of(publication.id)
        world.rpc("anvil_dropTransaction", "0x" + sent.transaction.hash.hex())
    finally:
        world.rpc("evm_setAutomine", True)
    payer = world.web3.to_checksum_address(world.payer.address)
    sent_hash = world.web3.eth.send_transaction({"from": payer, "to": payer, "value": 0})
    world.web3.eth.wait_for_transaction_receipt(sent_hash, poll_latency=0.01)
    now = world.step(publication, records)
    assert (now.state, now.note) == (PublicationState.DROPPED, "its batch had no effect; it goes into another one")
    assert world.states(rows) == {State.JUDGED}
    again = world.publisher.open([(row, world.entry(one)) for row, one in zip(rows, records, strict=True)])
    world.until(PublicationState.FINAL, again, records)
    assert world.states(rows) == {State.FINAL}


def test_a_record_that_changed_before_the_signature_drops_the_batch(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, rows = world.opened(records)
    now = world.publisher.follow(publication, lambda: world.found(records[::-1]))
    assert (now.state, world.states(rows)) == (PublicationState.DROPPED, {State.JUDGED})
    publication = world.publisher.open([(row, world.entry(one)) for row, one in zip(rows, records, strict=True)])
    assert world.publisher.follow(publication, lambda: None).state is PublicationState.DROPPED
    assert not any(world.journal.attempts(row) for row in rows)


def test_a_batch_with_a_record_that_waited_too_long_is_dropped(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, rows = world.opened(records)
    found = world.found(records)
    world.now += timedelta(days=30)
    now = world.publisher.follow(publication, lambda: found)
    assert (now.state, world.states(rows)) == (PublicationState.DROPPED, {State.JUDGED})


def test_a_row_is_in_one_open_batch_at_most(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    _, rows = world.opened(records)
    with pytest.raises(UsageError, match="cannot go into a publication"):
        world.publisher.open([(rows[0], b"record")])


def test_a_record_of_a_claimed_namespace_or_with_parents_or_on_chain_goes_by_itself(world: Batches) -> None:
    writer = world.looking()
    assert writer.batch_entry(fresh_record(named_parents=(NamedParent(b"\x20" * 32, None),))) is None
    recorded = fresh_record()
    world.finish(world.row(recorded), recorded)
    assert world.looking().batch_entry(recorded) is None
    named = fresh_record(name="claimed/model")
    assert isinstance(world.looking().batch_entry(named), bytes)
    world.registry.claim("claimed", world.registry.stranger)
    assert world.looking().batch_entry(named) is None


def test_a_record_without_a_policy_number_waits(world: Batches) -> None:
    found = world.looking().batch_entry(fresh_record(policy_digest=b"\x77" * 32))
    assert found == Publishing(State.JUDGED, "waits for its policy's number in the registry")


def test_a_batch_that_the_registry_refuses_now_stays_open(world: Batches) -> None:
    records = [fresh_record() for _ in range(2)]
    publication, rows = world.opened(records)
    world.registry.send(world.registry.contract.functions.pauseWrites(), world.registry.guardian)
    with pytest.raises(TemporaryError, match="the registry refuses the call now: got WritesArePaused"):
        world.step(publication, records)
    assert world.journal.publication(publication.id).state is PublicationState.OPEN
    assert world.states(rows) == {State.JUDGED}


def test_a_chain_whose_time_stands_still_is_told_with_the_way_out(world: Batches) -> None:
    """anvil makes no block without a transaction, so the oracle's clock runs away from it."""
    from web3.exceptions import ContractCustomError

    call = world.registry.publishing(fresh_record(judged_at=JUDGED_AT + timedelta(hours=1)))
    with pytest.raises(ContractCustomError) as reverted:
        call.call()
    error = refused_now(revert_data(reverted.value.data), "registry")
    assert "got OutOfTime, wanted a block at most 5 minutes behind" in str(error)
