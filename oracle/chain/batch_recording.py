"""Decide which judged rows share a transaction, and follow the batches that are on their way."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Protocol

from provenance_oracle.oracle.chain.batches import Batching, BatchPublisher
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import Trouble, trouble_of
from provenance_oracle.oracle.journal.agreement import match_row
from provenance_oracle.oracle.journal.dossiers import Dossiers
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationKind, PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.journal.stored_record import from_json
from provenance_oracle.oracle.logs import log_about, log_about_batch
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.outcomes import Outcomes, log_id_of, shown
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record

_log = logging.getLogger(__name__)
# A record's bytes in a batch, and when its release was judged.
JudgedLeaf = tuple[bytes, datetime]
# A record and its bytes for a batch; None if it is recorded singly.
LeafChoice = tuple[Record, bytes | None]


class BatchWriter(Protocol):
    """The parts of `oracle.chain.writer.RegistryWriter` that batches need."""

    batches: BatchPublisher | None

    def batch_entry(self, record: Record) -> bytes | Publishing | None:
        """Return a record's bytes for a batch; None if it is recorded by itself; a `Publishing` if it must wait."""

    def has_slot(self) -> bool:
        """Return whether one more transaction may be on its way now."""

    def read_ahead(self, begun: Sequence[tuple[bytes, bytes]], fresh: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Ask together what the steps for releases (model and manifest digest) will ask."""


class RowSteps(Protocol):
    """The methods of `oracle.recording.Recording` for one row."""

    def checked(self, row: Row, kept: Dossiers) -> Record | Row:
        """Return a row's record, fit to be signed; or the row, if it is not. `kept` may have it or not."""

    def moved(self, row: Row, progress: Publishing) -> Row:
        """Store the progress of a row's publication, and return the row."""


class BatchRecording:
    """Publishes rows in batches.

    Args:
        batching: when records share a transaction.
        clock: returns the time now, with a time zone.
        meter: times the steps of batches.

    Attributes:
        troubles: the global troubles that batches met since the last `follow`, and their reasons.
    """

    def __init__(
        self,
        steps: RowSteps,
        journal: Journal,
        writer: BatchWriter,
        policy: Policy,
        outcomes: Outcomes,
        batching: Batching,
        clock: Callable[[], datetime],
        meter: Meter = SILENT,
    ) -> None:
        assert writer.batches is not None
        self._steps = steps
        self._journal = journal
        self._writer = writer
        self._publisher = writer.batches
        self._policy = policy
        self._outcomes = outcomes
        self._batching = batching
        self._clock = clock
        self._meter = meter
        self._must_wait = False
        self.troubles: dict[Trouble, str] = {}
        self._kept = Dossiers()

    def follow(self) -> None:
        """Take each batch one step further."""
        self.troubles = {}
        for one in self._journal.open_publications():
            if one.kind is PublicationKind.BATCH:
                self._followed(one, partial(self._leaves_of, one.id))

    def begin(self, waiting: Sequence[Row]) -> list[Row]:
        """Seal rows that wait, if there are enough or they waited long enough, and return those to record singly.

        Args:
            waiting: judged rows in the order of their turns.
        """
        singles: list[Row] = []
        left = deque(waiting)
        while self._is_due(left) and self._writer.has_slot():
            entries: dict[bytes, tuple[Row, JudgedLeaf]] = {}
            self._kept = self._journal.dossiers(list(islice(left, self._batching.most)))
            self._writer.read_ahead((), releases_of(islice(left, self._batching.most)))
            self._must_wait = False
            while left and len(entries) < self._batching.most and not self._must_wait:
                row = left.popleft()
                if row.key.content in entries:
                    continue  # the same release of another source; it follows this one
                for record, data in self._leaf_of(row):
                    if data is None:
                        singles.append(row)
                    else:
                        entries[row.key.content] = (row, (data, record.judged_at))
            if self._must_wait:
                return singles
            if len(entries) == 1:
                singles += [row for row, _ in entries.values()]
            elif entries:
                self._begin(list(entries.values()))
        return singles

    def _begin(self, entries: Sequence[tuple[Row, JudgedLeaf]]) -> None:
        """Begin a batch, name it in the log of each release, and take it one step further."""
        opened = self._publisher.open([(row.id, data) for row, (data, _) in entries])
        self._announce(opened, [row for row, _ in entries])
        # The rows were compared with their verdicts a moment ago. This thread alone moves judged rows, so
        # they need no second comparison before this pass signs them; a later pass compares them anew.
        self._followed(opened, partial(_as_they_are, [leaf for _, leaf in entries]))

    def _announce(self, opened: StoredPublication, rows: Sequence[Row]) -> None:
        """Name a batch that begins in the log of each release."""
        with log_about_batch(opened.id):
            ids = " ".join(map(log_id_of, rows))
            _log.info("batch %d begins with %d releases: %s", opened.id, len(rows), ids)
            for row in rows:
                with log_about(log_id_of(row)):
                    _log.info("%s: goes into batch %d", shown(row), opened.id)

    def _is_due(self, waiting: Collection[Row]) -> bool:
        if not waiting or len(waiting) >= self._batching.most:
            return bool(waiting)
        oldest = min(row.changed_at for row in waiting)
        return abs((self._clock() - oldest).total_seconds()) >= self._batching.after_seconds

    def _leaf_of(self, row: Row) -> list[LeafChoice]:
        """Return a row's record and its bytes, or None for them if it is recorded singly; nothing if it has to wait."""
        found: list[LeafChoice] = []
        with log_about(log_id_of(row)):
            self._outcomes.of_step(row, partial(self._look_at, row, found))
        return found

    def _look_at(self, row: Row, found: list[LeafChoice]) -> Row:
        known = self._batch_of_content(row)
        if known is not None:
            is_final = known.state is PublicationState.FINAL
            assert known.root is not None or not is_final
            note = f"in batch {known.root.hex()}" if known.root and is_final else "waits for the batch with its release"
            return self._steps.moved(row, Publishing(State.FINAL if is_final else State.JUDGED, note))
        record = self._steps.checked(row, self._kept)
        if isinstance(record, Row):
            return record
        entry = self._writer.batch_entry(record)
        if isinstance(entry, Publishing):
            self._must_wait = entry.state is State.JUDGED  # for the policy's number, as all others
            return self._steps.moved(row, entry)
        found.append((record, entry))
        return row

    def _batch_of_content(self, row: Row) -> StoredPublication | None:
        """Return a batch that has the same release, from another row; None if there is none."""
        if row.id in self._kept.ids and row.id not in self._kept.elsewhere:
            return None
        places = (place for place in self._journal.places(row.key.content) if place.member.release_id != row.id)
        return next((one.publication for one in places if one.publication.kind is PublicationKind.BATCH), None)

    def _followed(
        self, publication: StoredPublication, leaves: Callable[[], Sequence[JudgedLeaf] | None]
    ) -> StoredPublication:
        with log_about_batch(publication.id):
            return self._stepped(publication, leaves)

    def _stepped(
        self, publication: StoredPublication, leaves: Callable[[], Sequence[JudgedLeaf] | None]
    ) -> StoredPublication:
        try:
            with self._meter.step("batch"):
                now = self._publisher.follow(publication, leaves)
        except ProvenanceError as error:
            note, trouble = str(error), trouble_of(error)
            if trouble is not None:
                self.troubles[trouble] = note
            if note != publication.note:
                _log.warning("batch %d waits: %s", publication.id, note)
            now = self._journal.publication(publication.id)
            now = self._journal.advance_publication(publication.id, now.state, note=note, at=self._clock())
        if now.state is not publication.state:
            name = f", root {now.root.hex()}" if now.root else ""
            _log.info("batch %d%s: %s%s", now.id, name, now.state, f", {now.note}" if now.note else "")
        if now.state.closed:
            for member in self._journal.members(now.id):
                row = self._journal.row(member.release_id)
                with log_about(log_id_of(row)):
                    _log.info("%s: %s, batch %d is %s", shown(row), row.state, now.id, now.state)
        return now

    def _leaves_of(self, publication_id: int) -> list[JudgedLeaf] | None:
        """Return the leaf of each row of a batch; None if a row left the batch or was altered."""
        found = []
        for member in self._journal.members(publication_id):
            row, publication = self._journal.row(member.release_id), self._journal.publication_of(member.release_id)
            if publication is None or publication.id != publication_id:
                return None
            try:
                record = match_row(row, self._journal.verdict(row.verdict_digest or b""), self._policy)
            except TemporaryError:
                return None  # judged by another policy
            except ProvenanceError as error:
                with log_about(log_id_of(row)):
                    self._outcomes.distrust(row, error)
                return None
            entry = self._writer.batch_entry(record)
            if not isinstance(entry, bytes):
                return None
            found.append((entry, record.judged_at))
        return found


def _as_they_are(leaves: Sequence[JudgedLeaf]) -> Sequence[JudgedLeaf]:
    return leaves


def releases_of(rows: Iterable[Row]) -> list[tuple[bytes, bytes]]:
    """Return the model and manifest digests of rows that have a record. An altered record shows later."""
    found = []
    for row in rows:
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            found.append((from_json(row.record or b"").model_digest, row.key.content))
    return found
