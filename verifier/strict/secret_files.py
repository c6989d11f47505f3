"""Read and write files with secrets: only files that nobody but their owner can access."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from provenance_oracle.verifier.errors import UsageError, unread, unwritten
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.text import printable

PASSWORD_MAX_BYTES = 4096


def read_secret(path: Path, most: int, wanted: str = "a file with a secret") -> bytes:
    """Return the first bytes, at most `most`, of a regular file to which group and others have no rights.

    The process writes no core dump from then on.

    Args:
        wanted: what the file should be, for messages.

    Raises:
        UsageError: the file cannot be read, is not a regular file, or others have rights to it.
        TemporaryError: the disk fails.
    """
    forbid_core_dumps()
    where = printable(str(path))
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            is_private = stat.S_ISREG(mode) and not mode & (stat.S_IRWXG | stat.S_IRWXO)
            data = file.read(most) if is_private else b""
    except OSError as error:
        raise unread("the file cannot be read", error, where=where, wanted=wanted) from None
    if not is_private:
        raise UsageError(
            "a file with a secret must be a regular file that only its owner can access",
            where=where,
            got=stat.filemode(mode),
            wanted="-rw-------",
        )
    return data


def read_password_file(path: Path) -> bytes:
    """Read a password from a file that only its owner can access; see `password_in` and `read_secret`."""
    return password_in(read_secret(path, PASSWORD_MAX_BYTES + 3, "a file with a password"), str(path))


def password_in(data: bytes, where: str) -> bytes:
    """Return the password in the data of a file, which has 1 to PASSWORD_MAX_BYTES bytes.

    One end of line at the end, LF or CR LF, is not part of it.

    Args:
        data: the file's first bytes, up to three more than a password may have.

    Raises:
        UsageError: the length is wrong.
    """
    password = data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data
    if not 1 <= len(password) <= PASSWORD_MAX_BYTES:
        wanted = f"1 to {PASSWORD_MAX_BYTES} bytes"
        raise UsageError("the password is empty or too long", where=f"password {printable(where)}", wanted=wanted)
    return password


def write_secret(path: Path, data: bytes, wanted: str = "a new file") -> None:
    """Write a new file to which only its owner has rights. A file that cannot be written whole is removed.

    Raises:
        UsageError: the path exists or cannot be written.
        TemporaryError: the disk is full or fails.
    """
    where = printable(str(path))
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise unwritten("the file cannot be written", error, where=where, wanted=wanted) from None
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)  # the part that was written would pass for the secret
        raise unwritten("the file cannot be written", error, where=where, wanted=wanted) from None
