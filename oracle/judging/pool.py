"""A bounded pool of judge processes. A process starts when it is needed first, and one that was lost is replaced."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provenance_oracle.oracle.judging.answers import JudgeAnswer
from provenance_oracle.oracle.judging.messages import JudgeQuestion, Setup
from provenance_oracle.oracle.judging.process import JudgeProcess, OnWait, ProcessLostError
from provenance_oracle.verifier.snp.kds import Fetcher

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.1
_START_SECONDS = 30.0
_REST_SECONDS = 60.0  # after a start that failed; meanwhile the oracle judges by itself


class _StartError(Exception):
    """No process can be started now."""


class JudgePool:
    """Judge processes that several threads share.

    Args:
        most: the number of processes.
        fetcher: fetches for them; None if nothing is fetched.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        most: int,
        setup: Setup,
        fetcher: Fetcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._setup = setup
        self._fetcher = fetcher
        self._clock = clock
        self._changed = threading.Condition()
        self._idle: list[JudgeProcess] = []
        self._busy: set[JudgeProcess] = set()
        self._starting = 0
        self._rests_until = 0.0
        self._is_closed = False

    def ask(self, question: JudgeQuestion, on_wait: OnWait) -> JudgeAnswer | None:
        """Return what comes of a release; None if no process can be started now.

        Raises:
            ProcessLostError: the process was lost while it judged this release.
            Errors of `on_wait`, after which the process is killed.
        """
        try:
            with self._process(on_wait) as process:
                return process.ask(question, self._fetcher, on_wait)
        except _StartError:
            return None

    def close(self) -> None:
        """Kill every process, and start none any more."""
        with self._changed:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:  # a thread that waits for a busy one kills it
            process.kill()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that run now."""
        with self._changed:
            return [process.pid for process in [*self._idle, *self._busy]]

    @contextmanager
    def _process(self, on_wait: OnWait) -> Iterator[JudgeProcess]:
        process = self._take(on_wait)
        try:
            yield process
        except BaseException:
            self._end(process)
            raise
        with self._changed:
            self._busy.remove(process)
            if not self._is_closed:
                self._idle.append(process)
                self._changed.notify()
                return
        process.kill()

    def _take(self, on_wait: OnWait) -> JudgeProcess:
        """Return an idle process, or a new one as long as there may be more. Else wait for one."""
        with self._changed:
            while True:
                on_wait()
                if self._is_closed or self._clock() < self._rests_until:
                    raise _StartError
                if self._idle:
                    process = self._idle.pop()
                    self._busy.add(process)
                    return process
                if len(self._busy) + self._starting < self._most:
                    self._starting += 1
                    break
                self._changed.wait(_LOOK_SECONDS)
        return self._start(on_wait)

    def _start(self, on_wait: OnWait) -> JudgeProcess:
        process, until = None, self._clock() + _START_SECONDS

        def check() -> None:
            on_wait()
            if self._clock() > until:
                raise TimeoutError(f"it was not ready within {_START_SECONDS:.0f} s")

        try:
            process = JudgeProcess()
            process.prepare(self._setup, check)
        except BaseException as error:
            if process is not None:
                process.kill()
            with self._changed:
                self._starting -= 1
                self._changed.notify()
                if isinstance(error, OSError | ProcessLostError):
                    self._rests_until = self._clock() + _REST_SECONDS
            if not isinstance(error, OSError | ProcessLostError):
                raise
            _log.warning("a judge process cannot be started, so the oracle judges by itself for now: %s", error)
            raise _StartError from error
        with self._changed:
            self._starting -= 1
            self._busy.add(process)
        return process

    def _end(self, process: JudgeProcess) -> None:
        process.kill()
        with self._changed:
            self._busy.remove(process)
            self._changed.notify()
