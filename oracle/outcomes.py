"""Write how a step for a release ended into the release's row. If it failed, the error's class alone decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance_oracle.oracle.backoff import Backoff, LongWaitError
from provenance_oracle.oracle.conditions import trouble_of
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.logs import log_id
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.look import Look
from provenance_oracle.verifier.errors import ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.verdict import make_failed_verdict
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """The waits after failures, the number of internal errors after which a row is stuck, and the publishers' quota.

    `recordings_per_day_max` is how often a publisher may have the same model recorded within 24 hours.
    """

    backoff: Backoff
    internal_errors_max: int
    recordings_per_day_max: int


class Outcomes:
    """Takes steps for releases. A failure of one release ends in that release's row.

    Args:
        clock: returns the time now, with a time zone.
        is_doubtful: whether a rejection may be due to a wrong clock. The release then waits.
        meter: counts the releases that are rejected or must wait.
    """

    def __init__(
        self,
        journal: Journal,
        policy: Policy,
        patience: Patience,
        clock: Callable[[], datetime],
        is_doubtful: Callable[[ProvenanceError], bool] = lambda _error: False,
        meter: Meter = SILENT,
    ) -> None:
        self._journal = journal
        self._policy = policy
        self._patience = patience
        self._clock = clock
        self._is_doubtful = is_doubtful
        self._meter = meter

    def of_step(self, row: Row, step: Callable[[], Row], look: Callable[[], Look] | None = None) -> Row:
        """Take one step for a release, and return its row as the step or its failure left it.

        Args:
            look: returns the release, if the step judges it; None if it was judged before.

        Raises:
            TroubleError, TroubleUsageError: a trouble that concerns every release; the row stays as it is.
            ProvenanceError: the journal itself failed, so no row can be written.
        """
        try:
            try:
                return step()
            except ProvenanceError as error:
                if trouble_of(error):
                    raise
                if error.retry or isinstance(error, UsageError):  # a UsageError is about our settings, not the release
                    return self._park(row, error)
                if self._is_doubtful(error):
                    return self._park(row, error)
                return self.reject(row, look and look(), error)
        except ProvenanceError:
            raise  # about every release, or from the journal: no row can be written
        except Exception as error:
            return self._park_internal(row, error)

    def reject(self, row: Row, look: Look | None, error: ProvenanceError) -> Row:
        """Reject a release, and keep a FAILED verdict about it. With `look` None, the verdict that it has stands."""
        at, statement = self._clock(), None
        if look is not None:
            failed = make_failed_verdict(look.envelope, look.release, self._policy, at, error, path=look.path)
            statement = failed.statement
        policy_digest, retry_at = self._policy.digest, self._retry_at(row, at)
        rejected = self._journal.reject(row.id, error, statement, policy_digest=policy_digest, retry_at=retry_at, at=at)
        self._meter.decided("rejected")
        _log.warning("%s: rejected (exit %s): %s", shown(row), rejected.exit_code, rejected.problem)
        return rejected

    def distrust(self, row: Row, error: ProvenanceError) -> Row:
        """Forget the record of a row that was altered, and have its release judged again after a wait."""
        at, limit = self._clock(), self._patience.internal_errors_max
        seen = self._journal.distrust(row.id, error, limit=limit, retry_at=self._retry_at(row, at), at=at)
        _log.error("%s: %s: %s", shown(row), "stuck" if seen.state is State.STUCK else "judged again", seen.problem)
        return seen

    def _park(self, row: Row, error: ProvenanceError) -> Row:
        at = self._clock()
        wait_seconds = error.wait_seconds if isinstance(error, LongWaitError) else 0.0
        parked = self._journal.park(row.id, error, retry_at=self._retry_at(row, at, wait_seconds), at=at)
        self._meter.decided("parked")
        _log.warning("%s: waits until %s: %s", shown(row), parked.retry_at, parked.problem)
        return parked

    def _park_internal(self, row: Row, error: Exception) -> Row:
        at = self._clock()
        problem = printable(f"internal error, please report it: {type(error).__name__}: {error}")
        retry_at, limit = self._retry_at(row, at), self._patience.internal_errors_max
        parked = self._journal.park_internal(row.id, problem, limit=limit, retry_at=retry_at, at=at)
        _log.error("%s: %s: %s", shown(row), "stuck" if parked.state is State.STUCK else "waits", problem)
        _log.debug("traceback", exc_info=error)
        return parked

    def _retry_at(self, row: Row, at: datetime, least_seconds: float = 0.0) -> datetime:
        seconds = self._patience.backoff.delay_seconds(row.vain_attempts + 1)
        return at + timedelta(seconds=max(seconds, least_seconds))


def log_id_of(row: Row) -> str:
    """Return the id of a row's release in the log."""
    return log_id(row.key.source, row.key.release, row.key.content)


def handle_of(row: Row) -> Handle:
    """Return the handle by which the source of a row opens its release as the row knows it."""
    return Handle(row.key.release, row.fingerprint, revision=row.fingerprint)


def shown(row: Row) -> str:
    """Return the name of a row's release for messages."""
    return printable(f"{row.key.source}:{row.key.release}")
