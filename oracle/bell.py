"""Wake threads from their sleep, and stop all of them."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_log = logging.getLogger(__name__)
# A step that has not looked at the bell this long after a signal is interrupted, and again after each further second.
_GRACE_SECONDS = 3.0
_AGAIN_SECONDS = 1.0


class Stopped(BaseException):
    """Raised inside a long step after a request to stop. No row changes; the next start repeats the step."""


class Ring:
    """Wakes one thread that waits for work. `Bell.new_ring` makes it."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Wake the thread, or end its next wait."""
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Sleep at most `seconds`, until the ring or the bell is rung. Return whether either happened."""
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung


class Bell:
    """Wakes every thread of the oracle. `stop` ends all of them permanently."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._rings: list[Ring] = []

    @property
    def stopping(self) -> bool:
        """Whether the bell is stopped."""
        return self._stop.is_set()

    def new_ring(self) -> Ring:
        """Return a ring for one thread, which the bell wakes too."""
        self._rings.append(Ring())
        return self._rings[-1]

    def ring(self) -> None:
        """Wake every thread that waits for work."""
        for one in self._rings:
            one.ring()

    def stop(self) -> None:
        """Wake every thread and make it end."""
        self._stop.set()
        self.ring()

    def sleep(self, seconds: float) -> None:
        """Sleep `seconds`, or less if the bell is stopped."""
        self._stop.wait(seconds)

    def check(self, *_progress: object) -> None:
        """Raise Stopped if the bell is stopped. The signature fits a progress callback."""
        if self.stopping:
            raise Stopped


@contextmanager
def stopping_on_signals(bell: Bell) -> Iterator[None]:
    """Stop the bell on SIGTERM or SIGINT, within the block. A second signal ends the process at once.

    Every long step looks at the bell. A step of this thread that does not look within a few seconds is interrupted by
    `Stopped`, wherever it is: the journal makes a stop between any two instructions safe, as it does a kill.

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
