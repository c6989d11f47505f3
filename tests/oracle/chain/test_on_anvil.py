"""Tests of the writer against a real node: one event and the same bytes, even if the node forgets transactions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import AttemptState, State
from provenance_oracle.verifier.errors import RecordError, TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import NamedParent
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, deploy_registry, make_record
from tests.support.world import GWEI, World, fresh_record

pytestmark = pytest.mark.chain


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[World]:
    made = World(registry, tmp_path)
    yield made
    made.rpc("evm_setAutomine", True)
    made.rpc("evm_mine")
    made.journal.close()


def test_a_record_is_published_once_and_becomes_final(world: World) -> None:
    record = fresh_record()
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.SENT
    world.finish(row_id, record)
    assert world.publish(row_id, record) is State.FINAL
    (attempt,) = world.journal.attempts(row_id)
    assert attempt.state is AttemptState.MINED
    assert world.writers(record) == [attempt.transaction.hash]


def test_a_record_is_final_once_the_chain_calls_its_block_finalized(world: World) -> None:
    world.confirmations = None
    world.writer = world.connected()
    world.rpc("anvil_mine", "0x80")  # the policy's number must be final too
    record = fresh_record()
    row_id = world.row(record)
    world.publish(row_id, record)
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.MINED
    block = world.web3.eth.block_number
    while world.web3.eth.get_block("finalized")["number"] < block:
        assert world.publish(row_id, record) is State.MINED
        world.rpc("anvil_mine", "0x20")
    assert world.publish(row_id, record) is State.FINAL


def test_a_record_that_is_there_already_needs_no_transaction(world: World) -> None:
    record = fresh_record()
    world.registry.publish(record)
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.FINAL
    assert world.journal.attempts(row_id) == ()


def test_after_a_restart_the_same_bytes_go_again(world: World) -> None:
    world.rpc("evm_setAutomine", False)
    record = fresh_record()
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.SENT
    world.restart()
    assert world.publish(row_id, record) is State.SENT
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.FINAL
    (attempt,) = world.journal.attempts(row_id)
    assert world.writers(record) == [attempt.transaction.hash]


def test_a_transaction_that_the_node_dropped_arrives_after_a_restart(world: World) -> None:
    world.rpc("evm_setAutomine", False)
    record = fresh_record()
    row_id = world.row(record)
    world.publish(row_id, record)
    (attempt,) = world.journal.attempts(row_id)
    world.rpc("anvil_dropTransaction", "0x" + attempt.transaction.hash.hex())
    world.rpc("evm_mine")
    world.restart()
    assert world.publish(row_id, record) is State.SENT
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.FINAL
    assert world.writers(record) == [attempt.transaction.hash]
    assert len(world.journal.attempts(row_id)) == 1


def test_a_reorg_of_the_block_sends_the_same_bytes_again(world: World) -> None:
    world.confirmations = 2
    world.writer = world.connected()
    world.rpc("anvil_mine", 2)  # the policy's number is final
    record = fresh_record()
    row_id = world.row(record)
    while world.publish(row_id, record) is not State.MINED:
        time.sleep(0.01)
    (attempt,) = world.journal.attempts(row_id)
    world.rpc("evm_setAutomine", False)
    world.rpc("anvil_reorg", 1, [])
    world.rpc("anvil_dropTransaction", "0x" + attempt.transaction.hash.hex())
    assert world.publish(row_id, record) is State.SENT
    for _ in range(3):
        world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.FINAL
    assert world.writers(record) == [attempt.transaction.hash]
    assert len(world.journal.attempts(row_id)) == 1


def test_a_nonce_that_something_else_used_up_gives_way_to_the_next(world: World) -> None:
    world.rpc("evm_setAutomine", False)
    record = fresh_record()
    row_id = world.row(record)
    world.publish(row_id, record)
    (first,) = world.journal.attempts(row_id)
    world.rpc("anvil_dropTransaction", "0x" + first.transaction.hash.hex())
    account = world.web3.to_checksum_address(world.registry.oracle.address)
    world.web3.eth.send_transaction({"from": account, "to": account, "nonce": first.transaction.nonce})
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.SENT
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.FINAL
    states = [attempt.state for attempt in world.journal.attempts(row_id)]
    assert states == [AttemptState.DROPPED, AttemptState.MINED]
    assert len(world.writers(record)) == 1


def test_a_transaction_that_reverted_is_replaced_once_the_contract_takes_it(world: World) -> None:
    functions = world.registry.contract.functions
    record = fresh_record()
    row_id = world.row(record)
    world.rpc("evm_setAutomine", False)
    world.publish(row_id, record)
    (first,) = world.journal.attempts(row_id)
    world.rpc("anvil_dropTransaction", "0x" + first.transaction.hash.hex())
    world.rpc("evm_setAutomine", True)
    world.registry.send(functions.pauseWrites(), world.registry.guardian)
    reverted = world.web3.eth.send_raw_transaction(first.transaction.raw)
    assert world.web3.eth.wait_for_transaction_receipt(reverted, poll_latency=0.01)["status"] == 0
    with pytest.raises(TemporaryError, match="WritesArePaused"):
        world.publish(row_id, record)
    world.registry.send(functions.resumeWrites(), world.registry.owner)
    assert world.publish(row_id, record) is State.SENT
    world.finish(row_id, record)
    assert len(world.writers(record)) == 1


def test_one_key_pays_and_another_signs(world: World) -> None:
    world.payer = world.registry.chain.accounts[-1]
    world.writer = world.connected()
    record = fresh_record()
    row_id = world.row(record)
    world.finish(row_id, record)
    (attempt,) = world.journal.attempts(row_id)
    assert attempt.transaction.sender.lower() == world.payer.address.lower()
    entry = world.registry.reader().entry_of(record.model_digest, record.manifest_digest)
    assert [signer.address.hex() for signer in entry.signers] == [world.registry.oracle.address[2:].lower()]


def test_a_policy_that_nobody_numbered_is_numbered_first(world: World) -> None:
    record = fresh_record(policy_digest=secrets.token_bytes(32))
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.JUDGED
    _, policy = world.journal.unpublished()
    deadline = time.monotonic() + 10
    while world.looking().number_policy(policy.id, record.policy_digest).state is not State.FINAL:
        assert time.monotonic() < deadline
    world.journal.advance(policy.id, State.FINAL, at=world.now)
    world.finish(row_id, record)
    entry = world.registry.reader().entry_of(record.model_digest, record.manifest_digest)
    assert entry.policy_id == world.registry.policy_id(record.policy_digest) > 1


def test_a_recorded_parent_is_named(world: World) -> None:
    parent = fresh_record(model_digest=secrets.token_bytes(32))
    world.registry.publish(parent)
    again = fresh_record(model_digest=parent.model_digest)
    record = fresh_record(named_parents=(NamedParent(parent.model_digest), NamedParent(b"\x77" * 32)))
    world.finish(world.row(record), record)
    entry = world.registry.reader().entry_of(record.model_digest, record.manifest_digest)
    assert entry.parents == (record_id(parent),)
    world.registry.publish(again)  # somebody else records the same files, so only a manifest digest is certain
    for manifest, parents in ((None, ()), (parent.manifest_digest, (record_id(parent),))):
        record = fresh_record(named_parents=(NamedParent(parent.model_digest, manifest),))
        world.finish(world.row(record), record)
        entry = world.registry.reader().entry_of(record.model_digest, record.manifest_digest)
        assert entry.parents == parents


def test_a_key_that_left_the_oracle_set_signs_nothing_more(world: World) -> None:
    other = deploy_registry(world.registry.chain, oracles=3, threshold=2)
    other.policy_id(make_record().policy_digest)
    world.journal.close()
    world.journal = Journal(world.path.with_name("other.db"))
    world.registry = other
    world.writer = world.connected()
    record = fresh_record()
    row_id = world.row(record)
    with pytest.raises(
        UsageError, match=r"a record needs signatures of other oracles.*got weight 1, wanted the threshold, 2"
    ):
        world.publish(row_id, record)
    world.registry = replace(other, oracles=(other.stranger,))
    world.writer = world.connected()
    with pytest.raises(UsageError, match="the key is not an oracle of this registry"):
        world.publish(row_id, record)
    assert world.journal.attempts(row_id) == ()


def test_a_record_by_an_unknown_publisher_is_held_and_that_is_final(world: World) -> None:
    world.registry.claim("acme", world.registry.stranger, [b"\x01" * 32])
    trusted = fresh_record(name="acme/model", publisher_identity=b"\x01" * 32)
    stranger = fresh_record(name="acme/model", version="2", publisher_identity=b"\x02" * 32)
    taken = fresh_record(name="acme/model", publisher_identity=b"\x01" * 32)
    for record, note in ((trusted, ""), (stranger, "the record is held: its namespace does not trust the publisher")):
        row_id = world.row(record)
        world.finish(row_id, record)
        assert world.looking().publish(row_id, record).note == note
    with pytest.raises(RecordError, match="the record's name leads to another release"):
        world.publish(world.row(taken), taken)


def test_a_record_that_the_contract_finds_too_old_is_not_signed(world: World) -> None:
    record = fresh_record(judged_at=JUDGED_AT - timedelta(days=7))
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.SEEN
    assert world.journal.attempts(row_id) == ()
    world.now -= timedelta(hours=2)  # a wrong clock
    with pytest.raises(TemporaryError, match="OutOfTime"):
        world.publish(row_id, record)


def test_a_fee_spike_pauses_and_a_waiting_transaction_is_offered_more(world: World) -> None:
    world.rpc("evm_setAutomine", False)
    record = fresh_record()
    row_id = world.row(record)
    world.rpc("anvil_setNextBlockBaseFeePerGas", hex(200 * GWEI))
    world.rpc("evm_mine")
    with pytest.raises(TemporaryError, match="fees are above the limit"):
        world.publish(row_id, record)
    world.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.SENT
    world.now += timedelta(seconds=91)
    assert world.publish(row_id, record) is State.SENT
    world.rpc("evm_mine")
    assert world.publish(row_id, record) is State.FINAL
    old, new = world.journal.attempts(row_id)
    assert old.transaction.nonce == new.transaction.nonce
    assert (old.state, new.state) == (AttemptState.DROPPED, AttemptState.MINED)
    assert len(world.writers(record)) == 1


def test_many_are_on_their_way_at_once_and_all_arrive(world: World) -> None:
    world.rpc("evm_setAutomine", False)
    records = [fresh_record() for _ in range(5)]
    rows = [world.row(record) for record in records]
    for row_id, record in zip(rows, records, strict=True):
        world.publish(row_id, record)
    second = world.journal.attempts(rows[1])[0].transaction
    world.rpc("anvil_dropTransaction", "0x" + second.hash.hex())
    world.rpc("evm_mine")
    for row_id, record in zip(rows, records, strict=True):
        world.publish(row_id, record)
    world.rpc("evm_mine")
    for row_id, record in zip(rows, records, strict=True):
        assert world.publish(row_id, record) is State.FINAL
        assert len(world.writers(record)) == 1
        assert len(world.journal.attempts(row_id)) == 1


def test_another_registry_or_chain_is_refused(world: World) -> None:
    other = deploy_registry(world.registry.chain)
    with pytest.raises(UsageError, match="registry is not the one"):
        world.connected(registry_address=other.address)
    for address in ("", "0x12", "12" * 20, "0x" + "Ab" * 20):
        with pytest.raises(UsageError, match="the text is not an address"):
            world.connected(registry_address=address)
    with pytest.raises(UsageError, match="no contract"):
        world.connected(registry_address="0x" + "12" * 20)
    with pytest.raises(UsageError, match="the node has another chain"):
        world.connected(chain_id=1)
    # two chains that anvil starts within one second would have the same genesis block
    with run_anvil(options=("--timestamp", "1700000000")) as chain:
        elsewhere = deploy_registry(chain)
        with pytest.raises(UsageError, match="genesis block is not the one"):
            world.connected(rpc_urls=(chain.rpc_url,), registry_address=elsewhere.address)


def test_an_address_in_small_letters_will_do(world: World) -> None:
    world.writer = world.connected(registry_address=world.registry.address.lower())
    record = fresh_record()
    row_id = world.row(record)
    world.finish(row_id, record)


def test_a_development_key_stays_on_local_chains(anvil_program: Path, tmp_path: Path) -> None:
    with run_anvil(options=("--chain-id", "5")) as chain:
        elsewhere = deploy_registry(chain)
        with pytest.raises(UsageError, match="for local chains"):
            World(elsewhere, tmp_path)


def test_a_node_that_is_down_is_temporary(world: World) -> None:
    with pytest.raises(TemporaryError):
        world.connected(rpc_urls=("http://127.0.0.1:9",))
