"""What the contract's state says decides: written already, somebody else's, not deep enough, gone again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle.journal import Journal
from oracle.ledger import writer as module
from oracle.ledger.transactions import FeeLimits, TransactionSender
from oracle.ledger.writer import RegistryWriter, publish_call_data
from oracle.rows import ReleaseKey, State
from tests.oracle.fakes import (
    GWEI,
    REGISTRY,
    START,
    Clock,
    FakeChain,
    FakeRegistry,
    FakeSigner,
    entry_of,
    numbered_record,
)
from verifier.checks import Check
from verifier.errors import TemporaryError, UsageError, VerificationError
from verifier.record import Record

LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class Desk:
    def __init__(self, path: Path, confirmations: int) -> None:
        self.journal = Journal(path)
        self.chain = FakeChain()
        self.registry = FakeRegistry(self.chain)
        sender = TransactionSender(self.chain, FakeSigner(), self.journal, LIMITS, chain_id=31337, clock=Clock())
        self.writer = RegistryWriter(
            self.registry, self.chain, sender, self.journal, address=REGISTRY, confirmations=confirmations
        )

    def row(self, record: Record) -> int:
        self.registry.known[publish_call_data(record).hex()] = record
        row = self.journal.open(ReleaseKey("test", record.name, record.manifest_digest), "f", at=START)
        return self.journal.accept(row.id, b"{}", b"{}", record.report_digest, at=START).id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "journal.db", confirmations=2)
    yield made
    made.journal.close()


RECORD = numbered_record(1)


def test_a_record_is_sent_mined_and_then_final(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    states = []
    for _ in range(5):
        states.append(desk.writer.publish(row_id, RECORD).state)
        desk.chain.mine()
    assert states == [State.SENT, State.MINED, State.MINED, State.FINAL, State.FINAL]
    assert len(desk.journal.attempts(row_id)) == 1


def test_a_record_that_a_fork_took_away_is_sent_again_unchanged(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.writer.publish(row_id, RECORD)
    desk.chain.mine()
    assert desk.writer.publish(row_id, RECORD).state is State.MINED
    desk.chain.reorg(1)
    assert desk.writer.publish(row_id, RECORD).state is State.SENT
    for _ in range(3):
        desk.chain.mine()
    assert desk.writer.publish(row_id, RECORD).state is State.FINAL
    assert len(set(desk.chain.sent)) == 1


def test_a_record_that_is_there_already_costs_nothing(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = entry_of(RECORD)
    progress = desk.writer.publish(desk.row(RECORD), RECORD)
    assert (progress.state, progress.note, desk.chain.sent) == (State.MINED, "", [])


def test_another_verdict_on_the_same_release_stands(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = entry_of(RECORD, verdict_digest=bytes(32), grade=2)
    row_id = desk.row(RECORD)
    desk.chain.mine()
    desk.chain.mine()
    progress = desk.writer.publish(row_id, RECORD)
    assert progress.state is State.FINAL
    assert progress.note == "was recorded before, with another verdict"
    assert desk.chain.sent == []


def test_a_record_of_another_release_is_refused_once_it_is_deep(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = entry_of(RECORD, model_digest=bytes(32))
    row_id = desk.row(RECORD)
    with pytest.raises(TemporaryError, match="may still be undone"):
        desk.writer.publish(row_id, RECORD)
    desk.chain.mine()
    with pytest.raises(VerificationError) as caught:
        desk.writer.publish(row_id, RECORD)
    assert caught.value.check is Check.REGISTRY_RECORD
    assert desk.chain.sent == []


def test_a_failing_look_at_depth_is_not_final(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row_id = desk.row(RECORD)
    entry = desk.registry.entry
    desk.registry.existing[RECORD.manifest_digest] = entry_of(RECORD)
    for _ in range(4):
        desk.chain.mine()

    def shallow(manifest_digest: bytes, *, block: int) -> object:
        if block < desk.chain.head():
            raise TemporaryError("no state for this block")
        return entry(manifest_digest, block=block)

    monkeypatch.setattr(desk.registry, "entry", shallow)
    assert desk.writer.publish(row_id, RECORD).state is State.MINED


def test_the_contract_s_reason_to_refuse_is_named(desk: Desk) -> None:
    from web3 import Web3

    signature = "AccessControlUnauthorizedAccount(address,bytes32)"
    desk.chain.reverting = bytes(Web3.keccak(text=signature))[:4] + bytes(64)
    with pytest.raises(TemporaryError) as caught:
        desk.writer.publish(desk.row(RECORD), RECORD)
    assert caught.value.got == "AccessControlUnauthorizedAccount"
    desk.chain.reverting = b"\xde\xad\xbe\xef"
    with pytest.raises(TemporaryError) as caught:
        desk.writer.publish(desk.row(RECORD), RECORD)
    assert caught.value.got == "deadbeef"


@pytest.mark.parametrize("fact", ["chain id", "registry"])
def test_another_chain_or_contract_is_refused(desk: Desk, fact: str) -> None:
    desk.writer.check_chain()
    desk.writer.check_chain()
    desk.chain.facts[fact] = "another"
    with pytest.raises(UsageError, match=f"{fact} is not the one"):
        desk.writer.check_chain()


def test_reports_and_orphans_are_passed_on(desk: Desk) -> None:
    desk.registry.reports[b"r"] = b"m"
    assert desk.writer.manifest_of_report(b"r") == b"m"
    desk.writer.push_orphans()
    assert desk.chain.sent == []


def test_call_data_is_what_the_contract_s_abi_says() -> None:
    from web3 import Web3

    data = publish_call_data(RECORD)
    name, arguments = Web3().eth.contract(abi=module.load_artifact().abi).decode_function_input(data)
    assert name.fn_name == "publish"
    assert arguments["manifestDigest"] == RECORD.manifest_digest
    assert (arguments["name"], arguments["version"]) == (RECORD.name, RECORD.version)
