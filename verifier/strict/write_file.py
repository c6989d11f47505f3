"""Write a file into an open folder: whole or not at all, durable, and never through a link."""

from __future__ import annotations

import os
from contextlib import suppress


def partial_name(name: str) -> str:
    """Return the name that a file has while `write_file` writes it, and after a crash."""
    return f".{name}.partial"


def partial_path(path: str) -> str:
    """Return the path that the file at `path`, POSIX style, has while `write_file` writes it, and after a crash."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{partial_name(name)}"


def write_file(folder: int, name: str, data: bytes) -> None:
    """Write the file `name` into an open folder, in place of the file of that name and of an old partial one.

    Raises:
        OSError: the disk fails, or `name` is a folder.
    """
    partial = partial_name(name)
    remove_file(folder, partial)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(partial, flags, 0o666, dir_fd=folder), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def remove_file(folder: int, name: str) -> None:
    """Remove the file or link `name` from an open folder, if there is one. Raises OSError if the disk fails."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
