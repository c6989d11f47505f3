"""A crew of threads that several jobs share. Idle threads help with any job, and no job waits for help.

hashlib, ctypes and file reads let other threads run, so threads are enough to use every core.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Semaphore
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

_AHEAD = 2  # tasks for each working thread: one running, one ready


class Crew:
    """Limits the threads that work at once to `threads`. The threads that opened a job count too."""

    def __init__(self, threads: int) -> None:
        self._free = Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hash")

    @contextmanager
    def job(self) -> Iterator[Job[Any]]:
        """Open a job that this thread works on. Wait while as many jobs are open as there are threads."""
        with self._free:
            job: Job[Any] = Job(self)
            try:
                yield job
            finally:
                job.stop()

    def has_idle(self) -> bool:
        """Return whether a thread is idle at this moment."""
        idle = self._free.acquire(blocking=False)
        if idle:
            self._free.release()
        return idle

    def ask(self, work: Callable[[], None]) -> Future[None] | None:
        """Start `work` in an idle thread and return its future; return None if no thread is idle."""
        if not self._free.acquire(blocking=False):
            return None
        try:
            helper = self._pool.submit(work)
        except RuntimeError:  # the system cannot start another thread
            self._free.release()
            return None
        helper.add_done_callback(lambda _: self._free.release())
        return helper


class Job(Generic[Result]):
    """A list of tasks whose results are returned in order. Only the thread that opened the job may use its methods."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._tasks: deque[tuple[Future[Result], Callable[[], Result]]] = deque()  # not started
        self._pending: deque[Future[Result]] = deque()  # results not returned yet, in order
        self._helpers: list[Future[None]] = []

    def has_help(self) -> bool:
        """Return whether another thread is likely to run a task that is added now."""
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
        """Yield results in order. While the next result is not ready, this thread runs tasks itself.

        Args:
            rest: yield the results of all tasks so far; otherwise stop when two tasks for each working thread are left.

        Raises:
            BaseException: the exception of the task whose result is next.
        """
        while self._pending and (rest or len(self._pending) > _AHEAD * (1 + self._count_helpers())):
            while not self._pending[0].done() and self._run_one():
                pass
            yield self._pending.popleft().result()

    def stop(self) -> None:
        """Drop the tasks that have not started, and wait until no helper works."""
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
        except BaseException as error:  # the thread that waits for the result must see it
            future.set_exception(error)
        return True

    def _count_helpers(self) -> int:
        self._helpers = [helper for helper in self._helpers if not helper.done()]
        return len(self._helpers)
