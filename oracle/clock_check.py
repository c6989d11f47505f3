"""Compare this machine's clock with the chain, so that a wrong clock rejects no release for good.

A clock that is a year behind finds every new certificate not yet valid. No judgement that depends on the time counts as
a rejection before the chain has confirmed the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError

# A block's time is that of its producer, and an idle chain's newest block is old. So only a block of tomorrow says that
# a clock is wrong.
_BEHIND_MAX = timedelta(days=1)
_EVERY_SECONDS = 60.0
_TIMED = frozenset({Check.VEK_VALIDITY, Check.VEK_REVOCATION})


class ClockCheck:
    """Whether the clock agrees with the chain. Threads may share it.

    Args:
        chain_time: asks the chain for the time of its newest block, in Unix seconds.
        clock: returns the time now, with a time zone.
        monotonic: returns monotonic seconds.
    """

    def __init__(
        self, chain_time: Callable[[], int], clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._chain_time = chain_time
        self._clock = clock
        self._monotonic = monotonic
        self._agreed_at: float | None = None

    def compare(self) -> None:
        """Compare clock and chain, once a minute while they agree.

        Raises:
            TemporaryError: the clock is more than a day behind the chain, or the node does not answer.
        """
        if self._agreed_at is not None and self._monotonic() - self._agreed_at < _EVERY_SECONDS:
            return
        self._agreed_at = None
        newest, now = datetime.fromtimestamp(self._chain_time(), UTC), self._clock()
        if now < newest - _BEHIND_MAX:
            raise TemporaryError(
                "this machine's clock is behind the chain; set it",
                where="clock",
                got=now.isoformat(timespec="seconds"),
                wanted=f"about {newest.isoformat(timespec='seconds')}, the time of the newest block",
            )
        self._agreed_at = self._monotonic()

    def is_doubtful(self, error: ProvenanceError) -> bool:
        """Return whether a rejection depends on the time, and the chain has not confirmed the clock."""
        return error.check in _TIMED and self._agreed_at is None
