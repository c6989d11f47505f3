"""The interface of a source of releases: a name and two methods, the same for each kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Handle:
    """One complete release as a scan found it.

    `id` names it within its source, for ever; `fingerprint` changes whenever anything about the release may have
    changed, and says nothing else.
    """

    id: str
    fingerprint: str


class Source(Protocol):
    """A place where releases appear. A scan is the truth; events, if there are any, only bring it forward."""

    @property
    def name(self) -> str:
        """Names the source in the journal: short, and the same at every start."""

    def releases(self) -> Iterator[Handle]:
        """Look now: every complete release. Raises TemporaryError if the source cannot be looked at."""

    def open(self, handle: Handle) -> Path:
        """Return a local folder that holds the release."""
