"""Passwords of keys, from a file or an open descriptor."""

from __future__ import annotations

import os
from pathlib import Path

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.verifier.errors import unread
from provenance_oracle.verifier.strict.secret_files import PASSWORD_MAX_BYTES, password_in, read_password_file


def read_password(source: Path | int) -> Secret:
    """Read a password from a file that only its owner can access, or from an open file descriptor.

    One end of line at the end, LF or CR LF, is not part of the password, which has 1 to 4096 bytes.

    Raises:
        UsageError: the password cannot be read, others than the owner can access the file, or the length is wrong.
        TemporaryError: the disk fails.
    """
    if isinstance(source, Path):
        return Secret(read_password_file(source))
    where = f"password {source}"
    try:
        with os.fdopen(source, "rb") as file:
            data = file.read(PASSWORD_MAX_BYTES + 3)
    except OSError as error:
        raise unread("the password cannot be read", error, where=where, wanted="an open descriptor") from None
    return Secret(password_in(data, str(source)))
