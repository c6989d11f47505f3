"""Write a new private file whole and durably, or not at all, and overwrite nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provenance_oracle.verifier.errors import unwritten
from provenance_oracle.verifier.text import printable


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Yield the path of an empty file of mode 0600. After the block it is on disk under the name `file`.

    If the block raises, no file is left.

    Raises:
        UsageError: there is something of this name, or the folder cannot be written.
        TemporaryError: the disk is full or fails.
    """
    new = file.with_name(f"{file.name}.new")
    wanted = "a name for a new file, in a folder that you may write"
    try:
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, "there is a file of this name already")
        with suppress(FileNotFoundError):
            new.unlink()
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield new
        sync(new)
        os.link(new, file)  # unlike a rename, it overwrites nothing
        sync(file.parent)
    except OSError as error:
        raise unwritten("cannot be written", error, where=printable(str(file)), wanted=wanted) from error
    finally:
        with suppress(OSError):
            new.unlink()


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
