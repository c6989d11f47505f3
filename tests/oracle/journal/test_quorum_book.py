"""Tests of batches that several oracles sign: one durable step, one open batch a row, and what is found again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.publications import Member, PartialSignature, PublicationState
from provenance_oracle.oracle.journal.quorum_book import Seal, read_refusals
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.verifier.errors import UsageError

AT = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = b"d" * 32
SEAL = Seal(b"r" * 32, 2, 3, "https://x", AT)


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def judged(journal: Journal, number: int) -> int:
    digest = bytes([number]) * 32
    row = journal.open(ReleaseKey("folder", f"release {number}", digest), "f", at=AT)
    return journal.accept(row.id, b"verdict %d" % number, b"record", digest, at=AT).id


def members(*rows: int) -> dict[int, Member]:
    return {place: Member(row, b"record of %d" % row) for place, row in enumerate(rows)}


def signature(index: int = 0) -> PartialSignature:
    return PartialSignature(DIGEST, 3, index, bytes([index]) * 64, "", AT)


def test_rows_seal_and_signatures_are_stored_in_one_step(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    made = journal.open_sealed_batch(members(*rows), SEAL, [signature(0), signature(2)], at=AT + timedelta(seconds=1))
    facts = (made.root, made.count, made.epoch, made.uri, made.sealed_at)
    assert (made.state, facts) == (PublicationState.OPEN, (SEAL.root, SEAL.count, SEAL.epoch, SEAL.uri, SEAL.sealed_at))
    assert [one.oracle_index for one in journal.signatures(DIGEST)] == [0, 2]
    assert [one.release_id for one in journal.members(made.id)] == rows
    assert journal.unpublished() == ()


def test_a_row_of_an_open_batch_goes_into_no_second_one_and_nothing_is_stored(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2, 3)]
    journal.open_sealed_batch(members(*rows[:2]), SEAL, [signature()], at=AT)
    other = Seal(b"s" * 32, 2, 3, "https://x", AT)
    with pytest.raises(UsageError, match="cannot go into a publication"):
        journal.open_sealed_batch(members(rows[2], rows[1]), other, [signature(1)], at=AT)
    assert not journal.has_batch(other.root)
    assert [one.oracle_index for one in journal.signatures(DIGEST)] == [0]
    assert [row.id for row in journal.unpublished()] == [rows[2]]


def test_rows_of_a_dropped_batch_are_free_and_remember_it(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2)]
    made = journal.open_sealed_batch(members(*rows), SEAL, [], at=AT)
    assert journal.failed_batches(rows) == {}
    journal.advance_publication(made.id, PublicationState.DROPPED, note="too few", at=AT)
    assert {row: [one.id for one in found] for row, found in journal.failed_batches([*rows, 99]).items()} == {
        rows[0]: [made.id],
        rows[1]: [made.id],
    }
    again = journal.open_sealed_batch(members(rows[1]), SEAL, [], at=AT)
    journal.advance_publication(again.id, PublicationState.DROPPED, at=AT)
    assert [one.id for one in journal.failed_batches(rows)[rows[1]]] == [made.id, again.id]


def test_a_part_of_a_batch_keeps_the_numbers_of_its_leaves(journal: Journal) -> None:
    row = judged(journal, 1)
    made = journal.open_sealed_batch({5: Member(row, b"record")}, Seal(b"r" * 32, 9, 3, "", AT), [], at=AT)
    (place,) = journal.places(bytes([1]) * 32)
    assert (place.position, place.publication.id) == (5, made.id)


def test_final_batches_are_found_by_their_releases(journal: Journal) -> None:
    rows = [judged(journal, number) for number in (1, 2, 3)]
    made = journal.open_sealed_batch(members(*rows[:2]), SEAL, [], at=AT)
    contents = [bytes([number]) * 32 for number in (1, 2, 3)]
    assert journal.final_batches(contents, most=9) == ()
    journal.advance_publication(made.id, PublicationState.FINAL, at=AT)
    assert [one.id for one in journal.final_batches(contents, most=9)] == [made.id]
    assert journal.final_batches(contents[2:], most=9) == ()
    assert journal.final_batches([], most=9) == ()
    assert journal.row(rows[0]).state is State.FINAL


def test_the_newest_refusals_stay(journal: Journal) -> None:
    for number in range(103):
        journal.note_refusal(f"batch {number}", at=AT + timedelta(seconds=number))
    found = read_refusals(journal._database.rows, most=200)
    assert len(found) == 100
    assert (found[0].reason, found[0].at) == ("batch 102", AT + timedelta(seconds=102))
    assert found[-1].reason == "batch 3"
    assert journal.open_publications() == ()
