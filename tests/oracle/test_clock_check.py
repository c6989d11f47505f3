"""Tests of the comparison of the clock with the chain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provenance_oracle.oracle.clock_check import ClockCheck
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from tests.support.fakes import START, Clock

LATE = VerificationError("not yet valid", check=Check.VEK_VALIDITY, where="vek", got="2026", wanted="2027")
FORGED = VerificationError("forged", check=Check.REPORT_SIGNATURE, where="report", got="", wanted="")


class World:
    def __init__(self) -> None:
        self.clock, self.seconds, self.asked = Clock(), 0.0, 0
        self.chain_seconds = int(START.timestamp())
        self.check = ClockCheck(self.chain_time, self.clock, lambda: self.seconds)

    def chain_time(self) -> int:
        self.asked += 1
        return self.chain_seconds


def test_only_rejections_that_depend_on_the_time_wait_for_the_chain() -> None:
    world = World()
    assert world.check.is_doubtful(LATE)
    assert not world.check.is_doubtful(FORGED)
    world.check.compare()
    assert not world.check.is_doubtful(LATE)


@pytest.mark.parametrize(("days", "agrees"), [(1, True), (1.01, False), (365, False), (-365, True)])
def test_a_clock_may_be_a_day_behind_the_newest_block(days: float, agrees: bool) -> None:
    """An idle chain's newest block may be a year old, so a clock that is ahead cannot be told from it."""
    world = World()
    world.clock.now = START - timedelta(days=days)
    if agrees:
        world.check.compare()
    else:
        with pytest.raises(TemporaryError, match="behind the chain"):
            world.check.compare()
    assert world.check.is_doubtful(LATE) is not agrees


def test_the_chain_is_asked_once_a_minute_and_a_clock_that_falls_behind_is_noticed() -> None:
    world = World()
    for seconds in (0, 59, 60):
        world.seconds = seconds
        world.check.compare()
    assert world.asked == 2
    world.seconds, world.clock.now = 200, START - timedelta(days=2)
    with pytest.raises(TemporaryError):
        world.check.compare()
    assert world.check.is_doubtful(LATE)
