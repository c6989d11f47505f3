"""The oracle as a process: scan, judge, publish, wait, again; until it is asked to stop.

A pass that fails as a whole (node down, disk full) is tried again after a wait that grows; the process stays up and
says that it is not ready. Only what a person must put right ends it: wrong settings, a corrupt journal, another chain.
"""

from __future__ import annotations

import logging
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
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


class Stopped(BaseException):
    """Raised inside a long step once a stop was asked for; it touches no row, and the next start does the step anew."""


class Processor(Protocol):
    """`oracle.pipeline.Pipeline`."""

    def process(self, handle: Handle) -> Row | None: ...

    def settle(self) -> None: ...


class Bell:
    """What the loop sleeps on: rung by a watcher when there may be work, and once for all to stop."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._stop = threading.Event()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def ring(self) -> None:
        self._rung.set()

    def stop(self) -> None:
        self._stop.set()
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Sleep until rung or stopped, at most `seconds`; return whether it was rung."""
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def sleep(self, seconds: float) -> None:
        """Sleep `seconds`, or until stopped."""
        self._stop.wait(seconds)

    def check(self, *_progress: object) -> None:
        """Raise Stopped if a stop was asked for. Fits where a progress callback does."""
        if self.stopping:
            raise Stopped


@dataclass(frozen=True)
class Timing:
    """How often the loop looks. The pause follows every event, so that a storm of them is few scans."""

    scan_seconds: float
    settle_seconds: float
    pause_seconds: float
    backoff: Backoff


@dataclass(frozen=True)
class Status:
    """What the service can say of itself: whether the last pass worked, and if not, why."""

    ready: bool
    problem: str


class Service:
    """The loop over one source.

    Args:
        connect: called at every pass; returns the pipeline once chain and contract are known to be the right ones.
            Raises TemporaryError if the node does not answer, UsageError if it is another chain or contract.
    """

    def __init__(
        self, source: Source, journal: Journal, connect: Callable[[], Processor], timing: Timing, bell: Bell
    ) -> None:
        self._source = source
        self._journal = journal
        self._connect = connect
        self._timing = timing
        self._bell = bell
        self._status = Status(ready=False, problem="no pass yet")

    @property
    def status(self) -> Status:
        """The last pass's outcome; may be read from another thread."""
        return self._status

    def run(self) -> None:
        """Work until the bell says stop.

        Raises:
            UsageError: something that only a person can put right.
        """
        failures, scan_at = 0, 0.0
        while not self._bell.stopping:
            is_scan = time.monotonic() >= scan_at
            try:
                self._pass(scan=is_scan)
            except Stopped:
                return
            except UsageError:
                raise
            except Exception as error:
                failures += 1
                self._wait_out(error, failures)
                continue
            failures = 0
            if is_scan:
                scan_at = time.monotonic() + self._timing.scan_seconds
            if self._rest(scan_at):
                scan_at = 0.0

    def run_once(self, *, deadline_seconds: float) -> tuple[Row, ...]:
        """Process what is there now and follow every record until it is final or parked; return all rows.

        Raises:
            TemporaryError: the pass as a whole failed, or records were not final in time.
            Stopped: the bell said stop.
        """
        deadline = time.monotonic() + deadline_seconds
        self._pass(scan=True)
        while self._is_waiting():
            if time.monotonic() > deadline:
                raise TemporaryError("records are not final yet; run again", where="chain")
            self._bell.sleep(self._timing.settle_seconds)
            self._pass(scan=False)
        return self._journal.rows()

    def _pass(self, *, scan: bool) -> None:
        self._bell.check()
        pipeline = self._connect()
        pipeline.settle()  # what is decided comes first: after a restart, the same transactions go again
        if scan:
            for handle in self._source.releases():
                pipeline.process(handle)
                self._bell.check()
        if not self._status.ready:
            _log.info("ready")
        self._status = Status(ready=True, problem="")

    def _rest(self, scan_at: float) -> bool:
        """Sleep until there is something to do; return whether a scan should come early."""
        until_scan = max(0.0, scan_at - time.monotonic())
        rung = self._bell.wait(min(until_scan, self._timing.settle_seconds) if self._is_waiting() else until_scan)
        if rung:
            self._bell.sleep(self._timing.pause_seconds)
        return rung

    def _is_waiting(self) -> bool:
        """Whether a record is on its way; one that is parked has its own time, which the scans are often enough for."""
        return any(not row.parked for row in self._journal.unpublished())

    def _wait_out(self, error: Exception, failures: int) -> None:
        seconds = self._timing.backoff.delay_seconds(failures)
        text = str(error) if isinstance(error, ProvenanceError) else f"internal error: {type(error).__name__}: {error}"
        self._status = Status(ready=False, problem=printable(text))
        _log.error("not ready, next try in %.1f s: %s", seconds, self._status.problem)
        _log.debug("traceback", exc_info=error)
        self._bell.sleep(seconds)


@contextmanager
def stopping_on_signals(bell: Bell) -> Iterator[None]:
    """Turn SIGTERM and SIGINT into the bell's stop, within the block; the second one ends the process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        _log.info("stopping (%s)", signal.Signals(number).name)
        bell.stop()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        restore()
