"""Tests of the journal: the facts that it keeps, and the moment when a release is processed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.rows import AttemptState, ReleaseKey, Row, SignedTransaction, State
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=10)
KEY = ReleaseKey("folder", "a/b", b"\x01" * 32)
FORGED = VerificationError("forged", check=Check.REPORT_SIGNATURE, where="report.bin")


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def opened(journal: Journal, fingerprint: str = "f1", at: datetime = AT) -> Row:
    return journal.open(KEY, fingerprint, at=at)


def transaction(nonce: int, salt: bytes = b"") -> SignedTransaction:
    raw = b"raw %d %b" % (nonce, salt)
    return SignedTransaction("0xAA", nonce, hashlib.sha256(raw).digest(), raw, 10, 1, "0xCC", b"call")


def test_a_new_row_is_seen(journal: Journal) -> None:
    row = opened(journal)
    assert (row.state, row.key, row.fingerprint, row.seen_at) == (State.SEEN, KEY, "f1", AT)
    assert journal.find("folder", "a/b", "f1") == row == journal.row(row.id)
    assert journal.find("folder", "a/b", "f2") is None
    assert journal.rows() == (row,)


def test_another_content_of_the_same_release_is_another_row(journal: Journal) -> None:
    first = opened(journal)
    second = journal.open(ReleaseKey("folder", "a/b", b"\x02" * 32), "f2", at=LATER)
    assert first.id != second.id
    closed = journal.row(first.id)
    assert (closed.state, closed.key, second.state) == (State.SUPERSEDED, first.key, State.SEEN)
    assert journal.find("folder", "a/b", "f1") == closed


def test_another_content_supersedes_no_row_that_was_judged_and_a_superseded_row_opens_again(journal: Journal) -> None:
    first = opened(journal)
    journal.accept(first.id, b"{}", b"{}", b"\x09" * 32, at=AT)
    second = journal.open(ReleaseKey("folder", "a/b", b"\x02" * 32), "f2", at=LATER)
    assert journal.row(first.id).state is State.JUDGED
    assert journal.supersede(second.id, note="has gone", at=LATER).state is State.SUPERSEDED
    assert journal.open(second.key, "f2", at=LATER).state is State.SEEN


def test_an_accepted_release_keeps_verdict_and_record(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"statement", b"record", b"report", at=AT)
    assert (row.state, row.record) == (State.JUDGED, b"record")
    assert row.verdict_digest == hashlib.sha256(b"statement").digest()
    assert journal.verdict(row.verdict_digest) == b"statement"
    assert journal.accepted.manifest_by_report(b"report") == KEY.content
    assert journal.accepted.manifest_by_report(b"other") is None
    assert journal.unpublished() == (row,)


def test_a_rejected_release_keeps_why_and_its_verdict(journal: Journal) -> None:
    row = journal.reject(opened(journal).id, FORGED, b"FAILED", retry_at=LATER, at=AT)
    assert (row.state, row.exit_code, row.check) == (State.REJECTED, 4, "report-signature")
    assert row.problem == "report.bin: report-signature: forged"
    assert journal.verdict(row.verdict_digest or b"") == b"FAILED"
    assert journal.unpublished() == ()
    assert not row.parked


def test_a_rejected_release_that_changed_is_judged_again_but_not_at_once(journal: Journal) -> None:
    row = journal.reject(opened(journal).id, FORGED, b"FAILED", retry_at=LATER, at=AT)
    assert opened(journal, "f2") == row  # the row waits and keeps its old fingerprint
    again = opened(journal, "f2", at=LATER)
    assert (again.state, again.fingerprint, again.vain_attempts) == (State.SEEN, "f2", 1)
    accepted = journal.accept(again.id, b"PASSED", b"record", b"report", at=LATER)
    assert accepted.exit_code is None
    assert journal.verdict(hashlib.sha256(b"FAILED").digest()) == b"FAILED"  # a verdict is never removed


def test_a_final_release_stays_final_whatever_changes(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    journal.advance(row.id, State.FINAL, at=AT)
    again = opened(journal, "f2", at=LATER)
    assert (again.state, again.fingerprint) == (State.FINAL, "f2")


def test_a_release_on_its_way_is_not_judged_again(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    journal.advance(row.id, State.SENT, at=AT)
    again = opened(journal, "f2", at=LATER)
    assert (again.state, again.record) == (State.SENT, b"record")


def test_a_parked_release_keeps_its_state_and_waits(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    parked = journal.park(row.id, TemporaryError("node down"), retry_at=LATER, at=AT)
    assert (parked.state, parked.parked, parked.exit_code, parked.vain_attempts) == (State.JUDGED, True, 7, 1)
    assert parked.waits(AT)
    assert not parked.waits(LATER)
    assert not parked.waits(AT - timedelta(days=365)), "a clock that was set back must not make it wait for a year"
    moved = journal.advance(row.id, State.SENT, note="remark", at=LATER)
    assert (moved.parked, moved.vain_attempts, moved.exit_code, moved.problem) == (False, 0, None, "remark")


def test_a_bug_that_comes_back_makes_a_release_stuck(journal: Journal) -> None:
    row = opened(journal)
    states = [journal.park_internal(row.id, "bug", limit=3, retry_at=LATER, at=AT).state for _ in range(3)]
    assert states == [State.SEEN, State.SEEN, State.STUCK]
    assert journal.row(row.id).exit_code == 1


@pytest.mark.parametrize(("record", "state"), [(False, State.SEEN), (True, State.JUDGED)])
def test_a_stuck_release_goes_on_where_it_was_once_it_is_reopened(journal: Journal, record: bool, state: State) -> None:
    row = opened(journal)
    if record:
        journal.accept(row.id, b"s", b"record", b"report", at=AT)
    journal.park_internal(row.id, "bug", limit=1, retry_at=LATER, at=AT)
    journal.reopen(row.id, at=AT)
    assert journal.find("folder", "a/b", "f1") is None
    again = opened(journal)
    assert (again.state, again.internal_errors) == (state, 0)


def test_a_rejected_release_can_be_reopened_by_hand(journal: Journal) -> None:
    row = journal.reject(opened(journal).id, FORGED, None, retry_at=LATER, at=AT)
    journal.reopen(row.id, at=AT)
    assert opened(journal).state is State.SEEN


def test_a_rejected_release_no_longer_occupies_its_report(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    journal.reject(row.id, FORGED, None, retry_at=LATER, at=AT)
    assert journal.accepted.manifest_by_report(b"report") is None


def test_a_record_that_waited_for_too_long_is_forgotten_and_its_verdict_kept(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    forgotten = journal.forget_record(row.id, note="too old", at=LATER)
    assert (forgotten.state, forgotten.record, forgotten.problem) == (State.SEEN, None, "too old")
    assert journal.accepted.manifest_by_report(b"report") is None
    assert journal.unpublished() == ()
    assert journal.verdict(row.verdict_digest or b"") == b"s"
    assert journal.find("folder", "a/b", "f1") == forgotten, "the next scan judges it, though it did not change"


def test_a_policy_has_one_row_until_it_has_its_number(journal: Journal) -> None:
    digest = b"\x05" * 32
    row = journal.open_policy(digest, at=AT)
    assert (row.state, row.record, row.key.content) == (State.JUDGED, None, digest)
    journal.advance(row.id, State.SENT, at=AT)
    assert journal.open_policy(digest, at=LATER).state is State.SENT
    assert journal.unpublished() == (journal.row(row.id),)
    journal.advance(row.id, State.FINAL, at=AT)
    again = journal.open_policy(digest, at=LATER)  # a fork removed the number
    assert (again.id, again.state) == (row.id, State.JUDGED)


def test_a_policy_that_a_bug_of_ours_stopped_goes_on_after_its_wait(journal: Journal) -> None:
    row = journal.open_policy(b"\x05" * 32, at=AT)
    stuck = journal.park_internal(row.id, "bug", limit=1, retry_at=LATER, at=AT)
    assert journal.open_policy(b"\x05" * 32, at=AT) == stuck
    assert journal.open_policy(b"\x05" * 32, at=LATER).state is State.JUDGED


def test_transactions_are_kept_with_their_bytes(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    attempt = journal.keep_transaction(row.id, transaction(7), at=AT)
    assert journal.row(row.id).state is State.SIGNED
    assert journal.attempts(row.id) == (attempt,)
    assert attempt.transaction == transaction(7)
    assert (journal.live_nonces("0xAA"), journal.live_nonces("0xBB")) == ({7}, frozenset())
    journal.settle(attempt.id, AttemptState.MINED)
    assert journal.live_nonces("0xAA") == frozenset()


def test_the_same_bytes_signed_again_live_again(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    attempt = journal.keep_transaction(row.id, transaction(7), at=AT)
    journal.settle(attempt.id, AttemptState.DROPPED)
    again = journal.keep_transaction(row.id, transaction(7), at=LATER)
    assert (again.id, again.state, again.signed_at) == (attempt.id, AttemptState.LIVE, LATER)
    assert journal.attempts(row.id) == (again,)


def test_orphans_are_live_transactions_of_closed_releases(journal: Journal) -> None:
    row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
    kept = [journal.keep_transaction(row.id, transaction(nonce), at=AT) for nonce in (2, 1)]
    journal.settle(kept[0].id, AttemptState.DROPPED)
    assert journal.orphans("0xAA") == ()
    journal.advance(row.id, State.FINAL, at=AT)
    assert journal.orphans("0xAA") == (kept[1],)
    assert journal.orphans("0xBB") == ()


def test_facts_are_remembered_and_compared(journal: Journal) -> None:
    journal.pin({"chain id": "1", "registry": "0xaa"})
    journal.pin({"chain id": "1"})
    with pytest.raises(UsageError, match="chain id is not the one") as caught:
        journal.pin({"registry": "0xaa", "chain id": "2"})
    assert (caught.value.got, caught.value.wanted) == ("2", "1")


def test_everything_survives_a_restart(place: str) -> None:
    with open_journal(place) as journal:
        row = journal.accept(opened(journal).id, b"s", b"record", b"report", at=AT)
        attempt = journal.keep_transaction(row.id, transaction(1), at=AT)
        row = journal.row(row.id)
    with open_journal(place) as again:
        assert again.rows() == (row,)
        assert again.attempts(row.id) == (attempt,)
