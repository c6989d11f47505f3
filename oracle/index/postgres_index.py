"""An index in a PostgreSQL database, in the first schema of its search path."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.index.index_schema import INDEX_SCHEMA, INDEX_VERSION, PLACED_TABLES
from provenance_oracle.oracle.index.index_store import QUESTION_SECONDS, IndexSession, no_index
from provenance_oracle.oracle.journal.dialect import tables_for_postgres, to_postgres
from provenance_oracle.oracle.journal.postgres_failures import PostgresPlace
from provenance_oracle.oracle.journal.store import Ask

if TYPE_CHECKING:
    import psycopg

_FORMAT = "CREATE TABLE index_format (application TEXT PRIMARY KEY, version BIGINT NOT NULL)"
_APPLICATION = "provenance-oracle"
_TABLES = (*PLACED_TABLES, "unchecked", "blocks", "facts", "index_format")
_LOCK = 0x50524958  # one writer at a time makes the tables
# Every wait for the server is bounded; see `journal.postgres`. No commit waits for a disk: what is lost is read again.
_OPTIONS = "-c synchronous_commit=off -c lock_timeout=20s -c statement_timeout=60s -c client_encoding=UTF8"
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}
_READ_ONLY = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresIndex:
    """An index in PostgreSQL. See `IndexDatabase`. A connection that was lost is opened again by the next call."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._server = PostgresPlace(url)
        self._read_options = f"{_OPTIONS} -c statement_timeout={QUESTION_SECONDS:.0f}s" if read_only else _OPTIONS
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._writer: psycopg.Connection[Any] | None = None
        self._reader: psycopg.Connection[Any] | None = None
        with self._server.failures():
            self._reader = self._server.connect(self._read_options, _CONNECTION, first=True)
        if read_only:
            if self._version() != INDEX_VERSION:
                self.close()
                raise no_index(self.where)
            return
        with self.writing() as db:
            db.rows(f"SELECT pg_advisory_xact_lock({_LOCK})")
            self._make(db)

    @property
    def where(self) -> str:
        """User, host, port and database, without a password."""
        return self._server.where

    @contextmanager
    def writing(self) -> Iterator[IndexSession]:
        """See `IndexDatabase`."""
        with self._writing, self._server.failures():
            if self._writer is None or self._writer.closed:
                self._writer = self._server.connect(_OPTIONS, _CONNECTION)
            writer = self._writer
            with self._transaction(writer, "BEGIN"):
                yield _PostgresSession(writer)

    @contextmanager
    def reading(self) -> Iterator[Ask]:
        """See `IndexDatabase`."""
        with self._reading, self._server.failures():
            if self._reader is None or self._reader.closed:
                self._reader = self._server.connect(self._read_options, _CONNECTION)
            reader = self._reader
            with self._transaction(reader, _READ_ONLY):
                yield lambda sql, parameters: reader.execute(to_postgres(sql), parameters).fetchall()

    def close(self) -> None:
        """Close the connections."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    @contextmanager
    def _transaction(self, connection: psycopg.Connection[Any], begin: str) -> Iterator[None]:
        try:
            connection.execute(begin)
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(self._server.error):
                connection.execute("ROLLBACK")
            if connection.broken:
                connection.close()
            raise

    def _make(self, db: IndexSession) -> None:
        """Make the tables; make them anew if they are of another version."""
        version = self._version()
        if version == INDEX_VERSION:
            return
        if version is not None:
            for table in _TABLES:
                db.many(f"DROP TABLE IF EXISTS {table}", [()])
        for statement in (_FORMAT, *tables_for_postgres(INDEX_SCHEMA)):
            db.many(statement, [()])
        db.many("INSERT INTO index_format VALUES (?, ?)", [(_APPLICATION, INDEX_VERSION)])

    def _version(self) -> int | None:
        """Return the version of the tables; None if there are none."""
        with self.reading() as ask:
            (found,) = ask("SELECT to_regclass('index_format') AS ours", ())
            if found["ours"] is None:
                return None
            kept = ask("SELECT version FROM index_format WHERE application = ?", (_APPLICATION,))
            return int(kept[0]["version"]) if kept else 0


class _PostgresSession:
    """An open transaction of PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[object] = (), /) -> Sequence[Any]:
        return self._connection.execute(to_postgres(sql), parameters).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[object]], /) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(to_postgres(sql), rows)
