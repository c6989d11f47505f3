"""The part of the journal by which several processes share work: a lease lets one of them work on a release at a time.

A lease has a number, which grows by one whenever another worker takes the row. Within `under`, every step on the
journal compares the number first, in the same transaction. So a worker that was away for too long, and whose row went
to another one, cannot write, whatever its clock says.

    for lease in journal.claim("host-7/4711", limit=4, until=now + minutes, at=now):
        with journal.under(lease):
            ...                        # long work: journal.renew(lease, ...)
            journal.accept(lease.row_id, ...)
            journal.release(lease)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.oracle.journal.rows import own_writing, time_text
from provenance_oracle.oracle.journal.store import Found, JournalStore, Session
from provenance_oracle.verifier.errors import TemporaryError

_UNDER: ContextVar[Lease | None] = ContextVar("lease", default=None)


@dataclass(frozen=True)
class Lease:
    """The right to work on one row until `until`.

    Attributes:
        owner: the worker's name, unique among the processes that share the journal.
        number: how many leases the row had before this one, plus one.
    """

    row_id: int
    owner: str
    number: int
    until: datetime


class LeaseLostError(TemporaryError):
    """Another worker has the row now, so this one writes nothing."""


class Leases:
    """The journal's methods about leases; see `journal.Journal`."""

    _database: JournalStore

    def claim(self, owner: str, *, limit: int, until: datetime, at: datetime) -> tuple[Lease, ...]:
        """Take rows that are `seen`, need not wait at `at` and have no lease in force, oldest first.

        Args:
            limit: the largest number of rows.
            until: when another worker may take them, unless the lease is renewed.
        """
        sql = (
            "UPDATE releases SET lease_owner = ?, lease_until = ?, lease_number = lease_number + 1 WHERE id IN"
            " (SELECT id FROM releases WHERE state = 'seen' AND (lease_until IS NULL OR lease_until <= ?)"
            " AND NOT (retry_at IS NOT NULL AND changed_at <= ? AND retry_at > ?)"
            " ORDER BY seen_at, id LIMIT ? /* FOR UPDATE SKIP LOCKED */) RETURNING *"
        )
        now = time_text(at)
        with self._database.transaction() as db:
            taken = db.execute(sql, (owner, time_text(until), now, now, now, limit)).fetchall()
            return tuple(sorted(map(_lease_value, taken), key=lambda lease: lease.row_id))

    def lease(self, row_id: int, owner: str, *, until: datetime, at: datetime) -> Lease | None:
        """Take one row, whatever its state; None if another worker has a lease in force. An owner's own is renewed."""
        with self._database.transaction() as db:
            taken = db.execute(
                "UPDATE releases SET lease_number = lease_number + CASE WHEN lease_owner = ? THEN 0 ELSE 1 END,"
                " lease_owner = ?, lease_until = ?"
                " WHERE id = ? AND (lease_until IS NULL OR lease_until <= ? OR lease_owner = ?) RETURNING *",
                (owner, owner, time_text(until), row_id, time_text(at), owner),
            ).fetchone()
            return _lease_value(taken) if taken else None

    def renew(self, lease: Lease, *, until: datetime) -> Lease:
        """Extend a lease.

        Raises:
            LeaseLostError: another worker has the row.
        """
        with self._database.transaction() as db:
            match_lease(db, lease, self._database.where)
            sql = "UPDATE releases SET lease_until = ? WHERE id = ? RETURNING *"
            return _lease_value(db.execute(sql, (time_text(until), lease.row_id)).fetchone())

    def release(self, lease: Lease) -> None:
        """Give a lease back. One that another worker has stays."""
        with self._database.transaction() as db:
            db.execute(
                "UPDATE releases SET lease_owner = NULL, lease_until = NULL WHERE id = ? AND lease_number = ?",
                (lease.row_id, lease.number),
            )

    @contextmanager
    def under(self, lease: Lease) -> Iterator[None]:
        """Have every step on releases within the block, in this thread, compare the lease first.

        The steps raise LeaseLostError once another worker has the row.
        """
        token = _UNDER.set(lease)
        try:
            yield
        finally:
            _UNDER.reset(token)

    @contextmanager
    def _step(self, *, later: bool = False) -> Iterator[Session]:
        """Run a block as one durable step on releases, if the lease of this thread still holds.

        `later` leaves the commit to a later step or `Journal.flush`.
        """
        with self._database.transaction(later=later) as db:
            lease = _UNDER.get()
            if lease is not None:
                match_lease(db, lease, self._database.where)
            yield db


def match_lease(db: Session, lease: Lease, where: str) -> None:
    """Raise LeaseLostError unless a row still has this lease. One whose time is over holds until another takes it."""
    found = db.execute("SELECT lease_owner, lease_number FROM releases WHERE id = ?", (lease.row_id,)).fetchone()
    if found is None or (found["lease_owner"], found["lease_number"]) != (lease.owner, lease.number):
        raise LeaseLostError(
            "another worker has the release now; this one writes nothing more about it",
            where=f"{where}, row {lease.row_id}",
            got=f"lease {found['lease_number']} of {found['lease_owner'] or 'nobody'}" if found else "no such row",
            wanted=f"lease {lease.number} of {lease.owner}",
        )


def _lease_value(found: Found) -> Lease:
    with own_writing():
        until = datetime.fromisoformat(found["lease_until"])
        return Lease(found["id"], found["lease_owner"], found["lease_number"], until)
