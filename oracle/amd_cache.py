"""AMD's answers, kept for a while: its service takes about one request in ten seconds from an address."""

from __future__ import annotations

import time
from collections.abc import Callable

from provenance_oracle.verifier.snp.kds import Fetcher

KEEP_SECONDS = 3600.0
_ANSWERS_MAX = 16  # a list for each line and kind of key, and room to spare


class KeptAnswers:
    """A fetcher that asks `fetcher` for an address at most once in KEEP_SECONDS. Failures are not kept."""

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._answers: dict[str, tuple[float, bytes]] = {}

    def fetch(self, url: str) -> bytes:
        """As `Fetcher.fetch`."""
        kept = self._answers.get(url)
        if kept and self._clock() < kept[0] + KEEP_SECONDS:
            return kept[1]
        answer = self._fetcher.fetch(url)
        if len(self._answers) >= _ANSWERS_MAX:
            self._answers.clear()
        self._answers[url] = (self._clock(), answer)
        return answer
