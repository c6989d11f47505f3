"""The file of an index. It holds nothing that cannot be read again, so a damaged one is made anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.text import printable


def open_index(path: Path | None, schema: str, version: int) -> sqlite3.Connection:
    """Open the file of an index; a file that is damaged or of another version is made anew.

    Args:
        path: None for a temporary file.
        schema: the statements that make the tables.
    """
    try:
        return _opened(path, schema, version)
    except sqlite3.DatabaseError:
        if path is None:
            raise
        path.unlink(missing_ok=True)
        return _opened(path, schema, version)


@contextmanager
def index_errors(path: Path | None) -> Iterator[None]:
    """Turn the errors of an index's file in the block into a TemporaryError."""
    try:
        yield
    except sqlite3.Error as error:
        where = printable(str(path)) if path else "the index of events"
        raise TemporaryError(f"the index of events cannot be used: {error}", where=where) from error


def _opened(path: Path | None, schema: str, version: int) -> sqlite3.Connection:
    db = sqlite3.connect("" if path is None else path, timeout=10, check_same_thread=False)
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found not in (0, version):
        db.close()
        raise sqlite3.DatabaseError("another version")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")  # what is lost is read again
    db.executescript(schema + f"PRAGMA user_version={version};")
    return db
