"""Whose turn it is, when many releases wait: every share gets one turn before any share gets another.

A share is a group of releases that one party can make many of, such as a top folder or a publisher's key. A release
belongs to several shares. It comes later if any of them has an older release waiting, so an owner of many folders with
one key gets no more turns than an owner of one folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Waiting(Generic[Item]):
    """Something that waits for its turn.

    Attributes:
        id: its name, different from that of every other one.
        shares: the names of its shares.
        since: the time since which it waits, in seconds of the clock of `Turns`.
    """

    item: Item
    id: str
    shares: tuple[str, ...]
    since: float


class Turns:
    """Puts waiting items in order, and remembers the last turns of those that still wait.

    The oldest item of a share is first in it, unless it had a turn and waits again. Among the first ones of all shares,
    the one that waits longest is first; the wait of an item begins anew with each turn of one of its shares.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}  # the end of the last turn of each item and share

    def in_order(self, waiting: Iterable[Waiting[Item]]) -> list[Waiting[Item]]:
        """Return the items in the order of their turns. Items and shares that are not among them are forgotten."""
        now = self._clock()
        items = sorted(waiting, key=lambda one: (self._last.get(_of_item(one), 0.0), min(one.since, now), one.id))
        names = {name for one in items for name in _names(one)}
        self._last = {name: min(at, now) for name, at in self._last.items() if name in names}
        before: Counter[str] = Counter()
        placed: list[tuple[int, float, int]] = []
        for position, one in enumerate(items):
            rank = max((before[share] for share in _of_shares(one)), default=0)
            before.update(_of_shares(one))
            waits_since = max([min(one.since, now), *(self._last.get(name, 0.0) for name in _names(one))])
            placed.append((rank, waits_since, position))
        return [items[position] for _, _, position in sorted(placed)]

    def end(self, one: Waiting[Item]) -> None:
        """Note that an item's turn has ended now."""
        self._last |= dict.fromkeys(_names(one), self._clock())


def _of_item(one: Waiting[Item]) -> str:
    return f"item {one.id}"


def _of_shares(one: Waiting[Item]) -> list[str]:
    return [f"share {name}" for name in one.shares]


def _names(one: Waiting[Item]) -> list[str]:
    return [_of_item(one), *_of_shares(one)]
