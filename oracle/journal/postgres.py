"""A journal in a PostgreSQL database, which several oracle processes may share.

Writers take turns over the whole journal (an advisory lock that ends with each transaction), so every method means the
same as on SQLite. A name that a process holds (`hold`) is a session lock of its writing connection: if that connection
is lost, so is the lock, and the process takes it again before it writes. Sources: PostgreSQL 15 documentation, 13.3.5
(advisory locks) and appendix A (error codes).
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.journal.dialect import tables_for_postgres, to_postgres
from provenance_oracle.oracle.journal.group_commit import GroupCommit
from provenance_oracle.oracle.journal.postgres_failures import PostgresPlace
from provenance_oracle.oracle.journal.store import Found, Migrations, Session, SqlAnswer, TakenError, other_version
from provenance_oracle.verifier.errors import TemporaryError, UsageError

if TYPE_CHECKING:
    import psycopg

_FORMAT = "CREATE TABLE journal_format (application TEXT PRIMARY KEY, version BIGINT NOT NULL)"
_APPLICATION = "provenance-oracle"
# Every wait for the server is bounded: for a connection, for another writer, for a statement, for a silent network.
_OPTIONS = "-c synchronous_commit=on -c lock_timeout=20s -c statement_timeout=60s -c client_encoding=UTF8"
# The server too must notice soon that a machine is gone: only then may another process take over what that one held.
_OPTIONS += " -c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}
_CONNECTION |= {"tcp_user_timeout": 30_000}
_HOLD_TRIES = 20
_HOLD_PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


class PostgresDatabase(GroupCommit):
    """A journal's tables in the first schema of a database's search path, made if they do not exist.

    Threads may share it: one connection writes and another one reads. A connection that was lost is opened again by the
    next call.

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that libpq knows. libpq also reads the
            password from `PGPASSWORD` or `~/.pgpass`. Messages never show it.
        schema, version, upgrades: as for `sqlite.Database`.

    Raises:
        UsageError: the server refuses user, password or database, or the tables are another program's or version's.
        TemporaryError: the server does not answer, or cannot write now. Every method may raise this too.
    """

    def __init__(self, url: str, schema: str, version: int, upgrades: Migrations = MappingProxyType({})) -> None:
        super().__init__()
        self._server = PostgresPlace(url)
        self._writer: psycopg.Connection[Any] | None = None
        self._reader: psycopg.Connection[Any] | None = None
        self._reading = threading.Lock()
        self._held: dict[str, int] = {}
        self._salt = b""
        self._write_key = 0
        try:
            self._writer = self._server.connect(_OPTIONS, _CONNECTION, first=True)
            self._prepare(schema, version, upgrades)
            self._reader = self._server.connect(_OPTIONS, _CONNECTION, first=True)
        except BaseException:
            self.close()
            raise

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use it at the same time: yes."""
        return True

    @property
    def where(self) -> str:
        """User, host, port and database, for messages."""
        return self._server.where

    def close(self) -> None:
        """Close the connections. This gives up all that is held."""
        self._end_group()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Found]:
        """Return the rows of a query. They are those of the last commit, also within a transaction."""
        with self._reading, self._failures():
            for attempt in (1, 2):
                if self._reader is None or self._reader.closed:
                    self._reader = self._server.connect(_OPTIONS, _CONNECTION)
                try:
                    return self._reader.execute(to_postgres(sql), parameters).fetchall()
                except self._server.lost:
                    if attempt == 2 or not self._reader.broken:
                        raise
        raise AssertionError  # the loop ends with a return or an exception

    def hold(self, name: str) -> None:
        """Keep every other process from holding `name` in this journal, until the store is closed.

        Raises:
            TakenError: another process holds it. It may end, and a later call succeed.
        """
        key = self._key(name)
        for attempt in range(_HOLD_TRIES):  # the server needs a moment to notice that a process ended
            if attempt:
                time.sleep(_HOLD_PAUSE_SECONDS)
            with self.transaction():
                if name in self._held or self._try_lock(key):
                    self._held[name] = key
                    return
        raise TakenError(
            "another process does this work with the same journal; this one takes it over when that ends",
            where=self.where,
            got=f"{name} is taken",
            wanted="one process at a time",
        )

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Read all tables as they are at one moment, over a connection of its own. Writers go on."""
        with self._failures(), self._server.connect(_OPTIONS, _CONNECTION) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield _Statements(connection)

    def _prepare(self, schema: str, version: int, upgrades: Migrations) -> None:
        """Make the tables, or compare their version, as one transaction."""
        assert self._writer is not None
        with self._failures():
            looks = "SELECT current_schema() AS name, current_database() AS base"
            (place,) = self._writer.execute(looks).fetchall()
        self._salt = f"{place['base']} {place['name']}".encode()
        self._write_key = self._key("write")
        with self.transaction() as db:
            found = db.execute(
                "SELECT to_regclass('journal_format') AS ours, to_regclass('releases') AS any"
            ).fetchone()
            if found["ours"] is None:
                if found["any"] is not None:
                    raise UsageError(
                        "the database has tables of another program; name an empty database or schema",
                        where=self.where,
                        got="a table `releases`",
                        wanted="a journal of this program, or no tables",
                    )
                for statement in (_FORMAT, *tables_for_postgres(schema)):
                    db.execute(statement)
                db.execute("INSERT INTO journal_format VALUES (?, ?)", (_APPLICATION, version))
                return
            kept = db.execute("SELECT version FROM journal_format WHERE application = ?", (_APPLICATION,)).fetchone()
            number = kept["version"] if kept else 0
            if number != version and number not in upgrades:
                raise other_version(self.where, number, version, upgrades)
            for step in range(number, version):
                upgrades[step](db)
            db.execute("UPDATE journal_format SET version = ?", (version,))

    def _key(self, name: str) -> int:
        """Return the number of an advisory lock of this journal; PostgreSQL has one space of numbers a database."""
        digest = hashlib.sha256(b"provenance journal\0" + self._salt + b"\0" + name.encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def _try_lock(self, key: int) -> bool:
        assert self._writer is not None
        (found,) = self._writer.execute("SELECT pg_try_advisory_lock(%s) AS got", (key,)).fetchall()
        return bool(found["got"])

    def _begin(self) -> Session:
        for attempt in (1, 2):
            if self._writer is None or self._writer.closed:
                self._writer = self._server.connect(_OPTIONS, _CONNECTION)
                self._hold_again()
            if self._is_open():
                break
            try:
                self._writer.execute(f"BEGIN; SELECT pg_advisory_xact_lock({self._write_key})")  # one round trip
                break
            except self._server.lost:
                if attempt == 2 or not self._writer.broken:
                    raise
        assert self._writer is not None
        return _Statements(self._writer)

    def _hold_again(self) -> None:
        """Take the locks that a lost connection had. Another process may have one: nothing is written then."""
        for name, key in self._held.items():
            if not self._try_lock(key):
                assert self._writer is not None
                self._writer.close()
                raise TemporaryError(
                    "the connection to the journal was lost, and another process does this work meanwhile",
                    where=self.where,
                    got=f"{name} is taken",
                    wanted="one process at a time",
                )
        if self._held:
            _log.info("%s: connected again", self.where)

    def _commit(self) -> None:
        assert self._writer is not None
        self._writer.execute("COMMIT")

    def _rollback(self) -> None:
        if self._writer is not None and self._is_open():
            with suppress(self._server.error):  # the next BEGIN opens another connection
                self._writer.execute("ROLLBACK")

    def _is_open(self) -> bool:
        return self._writer is not None and self._server.in_transaction(self._writer)

    def _failures(self) -> AbstractContextManager[None]:
        return self._server.failures()


class _Statements:
    """An open transaction that takes the journal's SQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> SqlAnswer:
        return self._connection.execute(to_postgres(sql), parameters)
