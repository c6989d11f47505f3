"""The files of a release, wherever they lie: in a folder, or in a store that gives names, sizes and bytes.

Every function that reads a release takes `ReleaseFiles`, or the path of a folder. `FolderFiles` reads a folder, and
`remote_files.RemoteFiles` any store. The functions that list and read a release keep its limits, so the limits hold for
every implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provenance_oracle.verifier.strict.files import OpenBytes
from provenance_oracle.verifier.strict.release_folder import (
    STRICT,
    FoundFile,
    Reading,
    ReleaseFolder,
    open_release_folder,
)


class ReleaseEntry(Protocol):
    """A file or folder of a release, while a walk is there."""

    @property
    def path(self) -> str:
        """The path from the release's folder, with `/`. It is a stranger's text: see `manifest.names.parse_path`."""

    @property
    def depth(self) -> int:
        """The number of folders between the folder where the walk began and the entry."""

    @property
    def is_folder(self) -> bool:
        """Whether the walk can enter it."""

    @property
    def kind(self) -> str:
        """The kind in words for a message, such as "a folder"."""

    def identify(self) -> FoundFile:
        """Return the file at the entry.

        Raises:
            FormatError: the entry is nothing that a release may hold (check `file-set`).
        """


class OpenRelease(Protocol):
    """The files of a release, while it is open. Several threads may call `open` at once."""

    def visit_all(self, visit: Callable[[ReleaseEntry], bool], *, most: int, below: str = "") -> None:
        """Visit every entry below the folder `below`, "" being the release's own.

        A folder comes before its entries, and the entries of a folder in the byte order of their names.

        Args:
            visit: is called with each entry, and returns whether to enter it. Only folders are entered.
            most: the number of entries that a single folder may have.

        Raises:
            FormatError: a folder has more than `most` entries (check `file-set`).
            ChangedError: an entry vanished meanwhile. TemporaryError: the release cannot be listed.
            Errors of `visit`.
        """

    def holds(self, path: str) -> bool:
        """Return whether there may be an entry at `path`, of any kind, so that reading the release tells more."""

    def find(self, path: str) -> FoundFile | None:
        """Return the file at `path`, a path of a manifest; None if there is none.

        Raises: as `visit_all` and `ReleaseEntry.identify`.
        """

    def open(self, path: str, found: FoundFile) -> AbstractContextManager[OpenBytes]:
        """Open a file that was found. Leaving the block compares the file with `found` again.

        Raises:
            FormatError: something else has taken the file's place (check `file-set`).
            ChangedError: the file has changed since it was found. TemporaryError: the file cannot be read.
        """

    def read_start(self, path: str, most: int) -> bytes:
        """Return at most `most` bytes of a file that is refused already and only has to be told from others.

        Raises: as `open`.
        """


class ReleaseFiles(Protocol):
    """One release and the way to its files. Nothing of it is open, and nothing in it is trusted."""

    @property
    def where(self) -> str:
        """The name of the release for messages: the path of its folder, or an address without secrets."""

    @property
    def reading(self) -> Reading:
        """What is allowed of the release beyond plain files."""

    def session(self) -> AbstractContextManager[OpenRelease]:
        """Open the release. Each session lists anew, so that two sessions show a change between them.

        Raises:
            UsageError: there is no such release. TemporaryError: it cannot be opened.
        """


@dataclass(frozen=True)
class FolderFiles:
    """A release in a folder. `path` is opened anew for each session."""

    path: Path
    reading: Reading = STRICT

    @property
    def where(self) -> str:
        return str(self.path)

    def session(self) -> AbstractContextManager[ReleaseFolder]:
        return open_release_folder(self.path, self.reading)


ReleasePlace = Path | ReleaseFiles
"""A release that a user names by the path of its folder, or the files of one from a source."""


def files_of(place: ReleasePlace, reading: Reading = STRICT) -> ReleaseFiles:
    """Return the files at `place`. `reading` is what is allowed of a folder; files from a source have their own."""
    return FolderFiles(place, reading) if isinstance(place, Path) else place
