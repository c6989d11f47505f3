"""The time that the judgement of one release may take, so that a slow release delays the others for that long only."""

from __future__ import annotations

import time
from collections.abc import Callable

from provenance_oracle.oracle.backoff import LongWaitError

# The default: ten minutes, and the time to read the files from a slow disk.
BASE_SECONDS = 600.0
BYTES_PER_SECOND = 50 * 10**6
# A release that ran out of time waits this many times longer, so that it costs less than a tenth of the oracle's time.
_WAIT_FACTOR = 10.0


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

    def check(self, _done_bytes: int = 0, all_bytes: int = 0) -> None:
        """Raise LongWaitError after the deadline. The signature fits a progress callback (`OnBytes`)."""
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
