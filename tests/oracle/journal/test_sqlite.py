"""Tests of the journal's file: it is never overwritten, shared or half made, and a full disk loses nothing."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.verifier.errors import TemporaryError, UsageError

SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = Database(path, SCHEMA, 1)
    yield made
    made.close()


def insert(database: Database, data: bytes = b"x") -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (data,))


def count(database: Database) -> int:
    return int(database.rows("SELECT COUNT(*) AS n FROM t")[0]["n"])


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    database = Database(path, SCHEMA, 1)
    insert(database)
    database.close()
    again = Database(path, SCHEMA, 1)
    assert count(again) == 1
    again.close()


def test_commits_are_durable(database: Database) -> None:
    assert database.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert database.rows("PRAGMA synchronous")[0][0] == 2  # FULL


def test_a_failed_block_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"x",))
        raise RuntimeError
    assert count(database) == 0
    insert(database)
    assert count(database) == 1


def test_a_second_writer_is_refused_until_the_first_is_gone(path: Path, database: Database) -> None:
    with pytest.raises(UsageError, match="the journal is in use by another process"):
        Database(path, SCHEMA, 1)
    database.close()
    Database(path, SCHEMA, 1).close()


def test_a_killed_writer_leaves_no_lock(path: Path) -> None:
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from provenance_oracle.oracle.journal.sqlite import Database\n"
        f"d = Database(Path(sys.argv[1]), {SCHEMA!r}, 1)\n"
        "with d.transaction() as db: db.execute('INSERT INTO t (data) VALUES (?)', (b'x',))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    database = Database(path, SCHEMA, 1)
    assert count(database) == 1
    database.close()


def refused(path: Path, match: str) -> None:
    before = path.read_bytes()
    with pytest.raises(UsageError, match=match):
        Database(path, SCHEMA, 1)
    assert path.read_bytes() == before, "the refused file was changed"


@pytest.mark.parametrize("data", [b"not a database, but long enough to look like one" * 40, b"", b"SQLite format 3\0"])
def test_foreign_bytes_are_refused_and_left_alone(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refused(path, "the journal is corrupt|the file is not a journal")


def test_another_program_s_database_is_refused(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (id)")
    other.close()
    refused(path, "the file is not a journal of this program")


def test_another_schema_version_is_refused(path: Path) -> None:
    Database(path, SCHEMA, 2).close()
    refused(path, "newer provenance-oracle.*: got 2, wanted 1")


def test_a_damaged_file_is_refused(path: Path) -> None:
    database = Database(path, SCHEMA, 1)
    for _ in range(200):
        insert(database, os.urandom(3000))
    database.close()
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 40] = bytes(4096 * 38)
    path.write_bytes(data)
    refused(path, "corrupt")


def test_a_log_without_its_journal_is_not_thrown_away(path: Path) -> None:
    log = path.with_name("j.db-wal")
    log.write_bytes(b"the only copy of something")
    with pytest.raises(UsageError, match="write-ahead log"):
        Database(path, SCHEMA, 1)
    assert log.read_bytes() == b"the only copy of something"


def test_a_half_made_journal_of_an_earlier_start_is_made_anew(path: Path) -> None:
    path.with_name("j.db.new").write_bytes(b"half")
    Database(path, SCHEMA, 1).close()
    assert not path.with_name("j.db.new").exists()


def test_a_folder_that_is_missing_is_the_operator_s_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lock"):
        Database(tmp_path / "missing" / "j.db", SCHEMA, 1)


def test_a_wrong_statement_is_a_bug_not_a_temporary_failure(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        database.rows("SELECT nothing FROM nowhere")


def test_a_full_disk_is_temporary_and_loses_nothing_that_was_acknowledged(path: Path) -> None:
    database = Database(path, SCHEMA, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = 0
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
        with pytest.raises(TemporaryError, match="cannot be written"):
            for _ in range(1000):
                insert(database, os.urandom(3000))
                kept += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 0 < kept < 1000
    insert(database)  # the disk has room again
    database.close()
    again = Database(path, SCHEMA, 1)
    assert count(again) == kept + 1
    again.close()


def test_a_disk_that_is_full_at_the_start_leaves_no_journal(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        with pytest.raises(TemporaryError):
            Database(path, SCHEMA, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()
    Database(path, SCHEMA, 1).close()


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o660, 0o644])
def test_a_journal_that_others_can_access_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "j"
    Database(path, SCHEMA, 1).close()
    assert [stat.S_IMODE(p.stat().st_mode) for p in sorted(tmp_path.iterdir())] == [0o600, 0o600]  # and its lock
    path.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        Database(path, SCHEMA, 1)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_file_that_sqlite_applies_to_the_journal_must_be_private_too(tmp_path: Path, suffix: str) -> None:
    Database(tmp_path / "j", SCHEMA, 1).close()
    (tmp_path / f"j{suffix}").touch(0o666)
    (tmp_path / f"j{suffix}").chmod(0o666)
    with pytest.raises(UsageError, match=f"j{suffix}: .*chmod 600"):
        Database(tmp_path / "j", SCHEMA, 1)


def test_a_journal_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(tmp_path / "j", SCHEMA, 1).close()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UsageError, match="owner 12345"):
        Database(tmp_path / "j", SCHEMA, 1)
