"""Tests of the waits before another try: they double, have an upper bound, and vary."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.backoff import Backoff


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (10_000, 3600)])
def test_waits_double_up_to_the_bound(attempts: int, seconds: float) -> None:
    assert Backoff(5, 3600, lambda: 0.0).delay_seconds(attempts) == seconds


def test_jitter_takes_away_up_to_a_half() -> None:
    assert Backoff(8, 3600, lambda: 0.999999).delay_seconds(1) == pytest.approx(4, abs=0.001)
