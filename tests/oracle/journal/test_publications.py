"""Tests of publications: rows and their transaction move together, and a row is in one open publication at most."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.publications import Member, PartialSignature, PublicationKind, PublicationState
from provenance_oracle.oracle.journal.rows import AttemptState, ReleaseKey, SignedTransaction, State
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=10)
ROOT = b"\x07" * 32


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def judged(journal: Journal, number: int) -> int:
    digest = bytes([number]) * 32
    row = journal.open(ReleaseKey("folder", f"release {number}", digest), "f", at=AT)
    return journal.accept(row.id, b"verdict %d" % number, b"record", digest, at=AT).id


def transaction(nonce: int) -> SignedTransaction:
    raw = b"raw %d" % nonce
    return SignedTransaction("0xAA", nonce, hashlib.sha256(raw).digest(), raw, 10, 1, "0xCC", b"call")


def batch(journal: Journal, *rows: int) -> int:
    members = [Member(row, b"record of %d" % row, is_named=row == rows[0]) for row in rows]
    publication = journal.open_publication(PublicationKind.BATCH, members, at=AT)
    sealed = journal.seal_publication(publication.id, root=ROOT, count=len(rows), uri="https://x", epoch=3, at=AT)
    assert (sealed.root, sealed.count, sealed.uri, sealed.epoch, sealed.sealed_at) == (
        ROOT,
        len(rows),
        "https://x",
        3,
        AT,
    )
    return publication.id


def states(journal: Journal, *rows: int) -> list[State]:
    return [journal.row(row).state for row in rows]


def test_a_batch_moves_all_its_rows_to_final(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2, 3)]
    one = batch(journal, *rows)
    attempt = journal.sign_publication(one, transaction(7), at=AT)
    assert states(journal, *rows) == [State.SIGNED] * 3
    assert journal.attempts_of(one) == (attempt,) == journal.attempts(rows[1])
    for state in (PublicationState.SENT, PublicationState.MINED):
        moved = journal.advance_publication(one, state, note="remark", at=LATER)
        assert (moved.state, moved.note, moved.changed_at) == (state, "remark", LATER)
        assert states(journal, *rows) == [State(state)] * 3
    assert journal.open_publications() == (moved,)
    settled = {attempt.id: AttemptState.MINED}
    journal.advance_publication(one, PublicationState.FINAL, settled=settled, at=LATER)
    assert states(journal, *rows) == [State.FINAL] * 3
    assert [row.problem for row in journal.rows()] == [""] * 3
    assert journal.open_publications() == ()
    assert journal.live_nonces("0xAA") == frozenset()


def test_moving_a_publication_clears_the_failure_of_its_rows(journal: Journal) -> None:
    row = judged(journal, 1)
    one = batch(journal, row)
    journal.park(row, TemporaryError("node down"), retry_at=LATER, at=AT)
    journal.advance_publication(one, PublicationState.SENT, at=AT)
    assert (journal.row(row).parked, journal.row(row).exit_code, journal.row(row).vain_attempts) == (False, None, 0)


def test_a_row_has_one_open_publication_at_most(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    one = batch(journal, rows[0])
    with pytest.raises(UsageError, match="open publication"):
        journal.open_publication(PublicationKind.RECORD, [Member(rows[1]), Member(rows[0])], at=AT)
    assert journal.publication_of(rows[1]) is None, "nothing is stored of one that was refused"
    assert journal.publication_of(rows[0]) == journal.publication(one)
    journal.advance_publication(one, PublicationState.DROPPED, at=AT)
    assert states(journal, rows[0]) == [State.JUDGED]
    assert journal.open_publication(PublicationKind.RECORD, [Member(rows[0])], at=AT).state is PublicationState.OPEN


def test_a_row_that_is_not_judged_goes_into_no_publication(journal: Journal) -> None:
    row = journal.open(ReleaseKey("folder", "new", bytes(32)), "f", at=AT)
    for row_id in (row.id, 99):
        with pytest.raises(UsageError, match="wanted a judged row"):
            journal.open_publication(PublicationKind.RECORD, [Member(row_id)], at=AT)


def test_the_leaves_of_a_batch_can_be_read_in_their_order(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2, 3)]
    one = batch(journal, rows[2], rows[0])
    wanted = (Member(rows[2], b"record of 3", True), Member(rows[0], b"record of 1", False))
    assert journal.members(one) == wanted
    (place,) = journal.places(b"\x01" * 32)
    assert (place.publication.id, place.position, place.member) == (one, 1, wanted[1])
    assert journal.places(b"\x02" * 32) == ()
    journal.advance_publication(one, PublicationState.DROPPED, at=AT)
    assert journal.places(b"\x01" * 32) == ()


def test_a_rejected_row_leaves_its_batch_and_the_batch_goes_on(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    one = batch(journal, *rows)
    journal.reject(rows[0], VerificationError("forged"), None, retry_at=LATER, at=AT)
    journal.advance_publication(one, PublicationState.FINAL, at=AT)
    assert states(journal, *rows) == [State.REJECTED, State.FINAL]
    assert len(journal.members(one)) == 2, "the leaf stays, or the root would have another one"


def test_dossiers_tell_what_was_signed_and_what_is_in_a_batch_of_another_row(journal: Journal) -> None:
    one, two = judged(journal, 1), judged(journal, 2)
    key = journal.row(one).key
    again = journal.open(ReleaseKey("another source", key.release, key.content), "f", at=AT).id
    journal.sign_publication(batch(journal, one), transaction(1), at=AT)
    kept = journal.dossiers([journal.row(row) for row in (one, two, again)])
    assert (kept.ids, kept.signed, kept.elsewhere) == ({one, two, again}, {one}, {again})
    digest = journal.row(two).verdict_digest
    assert digest is not None
    assert kept.statements[digest] == journal.verdict(digest)


def test_a_batch_that_its_last_row_left_is_dropped(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    one = batch(journal, *rows)
    journal.forget_record(rows[0], note="too old", at=AT)
    assert journal.publication(one).state is PublicationState.OPEN
    journal.distrust(rows[1], VerificationError("altered"), limit=9, retry_at=LATER, at=AT)
    assert journal.publication(one).state is PublicationState.DROPPED


def test_a_single_record_moves_with_its_row(journal: Journal) -> None:
    row = judged(journal, 1)
    journal.keep_transaction(row, transaction(1), at=AT)
    one = journal.publication_of(row)
    assert one is not None
    assert (one.kind, one.state, one.root, one.count) == (PublicationKind.RECORD, PublicationState.SIGNED, None, None)
    moved = []
    for state in (State.SENT, State.JUDGED, State.MINED, State.FINAL):
        journal.advance(row, state, at=AT)
        moved.append(journal.publication(one.id).state)
    assert moved == ["sent", "open", "mined", "final"]
    assert journal.publication_of(row) is None


def test_a_stuck_record_keeps_its_publication(journal: Journal) -> None:
    row = judged(journal, 1)
    journal.keep_transaction(row, transaction(1), at=AT)
    journal.park_internal(row, "bug", limit=1, retry_at=LATER, at=AT)
    one = journal.publication_of(row)
    assert one is not None
    assert [attempt.transaction.nonce for attempt in journal.orphans("0xAA")] == [1]
    journal.reopen(row, at=LATER)
    journal.open(journal.row(row).key, "f", at=LATER)
    journal.keep_transaction(row, transaction(2), at=AT)
    assert len(journal.attempts_of(one.id)) == 2


def test_a_policy_has_a_publication_of_its_kind(journal: Journal) -> None:
    row = journal.open_policy(ROOT, at=AT)
    journal.keep_transaction(row.id, transaction(1), at=AT)
    assert [one.kind for one in journal.open_publications()] == [PublicationKind.POLICY]


def test_live_transactions_of_a_closed_batch_are_orphans(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    one = batch(journal, *rows)
    attempt = journal.sign_publication(one, transaction(1), at=AT)
    assert journal.orphans("0xAA") == ()
    journal.advance_publication(one, PublicationState.DROPPED, at=AT)
    assert journal.orphans("0xAA") == (attempt,)
    assert journal.live_nonces("0xAA") == {attempt.transaction.nonce}
    assert journal.orphans("0xBB") == ()


def test_a_publication_that_vanished_from_the_chain_is_open_again(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2, 3)]
    one = batch(journal, *rows)
    journal.reject(rows[0], VerificationError("forged"), None, retry_at=LATER, at=AT)
    journal.advance_publication(one, PublicationState.FINAL, at=AT)
    journal.advance(rows[1], State.JUDGED, at=AT)
    batch(journal, rows[1])
    again = journal.reopen_publication(one, resends=True, note="vanished", at=LATER)
    assert (again.state, again.note) == (PublicationState.DROPPED, "vanished"), "no transaction could be sent again"
    assert states(journal, *rows) == [State.REJECTED, State.JUDGED, State.JUDGED]
    assert [publication and publication.id for publication in map(journal.publication_of, rows)] == [None, 2, None]
    assert journal.reopen_publication(one, resends=True, note="twice", at=LATER) == again


@pytest.mark.parametrize("resends", [True, False])
def test_the_transaction_of_a_batch_that_vanished_is_sent_again_if_it_still_can_be(
    journal: Journal, resends: bool
) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    one = batch(journal, *rows)
    attempt = journal.sign_publication(one, transaction(1), at=AT)
    settled = {attempt.id: AttemptState.MINED}
    journal.advance_publication(one, PublicationState.FINAL, settled=settled, at=AT)
    again = journal.reopen_publication(one, resends=resends, note="vanished", at=LATER)
    live = [found for found in journal.attempts_of(one) if found.state is AttemptState.LIVE]
    if resends:
        assert (again.state, states(journal, *rows)) == (PublicationState.SENT, [State.SENT] * 2)
        assert [found.transaction for found in live] == [attempt.transaction]
    else:
        assert (again.state, states(journal, *rows), live) == (PublicationState.DROPPED, [State.JUDGED] * 2, [])


@pytest.mark.parametrize("resends", [True, False])
def test_a_row_whose_record_vanished_is_on_its_way_again(journal: Journal, resends: bool) -> None:
    row_id = judged(journal, 1)
    attempt = journal.keep_transaction(row_id, transaction(1), at=AT)
    assert journal.put_back(row_id, resends=resends, note="vanished", at=LATER).state is State.SIGNED, "not final"
    journal.settle(attempt.id, AttemptState.MINED)
    journal.advance(row_id, State.FINAL, at=AT)
    row = journal.put_back(row_id, resends=resends, note="vanished", at=LATER)
    assert (row.state, row.problem) == (State.SENT if resends else State.JUDGED, "vanished")
    assert (journal.attempts(row_id)[0].state is AttemptState.LIVE) is resends
    assert (journal.publication_of(row_id) is not None) is resends


def test_the_first_signature_of_an_oracle_stays(journal: Journal) -> None:
    mine = PartialSignature(ROOT, 1, 0, b"\x01" * 64, "", AT)
    theirs = PartialSignature(ROOT, 1, 2, b"\x02" * 64, "https://peer", AT)
    assert journal.keep_signatures([theirs, mine]) == 2
    assert journal.keep_signatures([PartialSignature(ROOT, 1, 2, b"\x03" * 64, "x", LATER)]) == 0
    assert journal.signatures(ROOT) == (mine, theirs)
    assert journal.signatures(bytes(32)) == ()


def test_publications_survive_a_restart(place: str) -> None:
    with open_journal(place) as journal:
        one = batch(journal, judged(journal, 1))
        journal.sign_publication(one, transaction(1), at=AT)
        kept = journal.publication(one), journal.members(one), journal.attempts_of(one)
    with open_journal(place) as again:
        assert (again.publication(one), again.members(one), again.attempts_of(one)) == kept
