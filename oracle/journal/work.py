"""Work on one release, so that no other process that shares the journal works on it at the same time."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.leases import Lease, LeaseLostError
from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.verifier.strict.files import OnBytes

_log = logging.getLogger(__name__)
_LEASE = timedelta(minutes=10)


def own_name() -> str:
    """Return this process's name among those that share a journal."""
    return f"{socket.gethostname()}/{os.getpid()}"


class LeasedWork:
    """The right to work on a row. Without a lease (a journal that is not shared) it never ends.

    Args:
        clock: returns the time now, with a time zone.
    """

    def __init__(self, journal: Journal, lease: Lease | None, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._clock = clock
        self.lease = lease

    def renewing(self, progress: OnBytes) -> OnBytes:
        """Return a function that calls `progress`, and renews the lease when half of its time is over.

        It raises LeaseLostError once another process has the row, so that long work ends early.
        """

        def renew(done_bytes: int, total_bytes: int) -> None:
            progress(done_bytes, total_bytes)
            now = self._clock()
            if self.lease is not None and now > self.lease.until - _LEASE / 2:
                self.lease = self._journal.renew(self.lease, until=now + _LEASE)

        return renew


@contextmanager
def working_on(journal: Journal, row: Row, worker: str, clock: Callable[[], datetime]) -> Iterator[LeasedWork | None]:
    """Yield the right to work on a row; None if another process works on it, or has changed it since it was read.

    A process that lost the row to another one meanwhile writes nothing, and the block ends without an error.

    Args:
        row: the row as it was read.
        worker: this process's name (`own_name`), unique among those that share the journal.
    """
    if not journal.is_shared:
        yield LeasedWork(journal, None, clock)
        return
    now = clock()
    lease = journal.lease(row.id, worker, until=now + _LEASE, at=now)
    if lease is None:
        yield None
        return
    work = LeasedWork(journal, lease, clock)
    try:
        with journal.under(lease):
            yield work if journal.row(row.id) == row else None
    except LeaseLostError as error:
        _log.warning("%s", error)
    finally:
        journal.release(work.lease or lease)
