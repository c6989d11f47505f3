"""A crew of threads that several jobs share: whoever is idle helps, and no job waits for help.

hashlib, ctypes and reading let other threads run, so threads are enough to use every core.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Semaphore
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

_AHEAD = 2  # tasks for each thread at work: one under way, one ready


class Crew:
    """At most `threads` threads at work at once, those that called included."""

    def __init__(self, threads: int) -> None:
        self._free = Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hash")

    @contextmanager
    def job(self) -> Iterator[Job[Any]]:
        """Work on a job in this thread; waits while as many jobs are under way as there are threads."""
        with self._free:
            job: Job[Any] = Job(self)
            try:
                yield job
            finally:
                job.stop()

    def has_idle(self) -> bool:
        """Tell whether someone is idle at this moment."""
        idle = self._free.acquire(blocking=False)
        if idle:
            self._free.release()
        return idle

    def ask(self, work: Callable[[], None]) -> Future[None] | None:
        """Let an idle thread do the work, if there is one."""
        if not self._free.acquire(blocking=False):
            return None
        try:
            helper = self._pool.submit(work)
        except RuntimeError:  # the system has no thread to give
            self._free.release()
            return None
        helper.add_done_callback(lambda _: self._free.release())
        return helper


class Job(Generic[Result]):
    """Tasks whose results are wanted in order. Only the thread that opened the job uses its public methods."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._tasks: deque[tuple[Future[Result], Callable[[], Result]]] = deque()  # not begun
        self._pending: deque[Future[Result]] = deque()  # not yet handed out, in order
        self._helpers: list[Future[None]] = []

    def has_help(self) -> bool:
        """Tell whether a task added now is likely to be done by another thread."""
        return self._count_helpers() > 0 or self._crew.has_idle()

    def add(self, task: Callable[[], Result]) -> None:
        """Add the next task, and ask for help with it."""
        future: Future[Result] = Future()
        self._pending.append(future)
        self._tasks.append((future, task))
        helper = self._crew.ask(self._help)
        if helper:
            self._helpers.append(helper)

    def results(self, *, rest: bool = False) -> Iterator[Result]:
        """Yield results in order: of all tasks so far, or only while more are under way than everyone needs.

        While the next one is not there, a task is done here.
        """
        while self._pending and (rest or len(self._pending) > _AHEAD * (1 + self._count_helpers())):
            while not self._pending[0].done() and self._run_one():
                pass
            yield self._pending.popleft().result()

    def stop(self) -> None:
        """Drop the tasks not begun and wait until no helper is at work."""
        self._tasks.clear()
        wait(self._helpers)

    def _help(self) -> None:
        while self._run_one():
            pass

    def _run_one(self) -> bool:
        try:
            future, task = self._tasks.popleft()
        except IndexError:
            return False
        try:
            future.set_result(task())
        except BaseException as error:  # it belongs to the thread that waits for the result
            future.set_exception(error)
        return True

    def _count_helpers(self) -> int:
        self._helpers = [helper for helper in self._helpers if not helper.done()]
        return len(self._helpers)
