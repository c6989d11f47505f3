"""Take the records of accepted releases to the chain, and follow each until it is final.

One thread records, with one key, so that the account's transactions keep their order. The journal makes every step
repeatable, so the process can be killed between any two steps and lose nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Protocol

from provenance_oracle.oracle.chain.agreed_batches import AgreedBatches
from provenance_oracle.oracle.chain.batch_recording import BatchRecording, BatchWriter, releases_of
from provenance_oracle.oracle.chain.batches import SINGLE, Batching
from provenance_oracle.oracle.chain.proving import Proving
from provenance_oracle.oracle.chain.quorum_batches import QuorumBatches
from provenance_oracle.oracle.chain.release_proofs import ReleaseProofs
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import (
    RECORDING_TROUBLES,
    SENDING,
    Conditions,
    Trouble,
    TroubleError,
    TroubleUsageError,
    trouble_of,
)
from provenance_oracle.oracle.journal.agreement import findings_of, match_parents, match_policy_row, match_row
from provenance_oracle.oracle.journal.dossiers import Dossiers
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row, State, policy_key
from provenance_oracle.oracle.logs import log_about
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.outcomes import Outcomes, handle_of, log_id_of, shown
from provenance_oracle.oracle.pipeline import match_report_user
from provenance_oracle.oracle.sources.base import Source
from provenance_oracle.oracle.sources.look import Look, look_at, start_of
from provenance_oracle.oracle.sources.turns import Turns, Waiting
from provenance_oracle.verifier.errors import AppraisalError, FormatError, ProvenanceError, TemporaryError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES, parse_envelope
from provenance_oracle.verifier.manifest.statement import parse_statement
from provenance_oracle.verifier.policy import Policy, Word
from provenance_oracle.verifier.record.fields import Record

_log = logging.getLogger(__name__)
# Rows whose state on chain is asked together: those on their way, and those that may begin.
_AHEAD_MAX = 500
_AHEAD_SINGLE = 32
_NOTHING_KEPT = Dossiers()


class Writer(BatchWriter, Protocol):
    """The methods of `oracle.chain.writer.RegistryWriter` that the recording calls."""

    def publish(self, row_id: int, record: Record) -> Publishing:
        """Take a record one step further on its way into the registry."""

    def number_policy(self, row_id: int, policy_digest: bytes) -> Publishing:
        """Take a policy one step further on its way to a number."""

    def check_chain(self) -> None:
        """Raise TemporaryError if no node serves now."""

    def troubles(self) -> Mapping[Trouble, str]:
        """Return each trouble for which nothing can be recorded now, and its reason."""

    proofs: ReleaseProofs | None

    @property
    def has_peers(self) -> bool:
        """Whether other oracles may need our signatures."""

    def push_orphans(self) -> None:
        """Send live transactions of closed rows again."""

    def manifest_of_report(self, report_digest: bytes, *, expected: bytes) -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if there is none.

        A manifest other than `expected` is returned only once its record is final. Until then, raise TemporaryError.
        """


class Recording:
    """Publishes the records of the rows that are judged.

    Args:
        sources: by name, every source from which rows come.
        clock: returns the time now, with a time zone.
        on_step: called before each row. What it raises ends `settle`.
        batching: when records share a transaction.
        proving: takes proofs on their way, if the writer has some.
        sign_verdicts: signs verdicts that wait, and returns the troubles that it meets.
        conditions: gets the troubles that `settle` meets.
        meter: times the steps.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        journal: Journal,
        writer: Writer,
        policy: Policy,
        outcomes: Outcomes,
        *,
        clock: Callable[[], datetime],
        on_step: Callable[[], object] = lambda: None,
        conditions: Conditions,
        batching: Batching = SINGLE,
        proving: Proving | None = None,
        sign_verdicts: Callable[[], Mapping[Trouble, str]] = dict,
        meter: Meter = SILENT,
    ) -> None:
        self._sources = sources
        self._journal = journal
        self._writer = writer
        self._policy = policy
        self._outcomes = outcomes
        self._clock = clock
        self._on_step = on_step
        self._is_held = False  # the last row waits for a reason that concerns the next ones too
        self._batching = batching
        self._proving = proving
        # Batches that are on their way are followed to their end, also while none begins.
        kind = AgreedBatches if isinstance(writer.batches, QuorumBatches) else BatchRecording
        self._batches = (
            kind(self, journal, writer, policy, outcomes, batching, clock, meter) if writer.batches else None
        )
        self._sign_verdicts = sign_verdicts
        self._conditions = conditions
        self._meter = meter

    def settle(self) -> None:
        """Take every record and every policy number that is not final yet one step further, and sign verdicts.

        First come those that are on their way, oldest first, then the top folders in turns. If one has to wait, for a
        free place among the transactions or for the policy's number, so do the others after it. While a trouble stands
        for which nothing can be recorded, nothing new is sent, and no row is parked for it. An oracle that only cannot
        send goes on signing, because others may be able to.

        Raises:
            TroubleError: no node serves.
            TemporaryError: the journal's disk is full or fails, or the node fails while transactions of closed
                releases are sent again.
            UsageError: the journal is corrupt.
        """
        self._writer.push_orphans()
        troubles = dict(self._writer.troubles()) | dict(self._sign_verdicts())
        if self._batches:
            self._batches.follow()
            troubles |= self._batches.troubles
        batches = self._batches if self._batching.is_on else None  # to begin others
        rows = self._journal.unpublished()
        begun = [row for row in rows if row.state is not State.JUDGED or row.record is None]
        fresh = self._in_turns(row for row in rows if row.state is State.JUDGED and row.record is not None)
        ahead = [] if batches else releases_of(fresh[:_AHEAD_SINGLE])
        self._writer.read_ahead(releases_of(begun[:_AHEAD_MAX]), ahead)
        if self._stops_signing(troubles):
            fresh = []
        elif batches:
            fresh = batches.begin([row for row in fresh if not row.waits(self._clock())])
        for row in begun + fresh:
            self._on_step()
            if row.waits(self._clock()) or (row.state is State.JUDGED and self._stops_signing(troubles)):
                continue
            self._is_held = False
            try:
                self._step(row)
            except (TroubleError, TroubleUsageError) as error:
                if error.trouble is Trouble.NODE:
                    raise
                troubles[error.trouble] = str(error)
                continue
            if self._is_held:
                break
        troubles |= self._batches.troubles if self._batches else {}
        self._conditions.replace(RECORDING_TROUBLES, self._policy_trouble() | troubles)
        if self._proving and self._writer.proofs:
            self._proving.settle(self._writer.proofs, begins=not self._is_held)

    def _stops_signing(self, troubles: Mapping[Trouble, str]) -> bool:
        """Return whether nothing is signed while these troubles stand."""
        return bool(troubles.keys() - SENDING if self._writer.has_peers else troubles)

    def _policy_trouble(self) -> dict[Trouble, str]:
        """Return the reason why the policy gets no number in the registry. Every new record waits for that number."""
        key = policy_key(self._policy.digest)
        row = self._journal.find(key.source, key.release, "")
        if row is None or row.state is State.FINAL or row.retry_at is None:
            return {}
        return {Trouble.POLICY: f"{shown(row)} has no number in the registry: {row.problem}"}

    def _step(self, row: Row) -> Row:
        """Take a row one step further, under its own id in the log.

        Raises:
            TroubleError, TroubleUsageError: a trouble that concerns every row.
        """
        with log_about(log_id_of(row)), self._meter.step("publish"):
            return self._outcomes.of_step(row, partial(self._while_a_node_serves, row))

    def _while_a_node_serves(self, row: Row) -> Row:
        """Do as `_published`. If that fails for now, look whether any node serves, to tell the row's trouble from ours.

        Raises:
            TroubleError: no node serves.
        """
        try:
            return self._published(row)
        except TemporaryError as error:
            if trouble_of(error) is None:
                try:
                    self._writer.check_chain()
                except TemporaryError as down:
                    raise TroubleError(Trouble.NODE, down.problem, where=down.where, got=down.got) from error
            raise

    def _in_turns(self, rows: Iterable[Row]) -> list[Row]:
        turns = Turns(lambda: self._clock().timestamp())
        waiting = (Waiting(row, str(row.id), (row.key.top_folder,), row.seen_at.timestamp()) for row in rows)
        return [one.item for one in turns.in_order(waiting)]

    def _published(self, row: Row) -> Row:
        if row.record is None:
            match_policy_row(row, self._policy)
            progress = self._writer.number_policy(row.id, row.key.content)
        else:
            record = self.checked(row)
            if isinstance(record, Row):
                return record
            progress = self._writer.publish(row.id, record)
            self._is_held = progress.state is State.JUDGED and not progress.is_alone
        return self.moved(row, progress)

    def checked(self, row: Row, kept: Dossiers = _NOTHING_KEPT) -> Record | Row:
        """Return a row's record, fit to be signed; or the row, if it was altered or its report is another's.

        Args:
            kept: what was read about several rows at the begin of this pass.
        """
        try:
            record = self._matched(row, kept)
        except ProvenanceError as error:
            return self._outcomes.distrust(row, error)
        if row.state is State.JUDGED:
            try:
                self._match_report(row, record)
            except AppraisalError as error:
                return self._outcomes.reject(row, self._look(row), error)
        return record

    def moved(self, row: Row, progress: Publishing) -> Row:
        """Store the progress of a row's publication, and return the row."""
        now = self._journal.row(row.id)
        if progress.state is State.SEEN:
            now = self._journal.forget_record(row.id, note=progress.note, at=self._clock())
        elif (progress.state, progress.note) != (now.state, now.problem) or now.retry_at is not None:
            now = self._journal.advance(row.id, progress.state, note=progress.note, at=self._clock())
        if (now.state, now.problem) != (row.state, row.problem):
            _log.info("%s: %s%s", shown(row), now.state, f", {now.problem}" if now.problem else "")
        return now

    def _matched(self, row: Row, kept: Dossiers) -> Record:
        """Return the row's record, after comparing it with the row's verdict and the manifest of its release."""
        statement = kept.statements.get(row.verdict_digest or b"") or self._statement(row)
        record = match_row(row, statement, self._policy)
        is_signed = row.id in kept.signed if row.id in kept.ids else bool(self._journal.attempts(row.id))
        payload = None if is_signed else self._payload(row)
        if payload is not None:
            match_parents(row, record, parse_statement(payload))
        return record

    def _match_report(self, row: Row, record: Record) -> None:
        """Raise AppraisalError if the chain has the report of a record with another manifest."""
        if self._policy.report_reuse is Word.REFUSED and not record.is_signed_only:
            user = self._writer.manifest_of_report(record.snp_report_digest, expected=record.manifest_digest)
            if user not in (None, record.manifest_digest):
                match_report_user(record, user, findings_of(self._statement(row) or b""))

    def _statement(self, row: Row) -> bytes | None:
        return self._journal.verdict(row.verdict_digest or b"")

    def _payload(self, row: Row) -> bytes | None:
        """Return the signed payload of a row's release; None if the source has the release no more, or another one."""
        source = self._sources.get(row.key.source)
        if source is None:
            return None
        with source.open(handle_of(row)) as files:
            envelope = start_of(files, MANIFEST_PATH, MAX_ENVELOPE_BYTES)
        with suppress(FormatError):
            payload = parse_envelope(envelope).payload
            return payload if hashlib.sha256(payload).digest() == row.key.content else None
        return None

    def _look(self, row: Row) -> Look | None:
        """Read the release of a row as its source has it now; None if it has gone, was replaced or is malformed."""
        source = self._sources.get(row.key.source)
        if source is None or row.record is None:
            return None
        with source.open(handle_of(row)) as files:
            look = look_at(files, row.key.release)
        return look if look and look.release and look.content == row.key.content else None
