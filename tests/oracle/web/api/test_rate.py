"""Tests of the limit of requests for each address."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.web.api import rate
from provenance_oracle.oracle.web.api.rate import BURST_SECONDS, RateLimit, network_of
from provenance_oracle.oracle.web.problems import TooOftenError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_then_so_many_a_second() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    for _ in range(2 * BURST_SECONDS):
        limit.take("192.0.2.1")
    with pytest.raises(TooOftenError) as refused:
        limit.take("192.0.2.1")
    assert refused.value.retry_after_seconds == 1
    limit.take("192.0.2.2")  # another one is not affected
    clock.now += 1.0
    limit.take("192.0.2.1")
    limit.take("192.0.2.1")
    with pytest.raises(TooOftenError):
        limit.take("192.0.2.1")


def test_one_network_of_ipv6_is_one_client() -> None:
    limit = RateLimit(1, Clock())
    for number in range(BURST_SECONDS):
        limit.take(f"2001:db8:1:2::{number}")
    with pytest.raises(TooOftenError):
        limit.take("2001:db8:1:2:ffff::1")
    limit.take("2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", ""),
    ],
)
def test_addresses_that_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_addresses_that_were_quiet_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "ADDRESSES_MAX", 2)
    limit = RateLimit(1, Clock())
    for _ in range(BURST_SECONDS):
        limit.take("first")
    for address in ("second", "third"):
        limit.take(address)
    limit.take("first")  # it begins anew


def test_no_limit_is_one_too() -> None:
    limit = RateLimit(0, Clock())
    for _ in range(1000):
        limit.take("192.0.2.1")
