"""An index in a file of SQLite. A file of the index that is damaged or of another version is made anew."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provenance_oracle.oracle.index.index_schema import INDEX_SCHEMA, INDEX_VERSION
from provenance_oracle.oracle.index.index_store import QUESTION_SECONDS, IndexSession, no_index, took_too_long
from provenance_oracle.oracle.journal.store import Ask
from provenance_oracle.verifier.errors import TemporaryError, UsageError, unread
from provenance_oracle.verifier.text import printable

# "PRIX", in the header of the file. A file of another program has another id there, and is left alone.
INDEX_APPLICATION_ID = 0x50524958
_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"
_ID_AT = slice(68, 72)  # https://sqlite.org/fileformat.html, 1.3
_BUSY_SECONDS = 10.0
_WRITER_CACHE_KIB = 64 * 1024
_STEPS = 20_000  # of SQLite's machine, between two looks at the clock
_SIDECARS = ("-wal", "-shm", "-journal")
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)


class SqliteIndex:
    """An index in a file. See `IndexDatabase`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        with self._failures():
            if not read_only:
                _require_ours(path)
                self._writer = self._made()
            elif not path.is_file():
                raise no_index(self.where)
            self._reader = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_SECONDS,
            )
            self._reader.row_factory = sqlite3.Row
            if read_only and _ids(self._reader) != (INDEX_APPLICATION_ID, INDEX_VERSION):
                self._reader.close()
                raise no_index(self.where)
            self._late_at = math.inf
            self._seconds = QUESTION_SECONDS if read_only else math.inf
            self._reader.set_progress_handler(self._is_late, _STEPS)

    @property
    def where(self) -> str:
        """The file's path."""
        return printable(str(self._path))

    @contextmanager
    def writing(self) -> Iterator[IndexSession]:
        """See `IndexDatabase`."""
        assert self._writer is not None, "opened for reading"
        with self._writing, self._failures():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteSession(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Ask]:
        """See `IndexDatabase`."""
        with self._reading, self._failures():
            self._late_at = time.monotonic() + self._seconds
            self._reader.execute("BEGIN")
            try:
                yield self._ask
            finally:
                self._late_at = math.inf
                self._reader.execute("ROLLBACK")

    def _ask(self, sql: str, parameters: Sequence[object]) -> Sequence[Any]:
        if self._is_late():
            raise took_too_long(self.where)
        return self._reader.execute(sql, parameters).fetchall()

    def _is_late(self) -> bool:
        return time.monotonic() > self._late_at

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        if self._writer is not None:
            self._writer.close()

    def _made(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._create()
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for suffix in ("", *_SIDECARS):
                self._beside(suffix).unlink(missing_ok=True)
            self._create()
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)
        try:
            db.row_factory = sqlite3.Row
            if _ids(db) != (INDEX_APPLICATION_ID, INDEX_VERSION):
                raise sqlite3.DatabaseError("another version")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")  # what is lost is read again
            db.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")  # digests are everywhere in the tree of keys
            db.execute("SELECT * FROM facts").fetchall()
        except BaseException:
            db.close()
            raise
        return db

    def _create(self) -> None:
        """Make the file under another name and rename it, so that it has its id in its header whenever it is there."""
        for suffix in _SIDECARS:
            if self._beside(suffix).exists():
                problem = "the index is missing, but a file of its database is there; delete that one, or name another"
                raise UsageError(problem, where=printable(str(self._beside(suffix))))
        new = self._beside(".new")
        new.unlink(missing_ok=True)
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            ids = f"PRAGMA application_id={INDEX_APPLICATION_ID}; PRAGMA user_version={INDEX_VERSION};"
            db.executescript(f"BEGIN; {ids} {INDEX_SCHEMA} COMMIT;")
        new.rename(self._path)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if code == sqlite3.SQLITE_INTERRUPT:
                raise took_too_long(self.where) from error
            wanted = "start `provenance index` anew, which makes the file anew" if code in _CORRUPT else ""
            if code == sqlite3.SQLITE_ERROR and isinstance(error, sqlite3.OperationalError):
                raise  # a statement that no database takes is a bug
            problem = f"the index cannot be used: {error}"
            raise TemporaryError(problem, where=self.where, wanted=wanted) from error


class _SqliteSession:
    """An open transaction of SQLite."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def rows(self, sql: str, parameters: Sequence[object] = (), /) -> Sequence[Any]:
        return self._db.execute(sql, parameters).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[object]], /) -> None:
        self._db.executemany(sql, rows)


def _ids(db: sqlite3.Connection) -> tuple[int, int]:
    (application,), (version,) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
    )
    return application, version


def _require_ours(path: Path) -> None:
    """Raise UsageError if a file is there that is not an index, even a damaged one: nothing of another is deleted."""
    if not path.parent.is_dir():
        wanted = "a file in a folder that is there"
        raise UsageError("there is no such folder for the index", where=printable(str(path)), wanted=wanted)
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unread("the index cannot be opened", error, where=printable(str(path)), wanted="a file") from error
    if header and not (header.startswith(_MAGIC) and header[_ID_AT] == INDEX_APPLICATION_ID.to_bytes(4, "big")):
        problem = "the file is not an index of this program; it is left as it is"
        raise UsageError(problem, where=printable(str(path)), got="another file", wanted="a new name, or an index")
