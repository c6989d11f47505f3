"""The wait before a failed step is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provenance_oracle.verifier.errors import TemporaryError

_DOUBLINGS_MAX = 30


class LongWaitError(TemporaryError):
    """A failure that another try cannot mend before `wait_seconds` have passed."""

    def __init__(self, problem: str, *, wait_seconds: float, where: str, got: str, wanted: str) -> None:
        super().__init__(problem, where=where, got=got, wanted=wanted)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Backoff:
    """Waits that double from `first_seconds` to `max_seconds`, each shortened at random by up to a half.

    `random` returns numbers in [0, 1). It spreads the tries of many waiting releases over time.
    """

    first_seconds: float
    max_seconds: float
    random: Callable[[], float]

    def delay_seconds(self, attempts: int) -> float:
        """Return the wait in seconds after `attempts` failed attempts (1 or more)."""
        doubled = self.first_seconds * 2.0 ** min(attempts - 1, _DOUBLINGS_MAX)
        return min(self.max_seconds, doubled) * (1 - self.random() / 2)
