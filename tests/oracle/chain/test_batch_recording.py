"""Tests of which judged rows share a transaction, which are recorded singly, and which wait."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.chain.batch_recording import BatchRecording
from provenance_oracle.oracle.chain.batches import Batching
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import (
    Member,
    PublicationKind,
    PublicationState,
    StoredPublication,
)
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Record
from tests.support.fakes import Clock, numbered_record

MOST, AFTER_SECONDS = 3, 60
URI = "https://oracle.example/"


class Desk:
    """A journal, and a writer, a publisher and steps that do as the test says.

    Attributes:
        entries: what the writer returns for a record instead of its bytes, by manifest digest.
        unfit: manifest digests of records that are not fit to be signed.
        slots: how many more transactions may be on their way.
        opened: the rows of each batch that was opened.
        moved: release and progress of each row that was moved.
    """

    def __init__(self, journal: Journal) -> None:
        self.clock = Clock()
        self.journal = journal
        self.records: dict[bytes, Record] = {}
        self.entries: dict[bytes, Publishing | None] = {}
        self.unfit: set[bytes] = set()
        self.slots = 9
        self.opened: list[list[str]] = []
        self.moved_rows: list[tuple[str, Publishing]] = []
        self.failing: ProvenanceError | None = None
        self.batches: Any = self
        patience = Patience(Backoff(1, 1, lambda: 0.0), internal_errors_max=3, recordings_per_day_max=9)
        policy = load_policy("demo")
        outcomes = Outcomes(self.journal, policy, patience, self.clock)
        batching = Batching(MOST, AFTER_SECONDS, URI)
        facts: Any = (self, self.journal, self, policy, outcomes, batching, self.clock)
        self.recording = BatchRecording(*facts)

    def row(self, number: int, source: str = "folder") -> Row:
        record = numbered_record(number)
        self.records[record.manifest_digest] = record
        key = ReleaseKey(source, f"release{number}", record.manifest_digest)
        row = self.journal.open(key, "f", at=self.clock())
        self.journal.accept(row.id, b"{}", b"{}", hashlib.sha256(source.encode()).digest(), at=self.clock())
        return self.journal.row(row.id)

    def rows(self, count: int) -> list[Row]:
        return [self.row(number) for number in range(count)]

    def singles(self, rows: Sequence[Row]) -> list[str]:
        return [row.key.release for row in self.recording.begin(rows)]

    # The writer

    def batch_entry(self, record: Record) -> bytes | Publishing | None:
        return self.entries.get(record.manifest_digest, record.manifest_digest)

    def has_slot(self) -> bool:
        return self.slots > 0

    def read_ahead(self, begun: Sequence[tuple[bytes, bytes]], fresh: Sequence[tuple[bytes, bytes]] = ()) -> None:
        pass

    # The publisher

    def open(self, rows: Sequence[tuple[int, bytes]]) -> StoredPublication:
        self.slots -= 1
        self.opened.append([self.journal.row(row).key.release for row, _ in rows])
        members = [Member(row, data) for row, data in rows]
        return self.journal.open_publication(PublicationKind.BATCH, members, at=self.clock())

    def follow(self, publication: StoredPublication, leaves: Callable[[], Any]) -> StoredPublication:
        assert [data for data, _ in leaves()] == [one.record for one in self.journal.members(publication.id)]
        if self.failing:
            raise self.failing
        return publication

    # The steps of a row

    def checked(self, row: Row, _kept: object = None) -> Record | Row:
        return row if row.key.content in self.unfit else self.records[row.key.content]

    def moved(self, row: Row, progress: Publishing) -> Row:
        self.moved_rows.append((row.key.release, progress))
        return row


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Journal(tmp_path / "journal.db") as journal:
        yield Desk(journal)


def test_too_few_rows_wait_for_others(desk: Desk) -> None:
    assert desk.singles(desk.rows(MOST - 1)) == []
    assert desk.opened == []


def test_as_many_as_fit_share_a_batch_at_once_and_the_rest_wait(desk: Desk) -> None:
    assert desk.singles(desk.rows(MOST + 1)) == []
    assert desk.opened == [["release0", "release1", "release2"]]


def test_a_second_batch_begins_in_the_same_pass(desk: Desk) -> None:
    desk.recording.begin(desk.rows(2 * MOST))
    assert [len(names) for names in desk.opened] == [MOST, MOST]


def test_no_batch_begins_without_a_free_slot(desk: Desk) -> None:
    desk.slots = 1
    assert desk.singles(desk.rows(2 * MOST)) == []
    assert [len(names) for names in desk.opened] == [MOST]


def test_the_wait_of_the_oldest_row_counts(desk: Desk) -> None:
    first = desk.row(0)
    desk.clock.advance(AFTER_SECONDS)
    desk.recording.begin([desk.row(1), first])
    assert desk.opened == [["release1", "release0"]]


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(desk: Desk) -> None:
    rows = desk.rows(2)
    desk.clock.advance(-AFTER_SECONDS)
    desk.recording.begin(rows)
    assert desk.opened == [["release0", "release1"]]


def test_a_wait_a_second_too_short_goes_on(desk: Desk) -> None:
    rows = desk.rows(2)
    desk.clock.advance(AFTER_SECONDS - 1)
    assert (desk.singles(rows), desk.opened) == ([], [])


def test_a_row_that_waited_alone_is_recorded_singly(desk: Desk) -> None:
    rows = desk.rows(1)
    desk.clock.advance(AFTER_SECONDS)
    assert (desk.singles(rows), desk.opened) == (["release0"], [])


def test_a_record_that_is_recorded_by_itself_leaves_its_place_to_another(desk: Desk) -> None:
    rows = desk.rows(MOST + 1)
    desk.entries[rows[1].key.content] = None
    assert desk.singles(rows) == ["release1"]
    assert desk.opened == [["release0", "release2", "release3"]]


def test_while_the_policy_gets_its_number_nothing_is_sealed(desk: Desk) -> None:
    rows = desk.rows(2 * MOST)
    desk.entries[rows[0].key.content] = None
    desk.entries[rows[2].key.content] = Publishing(State.JUDGED, "the policy gets a number first")
    assert (desk.singles(rows), desk.opened) == (["release0"], [])
    assert desk.moved_rows == [("release2", desk.entries[rows[2].key.content])]


def test_a_record_that_is_on_the_chain_already_is_moved_and_holds_up_nothing(desk: Desk) -> None:
    rows = desk.rows(MOST)
    desk.entries[rows[0].key.content] = Publishing(State.FINAL)
    assert desk.singles(rows) == []
    assert desk.opened == [["release1", "release2"]]
    assert desk.moved_rows == [("release0", Publishing(State.FINAL))]


def test_a_record_that_is_not_fit_to_be_signed_is_in_no_batch(desk: Desk) -> None:
    rows = desk.rows(MOST)
    desk.unfit.add(rows[1].key.content)
    assert desk.singles(rows) == []
    assert desk.journal.row(rows[1].id) == rows[1]
    assert desk.opened == [["release0", "release2"]]


def test_a_release_that_fails_is_parked_and_the_others_go_on(desk: Desk) -> None:
    rows = desk.rows(MOST)
    del desk.records[rows[1].key.content]  # KeyError, an internal error
    assert desk.singles(rows) == []
    assert desk.opened == [["release0", "release2"]]
    assert "internal error" in desk.journal.row(rows[1].id).problem


def test_the_same_release_of_two_sources_is_in_a_batch_once_and_the_second_follows_it(desk: Desk) -> None:
    rows = [desk.row(0), desk.row(0, "hub"), desk.row(1), desk.row(2)]
    desk.recording.begin(rows)
    assert desk.opened == [["release0", "release1", "release2"]]
    desk.clock.advance(AFTER_SECONDS)
    assert desk.singles([rows[1]]) == []
    assert desk.moved_rows == [("release0", Publishing(State.JUDGED, "waits for the batch with its release"))]


def test_a_release_whose_batch_is_final_is_final(desk: Desk) -> None:
    rows = [desk.row(0), desk.row(1), desk.row(0, "hub")]
    desk.recording.begin([*rows[:2], desk.row(2)])
    [batch] = desk.journal.open_publications()
    root, at = b"\x07" * 32, desk.clock()
    desk.journal.seal_publication(batch.id, root=root, count=3, uri=URI, epoch=1, at=at)
    desk.journal.advance_publication(batch.id, PublicationState.FINAL, note="", at=at)
    desk.clock.advance(AFTER_SECONDS)
    assert desk.singles(rows[2:]) == []
    assert desk.moved_rows == [("release0", Publishing(State.FINAL, f"in batch {root.hex()}"))]


def test_a_batch_that_fails_keeps_the_reason_and_its_rows(desk: Desk) -> None:
    desk.failing = TemporaryError("the node is down")
    desk.recording.begin(desk.rows(MOST))
    [batch] = desk.journal.open_publications()
    assert batch.note == "the node is down"
    assert len(desk.journal.members(batch.id)) == MOST
    assert desk.recording.troubles == {}


def test_a_trouble_of_all_releases_is_told_until_the_next_look(desk: Desk) -> None:
    desk.failing = TroubleError(Trouble.FUNDS, "no money", where="account")
    desk.recording.begin(desk.rows(MOST))
    assert list(desk.recording.troubles) == [Trouble.FUNDS]
    [batch] = desk.journal.open_publications()
    desk.journal.advance_publication(batch.id, PublicationState.DROPPED, note="", at=desk.clock())
    desk.recording.follow()
    assert desk.recording.troubles == {}
