"""Tests of the writer: only the contract's state decides.

A record may be written already, by this oracle or another one, not be deep enough, or be gone after a fork.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.calls import number_policy_call
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, TemporaryError, UsageError, VerificationError
from tests.support.chain_fixtures import make_entry
from tests.support.desk import RECORD, Desk, reverting_with
from tests.support.fakes import START


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "journal.db", confirmations=2)
    yield made
    made.journal.close()


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
    desk.mine(3)
    assert desk.writer.publish(row_id, RECORD).state is State.FINAL
    assert len(set(desk.chain.sent)) == 1
    assert len(desk.registry.signed) == 1


def test_what_was_signed_stays_until_nothing_of_it_is_on_its_way(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    for _ in range(3):
        desk.writer.publish(row_id, RECORD)
        desk.clock.advance(90)  # the fee rises, and the report stays the same
    assert len(desk.registry.signed) == 1
    assert len({attempt.transaction.data for attempt in desk.journal.attempts(row_id)}) == 1
    desk.chain.use_nonce()
    desk.mine(2)
    desk.writer.publish(row_id, RECORD)
    assert len(desk.registry.signed) == 2
    assert len({attempt.transaction.data for attempt in desk.journal.attempts(row_id)}) == 2


def test_a_record_that_is_there_already_costs_nothing(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = make_entry(RECORD)
    progress = desk.writer.publish(desk.row(RECORD), RECORD)
    assert (progress.state, progress.note, desk.chain.sent) == (State.FINAL, "", [])


def test_another_verdict_on_the_same_release_stands(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = make_entry(replace(RECORD, verdict_digest=bytes(32), grade=2))
    progress = desk.writer.publish(desk.row(RECORD), RECORD)
    assert progress.state is State.FINAL
    assert progress.note == "was recorded before, with another verdict"
    assert desk.chain.sent == []


def test_a_held_record_is_final_and_says_so(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = make_entry(RECORD, held=True)
    progress = desk.writer.publish(desk.row(RECORD), RECORD)
    assert progress.state is State.FINAL
    assert progress.note == "the record is held: its namespace does not trust the publisher"


def test_a_record_with_facts_that_the_release_cannot_have_is_refused_once_it_is_deep(desk: Desk) -> None:
    desk.registry.existing[RECORD.manifest_digest] = make_entry(replace(RECORD, snp_report_digest=bytes(32)))
    row_id = desk.row(RECORD)
    desk.chain.blocks = desk.chain.blocks[:1]
    with pytest.raises(TemporaryError, match="another record of this release is not final yet"):
        desk.writer.publish(row_id, RECORD)
    desk.mine(2)
    with pytest.raises(VerificationError) as caught:
        desk.writer.publish(row_id, RECORD)
    assert caught.value.check is Check.REGISTRY_RECORD
    assert desk.chain.sent == []


def test_a_failing_look_at_depth_is_not_final(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row_id = desk.row(RECORD)
    entry_of = desk.registry.entry_of
    desk.registry.existing[RECORD.manifest_digest] = make_entry(RECORD)

    def shallow(model_digest: bytes, manifest_digest: bytes, *, block: int) -> object:
        if block < desk.chain.head():
            raise TemporaryError("no state for this block")
        return entry_of(model_digest, manifest_digest, block=block)

    monkeypatch.setattr(desk.registry, "entry_of", shallow)
    progress = desk.writer.publish(row_id, RECORD)
    assert progress.state is State.MINED
    assert progress.note == f"no state of block {desk.chain.head() - 2}: no state for this block"


def test_a_policy_without_a_number_gets_one_first_and_the_record_waits_until_that_is_final(desk: Desk) -> None:
    desk.registry.numbers.clear()
    row_id = desk.row(RECORD)
    progress = desk.writer.publish(row_id, RECORD)
    assert (progress.state, progress.note) == (State.JUDGED, "waits for its policy's number in the registry")
    (_, policy) = desk.journal.unpublished()
    assert policy.key.content == RECORD.policy_digest
    states = []
    for _ in range(4):
        states.append(desk.writer.number_policy(policy.id, RECORD.policy_digest).state)
        assert states[-1] is State.FINAL or desk.writer.publish(row_id, RECORD).state is State.JUDGED
        desk.journal.advance(policy.id, states[-1], at=START)
        desk.chain.mine()
    assert states == [State.SENT, State.MINED, State.MINED, State.FINAL]
    assert {attempt.transaction.data for attempt in desk.journal.attempts(policy.id)} == {
        number_policy_call(RECORD.policy_digest)
    }
    assert desk.writer.publish(row_id, RECORD).state is State.SENT
    assert desk.registry.signed == [(RECORD.manifest_digest, 2)]


def test_a_policy_that_somebody_else_numbered_costs_nothing(desk: Desk) -> None:
    row = desk.journal.open_policy(RECORD.policy_digest, at=START)
    assert desk.writer.number_policy(row.id, RECORD.policy_digest).state is State.FINAL
    assert desk.chain.sent == []


def test_a_record_that_waited_for_too_long_is_not_signed(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.clock.now = RECORD.judged_at + timedelta(days=7) - timedelta(hours=1, seconds=-1)
    progress = desk.writer.publish(row_id, RECORD)
    assert (progress.state, desk.registry.signed, desk.chain.sent) == (State.SEEN, [], [])
    desk.clock.advance(-1)
    assert desk.writer.publish(row_id, RECORD).state is State.SENT


def test_a_record_of_the_future_is_not_signed(desk: Desk) -> None:
    """The clock was ahead when the release was judged. The registry takes such a record in a year, maybe."""
    row_id = desk.row(RECORD)
    desk.clock.now = RECORD.judged_at - timedelta(minutes=5, seconds=1)
    progress = desk.writer.publish(row_id, RECORD)
    assert (progress.state, desk.registry.signed, desk.chain.sent) == (State.SEEN, [], [])
    desk.clock.advance(1)
    assert desk.writer.publish(row_id, RECORD).state is State.SENT


def test_what_is_on_its_way_is_followed_to_its_end_before_anything_is_judged_anew(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.writer.publish(row_id, RECORD)
    desk.chain.forget()
    desk.clock.advance(8 * 86_400)
    assert desk.writer.publish(row_id, RECORD).state is State.SENT
    desk.chain.use_nonce()
    desk.mine(2)
    assert desk.writer.publish(row_id, RECORD).state is State.SEEN
    assert len(desk.registry.signed) == 1


def test_the_contract_s_reason_to_refuse_is_named(desk: Desk) -> None:
    for data, name in ((reverting_with("WritesArePaused"), "WritesArePaused"), (b"\xde\xad\xbe\xef", "deadbeef")):
        desk.chain.reverting = data
        with pytest.raises(TemporaryError) as caught:
            desk.writer.publish(desk.row(RECORD), RECORD)
        assert caught.value.got == name


def test_a_name_that_leads_to_another_release_is_final(desk: Desk) -> None:
    desk.chain.reverting = reverting_with("NameTaken")
    with pytest.raises(RecordError, match="the record's name leads to another release"):
        desk.writer.publish(desk.row(RECORD), RECORD)


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        ("chain id", {"chain_id": 1}),
        ("genesis block", {"genesis_block": b"\x01" * 32}),
        ("registry", {"registry": "0x" + "cc" * 20}),
        ("registry code", {"registry_code_sha256": b"\x01" * 32}),
    ],
)
def test_another_chain_or_contract_is_refused(desk: Desk, fact: str, change: dict[str, Any]) -> None:
    desk.writer.check_chain()
    desk.writer.check_chain()
    desk.chain.facts = replace(desk.chain.facts, **change)
    desk.clock.advance(600)
    for _ in range(2):
        with pytest.raises(TemporaryError, match=f"{fact} is not the one"):
            desk.writer.check_chain()
    with pytest.raises(UsageError, match=f"{fact} is not the one"):
        desk.writer.check_chain()


def test_reports_and_orphans_are_passed_on(desk: Desk) -> None:
    desk.registry.reports[b"r"] = b"m"
    assert desk.writer.manifest_of_report(b"r", expected=b"m") == b"m"
    desk.writer.push_orphans()
    assert desk.chain.sent == []
