"""Copy a journal into one SQLite file while the oracle runs, and make a journal from such a file.

The file is the same whether the journal is a file or in PostgreSQL, so a backup also carries a journal from one to the
other. It holds the evidence too. Both directions check what they wrote, and neither overwrites anything.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.oracle.journal.evidence import evidence_in
from provenance_oracle.oracle.journal.migrations import UPGRADES
from provenance_oracle.oracle.journal.new_file import new_file
from provenance_oracle.oracle.journal.reader import open_read_only
from provenance_oracle.oracle.journal.schema import EVIDENCE_VERSION, SCHEMA, TABLES, VERSION
from provenance_oracle.oracle.journal.sqlite import APPLICATION_ID, Database, lock_beside
from provenance_oracle.oracle.journal.stores import evidence_folder, is_url, open_store
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.text import printable

_ROWS_AT_ONCE = 500
_READABLE = (*UPGRADES, VERSION)


@dataclass(frozen=True)
class Copied:
    """The number of rows in each table of a copy, by the table's name."""

    version: int
    rows: dict[str, int]


def back_up(place: str, evidence: Path | None, file: Path) -> Copied:
    """Copy a journal and its evidence, as they are at one moment, into a new file of mode 0600.

    Args:
        place: path or URL of the journal. evidence: its folder of evidence, as for `Journal`.

    Raises:
        UsageError: there is no such journal, or `file` exists or cannot be made.
        TemporaryError: the disk is full or fails, or the server does not answer.
        VerificationError: the copy is not whole; it is deleted.
    """
    with new_file(file) as new:
        if is_url(place):
            _dump_postgres(place, new)
        else:
            with open_read_only(Path(place), _READABLE) as source, closing(sqlite3.connect(new)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
        folder = evidence_folder(place, evidence)
        if folder is not None:
            _add_evidence(new, folder)
        return verify_copy(new)


def restore_backup(file: Path, place: str) -> Copied:
    """Make a journal from a backup. The next start of the oracle compares it with the chain before it writes anything.

    Raises:
        UsageError: `file` is not a backup, or there is a journal at `place` already.
        TemporaryError: the disk is full or fails, or the server does not answer.
        VerificationError: the backup is not whole; nothing is restored.
    """
    verify_copy(file)
    with tempfile.TemporaryDirectory() as folder:
        newest = Path(folder) / "journal"
        _copy(file, newest)
        Database(newest, SCHEMA, VERSION, UPGRADES).close()  # carried over, if it is of an earlier version
        if is_url(place):
            _load_postgres(newest, place)
        else:
            with lock_beside(Path(place)), new_file(Path(place)) as new:
                _refuse_log(Path(place))
                _copy(newest, new)
        return verify_copy(newest)


def verify_copy(file: Path) -> Copied:
    """Verify that a file is a whole journal: its pages, its references, and the digest of each verdict.

    Raises:
        UsageError: it is not a journal. VerificationError: it is not whole.
    """
    where = printable(str(file))
    with open_read_only(file, _READABLE) as db:
        found = [row[0] for row in db.execute("PRAGMA integrity_check").fetchall()]
        if found != ["ok"] or db.execute("PRAGMA foreign_key_check").fetchall():
            problem = "the copy of the journal is damaged; make another backup"
            raise VerificationError(problem, where=where, got=printable(str(found[0])), wanted="ok")
        for row in db.execute("SELECT digest, statement FROM verdicts"):
            if hashlib.sha256(row["statement"]).digest() != row["digest"]:
                problem = "a verdict in the copy of the journal was altered"
                raise VerificationError(problem, where=where, got="another digest", wanted=row["digest"].hex())
        (version,) = db.execute("PRAGMA user_version").fetchone()
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        counts = {name: db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608
        return Copied(version, counts)


def _copy(source: Path, target: Path) -> None:
    target.touch(0o600)
    with open_read_only(source, _READABLE) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")


def _refuse_log(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if os.path.lexists(log):
        raise UsageError("the log of a lost journal is in the way; move it away first", where=printable(str(log)))


def _add_evidence(new: Path, folder: Path) -> None:
    """Add the archives in a folder to the table `evidence` of a copy, unless its version has no such table."""
    with closing(sqlite3.connect(new)) as db, db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version < EVIDENCE_VERSION:
            return
        digests = [digest for (digest,) in db.execute("SELECT digest FROM verdicts ORDER BY digest")]
        for digest in digests:
            archive = evidence_in(folder, digest)
            if archive is not None:
                db.execute("INSERT OR REPLACE INTO evidence VALUES (?, ?)", (digest, archive))
        db.execute("DELETE FROM evidence WHERE LENGTH(archive) = 0")


def _dump_postgres(place: str, new: Path) -> None:
    from provenance_oracle.oracle.journal.postgres import PostgresDatabase

    with closing(PostgresDatabase(place, SCHEMA, VERSION)) as source, closing(sqlite3.connect(new)) as target:
        target.executescript(f"BEGIN; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION}; {SCHEMA}")
        with source.snapshot() as db:
            for table in TABLES:
                db.execute(f"DECLARE dump CURSOR FOR SELECT * FROM {table}")  # noqa: S608 (our own names)
                while rows := db.execute(f"FETCH {_ROWS_AT_ONCE} FROM dump").fetchall():
                    target.executemany(_insert(table, list(rows[0])), [tuple(row.values()) for row in rows])
                db.execute("CLOSE dump")
        target.execute("COMMIT")


def _load_postgres(file: Path, place: str) -> None:
    with closing(open_store(place)) as target, open_read_only(file, (VERSION,)) as source, target.transaction() as db:
        if any(db.execute(f"SELECT 1 AS one FROM {table} LIMIT 1").fetchone() for table in TABLES):  # noqa: S608
            raise UsageError(
                "there is a journal already, and nothing is overwritten; name an empty database or schema",
                where=target.where,
                got="a journal with rows",
                wanted="no rows",
            )
        for table in TABLES:
            cursor = source.execute(f"SELECT * FROM {table}")  # noqa: S608
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for row in rows:
                    db.execute(_insert(table, names), tuple(row))
            if "id" in names:
                newest = f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}"  # noqa: S608
                db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), ({newest}), false)")


def _insert(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
