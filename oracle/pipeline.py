"""Take one release from a source to its verdict. `recording` takes an accepted one to the chain.

The journal makes every step repeatable, so the process can be killed between any two steps and lose nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn, Protocol

from provenance_oracle.oracle.backoff import LongWaitError
from provenance_oracle.oracle.bell import Ring
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.journal.accepted import AcceptedReleases
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import NewRelease, ReleaseKey, Row, State
from provenance_oracle.oracle.journal.work import working_on
from provenance_oracle.oracle.judging.judges import Case, Judge, Judged
from provenance_oracle.oracle.logs import log_about, log_id
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.outcomes import Outcomes, Patience, handle_of, log_id_of, shown
from provenance_oracle.oracle.sources.base import Handle, Source
from provenance_oracle.oracle.sources.look import look_at
from provenance_oracle.verifier.checks import Check, Finding, failed
from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.policy import Policy, Word
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.strict.files import OnBytes

_log = logging.getLogger(__name__)
_DAY = timedelta(days=1)
_UNJUDGED = (State.SEEN, State.SUPERSEDED)
_GONE_MAX = 100  # rows that a scan looks at
_QUICK_MAX_BYTES = 10**8  # a release that is judged so soon that nobody misses its row meanwhile


class Judging(Protocol):
    """The methods of `oracle.pipeline.Pipeline` that the service calls, from several threads."""

    def process(self, handle: Handle, judge: Judge, *, more_follow: bool = False) -> Row | None:
        """Judge one release if it is due, and return its row; None if there is nothing to judge.

        With `more_follow`, the step of the next release may make this one durable.
        """

    def due(self, handles: Sequence[Handle]) -> list[Handle]:
        """Return the releases for which `process` has anything to do now."""


@dataclass(frozen=True)
class Feed:
    """A source, and the pipeline that judges its releases. `ring` asks for an early scan of it."""

    source: Source
    pipeline: Judging
    ring: Ring

    def __str__(self) -> str:
        return self.source.name


class Pipeline:
    """Judges the releases of one source. Several threads may call it at once.

    Args:
        outcomes: writes how a judgement ended.
        patience: holds the publishers' quota.
        clock: returns the time now, with a time zone.
        deadline: begins the deadline of one release.
        moment_of: returns the moment at which other oracles judge a release, by manifest digest; None for the present.
        proves: whether the release of a record is to be proven on chain too.
        meter: counts the judgements and times their steps.
        worker: this process's name, unique among those that share the journal.

    Raises (`process`):
        TemporaryError: the journal's disk is full or fails.
        UsageError: the journal is corrupt.
    """

    def __init__(
        self,
        source: Source,
        journal: Journal,
        policy: Policy,
        outcomes: Outcomes,
        *,
        patience: Patience,
        clock: Callable[[], datetime],
        deadline: Callable[[], Deadline],
        moment_of: Callable[[bytes], datetime | None] = lambda _manifest: None,
        proves: Callable[[Record], bool] = lambda _record: False,
        worker: str = "",
        meter: Meter = SILENT,
    ) -> None:
        self._source = source
        self._journal = journal
        self._policy = policy
        self._outcomes = outcomes
        self._patience = patience
        self._clock = clock
        self._deadline = deadline
        self._moment_of = moment_of
        self._proves = proves
        self._worker = worker
        self._meter = meter

    def due(self, handles: Sequence[Handle]) -> list[Handle]:
        """Return the releases for which `process` has anything to do now: new or changed, and without a wait.

        Close the rows that wait for another try although their release has gone.

        Args:
            handles: those of a whole scan.
        """
        self._close_gone(handles)
        known = self._journal.known(self._source.name, [(handle.id, handle.fingerprint) for handle in handles])
        return [handle for handle in handles if not self._is_done(known.get((handle.id, handle.fingerprint)))]

    def process(self, handle: Handle, judge: Judge, *, more_follow: bool = False) -> Row | None:
        """Judge one release if it is due, and return its row.

        A release that was decided is not read again while its fingerprint stays the same.

        Args:
            more_follow: whether another release is judged at once, so that one commit can serve both. A kill before
                that commit has the release judged again.

        Returns:
            None if the release is incomplete, has gone, or cannot be read now.
        """
        at = self._clock()
        known = self._journal.find(self._source.name, handle.id, handle.fingerprint)
        if self._is_done(known):
            return known
        deadline = self._deadline()
        with log_about(log_id(self._source.name, handle.id)), self._source.open(handle) as files:
            # (1) read the release, bounded and without trust
            is_quick = handle.total_bytes <= _QUICK_MAX_BYTES and not self._journal.is_shared
            case = judge.read(files, handle.id, now=at, is_quick=is_quick, progress=deadline.check)
            if case is None:
                return None
            new = NewRelease(ReleaseKey(self._source.name, handle.id, case.content), handle.fingerprint, at)
            # (2) judge it; the journal keeps the verdict, PASSED or FAILED, and the record that a PASSED one publishes
            with log_about(log_id(self._source.name, handle.id, case.content)):
                if is_quick and not self._journal.knows(new.key):
                    return self._of_new(new, case, deadline, later=more_follow)
                return self._of_row(new, case, deadline)

    def _of_new(self, new: NewRelease, case: Case, deadline: Deadline, *, later: bool) -> Row:
        """Judge a small new release. Its row and its verdict are stored in one step, for the price of one commit."""
        try:
            return self._judged(new, case, deadline.check, later=later)
        except Exception as error:
            row = self._journal.open(new.key, new.fingerprint, at=new.found_at)
            return self._outcomes.of_step(row, partial(_raise, error), case.look)

    def _of_row(self, new: NewRelease, case: Case, deadline: Deadline) -> Row | None:
        """Open the row of a release, and judge the release if the row does not wait and no other process has it."""
        row = self._journal.open(new.key, new.fingerprint, at=new.found_at)
        if row.state is not State.SEEN or row.waits(new.found_at):
            return row
        with working_on(self._journal, row, self._worker, self._clock) as work:
            if work is None:
                return self._journal.row(row.id)
            progress = work.renewing(deadline.check)
            return self._outcomes.of_step(row, partial(self._judged, row.id, case, progress), case.look)
        return None  # another process took the release over

    def _close_gone(self, handles: Sequence[Handle]) -> None:
        found = {handle.id for handle in handles}
        for row in self._journal.waiting_unjudged(self._source.name, most=_GONE_MAX):
            with log_about(log_id_of(row)):
                if row.key.release not in found and self._content_of(row) != row.key.content:
                    self._journal.supersede(row.id, note="has gone before it was judged", at=self._clock())
                    _log.info("%s: has gone, and waits no longer", shown(row))

    def _content_of(self, row: Row) -> bytes | None:
        with self._source.open(handle_of(row)) as files:
            look = look_at(files, row.key.release)
        return look.content if look else None

    def _is_done(self, known: Row | None) -> bool:
        return known is not None and (known.state not in _UNJUDGED or known.waits(self._clock()))

    def _judged(self, opened: int | NewRelease, case: Case, progress: OnBytes, *, later: bool = False) -> Row:
        now = self._clock()
        judged = case.judge(self._moment_of(case.content) or now, now, progress)
        record = judged.record
        with self._meter.step("keep"):
            row = self._journal.accept(
                opened,
                judged.statement,
                judged.stored_record,
                record.snp_report_digest,
                policy_digest=record.policy_digest,
                model_digest=record.model_digest,
                publisher=record.publisher_identity,
                evidence=judged.evidence,
                check=partial(self._match_accepted, judged),
                proves=self._proves(record),
                later=later,
                at=self._clock(),
            )
        self._meter.decided("accepted")
        _log.info("%s: accepted as %s %s, grade %d", shown(row), record.name, record.version, record.grade)
        return row

    def _match_accepted(self, judged: Judged, accepted: AcceptedReleases) -> None:
        """Compare a release with those accepted before.

        Raises:
            AppraisalError: one of them has the report with another manifest.
            LongWaitError: the publisher had the same model recorded too often within a day.
        """
        record = judged.record
        if self._policy.report_reuse is Word.REFUSED:
            user = accepted.manifest_by_report(record.snp_report_digest)
            if user is not None:  # few releases share a report, and only they need the findings
                match_report_user(record, user, judged.findings)
        most, now = self._patience.recordings_per_day_max, self._clock()
        times = accepted.recordings(
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


def _raise(error: Exception) -> NoReturn:
    raise error


def match_report_user(record: Record, user: bytes | None, findings: tuple[Finding, ...]) -> None:
    """Compare the manifest of a record with the one for which its report was used before, if it has a report.

    Args:
        user: that manifest's digest (32 bytes); None if the report is new.
        findings: those of the record's judgement.

    Raises:
        AppraisalError: the report vouches for another manifest. `.findings` says so of `key-binding`.
    """
    if record.is_signed_only or user is None or user == record.manifest_digest:
        return
    got, wanted = f"manifest {user.hex()}", "a report of its own for every manifest"
    failure = failed(Check.KEY_BINDING, got, wanted)
    raise AppraisalError(
        "report was used for another manifest",
        check=Check.KEY_BINDING,
        where="registry",
        got=got,
        wanted=wanted,
        findings=tuple(failure if finding.check is failure.check else finding for finding in findings),
    )
