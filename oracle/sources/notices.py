"""Lines about what a scan passes over: each once for as long as the process runs, and not too many."""

from __future__ import annotations

import logging
from collections import Counter

_LINES_MAX = 1000
_SHARE_LINES_MAX = 100  # of one top folder

_log = logging.getLogger(__name__)


class Notices:
    """The lines of one source. Lines about one top folder leave room for others.

    Args:
        name: the source.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: set[str] = set()
        self._lines: Counter[str] = Counter()  # by top folder

    def say(self, level: int, text: str, top: str = "") -> None:
        """Log a line unless it was logged before."""
        if text not in self._said and len(self._said) < _LINES_MAX and self._lines[top] < _SHARE_LINES_MAX:
            self._said.add(text)
            self._lines[top] += 1
            _log.log(level, "%s", text)
            if len(self._said) == _LINES_MAX:
                _log.warning(
                    "%s: more than %d lines about folders; the log leaves out the rest", self._name, _LINES_MAX
                )
