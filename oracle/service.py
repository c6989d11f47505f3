"""The oracle as a process. Its threads work side by side until a signal stops them:

    a scanner for each source      finds the releases that are due, and offers them to the queue
    judges, two or more            take releases from the queue in turns, and judge them
    this thread, with one key      takes the records of accepted releases to the chain

So a source that is down delays no other source, a large release no small one, and a judgement no record. If a thread's
work fails as a whole (node down, disk full), the process stays up, reports that it is not ready, and tries again after
a wait that grows. Only a problem that needs a person ends the process: wrong settings, a corrupt journal.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell, Stopped
from provenance_oracle.oracle.conditions import Conditions, Readiness, Trouble, TroubleError, trouble_of
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.oracle.journal.store import TakenError
from provenance_oracle.oracle.judging.judges import Judge
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.pipeline import Feed
from provenance_oracle.oracle.queue import Offered, ReleaseQueue
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.turns import Turns, Waiting
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# The names of this thread's work and the judges'. Scanners have the names of their sources.
_RECORDS, _JUDGES = "records", "judgements"
_JOIN_SECONDS = 2.0
_TAKE_OVER_SECONDS = 1.0  # between two tries to take over the records from a process that may have ended
_REST_FACTOR = 5  # a scan that an event asks for begins this many scans' time after the last one


class Recorder(Protocol):
    """The method of `oracle.recording.Recording` that the service calls."""

    def settle(self) -> None:
        """Take every record that is not final yet one step further."""


@dataclass(frozen=True)
class Timing:
    """The times of the loops: between full scans, between looks at the chain, and the waits after failures.

    `pause_seconds` follows every event, so that a storm of events causes few scans.
    """

    scan_seconds: float
    settle_seconds: float
    pause_seconds: float
    backoff: Backoff


class Service:
    """The process over one or more sources.

    Args:
        connect: called before every look at the chain. It compares chain and contract with the journal, and returns the
            recorder. Raises TemporaryError if the node does not answer, UsageError for another chain or contract.
        judges: each has a thread of its own. The first `small_judges` of them take small releases only.
        turns: the turns of releases that are due, by Unix time.
        clock: returns monotonic seconds.
        conditions: the troubles that stand; the service begins and ends those of nodes, sources and the journal.
        meter: times scans and passes over the chain, and gets the length of the queue.

    Attributes:
        readiness: whether it works. Other threads may ask.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        journal: Journal,
        connect: Callable[[], Recorder],
        judges: Sequence[Judge],
        timing: Timing,
        bell: Bell,
        turns: Turns,
        clock: Callable[[], float] = time.monotonic,
        *,
        small_judges: int = 0,
        conditions: Conditions,
        meter: Meter = SILENT,
    ) -> None:
        self._feeds = feeds
        self._journal = journal
        self._connect = connect
        self._judges, self._small_judges = judges, small_judges
        self._timing = timing
        self._bell = bell
        self._clock = clock
        self._queue: ReleaseQueue[tuple[Feed, Handle]] = ReleaseQueue(turns, meter)
        self._ring = bell.new_ring()
        self._is_once = False
        self._conditions = conditions
        self._meter = meter
        self._fatal: BaseException | None = None
        self.readiness = Readiness(conditions, _RECORDS, [str(feed) for feed in feeds])
        self._stands_by = False  # another process with the same journal records

    @property
    def waiting(self) -> int:
        """The number of releases that wait for a judge or are with one. Other threads may ask."""
        return self._queue.size

    def run(self) -> None:
        """Work until the bell is stopped.

        Raises:
            UsageError: a problem that needs a person.
        """
        threads = [self._thread(self._judge_all, number) for number in range(len(self._judges))]
        threads += [self._thread(self._scan_all, feed) for feed in self._feeds]
        try:
            self._record_all()
        except Stopped:
            pass
        finally:
            self._bell.stop()
            self._end(threads)
        if self._fatal:
            raise self._fatal

    def run_once(self, *, deadline_seconds: float) -> tuple[Row, ...]:
        """Judge the releases that are there now, and follow every record until it is final or parked.

        Args:
            deadline_seconds: how long to wait for the keys, and to follow records after the last judgement.

        Returns:
            Every row of the journal, oldest first.

        Raises:
            TemporaryError: a source, the journal or the node failed, or a key did not answer or records were not final
                within `deadline_seconds`.
            UsageError: a problem that needs a person.
            Stopped: the bell was stopped.
        """
        threads: list[threading.Thread] = []
        self._is_once = True
        try:
            self._record_first(self._clock() + deadline_seconds)
            for feed in self._feeds:
                self._scan(feed)
            threads = [self._thread(self._judge_all, number) for number in range(len(self._judges))]
            while self._queue.size and not self._fatal:
                self._pause()
            deadline = self._clock() + deadline_seconds
            while not self._fatal:
                self._record()
                if not self._journal.is_moving():
                    return self._journal.rows()
                if self._clock() > deadline:
                    raise TemporaryError("records are not final yet; run again", where="chain")
                self._bell.sleep(self._timing.settle_seconds)
        finally:
            self._end(threads)
        raise self._fatal

    def _record_first(self, deadline: float) -> None:
        """Record once, as soon as the keys can be opened."""
        while True:
            try:
                return self._record()
            except TroubleError as error:
                if error.trouble is not Trouble.SIGNER or self._clock() > deadline:
                    raise
                self._conditions.begin(error.trouble, error)
            self._bell.sleep(self._timing.settle_seconds)

    def _pause(self) -> None:
        """Wait for the judges, and record meanwhile."""
        self._ring.wait(self._timing.settle_seconds)
        if self._journal.is_moving():
            self._record()
        self._bell.check()

    # Records: this thread

    def _record_all(self) -> None:
        failures = 0
        while not self._bell.stopping:
            try:
                self._record()
            except (UsageError, ModuleNotFoundError):  # a missing package does not come by waiting
                raise
            except TakenError as error:
                self._stand_by(error)
                continue
            except Exception as error:
                failures += 1
                self._wait_out(_RECORDS, error, failures)
                continue
            failures = 0
            if self._journal.is_moving():  # no judgement brings the next look forward: one look serves many records
                self._bell.sleep(self._timing.settle_seconds)
            else:
                self._ring.wait(self._timing.scan_seconds)

    def _record(self) -> None:
        self._bell.check()
        self._flush()
        with self._meter.step("pass"):
            recorder = self._connect()
            if self._stands_by:
                self._stands_by = False
                _log.info("the other process has ended; this one records now")
            recorder.settle()
        self._works(_RECORDS)

    def _flush(self) -> None:
        """Make durable what the judges left to a later commit, so that this pass sees it."""
        try:
            self._journal.flush()
        except TemporaryError as error:
            raise TroubleError(Trouble.JOURNAL, error.problem, where=error.where, got=error.got) from error

    def _stand_by(self, error: TakenError) -> None:
        """Wait for the end of the process that records now, and be ready meanwhile: records do reach the chain."""
        if not self._stands_by:
            self._stands_by = True
            _log.info("%s", printable(str(error)))
        self._works(_RECORDS)
        self._bell.sleep(_TAKE_OVER_SECONDS)

    def _scan_all(self, feed: Feed) -> None:
        failures = 0
        while not self._bell.stopping:
            started = self._clock()
            try:
                found = self._scan(feed)
            except Exception as error:
                failures += 1
                self._failed(str(feed), error, failures)
                continue
            failures = 0
            rest = max(self._timing.pause_seconds, _REST_FACTOR * (self._clock() - started))
            if feed.ring.wait(self._timing.scan_seconds):
                self._rest(rest, found)
            else:
                self._rest(rest - self._timing.scan_seconds, found)

    def _rest(self, seconds: float, found: int) -> None:
        """Wait before the next scan. If the last one found releases, wait no longer than the judges have work."""
        while seconds > 0 and not self._bell.stopping and (self._queue.size or not found):
            self._bell.sleep(min(seconds, self._timing.pause_seconds))
            seconds -= self._timing.pause_seconds

    def _scan(self, feed: Feed) -> int:
        """Offer the releases of a source that are due to the queue, and return their number."""
        found = []
        with self._meter.step("scan"):
            for handle in feed.pipeline.due(list(feed.source.releases())):
                self._bell.check()
                shares = tuple(f"{feed} {share}" for share in feed.source.shares(handle))
                waiting = Waiting((feed, handle), f"{feed} {handle.id}", shares, handle.written_at)
                found.append(Offered(waiting, handle.total_bytes))
        self._queue.offer(str(feed), found)
        self._works(str(feed))
        return len(found)

    def _judge_all(self, number: int) -> None:
        failures = 0
        while one := self._queue.take(small_only=number < self._small_judges):
            feed, handle = one.item
            try:
                self._bell.check()
                feed.pipeline.process(handle, self._judges[number], more_follow=self._queue.has_small)
                if not self._queue.has_small:
                    self._journal.flush()  # nobody commits soon what other judges left to a later step
                failures = 0
                self._works(_JUDGES)
            except Exception as error:
                failures += 1
                self._failed(_JUDGES, error, failures)
            finally:
                self._queue.end(one)
                self._ring.ring()

    def _failed(self, work: str, error: Exception, failures: int) -> None:
        """Wait after a failure of a thread's work. End the process if it needs a person, or was to run once."""
        if self._is_once or isinstance(error, UsageError | ModuleNotFoundError):
            self._fatal = error
            self._bell.stop()
        else:
            self._wait_out(work, error, failures)

    def _wait_out(self, work: str, error: Exception, failures: int) -> None:
        kind, subject = self._trouble(work, error)
        text = str(error) if isinstance(error, ProvenanceError) else f"internal error: {type(error).__name__}: {error}"
        self._conditions.begin(kind, text, subject)
        seconds = min(self._timing.backoff.delay_seconds(failures), self._timing.scan_seconds)
        _log.info("the work on %s tries again in %.1f s: %s", printable(work), seconds, printable(text))
        _log.debug("traceback", exc_info=error)
        self._bell.sleep(seconds)

    def _trouble(self, work: str, error: Exception) -> tuple[Trouble, str]:
        """Return the kind and the subject of the trouble by which a thread's work failed."""
        known = trouble_of(error)
        if known is not None:
            return known, work if known is Trouble.JOURNAL else ""
        if work == _JUDGES:
            return Trouble.JOURNAL, work
        if work != _RECORDS:
            return Trouble.SOURCE, work
        return (Trouble.NODE if isinstance(error, ProvenanceError) else Trouble.INTERNAL), ""

    def _works(self, work: str) -> None:
        was_ready = self.readiness.status.ready
        self.readiness.seen(work)
        self._conditions.end(Trouble.JOURNAL, work)
        if work == _RECORDS:
            self._conditions.end(Trouble.NODE)
            self._conditions.end(Trouble.INTERNAL)
        elif work != _JUDGES:
            self._conditions.end(Trouble.SOURCE, work)
            self._meter.scanned(work)
        if not was_ready and self.readiness.status.ready:
            _log.info("the oracle is ready")

    def _thread(self, work: Callable[..., None], argument: object) -> threading.Thread:
        def run() -> None:
            try:
                work(argument)
            except Stopped:
                pass
            except BaseException as error:
                self._fatal = error
                self._bell.stop()

        thread = threading.Thread(target=run, name=f"{work.__name__} {argument}", daemon=True)
        thread.start()
        return thread

    def _end(self, threads: list[threading.Thread]) -> None:
        """End the threads. One that hangs in the operating system is left behind; it holds nothing that is lost."""
        self._queue.close()
        until = time.monotonic() + _JOIN_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
