"""Repair the differences that an audit listed, as far as the journal and the chain allow it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from provenance_oracle.oracle.audit.chain_side import row_record
from provenance_oracle.oracle.audit.differences import Difference, DifferenceKind
from provenance_oracle.oracle.audit.rebuild import rebuild_verdict
from provenance_oracle.oracle.audit.run import Books
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.journal.work import own_name, working_on
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX

_INCLUSION = timedelta(hours=1)  # as much of the contract's window must be left for the transaction
_RESENT = "back on its way: the oracle sends the same transaction again"
_ANEW = "back on its way: the oracle signs it anew, or judges the release again if it was judged over a week ago"
_THERE = "is on chain"
_NOTE = "vanished from the chain, and is recorded again"


class Repairer:
    """Writes into the journal, also beside a running oracle.

    Args:
        journal: the journal of `books`, open for writing.
        policy: the policy by which verdicts are made again from their evidence.
        clock: returns the time now, with a time zone.
    """

    def __init__(self, books: Books, journal: Journal, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._books = books
        self._policy = policy
        self._journal = journal
        self._clock = clock

    def repair_all(self) -> None:
        """Repair each listed difference for which there is a way.

        Raises:
            TemporaryError: a node or the disk fails. What was repaired before stays so.
        """
        ways: dict[DifferenceKind, Callable[[Difference], str]] = {
            DifferenceKind.VANISHED_RECORD: self._put_back,
            DifferenceKind.VANISHED_BATCH: self._put_back_batch,
            DifferenceKind.ALTERED_VERDICT: self._restore,
            DifferenceKind.MISSING_FILE: self._restore,
            DifferenceKind.MISSING_VERDICT: self._rebuild,
        }
        for difference in list(self._books.differences.listed):
            way = ways.get(difference.kind)
            done = way(difference) if way else ""
            if done:
                self._books.differences.repaired(difference, done)

    def _put_back(self, difference: Difference) -> str:
        return put_back(self._journal, self._books, self._journal.row(difference.row_id), self._clock)

    def _put_back_batch(self, difference: Difference) -> str:
        batch = self._journal.publication(difference.row_id)
        return put_back_batch(self._journal, self._books, batch, self._clock)

    def _restore(self, difference: Difference) -> str:
        """Write the bytes of a verdict from one of its two places into both."""
        verdicts, digest = self._books.verdicts, difference.digest
        verdicts.prepare([digest])
        statement, row_id = verdicts.in_journal(digest) or verdicts.in_folder(digest), verdicts.row_of(digest)
        if statement is None or row_id is None:
            return ""
        self._journal.restore_verdict(row_id, statement, at=self._clock())
        return "written again from the other copy"

    def _rebuild(self, difference: Difference) -> str:
        """Make the bytes of a verdict again from its evidence."""
        archive = self._books.verdicts.archive(difference.digest)
        if archive is None or difference.judged_at is None:
            return ""
        statement = rebuild_verdict(difference.digest, archive, self._policy, difference.judged_at)
        if statement is None:
            return ""
        self._journal.restore_verdict(difference.row_id, statement, at=self._clock())
        return "made again from its evidence: the same bytes"


def put_back(journal: Journal, books: Books, row: Row, clock: Callable[[], datetime]) -> str:
    """Have the oracle record a final row again whose record vanished, or its batch if that vanished.

    Returns:
        Words about it; none if another process works on the row, or it is not final any more.

    Raises:
        TemporaryError: a node fails, or the nodes disagree.
    """
    record = row_record(row)
    if record is None or row.state is not State.FINAL:
        return ""
    batch = books.pages.batch_of_content(row.key.content)
    if batch is not None:
        return put_back_batch(journal, books, batch, clock)
    if not books.replay.is_gone(record.model_digest, record.manifest_digest):
        return _THERE
    with working_on(journal, row, own_name(), clock) as work:
        if work is None:
            return ""
        resends = _is_in_time(record.judged_at, clock())
        now = journal.put_back(row.id, resends=resends, note=_NOTE, at=clock())
        return _RESENT if now.state is State.SENT else _ANEW


def put_back_batch(journal: Journal, books: Books, batch: StoredPublication, clock: Callable[[], datetime]) -> str:
    """Have the oracle record a final batch again that vanished, and return words about it. Errors as above."""
    if not books.replay.is_batch_gone(batch.root or b""):
        return _THERE
    resends = batch.sealed_at is not None and _is_in_time(batch.sealed_at, clock())
    now = journal.reopen_publication(batch.id, resends=resends, note=_NOTE, at=clock())
    return _RESENT if now.state is PublicationState.SENT else _ANEW


def _is_in_time(moment: datetime, now: datetime) -> bool:
    return now - moment <= JUDGED_BEFORE_MAX - _INCLUSION
