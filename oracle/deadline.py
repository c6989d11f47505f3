"""The time that the judgement of one release may take, so that a slow release delays the others for that long only.

The judgement runs in a thread of its own. The caller's thread meanwhile does the work that must not wait so long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from provenance_oracle.oracle.backoff import LongWaitError

# The default: ten minutes, and the time to read the files from a slow disk.
BASE_SECONDS = 600.0
BYTES_PER_SECOND = 50 * 10**6
# A release that ran out of time waits this many times longer, so that it costs less than a tenth of the oracle's time.
_WAIT_FACTOR = 10.0

_Result = TypeVar("_Result")


class Abandoned(BaseException):
    """Raised inside a judgement whose result nobody waits for any more."""


class Deadline:
    """The deadline of one release. It begins when it is made.

    Args:
        seconds: the time for the release; None for BASE_SECONDS and one second for every BYTES_PER_SECOND of its files.
        on_step: called by every `check`. What it raises ends the judgement.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        seconds: float | None,
        on_step: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._on_step = on_step
        self._clock = clock
        self._started = clock()
        self._all_bytes = 0
        self._is_abandoned = False

    def check(self, _done_bytes: int = 0, all_bytes: int = 0) -> None:
        """Raise LongWaitError after the deadline. The signature fits a progress callback (`OnBytes`)."""
        if self._is_abandoned:
            raise Abandoned
        self._on_step()
        self._all_bytes = max(self._all_bytes, all_bytes)
        limit = self._seconds or BASE_SECONDS + self._all_bytes / BYTES_PER_SECOND
        if self._clock() - self._started <= limit:
            return
        raise LongWaitError(
            "the judgement of this release takes too long, so it waits and the next one goes on",
            wait_seconds=limit * _WAIT_FACTOR,
            where="release_deadline_seconds",
            got=f"more, with {self._all_bytes} bytes of files",
            wanted=f"at most {limit:.0f} s; a higher setting and `provenance retry` judge it again",
        )

    def run(self, work: Callable[[], _Result], meanwhile: Callable[[], object], every_seconds: float) -> _Result:
        """Return the result of `work`, which runs in another thread, and call `meanwhile` in this one until then.

        Args:
            work: calls `check` often. If `meanwhile` raises, the next call ends `work`.
            every_seconds: the time between two calls of `meanwhile`.

        Raises: whatever `work` or `meanwhile` raises.
        """
        done: Future[_Result] = Future()
        thread = threading.Thread(target=_fulfil, args=(done, work), name="judgement", daemon=True)
        thread.start()
        try:
            while not wait([done], every_seconds).done:
                meanwhile()
        except BaseException:
            self._is_abandoned = True
            thread.join()
            raise
        return done.result()


def _fulfil(done: Future[_Result], work: Callable[[], _Result]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
