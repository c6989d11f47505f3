"""The oracle as a process: it scans, judges, publishes and waits, in a loop, until a signal stops it.

If a pass fails as a whole (node down, disk full), the process stays up, reports that it is not ready, and tries again
after a wait that grows. Only a problem that needs a person ends the process: wrong settings, a corrupt journal, another
chain.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.oracle.sources.base import Handle, Source
from provenance_oracle.oracle.sources.turns import Turns, Waiting
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# A step that has not looked at the bell this long after a signal is interrupted, and again after each further second.
_GRACE_SECONDS = 3.0
_AGAIN_SECONDS = 1.0


class Stopped(BaseException):
    """Raised inside a long step after a request to stop. No row changes; the next start repeats the step."""


class Processor(Protocol):
    """The methods of `oracle.pipeline.Pipeline` that the service calls."""

    def process(self, handle: Handle) -> Row | None:
        """Take one release as far as it gets now, and return its row; None if there is nothing to judge."""

    def is_due(self, handle: Handle) -> bool:
        """Return whether `process` has anything to do for a release now."""

    def settle(self) -> None:
        """Take every record that is not final yet one step further."""


class Bell:
    """Wakes the loop from its sleep. A watcher rings it when there may be work; `stop` ends the loop permanently."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether the bell is stopped."""
        return self._stop.is_set()

    def ring(self) -> None:
        """Wake the loop."""
        self._rung.set()

    def stop(self) -> None:
        """Wake the loop and make it end."""
        self._stop.set()
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`, until the bell is rung or stopped. Return whether either happened."""
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def sleep(self, seconds: float) -> None:
        """Sleep `seconds`, or less if the bell is stopped."""
        self._stop.wait(seconds)

    def check(self, *_progress: object) -> None:
        """Raise Stopped if the bell is stopped. The signature fits a progress callback."""
        if self.stopping:
            raise Stopped


@dataclass(frozen=True)
class Timing:
    """The times of the loop: between full scans, between looks at the chain, and the waits after failed passes.

    A scan that takes longer than `scan_seconds` ends after the release at hand, and the next one begins.
    `pause_seconds` follows every event, so that a storm of events causes few scans.
    """

    scan_seconds: float
    settle_seconds: float
    pause_seconds: float
    backoff: Backoff


@dataclass(frozen=True)
class Status:
    """The outcome of the last pass: whether it worked, and the problem if it did not."""

    ready: bool
    problem: str


class Service:
    """The loop over one source.

    Args:
        connect: called at every pass. It compares chain and contract with the journal and returns the pipeline. It
            raises TemporaryError if the node does not answer, and UsageError if it is another chain or contract.
        turns: the turns of releases that are due, by Unix time.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        source: Source,
        journal: Journal,
        connect: Callable[[], Processor],
        timing: Timing,
        bell: Bell,
        turns: Turns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._journal = journal
        self._connect = connect
        self._timing = timing
        self._bell = bell
        self._turns = turns
        self._clock = clock
        self._status = Status(ready=False, problem="no pass yet")

    @property
    def status(self) -> Status:
        """The outcome of the last pass. Other threads may read it."""
        return self._status

    def run(self) -> None:
        """Work until the bell is stopped.

        Raises:
            UsageError: a problem that needs a person.
        """
        try:
            self._run()
        except Stopped:
            return

    def _run(self) -> None:
        failures, scan_at = 0, 0.0
        while not self._bell.stopping:
            is_scan = self._clock() >= scan_at
            try:
                is_whole = self._pass(scan=is_scan, limit_seconds=self._timing.scan_seconds)
            except (UsageError, ModuleNotFoundError):  # a missing package does not come by waiting
                raise
            except Exception as error:
                failures += 1
                self._wait_out(error, failures)
                continue
            failures = 0
            if is_scan:
                scan_at = self._clock() + self._timing.scan_seconds if is_whole else 0.0
            if is_whole and self._rest(scan_at):
                scan_at = 0.0

    def run_once(self, *, deadline_seconds: float) -> tuple[Row, ...]:
        """Process the releases that are there now, and follow every record until it is final or parked.

        Returns:
            Every row of the journal, oldest first.

        Raises:
            TemporaryError: a pass as a whole failed, or records were not final within `deadline_seconds`.
            UsageError: a problem that needs a person.
            Stopped: the bell was stopped.
        """
        self._pass(scan=True)
        deadline = self._clock() + deadline_seconds
        while self._is_waiting():
            if self._clock() > deadline:
                raise TemporaryError("records are not final yet; run again", where="chain")
            self._bell.sleep(self._timing.settle_seconds)
            self._pass(scan=False)
        return self._journal.rows()

    def _pass(self, *, scan: bool, limit_seconds: float = math.inf) -> bool:
        """Settle records and, with `scan`, process releases; return False if some have to wait for the next pass."""
        self._bell.check()
        pipeline = self._connect()
        pipeline.settle()  # before the scan, so that after a restart stored transactions are sent again first
        is_whole = not scan or self._scan(pipeline, limit_seconds)
        if not self._status.ready:
            _log.info("the oracle is ready")
        self._status = Status(ready=True, problem="")
        return is_whole

    def _scan(self, pipeline: Processor, limit_seconds: float) -> bool:
        """Process the releases that are due, in turns; return False if the limit ended the scan.

        The next scan finds the releases that have come meanwhile. So none waits for all that were there before it.
        """
        due = [self._waiting(handle) for handle in self._source.releases() if self._is_due(pipeline, handle)]
        started = self._clock()  # after the look at the source, or a slow one would leave time for one release only
        for number, waiting in enumerate(self._turns.in_order(due), 1):
            pipeline.process(waiting.item)
            self._turns.end(waiting)
            self._bell.check()
            if self._clock() - started > limit_seconds and number < len(due):
                return False
        return True

    def _is_due(self, pipeline: Processor, handle: Handle) -> bool:
        self._bell.check()
        return pipeline.is_due(handle)

    def _waiting(self, handle: Handle) -> Waiting[Handle]:
        return Waiting(handle, handle.id, self._source.shares(handle), handle.written_at)

    def _rest(self, scan_at: float) -> bool:
        """Sleep until there is something to do. Return whether an event asks for an early scan."""
        until_scan = max(0.0, scan_at - self._clock())
        rung = self._bell.wait(min(until_scan, self._timing.settle_seconds) if self._is_waiting() else until_scan)
        if rung:
            self._bell.sleep(self._timing.pause_seconds)
        return rung

    def _is_waiting(self) -> bool:
        """Return whether a record is on its way to the chain.

        Parked rows do not count. Each has its own time, and the regular scans are frequent enough to meet it.
        """
        return any(not row.parked for row in self._journal.unpublished())

    def _wait_out(self, error: Exception, failures: int) -> None:
        seconds = self._timing.backoff.delay_seconds(failures)
        text = str(error) if isinstance(error, ProvenanceError) else f"internal error: {type(error).__name__}: {error}"
        self._status = Status(ready=False, problem=printable(text))
        _log.error("the oracle is not ready and tries again in %.1f s: %s", seconds, self._status.problem)
        _log.debug("traceback", exc_info=error)
        self._bell.sleep(seconds)


@contextmanager
def stopping_on_signals(bell: Bell) -> Iterator[None]:
    """Stop the bell on SIGTERM or SIGINT, within the block. A second signal ends the process at once.

    Every long step looks at the bell. A step that does not look within a few seconds is interrupted by `Stopped`,
    wherever it is: the journal makes a stop between any two instructions safe, as it does a kill.

    Raises:
        Stopped: a step was interrupted.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        _log.info("the oracle is stopping (%s)", signal.Signals(number).name)
        bell.stop()
        restore()
        signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS, _AGAIN_SECONDS)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before_alarm = signal.signal(signal.SIGALRM, interrupt)
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        restore()
        signal.signal(signal.SIGALRM, before_alarm)
