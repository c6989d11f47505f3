"""What the pipeline asks of a judge, and the judge that works in the thread that calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from provenance_oracle.oracle.journal.agreement import findings_of
from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.oracle.metrics import SILENT, Meter, timed_judgement
from provenance_oracle.oracle.sources.look import Look, look_at
from provenance_oracle.verifier.checks import Finding
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.judge_signed import SignedJudgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.signed_release import SignedRelease
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_files import ReleaseFiles


class JudgeRelease(Protocol):
    """`verifier.judgement.judge_any.judge_any`, with its other arguments filled in."""

    def __call__(
        self, release: Release | SignedRelease, policy: Policy, *, at: datetime, now: datetime, progress: OnBytes
    ) -> Judgement | SignedJudgement: ...


@dataclass(frozen=True)
class Judged:
    """An accepted release in the form that the journal keeps.

    Attributes:
        statement: the bytes of the PASSED verdict.
        stored_record: `record` as `stored_record.to_json` writes it.
        evidence: the archive that `journal.evidence.archive` makes.
    """

    statement: bytes
    record: Record
    stored_record: bytes
    evidence: bytes

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that the verdict states."""
        return findings_of(self.statement)


@dataclass(frozen=True)
class Case:
    """A release that was read.

    Attributes:
        content: see `sources.look.Look`.
        look: returns the release as it was read.
        judge: judges it for a moment, given the present and a progress callback. Returns what the journal keeps of an
            accepted release. Raises ProvenanceError for any other, and what the callback raises.
    """

    content: bytes
    look: Callable[[], Look]
    judge: Callable[[datetime, datetime, OnBytes], Judged]


class Judge(Protocol):
    """Reads and judges releases. One thread uses it at a time."""

    def read(self, files: ReleaseFiles, name: str, *, now: datetime, is_quick: bool, progress: OnBytes) -> Case | None:
        """Read a release, bounded and without trust; None if it has gone, is incomplete or cannot be read now.

        Args:
            name: names the release in the log.
            now: the present. A judge that judges at once does so for this moment.
            is_quick: whether the release is small, and judging it at once takes nobody's place.
            progress: called while the release is read elsewhere. What it raises ends the reading.
        """


class ThreadJudge:
    """A `Judge` that works in the thread that calls it.

    Args:
        meter: counts the judgements' bytes and times their steps.
    """

    def __init__(self, judge: JudgeRelease, policy: Policy, meter: Meter = SILENT) -> None:
        self._judge_release = judge
        self._policy = policy
        self._meter = meter

    def read(
        self, files: ReleaseFiles, name: str, *, now: datetime, is_quick: bool = False, progress: OnBytes | None = None
    ) -> Case | None:
        """See `Judge.read`."""
        with self._meter.step("look"):
            look = look_at(files, name)
        return None if look is None else Case(look.content, lambda: look, partial(self._judged, look))

    def _judged(self, look: Look, at: datetime, now: datetime, progress: OnBytes) -> Judged:
        if look.release is None:
            assert look.problem is not None
            raise look.problem
        with timed_judgement(self._meter, progress) as counted:
            judgement = self._judge_release(look.release, self._policy, at=at, now=now, progress=counted)
        record = judgement.record
        evidence = archive(judgement.release, self._policy)
        return Judged(judgement.verdict.statement, record, to_json(record), evidence)
