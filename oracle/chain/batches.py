"""Seal judged records in batches, and take each batch on its way into the registry, in one transaction.

    open_publication -> seal_publication -> sign -> send -> ... -> batchOf(root) in a final block -> FINAL

A batch holds plain records only. A record whose name is in a claimed namespace, or that names parents, is recorded by
itself: the registry checks a namespace's rules and keeps a record's parents only when a record is written out, so a
proof of such a leaf would open no gate, and no lineage gate would know its parents.

A batch is dropped, and its rows are free again, if its transaction failed for good, or one of its records changed or
waited too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from provenance_oracle.oracle.chain.calls import refused_now
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.chain.rpc import Call, RevertedError
from provenance_oracle.oracle.chain.transactions import Publishing, TransactionSender
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import Member, PublicationKind, PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX
from provenance_oracle.verifier.registry.structs import BatchState

INCLUSION = timedelta(hours=1)  # as much of the contract's window must be left for the transaction
# The record's bytes and the time of judgement of each row of a batch, in order; None if a row has none any more.
JudgedLeaves = Callable[[], Sequence[tuple[bytes, datetime]] | None]
_STATES = {
    State.SEEN: PublicationState.DROPPED,
    State.JUDGED: PublicationState.OPEN,
    State.SENT: PublicationState.SENT,
    State.MINED: PublicationState.MINED,
    State.FINAL: PublicationState.FINAL,
}


@dataclass(frozen=True)
class Batching:
    """When records share a transaction.

    Attributes:
        most: the number of records in one batch at most; 1 or less for no batches.
        after_seconds: how long a record waits for others, unless there are `most` of them earlier.
        uri: the place where users find the records of a batch; the root and `.json` are added. Empty for no batches,
            because nobody could prove that a record is in one.
    """

    most: int = 1
    after_seconds: float = 0.0
    uri: str = ""

    @property
    def is_on(self) -> bool:
        """Whether there are batches at all."""
        return self.most > 1 and bool(self.uri)


# No batches.
SINGLE = Batching()


class BatchRegistry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that batches need."""

    def batch(self, root: bytes, *, block: int) -> BatchState:
        """Return the batch with a root at `block`. Its count is 0 if there is none."""


class BatchReports(Protocol):
    """The method of `oracle.chain.reports.Reporter` that batches need."""

    def batch(self, root: bytes, *, count: int, sealed_at: int, uri: str, head: int) -> tuple[int, bytes]:
        """Return the number of the oracle set in force, and the encoded call that records a batch, signed for it."""


class BatchPublisher:
    """Publishes batches in one registry.

    Args:
        address: the registry's address in checksum form.
        clock: returns the time now, with a time zone.
        uri: see `Batching`.
        meter: counts the batches that begin.
    """

    def __init__(
        self,
        reports: BatchReports,
        sender: TransactionSender,
        journal: Journal,
        *,
        finality: Finality[BatchRegistry],
        address: str,
        clock: Callable[[], datetime],
        uri: str,
        meter: Meter = SILENT,
    ) -> None:
        self._reports = reports
        self._sender = sender
        self._journal = journal
        self._finality = finality
        self._address = address
        self._clock = clock
        self._uri = uri
        self._meter = meter

    def open(self, rows: Sequence[tuple[int, bytes]]) -> StoredPublication:
        """Begin a batch and store its records, durably.

        Args:
            rows: ids of judged rows, each with its record's bytes.

        Raises:
            UsageError: a row is not free.
        """
        members = [Member(row_id, record) for row_id, record in rows]
        made = self._journal.open_publication(PublicationKind.BATCH, members, at=self._clock())
        self._meter.batch(len(members))
        return made

    def follow(self, publication: StoredPublication, records: JudgedLeaves) -> StoredPublication:
        """Take a batch one step further, and move it and its rows in the journal.

        Args:
            records: returns the record's bytes and the time of judgement of each row of the batch as the row has them
                now, in their order; None if a row has none. It is called before the batch is signed.

        Raises:
            TemporaryError: a node or the disk fails, or the registry refuses the batch now. Call again later.
            UsageError: our key is not an oracle, or a batch needs signatures of other oracles too.
        """
        progress = self._step(publication, records)
        state = _STATES[progress.state]
        now = self._journal.publication(publication.id)
        if (state, progress.note) == (now.state, now.note):
            return now
        return self._journal.advance_publication(publication.id, state, note=progress.note, at=self._clock())

    def _step(self, publication: StoredPublication, records: JudgedLeaves) -> Publishing:
        head = self._finality.first.chain.head()
        root = publication.root
        if root is not None and self._finality.first.registry.batch(root, block=head).count:
            count = self._finality.at_depth(lambda one, block: one.registry.batch(root, block=block).count, head)
            if count != publication.count:
                return Publishing(State.MINED, self._finality.obstacle)
            self._sender.settle_batch(publication.id)
            return Publishing(State.FINAL, f"in batch {root.hex()}")
        prepare = partial(self._prepare, publication, records, head)
        try:
            return self._sender.push_batch(publication.id, prepare, block=head)
        except RevertedError as error:
            raise refused_now(error.data, self._address) from error

    def _prepare(
        self,
        publication: StoredPublication,
        records: JudgedLeaves,
        head: int,
    ) -> Call | Publishing:
        """Seal and sign a batch. Drop it if it was signed before, if its rows are not as they were, or without a place.

        Nobody could prove that a record is in a batch that has no place for its records.
        """
        if not self._uri:
            return Publishing(State.SEEN, "its batch is given up, because batch_uri is not set any more")
        if self._journal.attempts_of(publication.id):
            return Publishing(State.SEEN, "its batch had no effect; it goes into another one")
        now, kept = self._clock(), [member.record for member in self._journal.members(publication.id)]
        found = records()
        if found is None or [data for data, _ in found] != kept:
            return Publishing(State.SEEN, "a record of its batch changed; it goes into another one")
        if any(now - judged_at > JUDGED_BEFORE_MAX - INCLUSION for _, judged_at in found):
            return Publishing(State.SEEN, "a record of its batch waited too long; it goes into another one")
        root, count = seal_batch(tuple(data for data, _ in found)).root, len(found)
        sealed = now.replace(microsecond=0)
        uri = f"{self._uri}{root.hex()}.json"
        epoch, data = self._reports.batch(root, count=count, sealed_at=int(sealed.timestamp()), uri=uri, head=head)
        self._journal.seal_publication(publication.id, root=root, count=count, uri=uri, epoch=epoch, at=sealed)
        return Call(self._sender.address, self._address, data)
