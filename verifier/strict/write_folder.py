"""Write files into a folder and folders in it: in order, durable, and never through a link."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.files import look, open_folder, open_root
from provenance_oracle.verifier.strict.write_file import partial_name, remove_file, write_file


def write_files(root: Path, contents: Mapping[str, bytes], *, remove: Iterable[str] = ()) -> None:
    """Remove files, then write others. Each change is durable before the next one.

    Args:
        contents: the bytes of each file by its path in `root`, POSIX style. The folders above it are made.
        remove: paths of files to remove first, where they are there, and what a crash left of them.

    Raises:
        FormatError: a link or a file lies in the place of a folder (check `file-set`).
        ChangedError: a folder vanished meanwhile. TemporaryError: the disk fails or is full.
    """
    try:
        with open_root(root) as opened, ExitStack() as stack:
            folders = _Folders(opened, stack)
            for path in remove:
                folder = folders.open(_above(path), make=False)
                if folder is not None:
                    remove_file(folder, partial_name(_name(path)))
                    remove_file(folder, _name(path))
                    os.fsync(folder)
            for path, data in contents.items():
                folder = folders.open(_above(path), make=True)
                assert folder is not None
                write_file(folder, _name(path), data)
    except OSError as error:
        raise TemporaryError(
            "the folder cannot be written", where=str(root), got=str(error), wanted="a folder that can be written"
        ) from error


class _Folders:
    """The folders below an open one, each opened once."""

    def __init__(self, root: int, stack: ExitStack) -> None:
        self._opened = {"": root}
        self._stack = stack

    def open(self, path: str, *, make: bool) -> int | None:
        """Return the descriptor of a folder. If it is not there, make it, or return None."""
        if path not in self._opened:
            parent = self.open(_above(path), make=make)
            if parent is None or not (make or look(parent, path)):
                return None
            if make:
                with suppress(FileExistsError):
                    os.mkdir(_name(path), dir_fd=parent)
                    os.fsync(parent)
            self._opened[path] = self._stack.enter_context(open_folder(parent, path))
        return self._opened[path]


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
