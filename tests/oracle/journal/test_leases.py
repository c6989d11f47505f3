"""Tests of leases: one worker at a time has a release, and one that lost it cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.leases import Lease, LeaseLostError
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from tests.support.postgres_server import PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
SOON = AT + timedelta(seconds=60)
LATER = AT + timedelta(seconds=61)
FORGED = VerificationError("forged")


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with open_journal(place) as made:
        yield made


def opened(journal: Journal, name: str = "a") -> Row:
    return journal.open(ReleaseKey("folder", name, bytes(32)), "f", at=AT)


def test_a_row_goes_to_one_worker_at_a_time(journal: Journal) -> None:
    row = opened(journal)
    assert journal.claim("one", limit=9, until=SOON, at=AT) == (Lease(row.id, "one", 1, SOON),)
    assert journal.claim("other", limit=9, until=SOON, at=AT) == ()
    assert journal.lease(row.id, "other", until=SOON, at=AT) is None
    assert journal.claim("other", limit=9, until=LATER, at=SOON) == (Lease(row.id, "other", 2, LATER),)


def test_the_oldest_rows_that_are_due_are_claimed(journal: Journal) -> None:
    rows = [opened(journal, name) for name in "abcd"]
    journal.park(rows[0].id, TemporaryError("no answer"), retry_at=SOON, at=AT)
    journal.reject(rows[1].id, FORGED, None, retry_at=AT, at=AT)
    assert [lease.row_id for lease in journal.claim("one", limit=1, until=LATER, at=AT)] == [rows[2].id]
    assert [lease.row_id for lease in journal.claim("one", limit=9, until=LATER, at=AT)] == [rows[3].id]
    assert [lease.row_id for lease in journal.claim("one", limit=9, until=LATER, at=SOON)] == [rows[0].id]


STEPS: list[Callable[[Journal, int], object]] = [
    lambda journal, row: journal.accept(row, b"s", b"record", b"report", at=AT),
    lambda journal, row: journal.reject(row, FORGED, b"FAILED", retry_at=SOON, at=AT),
    lambda journal, row: journal.park(row, TemporaryError("x"), retry_at=SOON, at=AT),
    lambda journal, row: journal.park_internal(row, "bug", limit=1, retry_at=SOON, at=AT),
    lambda journal, row: journal.advance(row, State.SENT, at=AT),
    lambda journal, row: journal.forget_record(row, note="x", at=AT),
    lambda journal, row: journal.distrust(row, FORGED, limit=9, retry_at=SOON, at=AT),
    lambda journal, row: journal.reopen(row, at=AT),
]


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_lost_its_lease_writes_nothing(journal: Journal, step: Callable[[Journal, int], object]) -> None:
    row = opened(journal)
    (lost,) = journal.claim("one", limit=1, until=SOON, at=AT)
    (mine,) = journal.claim("other", limit=1, until=LATER + timedelta(seconds=9), at=LATER)
    with journal.under(lost), pytest.raises(LeaseLostError, match="got lease 2 of other, wanted lease 1 of one"):
        step(journal, row.id)
    assert journal.row(row.id) == row
    with journal.under(mine):
        step(journal, row.id)


def test_a_lease_whose_time_is_over_holds_until_another_worker_takes_the_row(journal: Journal) -> None:
    row = opened(journal)
    (lease,) = journal.claim("one", limit=1, until=AT, at=AT)
    with journal.under(lease):
        assert journal.accept(row.id, b"s", b"record", b"report", at=LATER).state is State.JUDGED


def test_a_lease_can_be_renewed_while_it_is_held(journal: Journal) -> None:
    row = opened(journal)
    (lease,) = journal.claim("one", limit=1, until=SOON, at=AT)
    renewed = journal.renew(lease, until=LATER)
    assert (renewed.number, renewed.until) == (1, LATER)
    assert journal.claim("other", limit=1, until=LATER, at=SOON) == ()
    assert journal.lease(row.id, "one", until=LATER, at=SOON) == renewed
    (taken,) = journal.claim("other", limit=1, until=LATER + timedelta(seconds=9), at=LATER)
    with pytest.raises(LeaseLostError):
        journal.renew(lease, until=LATER)
    journal.release(lease)
    assert journal.lease(row.id, "one", until=LATER, at=LATER) is None, "the other one keeps it"
    journal.release(taken)
    assert journal.lease(row.id, "one", until=LATER, at=LATER) == Lease(row.id, "one", 3, LATER)


def test_a_lease_that_was_given_back_is_no_lease(journal: Journal) -> None:
    row = opened(journal)
    (lease,) = journal.claim("one", limit=1, until=SOON, at=AT)
    journal.release(lease)
    with journal.under(lease), pytest.raises(LeaseLostError, match="of nobody"):
        journal.advance(row.id, State.SENT, at=AT)


def test_the_lease_of_one_thread_does_not_bind_another(journal: Journal) -> None:
    row = opened(journal)
    (lease,) = journal.claim("one", limit=1, until=SOON, at=AT)
    journal.release(lease)
    with journal.under(lease), ThreadPoolExecutor(1) as pool:
        assert pool.submit(journal.advance, row.id, State.SENT, at=AT).result().state is State.SENT


def test_processes_that_claim_at_once_share_the_rows(postgres: PostgresServer) -> None:
    place = postgres.new_place()
    with open_journal(place) as journal:
        rows = [opened(journal, str(number)).id for number in range(40)]

    def work(name: str) -> list[int]:
        with open_journal(place) as mine:
            taken: list[int] = []
            while leases := mine.claim(name, limit=3, until=SOON, at=AT):
                taken += [lease.row_id for lease in leases]
            return taken

    with ThreadPoolExecutor(3) as pool:
        shares = list(pool.map(work, "abc"))
    assert sorted(row for share in shares for row in share) == rows
