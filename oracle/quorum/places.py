"""The places where documents are exchanged: offer ours there, read those of the others, and outlast the bad places."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from provenance_oracle.oracle.quorum.exchange import Exchange
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# A place that fails is left alone for a while, so that one that hangs does not hold up every pass.
_WAIT_FIRST = timedelta(seconds=10)
_WAIT_MAX = timedelta(minutes=5)
_DOUBLINGS_MAX = 10


class Places:
    """Some places, each of which may fail or lie.

    Args:
        clock: returns the time now, with a time zone.

    Attributes:
        problems: by the name of a place, why it could not be used when it was last tried.
    """

    def __init__(self, exchanges: Sequence[Exchange], clock: Callable[[], datetime]) -> None:
        self.problems: dict[str, str] = {}
        self._exchanges = exchanges
        self._clock = clock
        self._failed: dict[str, tuple[int, datetime]] = {}  # by place: consecutive failures, and when to try again

    @property
    def count(self) -> int:
        """The number of places."""
        return len(self._exchanges)

    def exchange(self, offered: Mapping[bytes, bytes], take: Callable[[bytes, str], object]) -> None:
        """Offer our documents at every place, withdraw all others of ours, and read.

        A place that fails is named in the log once. A document that `take` refuses is left out.

        Args:
            offered: our documents by their keys (32 bytes).
            take: called with each document and the name of its place. It raises a ProvenanceError to refuse it.
        """
        for place in self._exchanges:
            failures, retry_at = self._failed.get(place.where, (0, self._clock()))
            if self._clock() < retry_at:
                continue
            try:
                place.offer(offered)
                self._read(place, take)
                self.problems.pop(place.where, None)
                self._failed.pop(place.where, None)
            except TemporaryError as error:
                self._note(place, printable(str(error)))
                wait = min(_WAIT_MAX, _WAIT_FIRST * 2 ** min(failures, _DOUBLINGS_MAX))
                self._failed[place.where] = failures + 1, self._clock() + wait

    def _read(self, place: Exchange, take: Callable[[bytes, str], object]) -> None:
        for data in place.read():
            try:
                take(data, place.where)
            except ProvenanceError as error:
                _log.debug("%s: a proposal is left out: %s", place.where, printable(str(error)))

    def _note(self, place: Exchange, problem: str) -> None:
        if self.problems.get(place.where) != problem:
            _log.warning("other oracles' proposals: %s", problem)
        self.problems[place.where] = problem
