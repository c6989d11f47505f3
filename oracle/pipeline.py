"""Take one release from a source to its record on chain.

The journal makes every step repeatable, so the process can be killed between any two steps and lose nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from provenance_oracle.oracle.backoff import Backoff, LongWaitError
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.journal.agreement import match_parents, match_policy_row, match_row
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.oracle.sources.base import Handle, Source
from provenance_oracle.oracle.sources.look import Look, look_at
from provenance_oracle.oracle.sources.turns import Turns, Waiting
from provenance_oracle.verifier.checks import Check, Finding, failed
from provenance_oracle.verifier.errors import AppraisalError, ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.verdict import make_failed_verdict
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.manifest.statement import Manifest, parse_statement
from provenance_oracle.verifier.policy import Policy, Word
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_DAY = timedelta(days=1)


class Judge(Protocol):
    """`verifier.judgement.judge.judge`, with its other arguments filled in."""

    def __call__(self, release: Release, policy: Policy, *, at: datetime, progress: OnBytes) -> Judgement: ...


class Writer(Protocol):
    """The methods of `oracle.chain.writer.RegistryWriter` that the pipeline calls."""

    def publish(self, row_id: int, record: Record) -> Publishing:
        """Take a record one step further on its way into the registry."""

    def number_policy(self, row_id: int, policy_digest: bytes) -> Publishing:
        """Take a policy one step further on its way to a number."""

    def push_orphans(self) -> None:
        """Send live transactions of closed rows again."""

    def manifest_of_report(self, report_digest: bytes, *, expected: bytes) -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if there is none.

        A manifest other than `expected` is returned only once its record is final. Until then, raise TemporaryError.
        """


@dataclass(frozen=True)
class Patience:
    """The waits after failures, the number of internal errors after which a row is stuck, and the publishers' quota.

    `recordings_per_day_max` is how often a publisher may have the same model recorded within 24 hours. During a
    judgement, records on their way are settled every `settle_seconds`.
    """

    backoff: Backoff
    internal_errors_max: int
    recordings_per_day_max: int
    settle_seconds: float


class Pipeline:
    """Judges the releases of one source, and publishes records of the accepted ones.

    A failure of one release ends in that release's row. `process` and `settle` raise only failures that concern all
    releases.

    Args:
        judge: judges a release that was read.
        patience: the waits after failures.
        clock: returns the time now, with a time zone.
        deadline: begins the deadline of one release.
        on_step: called before each step of `settle`. What it raises ends `settle`.

    Raises (`process` and `settle`):
        TemporaryError: the journal's disk is full or fails, or the node fails while `settle` sends transactions of
            closed releases again.
        UsageError: the journal is corrupt.
    """

    def __init__(
        self,
        source: Source,
        journal: Journal,
        writer: Writer,
        policy: Policy,
        *,
        judge: Judge,
        patience: Patience,
        clock: Callable[[], datetime],
        deadline: Callable[[], Deadline],
        on_step: Callable[[], object] = lambda: None,
    ) -> None:
        self._source = source
        self._journal = journal
        self._writer = writer
        self._policy = policy
        self._judge = judge
        self._patience = patience
        self._clock = clock
        self._deadline = deadline
        self._on_step = on_step

    def is_due(self, handle: Handle) -> bool:
        """Return whether `process` has anything to do for a release now: it is new or changed, and need not wait."""
        return not self._is_done(self._journal.find(self._source.name, handle.id, handle.fingerprint))

    def process(self, handle: Handle) -> Row | None:
        """Take one release as far as it gets now, and return its row.

        A release that was decided is not read again while its fingerprint stays the same. A release whose record is
        waiting or on its way belongs to `settle`.

        Returns:
            None if the release is incomplete, has gone, or cannot be read now.
        """
        at = self._clock()
        known = self._journal.find(self._source.name, handle.id, handle.fingerprint)
        if self._is_done(known):
            return known
        deadline = self._deadline()
        # (1) read the release, bounded and without trust, and open its row
        look = look_at(self._source.open(handle), self._source.reading, handle.id)
        if look is None:
            return None
        row = self._journal.open(ReleaseKey(self._source.name, handle.id, look.content), handle.fingerprint, at=at)
        if row.state is not State.SEEN or row.waits(at):
            return row
        # (2) judge it; the journal keeps the verdict, PASSED or FAILED, and the record that a PASSED one publishes
        row = self._guarded(row, look, partial(self._judged, row, look, deadline))
        if row.state is not State.JUDGED:
            return row
        # (3) publish the record; `settle` follows it until it is final
        return self._guarded(row, None, partial(self._published, row))

    def settle(self) -> None:
        """Take every record and every policy number that is not final yet one step further.

        First come those that are on their way, oldest first, then the top folders in turns. If one has to wait, for a
        free place among the transactions or for the policy's number, so do the others after it.
        """
        self._writer.push_orphans()
        rows = self._journal.unpublished()
        begun = [row for row in rows if row.state is not State.JUDGED or row.record is None]
        fresh = [row for row in rows if row.state is State.JUDGED and row.record is not None]
        for row in begun + self._in_turns(fresh):
            self._on_step()
            if row.waits(self._clock()):
                continue
            now = self._guarded(row, None, partial(self._published, row))
            if row.record is not None and now.state is State.JUDGED and not now.parked:
                return

    def _settle_meanwhile(self) -> None:
        """Settle while a release is being judged. A failing node or disk does not end the judgement."""
        self._on_step()
        if all(row.waits(self._clock()) for row in self._journal.unpublished()):
            return
        try:
            self.settle()
        except ProvenanceError as error:
            if not error.retry:
                raise
            _log.warning("records on their way cannot be followed now: %s", error)

    def _in_turns(self, rows: Iterable[Row]) -> list[Row]:
        turns = Turns(lambda: self._clock().timestamp())
        waiting = (Waiting(row, str(row.id), (row.key.top_folder,), row.seen_at.timestamp()) for row in rows)
        return [one.item for one in turns.in_order(waiting)]

    def _is_done(self, known: Row | None) -> bool:
        return known is not None and (known.state is not State.SEEN or known.waits(self._clock()))

    def _judged(self, row: Row, look: Look, deadline: Deadline) -> Row:
        if look.release is None:
            assert look.problem is not None
            raise look.problem
        judgement = deadline.run(
            partial(self._judge, look.release, self._policy, at=self._clock(), progress=deadline.check),
            self._settle_meanwhile,
            self._patience.settle_seconds,
        )
        self._match_report(judgement)
        record = judgement.record
        self._match_quota(record)
        row = self._journal.accept(
            row.id,
            judgement.verdict.statement,
            to_json(record),
            record.snp_report_digest,
            policy_digest=record.policy_digest,
            model_digest=record.model_digest,
            publisher=record.publisher_identity,
            at=self._clock(),
        )
        _log.info("%s: accepted as %s %s, grade %d", _shown(row), record.name, record.version, record.grade)
        return row

    def _match_quota(self, record: Record) -> None:
        """Raise LongWaitError if the publisher had the same model recorded too often within a day."""
        most, now = self._patience.recordings_per_day_max, self._clock()
        times = self._journal.recordings(
            record.model_digest, record.publisher_identity, besides=record.manifest_digest, since=now - _DAY
        )
        if len(times) >= most:
            raise LongWaitError(
                "this publisher had the same model recorded too often within 24 hours, so the release waits",
                wait_seconds=(times[-most] + _DAY - now).total_seconds(),
                where="recordings_per_day_max",
                got=f"{len(times)} other releases of model {record.model_digest.hex()}",
                wanted=f"at most {most}",
            )

    def _match_report(self, judgement: Judgement) -> None:
        """Raise AppraisalError if the report vouches for another manifest already, on chain or in the journal.

        A policy whose `report_reuse` is not `refused` turns this off.
        """
        if self._policy.report_reuse is not Word.REFUSED:
            return
        record = judgement.record
        users = (
            self._writer.manifest_of_report(record.snp_report_digest, expected=record.manifest_digest),
            self._journal.manifest_by_report(record.snp_report_digest),
        )
        for user in users:
            if user is not None and user != record.manifest_digest:
                got, wanted = f"manifest {user.hex()}", "a report of its own for every manifest"
                raise AppraisalError(
                    "report was used for another manifest",
                    check=Check.KEY_BINDING,
                    where="registry",
                    got=got,
                    wanted=wanted,
                    findings=_with_failure(judgement.findings, failed(Check.KEY_BINDING, got, wanted)),
                )

    def _published(self, row: Row) -> Row:
        if row.record is None:
            match_policy_row(row, self._policy)
            progress = self._writer.number_policy(row.id, row.key.content)
        else:
            statement = self._journal.verdict(row.verdict_digest or b"")
            manifest = None if self._journal.attempts(row.id) else self._manifest_of(row)
            try:
                record = match_row(row, statement, self._policy)
                if manifest is not None:
                    match_parents(row, record, manifest)
            except ProvenanceError as error:
                return self._distrust(row, error)
            progress = self._writer.publish(row.id, record)
        now = self._journal.row(row.id)
        if progress.state is State.SEEN:
            now = self._journal.forget_record(row.id, note=progress.note, at=self._clock())
        elif (progress.state, progress.note) != (now.state, now.problem) or now.retry_at is not None:
            now = self._journal.advance(row.id, progress.state, note=progress.note, at=self._clock())
        if (now.state, now.problem) != (row.state, row.problem):
            _log.info("%s: %s%s", _shown(row), now.state, f", {now.problem}" if now.problem else "")
        return now

    def _manifest_of(self, row: Row) -> Manifest | None:
        """Return the manifest of a row's release as its source has it now; None if it has gone or was replaced."""
        look = look_at(
            self._source.open(Handle(row.key.release, row.fingerprint)), self._source.reading, row.key.release
        )
        if look is None or look.release is None or look.content != row.key.content:
            return None
        return parse_statement(parse_envelope(look.envelope).payload)

    def _distrust(self, row: Row, error: ProvenanceError) -> Row:
        """Forget the record of a row that was altered, and have its release judged again after a wait."""
        at, limit = self._clock(), self._patience.internal_errors_max
        seen = self._journal.distrust(row.id, error, limit=limit, retry_at=self._retry_at(row, at), at=at)
        _log.error("%s: %s: %s", _shown(row), "stuck" if seen.state is State.STUCK else "judged again", seen.problem)
        return seen

    def _guarded(self, row: Row, look: Look | None, step: Callable[[], Row]) -> Row:
        """Take one step for a release. If it fails, the error's class alone decides the next state of the row.

        Raises:
            ProvenanceError: the journal itself failed, so no row can be written.
        """
        try:
            try:
                return step()
            except ProvenanceError as error:
                if error.retry or isinstance(error, UsageError):  # a UsageError is about our settings, not the release
                    return self._park(row, error)
                return self._reject(row, look, error)
        except ProvenanceError:
            raise  # from the journal: no row can be written
        except Exception as error:
            return self._park_internal(row, error)

    def _park(self, row: Row, error: ProvenanceError) -> Row:
        at = self._clock()
        wait_seconds = error.wait_seconds if isinstance(error, LongWaitError) else 0.0
        parked = self._journal.park(row.id, error, retry_at=self._retry_at(row, at, wait_seconds), at=at)
        _log.warning("%s: waits until %s: %s", _shown(row), parked.retry_at, parked.problem)
        return parked

    def _reject(self, row: Row, look: Look | None, error: ProvenanceError) -> Row:
        at, statement = self._clock(), None
        if look is not None:  # otherwise the release was judged before, and that verdict stands
            statement = make_failed_verdict(look.envelope, look.release, self._policy, at, error).statement
        policy_digest, retry_at = self._policy.digest, self._retry_at(row, at)
        rejected = self._journal.reject(row.id, error, statement, policy_digest=policy_digest, retry_at=retry_at, at=at)
        _log.warning("%s: rejected (exit %s): %s", _shown(row), rejected.exit_code, rejected.problem)
        return rejected

    def _park_internal(self, row: Row, error: Exception) -> Row:
        at = self._clock()
        problem = printable(f"internal error, please report it: {type(error).__name__}: {error}")
        retry_at, limit = self._retry_at(row, at), self._patience.internal_errors_max
        parked = self._journal.park_internal(row.id, problem, limit=limit, retry_at=retry_at, at=at)
        _log.error("%s: %s: %s", _shown(row), "stuck" if parked.state is State.STUCK else "waits", problem)
        _log.debug("traceback", exc_info=error)
        return parked

    def _retry_at(self, row: Row, at: datetime, least_seconds: float = 0.0) -> datetime:
        seconds = self._patience.backoff.delay_seconds(row.vain_attempts + 1)
        return at + timedelta(seconds=max(seconds, least_seconds))


def _with_failure(findings: tuple[Finding, ...], failure: Finding) -> tuple[Finding, ...]:
    return tuple(failure if finding.check is failure.check else finding for finding in findings)


def _shown(row: Row) -> str:
    return printable(f"{row.key.source}:{row.key.release}")
