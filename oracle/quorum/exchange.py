"""Ways by which oracles exchange proposals. Each oracle offers its own ones, and reads those of the others.

Nobody pushes: an oracle reads from the places that its operator listed, as often and as much as it wants. A place that
fails or lies costs a bounded time and delays no other place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

# A place may have this many proposals that are not in the registry yet; the rest waits.
OFFERED_MAX = 2000


class Exchange(Protocol):
    """One place from which proposals are read."""

    @property
    def where(self) -> str:
        """The name of the place, for messages."""

    def read(self) -> Iterator[bytes]:
        """Yield the JSON of every proposal there, OFFERED_MAX at most. Nothing in them is verified.

        Raises:
            TemporaryError: the place cannot be reached, or its answer makes no sense.
        """

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """Make our own proposals available there, if it is a place to which we write.

        Args:
            proposals: the JSON of each, by the record's id (32 bytes). Earlier ones that are missing are withdrawn.

        Raises:
            TemporaryError: the place cannot be written.
        """
