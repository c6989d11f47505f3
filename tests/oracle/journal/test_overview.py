"""Tests of the journal's look-ups of many rows: they agree with those of single rows, and use indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.overview import OpenBatches
from provenance_oracle.oracle.journal.publications import Member, PublicationKind, PublicationState
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.verifier.errors import TemporaryError

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=10)


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def opened(journal: Journal, name: str, content: int = 0, at: datetime = AT) -> Row:
    return journal.open(ReleaseKey("folder", name, bytes([content]) * 32), f"print of {name}", at=at)


def judged(journal: Journal, name: str, at: datetime = AT) -> Row:
    return journal.accept(opened(journal, name, at=at).id, b"s", b"record", b"report", at=at)


def test_many_releases_are_looked_up_at_once(journal: Journal) -> None:
    for number in range(3):
        opened(journal, f"r{number}")
    journal.open(ReleaseKey("other", "r0", bytes(32)), "print of r0", at=AT)
    newer = opened(journal, "r1", content=1, at=LATER)
    pairs = [(f"r{number}", f"print of r{number}") for number in range(1000)]
    found = journal.known("folder", [*pairs, ("r2", "another print")])
    assert found == {pair: journal.find("folder", *pair) for pair in pairs[:3]}
    assert found["r1", "print of r1"] == newer
    assert journal.known("folder", []) == {}


def test_rows_are_counted_by_state(journal: Journal) -> None:
    assert journal.counts() == ()
    opened(journal, "a", at=LATER)
    opened(journal, "b", at=AT)
    parked = judged(journal, "c")
    journal.park(parked.id, TemporaryError("node down"), retry_at=LATER, at=AT)
    counts = {one.state: (one.count, one.parked, one.oldest_seen_at) for one in journal.counts()}
    assert counts == {State.SEEN: (2, 0, AT), State.JUDGED: (1, 1, AT)}


def test_open_batches_are_counted_with_their_records_and_the_oldest(journal: Journal) -> None:
    assert journal.open_batches() == OpenBatches(0, 0, None)
    rows = [judged(journal, name) for name in "abcdef"]
    members = [Member(row.id, b"record") for row in rows]
    batches = [
        journal.open_publication(PublicationKind.BATCH, some, at=at)
        for some, at in ((members[:2], LATER), (members[2:3], AT), (members[3:5], AT))
    ]
    journal.open_publication(PublicationKind.RECORD, members[5:], at=AT)
    journal.advance_publication(batches[2].id, PublicationState.DROPPED, at=LATER)
    assert journal.open_batches() == OpenBatches(2, 3, AT)
    journal.advance_publication(batches[1].id, PublicationState.FINAL, at=LATER)
    assert journal.open_batches() == OpenBatches(1, 2, LATER)


def test_a_rejected_row_does_not_count_as_parked(journal: Journal) -> None:
    journal.reject(opened(journal, "a").id, TemporaryError("x"), None, retry_at=LATER, at=AT)
    assert [(one.state, one.parked) for one in journal.counts()] == [(State.REJECTED, 0)]


def test_only_a_record_on_its_way_that_is_not_parked_is_moving(journal: Journal) -> None:
    opened(journal, "a")
    assert not journal.is_moving()
    row = judged(journal, "b")
    assert journal.is_moving()
    journal.park(row.id, TemporaryError("node down"), retry_at=LATER, at=AT)
    assert not journal.is_moving()


def test_unpublished_rows_are_those_on_their_way_that_no_batch_moves(journal: Journal) -> None:
    single, batched, waiting = (judged(journal, name) for name in "abc")
    opened(journal, "seen")
    journal.open_publication(PublicationKind.RECORD, [Member(single.id)], at=AT)
    batch = journal.open_publication(PublicationKind.BATCH, [Member(batched.id)], at=AT)
    assert [row.id for row in journal.unpublished()] == [single.id, waiting.id]
    journal.advance_publication(batch.id, PublicationState.DROPPED, at=AT)
    assert [row.id for row in journal.unpublished()] == [single.id, batched.id, waiting.id]


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (
            "SELECT * FROM releases WHERE source = 'a' AND release = 'b' AND fingerprint = 'c'",
            "releases_by_fingerprint",
        ),
        (
            "SELECT state, COUNT(*), COUNT(retry_at), MIN(seen_at) FROM releases GROUP BY state",
            "COVERING INDEX releases_by_state",
        ),
        ("SELECT * FROM releases WHERE state = 'judged' ORDER BY seen_at, id LIMIT 1", "releases_by_state"),
        ("SELECT * FROM releases WHERE state IN ('judged', 'sent')", "releases_by_state"),
        (
            "SELECT MIN(created_at) FROM publications LEFT JOIN publication_rows ON publication_id = id"
            " WHERE state IN ('open', 'sent') AND kind = 'batch'",
            "publications_by_state",
        ),
        ("SELECT * FROM transactions WHERE sender = 'a' AND state = 'live' ORDER BY nonce", "transactions_by_sender"),
    ],
)
def test_a_frequent_query_uses_an_index(tmp_path: Path, sql: str, index: str) -> None:
    Journal(tmp_path / "journal.db").close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        plan = " ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
    assert index in plan
