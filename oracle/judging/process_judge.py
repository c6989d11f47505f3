"""The judge that has small releases in folders judged by processes, and judges all others itself."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from typing import NoReturn

from provenance_oracle.oracle.judging.answers import JudgeAnswer, JudgeBugError
from provenance_oracle.oracle.judging.judges import Case, Judged, ThreadJudge
from provenance_oracle.oracle.judging.messages import JudgeQuestion
from provenance_oracle.oracle.judging.pool import JudgePool
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.sources.look import Look, start_of
from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_files import FolderFiles, ReleaseFiles

_log = logging.getLogger(__name__)
_OURS = "provenance_oracle"


class ProcessJudge:
    """A `Judge` that asks a process where it can, and else the judge `here`.

    A release whose process died is never judged in the oracle's own process.

    Args:
        meter: counts what the processes measured.
    """

    def __init__(self, pool: JudgePool, here: ThreadJudge, meter: Meter = SILENT) -> None:
        self._pool = pool
        self._here = here
        self._meter = meter

    def read(self, files: ReleaseFiles, name: str, *, now: datetime, is_quick: bool, progress: OnBytes) -> Case | None:
        """See `Judge.read`. A process reads a release and judges it at once, for the moment `now`."""
        answer = None
        if is_quick and isinstance(files, FolderFiles):
            try:
                answer = self._pool.ask(JudgeQuestion(files, name, now), lambda: progress(0, 0))
            except TemporaryError as error:  # the process died, or the deadline has passed
                return _unread(files, error)
        if answer is None:
            return self._here.read(files, name, now=now)
        self._note(answer)
        if answer.outcome is None:
            return None
        if not answer.content:
            assert isinstance(answer.outcome, JudgeBugError)
            return _unread(files, answer.outcome)
        return Case(answer.content, lambda: _look(answer, files), lambda _at, _now, _progress: _judged(answer))

    def _note(self, answer: JudgeAnswer) -> None:
        """Enter the figures and the log lines of a process as if they were of this thread."""
        for step, seconds in answer.heard.took.items():
            self._meter.took(step, seconds)
        self._meter.hashed(answer.heard.hashed_bytes)
        for level, logger, text in answer.heard.lines:
            if logger.startswith(f"{_OURS}."):
                logging.getLogger(logger).log(level, "%s", text)


def _judged(answer: JudgeAnswer) -> Judged:
    if isinstance(answer.outcome, Judged):
        return answer.outcome
    assert answer.outcome is not None
    raise answer.outcome


def _look(answer: JudgeAnswer, files: ReleaseFiles) -> Look:
    try:
        return answer.look(files)
    except FormatError as error:  # the process told something else than what it read
        _log.error("a judge process gave evidence that is malformed: %s", error)
        return Look(b"", answer.content, None, error)


def _unread(files: ReleaseFiles, error: Exception) -> Case:
    """Return the case of a release that no process could read to its end.

    Its content counts as the manifest file's bytes, and nothing in it is parsed: that may be what ends a process.
    """
    envelope = start_of(files, MANIFEST_PATH, MAX_ENVELOPE_BYTES + 1)
    content = hashlib.sha256(envelope).digest()

    def judge(_at: datetime, _now: datetime, _progress: OnBytes) -> NoReturn:
        raise error

    return Case(content, lambda: Look(envelope, content, None, None), judge)
