"""The ledger against a real node: one event, the same bytes, whatever the node forgets."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oracle.journal import Journal
from oracle.ledger.anvil import run_anvil
from oracle.ledger.signers import EnvironmentSigner
from oracle.ledger.transactions import FeeLimits
from oracle.ledger.writer import LedgerOptions, RegistryWriter, open_writer
from oracle.rows import AttemptState, ReleaseKey, State
from tests.chain_fixtures import DeployedRegistry, deploy_registry, make_record
from verifier.errors import TemporaryError, UsageError
from verifier.record import Record
from verifier.registry import Publication

pytestmark = pytest.mark.chain
GWEI = 10**9
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class World:
    """A registry, a journal file, and a writer that can be made anew as a restart would."""

    def __init__(self, registry: DeployedRegistry, folder: Path) -> None:
        self.registry = registry
        self.web3: Any = registry.contract.w3
        self.path = folder / "journal.db"
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.journal = Journal(self.path)
        self.confirmations = 0
        self.writer = self.connected()

    def connected(self, **changes: Any) -> RegistryWriter:
        options: dict[str, Any] = {
            "rpc_url": self.registry.chain.rpc_url,
            "registry_address": self.registry.address,
            "confirmations": self.confirmations,
            "limits": LIMITS,
            "rpc_timeout_seconds": 10.0,
            "allow_development_key": False,
        }
        signer = EnvironmentSigner("KEY", {"KEY": self.registry.oracle.key.hex()})
        return open_writer(LedgerOptions(**options | changes), signer, self.journal, clock=lambda: self.now)

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)
        self.writer = self.connected()

    def row(self, record: Record) -> int:
        key = ReleaseKey("test", "release", record.manifest_digest)
        row = self.journal.open(key, "f", at=self.now)
        self.journal.accept(row.id, b"{}", b"{}", record.report_digest, at=self.now)
        return row.id

    def publish(self, row_id: int, record: Record) -> State:
        state = self.writer.publish(row_id, record).state
        self.journal.advance(row_id, state, at=self.now)
        return state

    def finish(self, row_id: int, record: Record) -> None:
        """Publish until the record is final; anvil mines a moment after it took a transaction."""
        deadline = time.monotonic() + 10
        while self.publish(row_id, record) is not State.FINAL:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def rpc(self, method: str, *params: object) -> Any:
        answer = self.web3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def events(self, record: Record) -> list[Publication]:
        return [
            event for event in self.registry.reader().history(record.manifest_digest) if isinstance(event, Publication)
        ]


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[World]:
    made = World(registry, tmp_path)
    yield made
    made.rpc("evm_setAutomine", True)
    made.rpc("evm_mine")
    made.journal.close()


def fresh_record(**changes: Any) -> Record:
    return make_record(manifest_digest=secrets.token_bytes(32), report_digest=secrets.token_bytes(32), **changes)


def test_a_record_is_published_once_and_becomes_final(world: World) -> None:
    record = fresh_record()
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.SENT
    world.finish(row_id, record)
    assert world.publish(row_id, record) is State.FINAL
    (attempt,) = world.journal.attempts(row_id)
    assert attempt.state is AttemptState.MINED
    (event,) = world.events(record)
    assert event.transaction_hash == attempt.transaction.hash


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
    (event,) = world.events(record)
    assert event.transaction_hash == attempt.transaction.hash


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
    assert [event.transaction_hash for event in world.events(record)] == [attempt.transaction.hash]
    assert len(world.journal.attempts(row_id)) == 1


def test_a_reorg_of_the_block_sends_the_same_bytes_again(world: World) -> None:
    world.confirmations = 2
    world.writer = world.connected()
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
    assert [event.transaction_hash for event in world.events(record)] == [attempt.transaction.hash]
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
    assert len(world.events(record)) == 1


def test_a_transaction_that_reverted_is_replaced_once_the_contract_takes_it(world: World) -> None:
    functions = world.registry.contract.functions
    role, account = functions.ORACLE_ROLE().call(), world.web3.to_checksum_address(world.registry.oracle.address)
    record = fresh_record()
    row_id = world.row(record)
    world.rpc("evm_setAutomine", False)
    world.publish(row_id, record)
    (first,) = world.journal.attempts(row_id)
    world.rpc("anvil_dropTransaction", "0x" + first.transaction.hash.hex())
    world.rpc("evm_setAutomine", True)
    world.registry.send(functions.revokeRole(role, account), world.registry.admin)
    reverted = world.web3.eth.send_raw_transaction(first.transaction.raw)
    assert world.web3.eth.wait_for_transaction_receipt(reverted, poll_latency=0.01)["status"] == 0
    with pytest.raises(TemporaryError, match="AccessControlUnauthorizedAccount"):
        world.publish(row_id, record)
    world.registry.send(functions.grantRole(role, account), world.registry.admin)
    assert world.publish(row_id, record) is State.SENT
    world.finish(row_id, record)
    assert len(world.events(record)) == 1


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
    assert len(world.events(record)) == 1


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
        assert len(world.events(record)) == 1
        assert len(world.journal.attempts(row_id)) == 1


def test_another_registry_or_chain_is_refused(world: World) -> None:
    other = deploy_registry(world.registry.chain)
    with pytest.raises(UsageError, match="registry is not the one"):
        world.connected(registry_address=other.address)
    for address in ("", "0x12", "12" * 20, "0x" + "Ab" * 20):
        with pytest.raises(UsageError, match="not an address"):
            world.connected(registry_address=address)
    with pytest.raises(UsageError, match="no contract"):
        world.connected(registry_address="0x" + "12" * 20)
    # two chains that anvil starts within one second have the same genesis block
    with run_anvil(options=("--timestamp", "1700000000")) as chain:
        elsewhere = deploy_registry(chain)
        with pytest.raises(UsageError, match="genesis block is not the one"):
            world.connected(rpc_url=chain.rpc_url, registry_address=elsewhere.address)


def test_an_address_in_small_letters_will_do(world: World) -> None:
    world.writer = world.connected(registry_address=world.registry.address.lower())
    record = fresh_record()
    row_id = world.row(record)
    world.finish(row_id, record)


def test_a_development_key_stays_on_local_chains(world: World) -> None:
    with run_anvil(options=("--chain-id", "5")) as chain:
        elsewhere = deploy_registry(chain)
        with pytest.raises(UsageError, match="for local chains"):
            world.connected(rpc_url=chain.rpc_url, registry_address=elsewhere.address)


def test_a_node_that_is_down_is_temporary(world: World) -> None:
    with pytest.raises(TemporaryError):
        world.connected(rpc_url="http://127.0.0.1:9")
