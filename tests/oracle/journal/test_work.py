"""Tests of processes that share a journal: one of them works on a release, and one that lost it ends quietly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.leases import LeaseLostError
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.journal.work import working_on
from provenance_oracle.verifier.errors import TemporaryError
from tests.support.postgres_server import PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(postgres: PostgresServer) -> Iterator[tuple[Journal, Journal]]:
    """Yield one journal as two processes have it open."""
    place = postgres.new_place()
    with open_journal(place) as one, open_journal(place) as other:
        yield one, other


def opened(journal: Journal) -> Row:
    return journal.open(ReleaseKey("folder", "a", bytes(32)), "f", at=AT)


def accept(journal: Journal, row: Row) -> Row:
    return journal.accept(row.id, b"s", b"record", b"report", at=AT)


def quiet(done_bytes: int, total_bytes: int) -> None:
    pass


def test_one_process_works_on_a_release(shared: tuple[Journal, Journal], clock: Clock) -> None:
    one, other = shared
    row = opened(one)
    with working_on(one, row, "one", clock) as mine, working_on(other, row, "other", clock) as theirs:
        assert (mine is not None, theirs) == (True, None)
    with working_on(other, row, "other", clock) as theirs:
        assert theirs is not None


def test_a_release_that_another_process_decided_is_left_alone(shared: tuple[Journal, Journal], clock: Clock) -> None:
    one, other = shared
    row = opened(one)
    accept(other, row)
    with working_on(one, row, "one", clock) as work:
        assert work is None


def test_a_process_that_lost_a_release_writes_nothing_and_goes_on(
    shared: tuple[Journal, Journal], clock: Clock
) -> None:
    one, other = shared
    row = opened(one)
    with working_on(one, row, "one", clock) as work:
        assert work is not None
        clock.now += 11 * MINUTE
        with working_on(other, row, "other", clock):
            accept(other, row)
        one.park(row.id, TemporaryError("late"), retry_at=clock.now, at=clock.now)
        pytest.fail("the step of the one that lost the release had no error")
    assert one.row(row.id).state is State.JUDGED


def test_long_work_keeps_its_release(shared: tuple[Journal, Journal], clock: Clock) -> None:
    one, other = shared
    row = opened(one)
    with working_on(one, row, "one", clock) as work:
        assert work is not None
        progress = work.renewing(quiet)
        for _ in range(30):
            clock.now += MINUTE
            progress(1, 2)
            assert other.claim("other", limit=1, until=clock.now, at=clock.now) == ()
        assert accept(one, row).state is State.JUDGED


def test_long_work_ends_once_another_process_has_the_release(shared: tuple[Journal, Journal], clock: Clock) -> None:
    one, other = shared
    row = opened(one)
    with working_on(one, row, "one", clock) as work:
        assert work is not None
        clock.now += 11 * MINUTE
        assert other.lease(row.id, "other", until=clock.now + MINUTE, at=clock.now)
        with pytest.raises(LeaseLostError):
            work.renewing(quiet)(1, 2)


def test_a_journal_of_one_process_needs_no_lease(tmp_path: Path, clock: Clock) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        row = opened(journal)
        commits = journal._database.commits  # type: ignore[attr-defined]
        with working_on(journal, row, "one", clock) as work:
            assert work is not None and work.lease is None
            work.renewing(quiet)(1, 2)
        assert journal._database.commits == commits  # type: ignore[attr-defined]


def test_one_process_sends_and_another_takes_over(postgres: PostgresServer) -> None:
    place = postgres.new_place()
    with open_journal(place) as other:
        with open_journal(place) as one:
            one.hold_sender()
            one.hold_sender()
            with pytest.raises(TemporaryError, match="takes it over"):
                other.hold_sender()
        other.hold_sender()
