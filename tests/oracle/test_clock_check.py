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


def test_only_rejections_that_depend_on_the_time_wait_for_the_chain() -> None:
    check = ClockCheck(Clock())
    assert check.is_doubtful(LATE)
    assert not check.is_doubtful(FORGED)
    check.compare(None)
    assert check.is_doubtful(LATE)
    check.compare(START)
    assert not check.is_doubtful(LATE)


@pytest.mark.parametrize(("days", "agrees"), [(1, True), (1.01, False), (365, False), (-365, True)])
def test_a_clock_may_be_a_day_behind_the_newest_block(days: float, agrees: bool) -> None:
    """An idle chain's newest block may be a year old, so a clock that is ahead cannot be told from it."""
    check = ClockCheck(Clock(START - timedelta(days=days)))
    if agrees:
        check.compare(START)
    else:
        with pytest.raises(TemporaryError, match="behind the chain"):
            check.compare(START)
    assert check.is_doubtful(LATE) is not agrees


def test_a_clock_that_falls_behind_is_noticed() -> None:
    clock = Clock()
    check = ClockCheck(clock)
    check.compare(START)
    clock.advance(-2 * 86_400)
    with pytest.raises(TemporaryError):
        check.compare(START)
    assert check.is_doubtful(LATE)
