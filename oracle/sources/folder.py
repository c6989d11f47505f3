"""Releases as folders below one root. Any folder that holds `provenance/` is a release; no folder inside it is one.

The publisher writes the signed manifest last, by rename. Without it a release is incomplete, and the source skips it.
The source follows no symbolic link and enters no hidden folder. The log names every folder that a scan passes over.

A scan takes turns: one release of each top folder, the oldest first. The releases that a full scan leaves out come
first in the next one. While a flood adds more than a scan takes, a round does not end, and changed releases wait.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator
from itertools import islice, zip_longest
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
_LINES_MAX = 1000

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
        self._said: set[str] = set()
        self._served: set[str] = set()  # the releases of this round of scans; see `_next_in_turn`

    def releases(self) -> Iterator[Handle]:
        """Yield every complete release, `releases_max` at most. Top folders take turns; the oldest release is first.

        The log has a line for each folder that is left out, and for a scan that finds more releases.

        Raises:
            TemporaryError: the root cannot be read.
        """
        found = self._in_turn()
        if not found:
            self._say(logging.INFO, f"{self.name}: no complete release below {self.root} yet")
        for path in self._next_in_turn(found):
            yield Handle(self._id(path), _fingerprint(path))

    def open(self, handle: Handle) -> Path:
        """Return the folder of a release. The release may have gone since the scan."""
        return self.root / handle.id

    def _in_turn(self) -> list[Path]:
        """Return the complete releases: one of each top folder, the oldest first, then the next one of each."""
        queues: dict[str, list[tuple[int, str]]] = {}
        for path in self._folders(self.root, depth=1):
            written_ns = _written_ns(path)
            name = self._id(path)
            if written_ns is None:
                self._say(logging.INFO, f"{self.name}:{name}: incomplete, no signed manifest yet")
            else:
                queues.setdefault(name.partition("/")[0], []).append((written_ns, name))
        rounds = zip_longest(*sorted(sorted(queue) for queue in queues.values()))
        return [self.root / item[1] for turn in rounds for item in turn if item is not None]

    def _next_in_turn(self, found: list[Path]) -> list[Path]:
        """Return the releases of this scan: those that the last scans left out come first.

        A round ends when every release that is there had its turn.
        """
        if len(found) <= self._releases_max:
            self._served.clear()
            return found
        text = f"more than {self._releases_max} releases below {self.root}; the next scan takes those left out first"
        self._say(logging.WARNING, text)
        left_out = [path for path in found if self._id(path) not in self._served]
        if len(left_out) <= self._releases_max:
            self._served.clear()
        taken = left_out[: self._releases_max]
        self._served.update(map(self._id, taken))
        return taken

    def _folders(self, folder: Path, depth: int) -> Iterator[Path]:
        """Yield the folders of releases, complete or not. Links are not followed."""
        if depth == 1 and _is_release(folder):
            self._pass_over(folder, "the watched folder is itself a release; watch the folder that holds it")
        for name, is_link in _subfolders(folder, required=depth == 1):
            path = folder / name
            if printable(name, len(name) + 1) != name:
                self._pass_over(path, "its name cannot be shown; rename it")
            elif is_link:
                self._pass_over(path, "a symbolic link is not followed; put the folder itself here")
            elif name.startswith("."):
                self._pass_over(path, "a hidden folder is not entered", logging.INFO)
            elif depth > _DEPTH_MAX:
                self._pass_over(path, f"it lies more than {_DEPTH_MAX} levels down; move it up")
            elif _is_release(path):
                yield path
            else:
                yield from self._folders(path, depth + 1)

    def _id(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _pass_over(self, path: Path, reason: str, level: int = logging.WARNING) -> None:
        self._say(level, f"{self.name}:{printable(self._id(path))}: passed over: {reason}")

    def _say(self, level: int, text: str) -> None:
        """Log a line, once for as long as the process runs."""
        if text not in self._said and len(self._said) < _LINES_MAX:
            self._said.add(text)
            _log.log(level, "%s", text)
            if len(self._said) == _LINES_MAX:
                _log.warning("%s: more than %d lines about folders; the log leaves out the rest", self.name, _LINES_MAX)


def _subfolders(folder: Path, *, required: bool) -> list[tuple[str, bool]]:
    """Return the name of every folder and every symbolic link, with whether it is a link."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (e.name, e.is_symlink()) for e in entries if e.is_symlink() or e.is_dir(follow_symlinks=False)
            )
    except OSError as error:
        if required:
            raise TemporaryError(
                f"the folder cannot be read: {error.strerror}", where=printable(str(folder))
            ) from error
        return []  # the folder has gone, or its permissions keep us out


def _is_release(folder: Path) -> bool:
    """Return whether `provenance` in the folder is a folder and no link."""
    try:
        return stat.S_ISDIR((folder / PROVENANCE_FOLDER).lstat().st_mode)
    except OSError:
        return False


def _written_ns(release: Path) -> int | None:
    """Return when the manifest last changed (ctime, which its owner cannot set back); None if there is none."""
    try:
        return (release / MANIFEST_PATH).lstat().st_ctime_ns
    except OSError:
        return None


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
