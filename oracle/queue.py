"""The releases of all sources that wait for a judge, in turns.

    scanners --offer--> [ large | small ] --take--> judges

Small and large releases wait apart, and one judge takes small ones only. So a release of 700 GB delays other large ones
and no small one.
"""

from __future__ import annotations

import threading
from collections import ChainMap, deque
from dataclasses import dataclass
from typing import Generic

from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.sources.turns import Item, Turns, Waiting

# A judge reads this much within seconds.
SMALL_MAX_BYTES = 10**9


@dataclass(frozen=True)
class Offered(Generic[Item]):
    """A release that waits for a judge. Its `id` in `waiting` is different from that of every other release."""

    waiting: Waiting[Item]
    total_bytes: int


class ReleaseQueue(Generic[Item]):
    """What the last scan of each source found to do, without what was taken since. Safe for several threads.

    The queue holds what the sources' own limits let them offer.

    Args:
        meter: gets the number of releases in each part of the queue.
    """

    def __init__(self, turns: Turns, meter: Meter = SILENT) -> None:
        self._turns = turns
        self._meter = meter
        self._changed = threading.Condition()
        self._offered: dict[str, dict[str, Offered[Item]]] = {}  # by source and release
        self._lanes: dict[bool, deque[tuple[int, Waiting[Item]]]] = {True: deque(), False: deque()}
        self._taken: set[str] = set()
        self._is_closed = False

    def offer(self, source: str, found: list[Offered[Item]]) -> None:
        """Replace the releases of one source that wait by those that its newest scan found."""
        with self._changed:
            self._offered[source] = {one.waiting.id: one for one in found if one.waiting.id not in self._taken}
            waiting = ChainMap(*self._offered.values())
            self._lanes = {True: deque(), False: deque()}
            for rank, one in enumerate(self._turns.in_order(offer.waiting for offer in waiting.values())):
                self._lanes[waiting[one.id].total_bytes <= SMALL_MAX_BYTES].append((rank, one))
            self._count()
            self._changed.notify_all()

    def take(self, *, small_only: bool) -> Waiting[Item] | None:
        """Return the release whose turn it is, as soon as there is one. Return None if the queue was closed."""
        with self._changed:
            while not self._is_closed:
                lanes = [lane for is_small, lane in self._lanes.items() if lane and (is_small or not small_only)]
                if lanes:
                    _, one = min(lanes, key=lambda lane: lane[0][0]).popleft()
                    self._taken.add(one.id)
                    self._turns.end(one)  # what is offered meanwhile must not wait for its shares' next release
                    for offers in self._offered.values():
                        offers.pop(one.id, None)
                    self._count()
                    return one
                self._changed.wait()
            return None

    def end(self, one: Waiting[Item]) -> None:
        """Note that the turn of a release that `take` returned has ended."""
        with self._changed:
            self._taken.remove(one.id)
            self._turns.end(one)
            self._count()

    def close(self) -> None:
        """Have `take` return None from now on, also where it waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def has_small(self) -> bool:
        """Whether a small release waits, which any judge can take."""
        with self._changed:
            return bool(self._lanes[True])

    @property
    def size(self) -> int:
        """The number of releases that wait or are with a judge."""
        with self._changed:
            return sum(map(len, self._lanes.values())) + len(self._taken)

    def _count(self) -> None:
        self._meter.queued("small", len(self._lanes[True]))
        self._meter.queued("large", len(self._lanes[False]))
        self._meter.queued("judging", len(self._taken))
