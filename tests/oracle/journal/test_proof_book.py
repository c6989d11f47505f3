"""Tests of proofs in the journal: a proof and the row of its release move apart from each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.proof_book import ProofNote
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.rows import AttemptState, ReleaseKey, SignedTransaction, State

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def judged(journal: Journal, number: int, *, proves: bool = True) -> int:
    digest = bytes([number]) * 32
    row = journal.open(ReleaseKey("folder", f"release {number}", digest), "f", at=AT)
    return journal.accept(row.id, b"verdict %d" % number, b"record", digest, proves=proves, at=AT).id


def transaction(nonce: int) -> SignedTransaction:
    raw = b"raw %d" % nonce
    return SignedTransaction("0xAA", nonce, hashlib.sha256(raw).digest(), raw, 10, 1, "0xCC", b"call")


def final(journal: Journal, number: int) -> tuple[int, int]:
    """Return a final row with a proof, and the proof's id."""
    row = judged(journal, number)
    journal.advance(row, State.FINAL, at=AT)
    return row, next(one.publication.id for one in journal.open_proofs(most=99) if one.row.id == row)


def test_a_proof_waits_until_its_record_is_final(journal: Journal) -> None:
    row = judged(journal, 1)
    judged(journal, 2, proves=False)
    assert journal.open_proofs(most=9) == ()
    assert journal.open_publications() == ()
    journal.keep_transaction(row, transaction(1), at=AT)  # the row is free for its record
    journal.advance(row, State.FINAL, at=AT)
    (one,) = journal.open_proofs(most=9)
    assert (one.row.id, one.publication.state, one.publication.note) == (row, PublicationState.OPEN, "")


def test_a_release_has_one_proof_at_a_time(journal: Journal) -> None:
    row, proof = final(journal, 1)
    journal.forget_record(row, note="too old", at=AT)
    judged(journal, 1)
    journal.advance(row, State.FINAL, at=AT)
    assert [one.publication.id for one in journal.open_proofs(most=9)] == [proof]
    # one that was refused is tried again once the release is judged again; one that is proven is not
    for state, count in ((PublicationState.DROPPED, 1), (PublicationState.FINAL, 0)):
        journal.advance_publication(journal.open_proofs(most=9)[0].publication.id, state, at=AT)
        journal.forget_record(row, note="too old", at=AT)
        judged(journal, 1)
        journal.advance(row, State.FINAL, at=AT)
        assert len(journal.open_proofs(most=9)) == count


def test_the_row_does_not_move_with_its_proof(journal: Journal) -> None:
    row, proof = final(journal, 1)
    attempt = journal.sign_publication(proof, transaction(1), at=AT)
    for state in (PublicationState.SENT, PublicationState.MINED, PublicationState.OPEN, PublicationState.FINAL):
        journal.advance_publication(proof, state, note="remark", at=AT)
        assert (journal.row(row).state, journal.row(row).problem) == (State.FINAL, "")
    assert journal.attempts_of(proof) == (attempt,)
    assert journal.attempts(row) == (), "the transactions of the record are others"
    assert journal.dossiers([journal.row(row)]).signed == frozenset()


def test_a_record_that_vanished_does_not_take_its_proof_along(journal: Journal) -> None:
    row, proof = final(journal, 1)
    attempt = journal.sign_publication(proof, transaction(1), at=AT)
    journal.settle(attempt.id, AttemptState.MINED)
    journal.advance_publication(proof, PublicationState.FINAL, at=AT)
    assert journal.put_back(row, resends=True, note="vanished", at=AT).state is State.JUDGED
    assert journal.publication(proof).state is PublicationState.FINAL
    assert journal.attempts_of(proof)[0].state is AttemptState.MINED


def test_transactions_of_a_proof_are_orphans_only_once_it_is_closed(journal: Journal) -> None:
    _, proof = final(journal, 1)
    attempt = journal.sign_publication(proof, transaction(1), at=AT)
    assert journal.orphans("0xAA") == ()
    assert journal.live_nonces("0xAA") == {1}
    assert journal.drop_proofs(note="the setting prove is never", at=AT) == 1
    assert journal.orphans("0xAA") == (attempt,)
    assert journal.drop_proofs(note="again", at=AT) == 0


def test_those_on_their_way_come_first_and_then_those_not_looked_at_lately(journal: Journal) -> None:
    proofs = [final(journal, number)[1] for number in (1, 2, 3)]
    journal.advance_publication(proofs[0], PublicationState.OPEN, note="waits", at=AT + timedelta(seconds=1))
    journal.advance_publication(proofs[2], PublicationState.SENT, at=AT + timedelta(seconds=2))
    assert [one.publication.id for one in journal.open_proofs(most=9)] == [proofs[2], proofs[1], proofs[0]]
    assert [one.publication.id for one in journal.open_proofs(most=1)] == [proofs[2]]


def test_a_proof_moves_unless_it_waits_for_a_reason(journal: Journal) -> None:
    row = judged(journal, 1)
    journal.advance(row, State.FINAL, at=AT)
    assert journal.is_moving()
    (one,) = journal.open_proofs(most=9)
    for state, note, moves in (("open", "dear", False), ("sent", "node says", True), ("final", "", False)):
        journal.advance_publication(one.publication.id, PublicationState(state), note=note, at=AT)
        assert journal.is_moving() is moves


def test_progress_tells_why_releases_are_not_proven(journal: Journal) -> None:
    waiting, refused, proven = (final(journal, number)[1] for number in (1, 2, 3))
    judged(journal, 4)
    later = AT + timedelta(seconds=1)
    journal.advance_publication(waiting, PublicationState.OPEN, note="dear", at=AT)
    journal.advance_publication(refused, PublicationState.DROPPED, note="Ed25519", at=later)
    journal.advance_publication(proven, PublicationState.FINAL, note="somebody else", at=later)
    found = journal.progress(since=AT).proofs
    assert found.counts == {PublicationState.OPEN: 2, PublicationState.DROPPED: 1}
    wanted = (("folder", "release 2", later, "Ed25519", True), ("folder", "release 1", AT, "dear", False))
    assert found.notes == tuple(ProofNote(*one) for one in wanted)
