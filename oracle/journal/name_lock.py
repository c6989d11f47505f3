"""A second lock on a journal, by the name of its path, which is still there after the journal's whole folder went away.

The first lock is a file beside the journal. If somebody deletes it, a new process would find neither journal nor lock
and begin anew, while the old process has not noticed yet. This lock lies in the user's own cache folder. It is an
addition: without such a folder there is only the first lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from pathlib import Path
from typing import IO

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.private_folder import open_private_folder

_log = logging.getLogger(__name__)


def lock_by_name(path: Path) -> IO[bytes] | None:
    """Take the lock for a journal's path; None if there is no private cache folder.

    Raises:
        UsageError: another process has it.
    """
    name = hashlib.sha256(os.fsencode(path.parent.resolve() / path.name)).hexdigest()
    try:
        with open_private_folder(_folder()) as folder:
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.fdopen(os.open(f"{name}.lock", flags, 0o600, dir_fd=folder), "wb")
    except (OSError, RuntimeError, UsageError) as error:  # RuntimeError: no home folder
        _log.debug("no second lock for %s: %s", path, error)
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        problem = "the journal is in use by another process, although its files were deleted or moved; stop that first"
        raise UsageError(problem, where=str(path)) from error
    return lock


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if base.startswith("/") else Path("~/.cache").expanduser()
    return home / "provenance-oracle" / "journal-locks"
