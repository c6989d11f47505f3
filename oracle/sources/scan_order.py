"""The order in which a scan takes the releases that it found: owners take turns, and none is left out for ever."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Protocol, TypeVar


class FoundRelease(Protocol):
    """A complete release that a scan found."""

    @property
    def path(self) -> str:
        """Its name within the source."""

    @property
    def top(self) -> str:
        """The first segment of the path, which one owner has."""

    @property
    def written_ns(self) -> int | None:
        """When its manifest was written, as a Unix time in nanoseconds; None is 0."""


ListedRelease = TypeVar("ListedRelease", bound=FoundRelease)


class ScanOrder:
    """Chooses the releases of each scan, and remembers those that it left out.

    Args:
        releases_max: the number of releases of one scan.
    """

    def __init__(self, releases_max: int) -> None:
        self.releases_max = releases_max
        self._scan = 0
        self._turn: dict[str, int] = {}

    def choose(self, found: Iterable[ListedRelease]) -> list[ListedRelease]:
        """Return the releases of this scan: those that wait since the earliest scan come first.

        A release waits since the scan that took it last, or else since the scan that found it first. Among those, the
        oldest one of each top folder comes first, then the next one of each.
        """
        self._scan += 1
        queues: dict[str, list[tuple[int, str, ListedRelease]]] = {}
        for release in found:
            queues.setdefault(release.top, []).append((release.written_ns or 0, release.path, release))
        rounds = zip_longest(
            *sorted((sorted(queue, key=_age) for queue in queues.values()), key=lambda queue: _age(queue[0]))
        )
        in_turn = [item[2] for turn in rounds for item in turn if item is not None]
        self._turn = {release.path: self._turn.get(release.path, 2 * self._scan) for release in in_turn}
        return sorted(in_turn, key=lambda release: self._turn[release.path])[: self.releases_max]

    def took(self, path: str) -> None:
        """Note that the scan has taken a release."""
        self._turn[path] = 2 * self._scan + 1


def _age(item: tuple[int, str, object]) -> tuple[int, str]:
    return item[:2]
