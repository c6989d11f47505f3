"""How long to wait before the same thing is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_DOUBLINGS_MAX = 30


@dataclass(frozen=True)
class Backoff:
    """Doubling waits from `first_seconds` to `max_seconds`, each shortened at random by up to a half.

    `random` returns numbers in [0, 1); the jitter keeps many waiting releases from coming back at one moment.
    """

    first_seconds: float
    max_seconds: float
    random: Callable[[], float]

    def delay_seconds(self, attempts: int) -> float:
        """Return the wait after `attempts` (1 or more) vain attempts."""
        doubled = self.first_seconds * 2.0 ** min(attempts - 1, _DOUBLINGS_MAX)
        return min(self.max_seconds, doubled) * (1 - self.random() / 2)
