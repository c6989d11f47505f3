"""How many requests one address may send: a bucket of tokens for each, the least recently used ones forgotten."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from provenance_oracle.oracle.web.problems import TooOftenError

ADDRESSES_MAX = 10_000
BURST_SECONDS = 10  # an address that was quiet may send this many seconds' worth at once
_PREFIX_OF_ONE = 64  # a customer of an IPv6 network gets at least such a prefix (RFC 6177)


class RateLimit:
    """The limit of all addresses. One thread uses it.

    Args:
        per_second: requests that an address may send in the long run; 0 for no limit.
        clock: returns monotonic seconds.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = float(per_second * BURST_SECONDS)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Take a token of an address. Raises TooOftenError if there is none."""
        if not self._per_second:
            return
        name, now = network_of(address), self._clock()
        left, since = self._buckets.pop(name, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        self._buckets[name] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        if left < 1:
            seconds = max(1, math.ceil((1 - left) / self._per_second))
            raise TooOftenError(
                "too many requests", got="more", wanted=f"{self._per_second} a second", retry_after_seconds=seconds
            )


def network_of(address: str) -> str:
    """Return the address that counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> _PREFIX_OF_ONE << _PREFIX_OF_ONE, _PREFIX_OF_ONE)))
