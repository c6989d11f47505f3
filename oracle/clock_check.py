"""Compare this machine's clock with the chain, so that a wrong clock rejects no release for good.

A clock that is a year behind finds every new certificate not yet valid. No judgement that depends on the time counts as
a rejection before the chain has confirmed the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError

# A block's time is that of its producer, and an idle chain's newest block is old. So only a block of tomorrow says that
# a clock is wrong.
_BEHIND_MAX = timedelta(days=1)
_TIMED = frozenset({Check.VEK_VALIDITY, Check.VEK_REVOCATION})


class ClockCheck:
    """Whether the clock agrees with the chain. Threads may share it.

    Args:
        clock: returns the time now, with a time zone.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._agrees = False

    def compare(self, newest: datetime | None) -> None:
        """Compare the clock with the time of the chain's newest block; None if there is none yet.

        Raises:
            TemporaryError: the clock is more than a day behind the chain.
        """
        now, self._agrees = self._clock(), False
        if newest is None:
            return
        if now < newest - _BEHIND_MAX:
            raise TemporaryError(
                "this machine's clock is behind the chain; set it",
                where="clock",
                got=now.isoformat(timespec="seconds"),
                wanted=f"about {newest.isoformat(timespec='seconds')}, the time of the newest block",
            )
        self._agrees = True

    def is_doubtful(self, error: ProvenanceError) -> bool:
        """Return whether a rejection depends on the time, and the chain has not confirmed the clock."""
        return error.check in _TIMED and not self._agrees
