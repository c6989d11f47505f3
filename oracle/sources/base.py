"""The interface of a source of releases: a name and two methods, the same for each kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Handle:
    """One complete release that a scan found.

    `id` names the release within its source and never changes. `fingerprint` changes whenever the release may have
    changed, and has no other meaning.
    """

    id: str
    fingerprint: str


class Source(Protocol):
    """A place where releases appear. Only a scan finds releases; events, if there are any, bring the scan forward."""

    @property
    def name(self) -> str:
        """The name of the source in the journal: short, and the same at every start."""

    def releases(self) -> Iterator[Handle]:
        """Scan the source and yield every complete release.

        Raises:
            TemporaryError: the source cannot be read.
        """

    def open(self, handle: Handle) -> Path:
        """Return the local folder of a release. The release may have gone since the scan."""
