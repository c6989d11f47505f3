"""Tests of transactions that share a commit: each is durable when it returns, and one that fails harms no other."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.verifier.errors import TemporaryError

SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB NOT NULL UNIQUE) STRICT;"
THREADS = 8


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "j.db", SCHEMA, 1)) as made:
        yield made


def insert(database: Database, data: bytes) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (data,))


def committed(database: Database) -> set[bytes]:
    """Return the rows that another process sees."""
    with closing(sqlite3.connect(database.path)) as other:
        return {data for (data,) in other.execute("SELECT data FROM t")}


def together(database: Database, *works: object) -> list[Exception | None]:
    """Run works in threads that all wait while a first transaction is open; return what each raised."""
    ready = threading.Barrier(len(works) + 1)

    def run(work: object) -> Exception | None:
        ready.wait()
        try:
            work()  # type: ignore[operator]
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        with suppress(TemporaryError), database.transaction() as db:
            jobs = [pool.submit(run, work) for work in works]
            ready.wait()
            while database._waiting < len(works):
                time.sleep(0.001)
            db.execute("INSERT INTO t (data) VALUES (?)", (b"first",))
        return [job.result() for job in jobs]


def test_threads_that_wait_share_a_commit(database: Database) -> None:
    seen: list[set[bytes]] = []

    def write(number: int) -> None:
        insert(database, b"%d" % number)
        seen.append(committed(database))

    raised = together(database, *(lambda number=number: write(number) for number in range(THREADS)))
    assert raised == [None] * THREADS
    assert database.commits == 1
    assert committed(database) == {b"first", *(b"%d" % number for number in range(THREADS))}
    assert all(b"first" in rows for rows in seen), "a transaction returned before its commit"


def test_one_thread_alone_commits_at_once(database: Database) -> None:
    for number in range(3):
        insert(database, b"%d" % number)
        assert len(committed(database)) == number + 1
    assert database.commits == 3


def test_a_block_that_fails_takes_back_only_itself(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO t (data) VALUES (?)", (b"lost",))
            raise RuntimeError

    raised = together(database, lambda: insert(database, b"a"), fail, lambda: insert(database, b"b"))
    assert [type(error) for error in raised] == [type(None), RuntimeError, type(None)]
    assert committed(database) == {b"first", b"a", b"b"}


def test_a_statement_that_fails_takes_back_only_its_block(database: Database) -> None:
    raised = together(database, lambda: insert(database, b"first"), lambda: insert(database, b"b"))
    assert sorted(map(type, raised), key=str) == [type(None), sqlite3.IntegrityError]
    assert committed(database) == {b"first", b"b"}


def test_a_commit_that_fails_fails_for_all(database: Database) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    def write(data: bytes) -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO t (data) VALUES (?)", (data,))
            database.before_commit(full)

    raised = together(database, lambda: write(b"a"), lambda: write(b"b"))
    assert [type(error) for error in raised] == [TemporaryError] * 2
    assert committed(database) == set(), "the first one, too, shared the commit"
    insert(database, b"later")
    assert committed(database) == {b"later"}


def test_a_thread_that_is_interrupted_leaves_no_other_waiting(database: Database) -> None:
    class Interruption(BaseException):
        pass

    def stop() -> None:
        with pytest.raises(Interruption), database.transaction() as db:
            db.execute("INSERT INTO t (data) VALUES (?)", (b"lost",))
            raise Interruption

    raised = together(database, lambda: insert(database, b"a"), stop)
    assert raised == [None, None]
    assert committed(database) == {b"first", b"a"}


def test_what_an_interruption_left_open_is_committed_at_the_end(tmp_path: Path) -> None:
    database = Database(tmp_path / "j.db", SCHEMA, 1)
    database._waiting = 1  # another thread waits, and is gone before its turn
    group = threading.Thread(target=insert, args=(database, b"a"))
    group.start()
    group.join()
    assert committed(database) == {b"a"}, "the thread did not wait for ever"
    database.close()


def test_a_block_that_leaves_its_commit_is_durable_with_a_later_one(database: Database) -> None:
    for data in (b"a", b"b"):
        with database.transaction(later=True) as db:
            db.execute("INSERT INTO t (data) VALUES (?)", (data,))
    assert committed(database) == set()
    insert(database, b"c")
    assert committed(database) == {b"a", b"b", b"c"}
    assert database.commits == 1


def test_a_flush_commits_what_was_left_open(database: Database) -> None:
    database.flush()
    with database.transaction(later=True) as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"a",))
    database.flush()
    assert committed(database) == {b"a"}
    assert database.commits == 1


def test_a_full_group_is_committed_though_nobody_waits(database: Database) -> None:
    for number in range(64):
        with database.transaction(later=True) as db:
            db.execute("INSERT INTO t (data) VALUES (?)", (b"%d" % number,))
    assert len(committed(database)) == 64


def test_a_flush_that_fails_says_so_and_takes_the_blocks_back(database: Database) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with database.transaction(later=True) as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"a",))
        database.before_commit(full)
    with pytest.raises(TemporaryError, match="No space left"):
        database.flush()
    assert committed(database) == set()
