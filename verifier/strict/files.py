"""Open files and folders that a stranger laid out, and no others.

Every step goes through the descriptor of the folder above, never through a path, and follows no symbolic link, so
that nothing which is swapped meanwhile can lead elsewhere. A file is regular, has one name, and lies on the file
system of the release; it is the same before and after it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ChangedError, FormatError, ProvenanceError, TemporaryError, UsageError

# O_NONBLOCK: opening a FIFO or a device that was put in a file's place must not hang.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)

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
    """What stays equal while nobody touches a file: device, inode, size, modification and change time."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True)
class OpenFile:
    """A regular file, open for reading at its start; `path` is for messages."""

    path: str
    descriptor: int
    size: int


@contextmanager
def open_root(folder: Path) -> Iterator[int]:
    """Open the folder of a release and yield its descriptor.

    Raises:
        UsageError: there is no such folder, or it is a symbolic link.
        TemporaryError: it cannot be opened.
    """
    try:
        descriptor = os.open(folder, _FLAGS | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise _unopened(folder, error, "folder", "an existing folder, not a link to one") from error
    with _closing(descriptor):
        yield descriptor


@contextmanager
def open_folder(parent: int, path: str) -> Iterator[int]:
    """Open the folder that `path`'s last segment names within the open folder `parent`.

    Raises:
        FormatError: it is no folder (check `file-set`).
        ChangedError: it is gone.
    """
    with _os_errors(path):
        descriptor = os.open(_last(path), _FLAGS | os.O_DIRECTORY, dir_fd=parent)
    with _closing(descriptor):
        yield descriptor


@contextmanager
def open_file(parent: int, path: str, expected: Identity) -> Iterator[OpenFile]:
    """Open the regular file that `path`'s last segment names within `parent`; look again when it is left.

    Raises:
        FormatError: it is no regular file (check `file-set`).
        ChangedError: it is gone, or not `expected`, before or after.
        TemporaryError: it cannot be opened, or whoever reads it meets an error of the disk.
    """
    with _os_errors(path):
        descriptor = os.open(_last(path), _FLAGS, dir_fd=parent)
    with _closing(descriptor), _os_errors(path):
        _expect(os.fstat(descriptor), expected, path)
        yield OpenFile(path, descriptor, expected.size)
        _expect(os.fstat(descriptor), expected, path)


@contextmanager
def open_any_file(path: Path) -> Iterator[OpenFile]:
    """Open a regular file that the user named, through links if need be; look again when it is left.

    Raises:
        UsageError: no such file, or not a regular one.
        ChangedError: it changed meanwhile. TemporaryError: it cannot be read.
    """
    shown = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unopened(path, error, "file", "a file") from error
    with _closing(descriptor), _os_errors(shown):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError("not a regular file", where=shown, got=kind_of(found), wanted="a regular file")
        yield OpenFile(shown, descriptor, found.st_size)
        _expect(os.fstat(descriptor), _identity(found), shown)


def scan(folder: int, path: str, most: int) -> list[tuple[str, os.stat_result]]:
    """Return name and stat of all that is in an open folder, links not followed, sorted; `path` is for messages.

    Raises:
        FormatError: there are more than `most` (check `file-set`).
        ChangedError: something vanished meanwhile.
    """
    found: list[tuple[str, os.stat_result]] = []
    with _os_errors(path), os.scandir(folder) as entries:
        for entry in entries:
            if len(found) == most:
                got, wanted = f"more than {most}", f"at most {most}"
                raise FormatError("too many files", check=Check.FILE_SET, where=path, got=got, wanted=wanted)
            found.append((entry.name, entry.stat(follow_symlinks=False)))
    return sorted(found, key=lambda item: os.fsencode(item[0]))


def identify(found: os.stat_result, path: str, device: int) -> Identity:
    """Return the identity of a regular file that has one name and lies on `device`.

    Raises:
        FormatError: it is anything else (check `file-set`).
    """
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, kind_of(found))
    if found.st_nlink != 1:
        raise _refused(path, f"a file with {found.st_nlink} hard links")
    if found.st_dev != device:
        raise _refused(path, "a file on another file system")
    return _identity(found)


def kind_of(found: os.stat_result) -> str:
    """Say in words what a stat result is of."""
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")


def _identity(found: os.stat_result) -> Identity:
    return Identity(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _expect(found: os.stat_result, expected: Identity, path: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, kind_of(found))
    if _identity(found) != expected:
        raise changed(path)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _os_errors(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise changed(path) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise _refused(path, error.strerror or "something else") from error
        raise _unreadable(path, error) from error


def changed(path: str) -> ChangedError:
    """Return, not raise, the error for a file or folder that is not what it was."""
    return ChangedError(
        "changed while it was read",
        check=Check.FILE_DIGESTS,
        where=path,
        got="another size, time or inode",
        wanted="a release that nobody touches",
    )


def _refused(path: str, got: str) -> FormatError:
    wanted = "only folders and regular files with one name, on one file system"
    return FormatError("not allowed in a release", check=Check.FILE_SET, where=path, got=got, wanted=wanted)


def _unopened(path: Path, error: OSError | ValueError, kind: str, wanted: str) -> ProvenanceError:
    """The error for a path that the user gave: theirs where nothing of the kind can be there, else the disk's."""
    if isinstance(error, OSError) and error.errno not in _NOTHING_THERE:
        return _unreadable(str(path), error)
    got = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"no such {kind}", where=str(path), got=got, wanted=wanted)


def _unreadable(path: str, error: OSError) -> TemporaryError:
    return TemporaryError("cannot be read", where=path, got=error.strerror or str(error), wanted="a readable disk")
