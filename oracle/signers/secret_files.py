"""Read and write files with secrets: only files that nobody but their owner can access."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.verifier.errors import UsageError, unwritten
from provenance_oracle.verifier.text import printable

_PASSWORD_MAX_BYTES = 4096


def read_password(source: Path | int) -> Secret:
    """Read a password from a file that only its owner can access, or from an open file descriptor.

    One end of line at the end, LF or CR LF, is not part of the password, which has 1 to 4096 bytes.

    Raises:
        UsageError: the password cannot be read, others than the owner can access the file, or the length is wrong.
    """
    try:
        with open_private(source) if isinstance(source, Path) else os.fdopen(source, "rb") as file:
            read = file.read(_PASSWORD_MAX_BYTES + 3)
    except OSError as error:
        raise UsageError(f"the password cannot be read: {error.strerror}", where=f"password {source}") from None
    password = read.removesuffix(b"\n").removesuffix(b"\r") if read.endswith(b"\n") else read
    if not password or len(password) > _PASSWORD_MAX_BYTES:
        raise UsageError(
            "the password is empty or too long", where=f"password {source}", wanted=f"1 to {_PASSWORD_MAX_BYTES} bytes"
        )
    return Secret(password)


def open_private(path: Path) -> IO[bytes]:
    """Open a regular file to which group and others have no rights.

    Raises:
        UsageError: the file cannot be opened, is not a regular file, or others have rights to it.
    """
    where = printable(str(path))
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=where) from None
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
        file.close()
        raise UsageError(
            "a file with a secret must be a regular file that only its owner can access",
            where=where,
            got=stat.filemode(mode),
            wanted="-rw-------",
        )
    return file


def write_private(path: Path, data: bytes) -> None:
    """Write a new file to which only its owner has rights. A file that cannot be written whole is removed.

    Raises:
        UsageError: the path exists or cannot be written.
        TemporaryError: the disk is full.
    """
    where = printable(str(path))
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise unwritten("the file cannot be written", error, where=where, wanted="a new file") from None
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritten("the file cannot be written", error, where=where, wanted="a new file") from None
