"""Keep an index up to date: once, or until the bell is stopped."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import suppress

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.documents import DocumentReader
from provenance_oracle.oracle.index.follower import FollowedTo, Follower
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.verifier.errors import TemporaryError

_log = logging.getLogger(__name__)
POLL_SECONDS = 2.0
_ONCE_TRIES = 5


class IndexService:
    """Follows one registry into one database. It is not for use by several threads at once.

    Args:
        open_source: opens the registry at its node.
        fetch: returns the document of a batch at an address; see `DocumentReader`.
        clock: returns the time now, in seconds since 1970.
        progress: called after each piece.
    """

    def __init__(
        self,
        database: IndexDatabase,
        open_source: Callable[[], ChainSource],
        fetch: Callable[[str], bytes],
        *,
        clock: Callable[[], float],
        progress: Callable[[FollowedTo], object] = lambda _: None,
    ) -> None:
        self._database = database
        self._open_source = open_source
        self._documents = DocumentReader(database, fetch, clock=clock)
        self._progress = progress
        self._follower: Follower | None = None
        self._backoff = Backoff(1.0, 60.0, random.random)
        self.failures = 0  # one after the other, for the figures

    def step(self) -> FollowedTo:
        """Read all that is new, once.

        Raises:
            UsageError: the index or the node has another chain or registry.
            TemporaryError: node or database fail, or the node contradicts itself. The next call opens the node anew.
        """
        try:
            if self._follower is None:
                self._follower = Follower(self._database, self._open_source())
            done = self._follower.follow(self._progress)
            self._documents.read()
        except TemporaryError:
            self._follower = None
            self.failures += 1
            raise
        self.failures = 0
        return done

    def once(self, bell: Bell) -> FollowedTo:
        """Read all that is new. What fails for the moment is tried again, a few times. Raises as `step` does."""
        for attempt in range(1, _ONCE_TRIES):
            with suppress(TemporaryError):
                return self.step()
            bell.check()
            bell.sleep(self._backoff.delay_seconds(attempt))
        return self.step()

    def run(self, bell: Bell, poll_seconds: float = POLL_SECONDS) -> None:
        """Follow the chain until the bell is stopped, whatever fails for the moment.

        Raises:
            UsageError: as `step` does.
        """
        while not bell.stopping:
            wait = poll_seconds
            try:
                self.step()
            except TemporaryError as error:
                wait = max(poll_seconds, self._backoff.delay_seconds(self.failures))
                _log.warning("the index waits %.0f s: %s", wait, error)
            bell.sleep(wait)
