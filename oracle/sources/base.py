"""The interface of a source of releases: a name and three methods, the same for each kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from provenance_oracle.verifier.strict.release_files import ReleaseFiles


@dataclass(frozen=True)
class Handle:
    """One complete release that a scan found.

    `id` names the release within its source and never changes. `fingerprint` changes whenever the release may have
    changed, and has no other meaning. `written_at` is when the signed manifest was written, as a Unix time in seconds.
    `total_bytes` is about the size of its files.
    `revision` names bytes that never change, in a store that has such names; there it is the fingerprint too.
    """

    id: str
    fingerprint: str
    written_at: float = 0.0
    total_bytes: int = 0
    revision: str = ""


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

    def shares(self, handle: Handle) -> tuple[str, ...]:
        """Return the names of the shares of a release: see `sources.turns`. Nothing in them is verified."""

    def open(self, handle: Handle) -> AbstractContextManager[ReleaseFiles]:
        """Yield the files of a release, which can be read until the block ends.

        Nothing is asked of the store before a session of the files. The release may have gone since the scan.
        """
