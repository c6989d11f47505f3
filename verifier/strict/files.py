"""Open the files and folders of an untrusted release, and nothing outside it.

Every open call is relative to the descriptor of the parent folder and follows no symbolic link. An attacker who swaps
an entry during the read therefore cannot redirect it outside the release. A file of a release must be a regular file
with one hard link, on the same file system as the release folder, and must stay unchanged while it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ChangedError, FormatError, ProvenanceError, TemporaryError, UsageError

OnBytes = Callable[[int, int], None]
"""Called while files are read, with (bytes so far, bytes in all)."""

OnUnreadable = Callable[[str, ProvenanceError], None]
"""Called with the name or path of an entry that cannot be looked at, and the error."""

PIECE_BYTES = 1024 * 1024

# O_NONBLOCK: the open call must not hang if an attacker replaced the file by a FIFO or a device.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER_FLAGS = _FLAGS | os.O_DIRECTORY
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO)  # ENXIO: a socket

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


@dataclass(frozen=True)
class Identity:
    """The attributes of a file that change when anybody writes to it or replaces it.

    `size` is in bytes; `modified_ns` (mtime) and `changed_ns` (ctime) are Unix times in nanoseconds.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class OpenBytes(Protocol):
    """The bytes of one file of a release, open for reading from its start, wherever the file lies."""

    @property
    def path(self) -> str:
        """The path of the file in the release, for messages."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`; none after the last one.

        Raises:
            ChangedError: the file has fewer or more than `size` bytes. TemporaryError: it cannot be read.
        """


@dataclass(frozen=True)
class OpenFile:
    """An `OpenBytes` on disk: a regular file, open for reading from its start."""

    path: str
    descriptor: int
    size: int

    def read(self, most: int) -> bytes:
        """Return the next bytes. An OSError passes: the block that opened the file turns it into a TemporaryError."""
        return os.read(self.descriptor, most)


@contextmanager
def open_root(folder: Path) -> Iterator[int]:
    """Open the folder of a release and yield its descriptor.

    Raises:
        UsageError: the folder does not exist, is not a folder, or is a symbolic link.
        TemporaryError: the operating system cannot open it.
    """
    try:
        descriptor = os.open(folder, FOLDER_FLAGS)
    except (OSError, ValueError) as error:
        raise _unopened(folder, error, "folder", "an existing folder, not a link to one") from error
    with _closing(descriptor):
        yield descriptor


@contextmanager
def open_folder(parent: int, path: str) -> Iterator[int]:
    """Open the folder that the last segment of `path` names inside the open folder `parent`; yield its descriptor.

    Raises:
        FormatError: the entry is not a folder (check `file-set`).
        ChangedError: the entry no longer exists (check `file-digests`).
        TemporaryError: the operating system cannot open or read it.
    """
    with os_errors(path):
        descriptor = os.open(file_name(path), FOLDER_FLAGS, dir_fd=parent)
    with _closing(descriptor):
        yield descriptor


@contextmanager
def open_file(parent: int, path: str, expected: Identity) -> Iterator[OpenFile]:
    """Open the regular file that the last segment of `path` names inside the open folder `parent`.

    The file is compared with `expected` when the block is entered and again when it is left.

    Raises:
        FormatError: the entry is not a regular file (check `file-set`).
        ChangedError: the file no longer exists, or differs from `expected` (check `file-digests`).
        TemporaryError: the operating system cannot open it, or a read inside the block fails.
    """
    with os_errors(path):
        descriptor = os.open(file_name(path), _FLAGS, dir_fd=parent)
    with _closing(descriptor), os_errors(path):
        _expect(os.fstat(descriptor), expected, path)
        yield OpenFile(path, descriptor, expected.size)
        _expect(os.fstat(descriptor), expected, path)


def pieces_of_file(file: OpenBytes, most: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a file just opened, in pieces of 1 MiB at most; with `most`, only so many bytes of its start.

    Raises:
        ChangedError: the file became shorter.
    """
    left = file.size if most is None else min(file.size, most)
    while left:
        piece = file.read(min(left, PIECE_BYTES))
        if not piece:
            raise changed(file.path)
        yield piece
        left -= len(piece)


def read_start(parent: int, path: str, most: int) -> bytes:
    """Return at most `most` bytes of the regular file that the last segment of `path` names inside `parent`.

    For a file that is refused already and only has to be told from others: hard links and changes are allowed.

    Raises:
        FormatError: the entry is not a regular file (check `file-set`).
        ChangedError: the entry no longer exists (check `file-digests`).
        TemporaryError: the operating system cannot open or read it.
    """
    with os_errors(path):
        descriptor = os.open(file_name(path), _FLAGS, dir_fd=parent)
    with _closing(descriptor), os_errors(path):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise not_allowed(path, kind_of(found))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most)


@contextmanager
def open_any_file(path: Path) -> Iterator[OpenFile]:
    """Open a regular file that the user named. Symbolic links are followed.

    The file is compared with its first state when the block is left.

    Raises:
        UsageError: the file does not exist or is not a regular file.
        ChangedError: the file changed while it was open (check `file-digests`).
        TemporaryError: the operating system cannot open it, or a read inside the block fails.
    """
    shown = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unopened(path, error, "file", "a file") from error
    with _closing(descriptor), os_errors(shown):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError("not a regular file", where=shown, got=kind_of(found), wanted="a regular file")
        yield OpenFile(shown, descriptor, found.st_size)
        _expect(os.fstat(descriptor), identity_of(found), shown)


def scan(folder: int, path: str, most: int, unreadable: OnUnreadable | None = None) -> list[tuple[str, os.stat_result]]:
    """Return the name and stat result of every entry of an open folder, sorted by the bytes of the name.

    Symbolic links are not followed. `path` is for messages only. By default every error is raised. With `unreadable`
    the scan goes on: it is called with the name of an entry without a stat result, which is left out, and with "" if
    there are more than `most` entries, of which the rest is left out.

    Raises:
        FormatError: the folder has more than `most` entries (check `file-set`).
        ChangedError: an entry vanished during the scan (check `file-digests`).
        TemporaryError: the operating system cannot read the folder.
    """
    found: list[tuple[str, os.stat_result]] = []
    with os_errors(path), os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            name = "" if count == most else _name_of(entry.name)
            try:
                if count == most:
                    got, wanted = f"more than {most}", f"at most {most}"
                    raise FormatError("too many files", check=Check.FILE_SET, where=path, got=got, wanted=wanted)
                with os_errors(f"{path}/{name}"):
                    found.append((name, entry.stat(follow_symlinks=False)))
            except ProvenanceError as error:
                if unreadable is None:
                    raise
                unreadable(name, error)
            if count == most:
                break
    return sorted(found, key=lambda item: stored(item[0]))


def look(folder: int, path: str) -> os.stat_result | None:
    """Return the stat result of the entry that the last segment of `path` names in an open folder; None without one.

    A symbolic link is not followed.

    Raises:
        TemporaryError: the operating system cannot look at the entry.
    """
    try:
        with os_errors(path):
            return os.stat(file_name(path), dir_fd=folder, follow_symlinks=False)
    except ChangedError:  # the error of an entry that is not there
        return None


def identify(found: os.stat_result, path: str, device: int) -> Identity:
    """Return the identity of a regular file with one hard link on the file system `device`.

    Args:
        found: the stat result of the entry, taken without following links.
        path: the entry's path, for messages only.
        device: `st_dev` of the release folder.

    Raises:
        FormatError: the entry is of another kind, has more hard links, or is on another file system (check `file-set`).
    """
    if not stat.S_ISREG(found.st_mode):
        raise not_allowed(path, kind_of(found))
    if found.st_nlink != 1:
        raise not_allowed(path, f"a file with {found.st_nlink} hard links")
    if found.st_dev != device:
        raise not_allowed(path, "a file on another file system")
    return identity_of(found)


def is_directory(found: os.stat_result | None) -> bool:
    """Return whether a stat result is that of a folder."""
    return found is not None and stat.S_ISDIR(found.st_mode)


def kind_of(found: os.stat_result) -> str:
    """Return the kind of a file system entry in words, such as "a folder", for a message."""
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")


def identity_of(found: os.stat_result) -> Identity:
    """Return the identity of an entry of any kind."""
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _expect(found: os.stat_result, expected: Identity, path: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise not_allowed(path, kind_of(found))
    if identity_of(found) != expected:
        raise changed(path)


def file_name(path: str) -> bytes:
    """Return the name on disk of the entry that the last segment of `path` names."""
    return stored(path.rpartition("/")[2])


def _name_of(listed: str) -> str:
    """Return a name on disk as UTF-8, whatever encoding the locale gives this process for names."""
    return os.fsencode(listed).decode("utf-8", "surrogateescape")


def stored(name: str) -> bytes:
    """Return the bytes of a name on disk. Only a name out of `scan` has surrogates that stand for a byte."""
    return name.encode("utf-8", "surrogateescape")


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Turn the operating system's errors about an entry at `path` into those of this module."""
    try:
        yield
    except FileNotFoundError as error:
        raise changed(path) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise not_allowed(path, error.strerror or "something else") from error
        raise _unreadable(path, error) from error


def changed(path: str) -> ChangedError:
    """Return (do not raise) the error for a file or folder that changed while it was read."""
    return ChangedError(
        "changed while it was read",
        check=Check.FILE_DIGESTS,
        where=path,
        got="another size, time or inode",
        wanted="a release that nobody touches",
    )


def not_allowed(path: str, got: str) -> FormatError:
    """Return (do not raise) the error for an entry of a kind that a release may not hold."""
    wanted = "only folders and regular files with one name, on one file system"
    return FormatError("not allowed in a release", check=Check.FILE_SET, where=path, got=got, wanted=wanted)


def _unopened(path: Path, error: OSError | ValueError, kind: str, wanted: str) -> ProvenanceError:
    """Return a UsageError if nothing usable is at the user's path, or a TemporaryError for any other disk error."""
    if isinstance(error, OSError) and error.errno not in _NOTHING_THERE:
        return _unreadable(str(path), error)
    got = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"no such {kind}", where=str(path), got=got, wanted=wanted)


def _unreadable(path: str, error: OSError) -> TemporaryError:
    return TemporaryError("cannot be read", where=path, got=error.strerror or str(error), wanted="a readable disk")
