"""Walk through a stranger's folder. Every module that goes from folder to folder in one does it with `walk`.

Every folder is opened relative to the descriptor of its parent, and no link is followed. So an attacker who swaps a
folder for a link during the walk does not lead it out of the folder in which it began.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.strict.files import OnUnreadable, file_name, open_folder, os_errors, scan, stored


@dataclass(frozen=True)
class FolderEntry:
    """An entry of a folder, while the walk is there.

    Attributes:
        path: the path from the folder where the walk began, with `/`.
        found: the stat result of the entry, taken without following links.
        folder: the descriptor of the open folder that holds the entry.
        depth: the number of folders between that of the walk and the entry; 0 for its own entries.
    """

    path: str
    found: os.stat_result
    folder: int
    depth: int

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def path_bytes(self) -> bytes:
        """The path as the file system has it."""
        return stored(self.path)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.found.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.found.st_mode)

    def link_text(self) -> bytes:
        """Return the text of a symbolic link.

        Raises:
            FormatError: the entry is no link any more (check `file-set`).
            ChangedError: the entry no longer exists. TemporaryError: the operating system cannot read it.
        """
        with os_errors(self.path):
            return os.readlink(file_name(self.path), dir_fd=self.folder)


def walk(
    folder: int,
    visit: Callable[[FolderEntry], bool],
    *,
    most: int,
    where: str = "release",
    inside: str = "",
    unreadable: OnUnreadable | None = None,
) -> None:
    """Visit every entry below an open folder: a folder before its entries, entries in the byte order of their names.

    Args:
        visit: is called with each entry, and returns whether to enter it. Only folders are entered. It bounds the depth
            of the walk, which holds one descriptor and one listing for each level.
        most: the number of entries that a single folder may have.
        where: names `folder` in messages.
        inside: the path of `folder` from where the paths of the entries begin; "" if they begin in it.
        unreadable: is called with the path and the error of an entry or folder that cannot be looked at, or that has
            more than `most` entries, and the walk goes on with the rest. By default the error is raised. If `folder`
            itself cannot be read, that is always raised.

    Raises:
        FormatError: a folder has more than `most` entries, or something else has taken its place (check `file-set`).
        ChangedError: an entry vanished during the walk (check `file-digests`).
        TemporaryError: the operating system cannot read a folder.
        Errors of `visit`.
    """
    run = _Walk(visit, most, unreadable)
    run.visit_all(folder, run.scan(folder, "", where), inside, 0)


@dataclass(frozen=True)
class _Walk:
    visit: Callable[[FolderEntry], bool]
    most: int
    unreadable: OnUnreadable | None

    def scan(self, folder: int, path: str, where: str) -> list[tuple[str, os.stat_result]]:
        unreadable = self.unreadable
        if unreadable is None:
            return scan(folder, where, self.most)
        return scan(folder, where, self.most, lambda name, error: unreadable(_joined(path, name), error))

    def visit_all(self, folder: int, listed: list[tuple[str, os.stat_result]], path: str, depth: int) -> None:
        for name, found in listed:
            entry = FolderEntry(_joined(path, name), found, folder, depth)
            if self.visit(entry) and entry.is_folder:
                self._enter(entry)

    def _enter(self, entry: FolderEntry) -> None:
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(open_folder(entry.folder, entry.path))
                listed = self.scan(opened, entry.path, entry.path)
            except ProvenanceError as error:
                if self.unreadable is None:
                    raise
                self.unreadable(entry.path, error)
                return
            self.visit_all(opened, listed, entry.path, entry.depth + 1)


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path and name else path or name
