"""Open the database of an index: a file of SQLite, or a PostgreSQL database by its URL."""

from __future__ import annotations

from pathlib import Path

from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.postgres_index import PostgresIndex
from provenance_oracle.oracle.index.sqlite_index import SqliteIndex
from provenance_oracle.oracle.journal.stores import is_url


def open_index_database(place: str, *, read_only: bool = False) -> IndexDatabase:
    """Open the index at a path or a URL `postgresql://...`, and make it if it is new.

    Args:
        read_only: only ask. There must be an index then.

    Raises:
        UsageError: the file or database is of another program, or there is none to read.
        TemporaryError: disk or connection fail.
    """
    if is_url(place):
        return PostgresIndex(place, read_only=read_only)
    return SqliteIndex(Path(place), read_only=read_only)
