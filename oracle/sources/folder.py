"""Releases as folders below one root. Any folder that holds `provenance/` is a release; no folder inside it is one.

The publisher writes the signed manifest last, by rename. Without it a release is incomplete, and the source skips it.
The source follows no symbolic link and enters no hidden folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.text import printable

_DEPTH_MAX = 4
# The fingerprint of a larger release covers this many entries only. The judgement of a release has limits of its own.
_ENTRIES_MAX = 100_000
_TREE_DEPTH_MAX = 40
_WARNINGS_MAX = 1000

_log = logging.getLogger(__name__)


class FolderSource:
    """The releases in the folders up to four levels below `root`.

    Args:
        root: an existing folder.
        releases_max: the number of releases that a scan yields at most. It bounds the work after a flood of folders.
    """

    name = "folder"

    def __init__(self, root: Path, *, releases_max: int) -> None:
        self.root = root
        self._releases_max = releases_max
        self._warned: set[str] = set()

    def releases(self) -> Iterator[Handle]:
        """Yield every complete release in the order of the folders' names, `releases_max` at most.

        The log has a warning for each folder that is left out because its name cannot be shown, and for a scan that
        finds more releases.

        Raises:
            TemporaryError: the root cannot be read.
        """
        found = (path for path in self._folders(self.root, depth=1) if _is_complete(path))
        for path in islice(found, self._releases_max):
            yield Handle(path.relative_to(self.root).as_posix(), _fingerprint(path))
        if next(found, None) is not None:
            self._warn(f"more than {self._releases_max} releases below {self.root}; the scan ignores the rest")

    def open(self, handle: Handle) -> Path:
        """Return the folder of a release. The release may have gone since the scan."""
        return self.root / handle.id

    def _folders(self, folder: Path, depth: int) -> Iterator[Path]:
        """Yield the folders of releases, complete or not. Links are not followed."""
        for name in _subfolders(folder, required=depth == 1):
            path = folder / name
            if printable(name, len(name) + 1) != name:
                self._warn(f"the scan ignores a folder whose name cannot be shown: {printable(str(path))}")
            elif (path / PROVENANCE_FOLDER).is_dir() and not (path / PROVENANCE_FOLDER).is_symlink():
                yield path
            elif depth < _DEPTH_MAX:
                yield from self._folders(path, depth + 1)

    def _warn(self, text: str) -> None:
        if text not in self._warned and len(self._warned) < _WARNINGS_MAX:
            self._warned.add(text)
            _log.warning("%s", text)


def _subfolders(folder: Path, *, required: bool) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False))
    except OSError as error:
        if required:
            raise TemporaryError(
                f"the folder cannot be read: {error.strerror}", where=printable(str(folder))
            ) from error
        return []  # the folder has gone, or its permissions keep us out


def _is_complete(release: Path) -> bool:
    return os.path.lexists(release / MANIFEST_PATH)


def _fingerprint(release: Path) -> str:
    """Return SHA-256, in hex, over path, mode, inode, size and times of every entry of a release."""
    digest = hashlib.sha256()
    for line in islice(_stat_lines(release, b"", _TREE_DEPTH_MAX), _ENTRIES_MAX):
        digest.update(line)
    return digest.hexdigest()


def _stat_lines(folder: Path, prefix: bytes, depth: int) -> Iterator[bytes]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(islice(entries, _ENTRIES_MAX), key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return
    for entry in listed:
        path = prefix + b"/" + os.fsencode(entry.name)
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        numbers = (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        yield path + b"\0%d %d %d %d %d\n" % numbers
        if depth and entry.is_dir(follow_symlinks=False):
            yield from _stat_lines(Path(entry.path), path, depth - 1)
