"""One SQLite file that loses no committed transaction and overwrites no file of another program.

The file uses WAL with `synchronous=FULL`, so a commit that returned is on disk, even after a kill or a power loss
(https://sqlite.org/pragma.html#pragma_synchronous). An flock on a lock file beside it keeps out a second process. Each
transaction looks whether the path still leads to the open file, so that nothing is written into a deleted one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO

from provenance_oracle.oracle.journal.group_commit import GroupCommit
from provenance_oracle.oracle.journal.name_lock import lock_by_name
from provenance_oracle.oracle.journal.store import Found, Migrations, Session, other_version
from provenance_oracle.verifier.errors import TemporaryError, UsageError, unwritten
from provenance_oracle.verifier.text import printable

# "PROV", in the file's header. A database of another program has another id there, and is refused.
APPLICATION_ID = 0x50524F56
_BUSY_TIMEOUT_SECONDS = 5.0
_SIDECARS = ("-wal", "-shm", "-journal")
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)

_log = logging.getLogger(__name__)


class Database(GroupCommit):
    """An exclusive connection to one SQLite file with a known schema, created if the file does not exist.

    Threads may share it. Their transactions share commits; their queries go over a second connection, which sees what
    was committed.

    Args:
        path: the file; its folder must exist and be on a local file system.
        schema: SQL that makes the tables of a new file.
        version: the schema's number.
        upgrades: by the number of an earlier schema, the step to the next one. All steps are taken as one transaction.
            A file with any other number is refused.
        is_guest: work beside the process that holds the journal. The guest takes no lock, makes no file and carries
            nothing over. Its transactions and those of the other process take turns, as SQLite itself has it.

    Raises:
        UsageError: the file is corrupt, of another program or schema version, or in use by another process; or its
            folder is missing. Every method raises this too if the file is corrupt, or was deleted, moved or replaced.
        TemporaryError: the disk is full or fails. Every method may raise this too.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        version: int,
        upgrades: Migrations = MappingProxyType({}),
        *,
        is_guest: bool = False,
    ) -> None:
        super().__init__()
        self.path = path
        self._version = version
        self._upgrades = upgrades
        self._reading = threading.Lock()
        self._is_gone = False
        if path.is_dir():
            raise UsageError(
                "the path is not a journal", where=str(path), got="a folder", wanted="a file, or a name for a new one"
            )
        if is_guest:
            _require_file(path)
        with ExitStack() as undo:
            locks: list[IO[bytes]] = []
            for take in () if is_guest else (lock_beside, lock_by_name):
                lock = take(path)
                locks += [undo.enter_context(lock)] if lock else []
            with self._failures():
                if not is_guest and not path.exists():
                    _create(path, schema, version)
                for suffix in _SIDECARS:  # SQLite applies what it finds in them when it opens the journal
                    _check_private(path.with_name(path.name + suffix))
                self._connection = _connect(path)
                undo.callback(self._connection.close)
                self._check()  # before the first write: the file may belong to another program
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                    self._connection.execute(f"PRAGMA {pragma}")
                self._files = {each: _identity(each) for each in (path, lock_path(path))[: 1 if is_guest else 2]}
                self._reader = _connect(path)
                undo.callback(self._reader.close)
                self._reader.execute("PRAGMA query_only=ON")
            self._upgrade(is_guest=is_guest)
            self._locks = locks
            undo.pop_all()

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use it at the same time: no, the lock beside it lets in one."""
        return False

    @property
    def where(self) -> str:
        """The file's path, for messages."""
        return printable(str(self.path))

    def close(self) -> None:
        """Close the connections and release the lock."""
        self._end_group()
        with self._reading:
            self._reader.close()
        self._connection.close()
        for lock in self._locks:
            lock.close()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Found]:
        """Return the rows of a query. They are those of the last commit, also within a transaction."""
        with self._reading, self._failures():
            if self._is_gone:  # a step found that out; looking anew at each query costs more than the query
                self._check_place()
            return self._reader.execute(sql, parameters).fetchall()

    def hold(self, name: str) -> None:
        """Do nothing: no other process can use this journal at the same time."""

    def _begin(self) -> Session:
        if not self._connection.in_transaction:
            self._check_place()
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _commit(self) -> None:
        self._check_place()
        self._connection.execute("COMMIT")

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:  # the next BEGIN says what is wrong
                _log.debug("rollback: %s", error)

    def _is_open(self) -> bool:
        return self._connection.in_transaction

    def _check_place(self) -> None:
        """Raise UsageError if the journal or its lock file was deleted, moved or replaced since it was opened."""
        self._is_gone = False
        for path, identity in self._files.items():
            if _identity(path) != identity:
                self._is_gone = True
                raise UsageError(
                    "the journal was deleted, moved or replaced while it was in use, and nothing more is written to it;"
                    " move it back or restore a backup (`provenance restore`), then start again",
                    where=printable(str(path)),
                    got="another file, or none",
                    wanted="the file that was opened",
                )

    def _check(self) -> None:
        if self._pragma("application_id") != APPLICATION_ID:
            raise UsageError("the file is not a journal of this program; it is left as it is", where=str(self.path))
        found = int(str(self._pragma("user_version")))
        if found != self._version and found not in self._upgrades:
            raise other_version(self.where, found, self._version, self._upgrades)
        _check_private(self.path)
        if self._pragma("quick_check") != "ok":
            raise _corrupt(self.path, str(self._pragma("quick_check")))

    def _upgrade(self, *, is_guest: bool) -> None:
        found = int(str(self._pragma("user_version")))
        if found == self._version:
            return
        if is_guest:
            problem = "the journal is of an earlier version; `provenance watch` carries it over when it starts"
            raise UsageError(problem, where=self.where, got=str(found), wanted=str(self._version))
        with self.transaction() as db:
            for number in range(found, self._version):
                self._upgrades[number](db)
            db.execute(f"PRAGMA user_version = {self._version}")
        _log.info("%s: the journal was carried over from version %d to %d", self.path, found, self._version)

    def _pragma(self, name: str) -> object:
        value: object = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn SQLite's failures into ours.

        A broken file is a UsageError, because the operator must act. A failing disk is a TemporaryError. Any other
        failure is a bug and passes through.
        """
        try:
            yield
        except OSError as error:
            raise TemporaryError(f"the journal cannot be written: {error.strerror}", where=str(self.path)) from error
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if code in _CORRUPT:
                raise _corrupt(self.path, str(error)) from error
            if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
                raise TemporaryError(f"the journal cannot be written: {error}", where=str(self.path)) from error
            raise


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _require_file(path: Path) -> None:
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises for some paths; this is False)
        raise UsageError("there is no journal", where=printable(str(path)), got="no file", wanted="an oracle's journal")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of the file at a path; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _corrupt(path: Path, got: str) -> UsageError:
    hint = "the journal is corrupt; move it away, and the next start rebuilds it from the releases and the chain"
    return UsageError(hint, where=str(path), got=printable(got), wanted="ok")


def lock_path(path: Path) -> Path:
    """Return the path of a journal's lock file."""
    return path.with_name(path.name + ".lock")


def lock_beside(path: Path) -> IO[bytes]:
    """Take the lock that lets one process use the journal. The kernel releases it when the process ends."""
    beside = lock_path(path)
    try:
        lock = os.fdopen(os.open(beside, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab")
    except OSError as error:
        problem, wanted = "the journal's lock file cannot be opened", "a file that this process may write"
        raise unwritten(problem, error, where=str(beside), wanted=wanted) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise UsageError("the journal is in use by another process", where=str(path)) from error
    found = os.fstat(lock.fileno())
    if _identity(beside) != (found.st_dev, found.st_ino):
        lock.close()
        raise UsageError("the journal's lock file was replaced at this moment; start again", where=str(beside))
    return lock


def _check_private(path: Path) -> None:
    """Raise UsageError if the file exists and is another user's, or others have rights to it: its rows get signed."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            "others can access the journal; check its rows, then `chmod 600` it and `chown` it to this user",
            where=printable(str(path)),
            got=f"{stat.filemode(found.st_mode)}, owner {found.st_uid}",
            wanted=f"-rw-------, owner {os.geteuid()}",
        )


def _create(path: Path, schema: str, version: int) -> None:
    """Make the file under another name and rename it, so that a kill in between leaves no half-made journal."""
    leftover = path.with_name(path.name + "-wal")
    if leftover.exists():
        raise UsageError(
            "the journal is missing, but its write-ahead log is there; restore the journal", where=str(leftover)
        )
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(
            f"BEGIN; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={version}; {schema} COMMIT;"
        )
    finally:
        connection.close()
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
