"""A cache for answers of AMD's key service, which takes about one request in ten seconds from one IP address."""

from __future__ import annotations

import time
from collections.abc import Callable

from provenance_oracle.verifier.snp.kds import Fetcher

KEEP_SECONDS = 3600.0
_ANSWERS_MAX = 16  # room for one revocation list for each product line and kind of key, and more


class KeptAnswers:
    """A `Fetcher` that asks another fetcher for each URL at most once in KEEP_SECONDS.

    It keeps neither failures nor answers that did not verify: the verifier calls `forget` for these.

    Args:
        fetcher: reaches the network.
        clock: returns seconds that never go backward.
    """

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._answers: dict[str, tuple[float, bytes]] = {}

    def fetch(self, url: str) -> bytes:
        """Return the kept answer if it is younger than KEEP_SECONDS, otherwise a new one.

        Raises:
            TemporaryError: as `Fetcher.fetch`.
        """
        kept = self._answers.get(url)
        if kept and self._clock() < kept[0] + KEEP_SECONDS:
            return kept[1]
        answer = self._fetcher.fetch(url)
        if len(self._answers) >= _ANSWERS_MAX:
            self._answers.clear()
        self._answers[url] = (self._clock(), answer)
        return answer

    def forget(self, url: str) -> None:
        """Drop the answer from `url` if it is kept, so that the next fetch asks the service."""
        self._answers.pop(url, None)
