"""A folder of the user's own, in which a program keeps files for itself that nobody else can write or read.

A file or folder that belongs to someone else, or that others may write to, is refused and never repaired: someone else
may have put it there.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provenance_oracle.verifier.errors import UsageError

_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_SUFFIX = ".new"


@contextmanager
def open_private_folder(path: Path) -> Iterator[int]:
    """Open a folder and yield its descriptor. Make it, and the folders above it, if it is not there.

    Raises:
        UsageError: the folder belongs to someone else, or others may write to it.
        OSError: it cannot be made or opened, or is a link.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    try:
        _refuse_others(os.fstat(descriptor), stat.S_IWGRP | stat.S_IWOTH, str(path), "a folder that only you may write")
        yield descriptor
    finally:
        os.close(descriptor)


def read_private_file(folder: int, name: str, max_bytes: int) -> bytes | None:
    """Return the bytes of a file in an open folder; None if there is none, or it has more than `max_bytes`.

    Raises:
        UsageError: it is not a regular file with one name, belongs to someone else, or others may read or write it.
        OSError: it cannot be read, or is a link.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise UsageError("not a file of ours", where=name, got="another kind", wanted="a file with one name")
        _refuse_others(found, stat.S_IRWXG | stat.S_IRWXO, name, "a file that only you may read and write")
        data = file.read(max_bytes + 1)
    return data if len(data) <= max_bytes else None


def write_private_file(folder: int, name: str, data: bytes) -> None:
    """Write a file in an open folder, mode 0600, in one step: a reader sees the old bytes or the new ones.

    Raises:
        OSError: it cannot be written.
    """
    new = f"{name}.{secrets.token_hex(8)}{_NEW_SUFFIX}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise


def keep_newest(folder: int, most: int) -> None:
    """Delete the oldest entries of an open folder until `most` are left. Folders in it stay."""
    with os.scandir(folder) as entries:
        ages = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name) for entry in entries)
    for _, name in ages[: max(0, len(ages) - most)]:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _refuse_others(found: os.stat_result, refused_mode: int, where: str, wanted: str) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & refused_mode:
        got = f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}"
        raise UsageError("others can change it", where=where, got=got, wanted=wanted)
