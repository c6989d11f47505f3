"""Tests of a journal in PostgreSQL: what the server refuses, lost connections, and processes that share a journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.postgres import PostgresDatabase
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from tests.support.postgres_server import PASSWORD, PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
MINE = "SELECT pid FROM pg_stat_activity WHERE pid != pg_backend_pid() AND backend_type = 'client backend'"


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_place()


@pytest.fixture
def database(url: str) -> Iterator[PostgresDatabase]:
    with closing(PostgresDatabase(url, SCHEMA, 1)) as made:
        yield made


def insert(database: PostgresDatabase) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"x",))


def count(database: PostgresDatabase) -> int:
    return int(database.rows("SELECT COUNT(*) AS n FROM t")[0]["n"])


def opened(journal: Journal, name: str = "a") -> Row:
    return journal.open(ReleaseKey("folder", name, bytes(32)), "f", at=AT)


def cut(postgres: PostgresServer) -> None:
    """End every connection to the server, as a restart of it does."""
    postgres.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({MINE}) AS others")


@pytest.mark.parametrize("number", range(3))
def test_a_refusal_by_the_server_is_the_operator_s_to_mend(postgres: PostgresServer, number: int) -> None:
    url = [
        postgres.url("none"),
        postgres.url("postgres", password="secret"),
        postgres.url("postgres", user="stranger", password="secret"),
    ][number]
    with pytest.raises(UsageError, match="createdb") as caught:
        Journal(url)
    assert_silent(caught.value, "secret", PASSWORD)


def test_a_server_that_does_not_answer_is_temporary(postgres: PostgresServer) -> None:
    url = postgres.url("postgres").replace(str(postgres.port), "1")
    with pytest.raises(TemporaryError, match="does not answer") as caught:
        Journal(url)
    assert_silent(caught.value, PASSWORD)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:pa@secret@host/base",
        "postgresql://user:secret/x@host/base",
        "postgresql://user:1@se:cret@host:5432/base",
        "postgresql://user:x@host/base?secret=1",
        "postgresql://user:x@host:secret/base",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        Journal(url)
    assert_silent(caught.value, "secret", "cret@")


def assert_silent(error: ProvenanceError, *secrets: str) -> None:
    texts = [str(error), repr(error), error.where, error.got, error.wanted]
    assert [text for text in texts for secret in secrets if secret in text] == []


def test_the_place_of_a_journal_is_named_without_its_password(
    postgres: PostgresServer, database: PostgresDatabase
) -> None:
    assert database.where == f"postgresql://oracle@127.0.0.1:{postgres.port}/postgres"


def test_commits_are_durable(database: PostgresDatabase) -> None:
    assert database.rows("SHOW synchronous_commit")[0]["synchronous_commit"] == "on"


def test_a_failed_block_leaves_nothing(database: PostgresDatabase) -> None:
    with pytest.raises(RuntimeError), database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"x",))
        raise RuntimeError
    insert(database)
    assert count(database) == 1


def test_a_connection_that_was_lost_is_opened_again(postgres: PostgresServer, database: PostgresDatabase) -> None:
    insert(database)
    cut(postgres)
    assert count(database) == 1
    cut(postgres)
    insert(database)
    assert count(database) == 2


def test_a_connection_that_is_lost_within_a_block_loses_the_block(
    postgres: PostgresServer, database: PostgresDatabase
) -> None:
    with pytest.raises(TemporaryError), database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"x",))
        cut(postgres)
        db.execute("INSERT INTO t (data) VALUES (?)", (b"y",))
    insert(database)
    assert count(database) == 1


def test_a_commit_whose_answer_is_lost_is_temporary(postgres: PostgresServer, database: PostgresDatabase) -> None:
    with pytest.raises(TemporaryError), database.transaction() as db:
        db.execute("INSERT INTO t (data) VALUES (?)", (b"x",))
        cut(postgres)
    insert(database)
    assert count(database) == 1


def test_a_read_only_server_is_temporary(postgres: PostgresServer, database: PostgresDatabase) -> None:
    with database.transaction() as db:
        db.execute("SET default_transaction_read_only = on")
    with pytest.raises(TemporaryError, match="read-only"):
        insert(database)


def test_tables_that_went_away_are_the_operator_s_to_mend(url: str, postgres: PostgresServer) -> None:
    with Journal(url) as journal:
        opened(journal)
        postgres.execute("ALTER TABLE releases RENAME TO away", place=url)
        with pytest.raises(UsageError, match="provenance restore"):
            opened(journal)


def test_a_wrong_statement_is_a_bug_not_a_temporary_failure(database: PostgresDatabase) -> None:
    with pytest.raises(Exception, match="syntax") as caught:
        database.rows("SELEC nothing")
    assert not isinstance(caught.value, ProvenanceError)


def test_tables_of_another_program_are_left_alone(url: str, postgres: PostgresServer) -> None:
    postgres.execute("CREATE TABLE releases (theirs TEXT)", place=url)
    with pytest.raises(UsageError, match="tables of another program"):
        Journal(url)
    assert postgres.execute("SELECT to_regclass('journal_format')", place=url) == [(None,)]


def test_a_journal_of_a_later_version_is_refused_with_a_way_on(url: str, postgres: PostgresServer) -> None:
    Journal(url).close()
    postgres.execute("UPDATE journal_format SET version = 9", place=url)
    with pytest.raises(UsageError, match=r"newer provenance-oracle.*got 9"):
        Journal(url)


def test_tables_are_carried_over_step_by_step(url: str) -> None:
    PostgresDatabase(url, SCHEMA, 1).close()
    steps = {1: "ALTER TABLE t ADD COLUMN a BIGINT", 2: "ALTER TABLE t ADD COLUMN b BIGINT"}
    upgrades = {number: lambda db, sql=sql: db.execute(sql) and None for number, sql in steps.items()}
    with closing(PostgresDatabase(url, SCHEMA, 3, upgrades)) as database:
        assert database.rows("SELECT a, b FROM t") == []
        assert database.rows("SELECT version FROM journal_format") == [{"version": 3}]


def test_two_processes_share_a_journal(url: str) -> None:
    with Journal(url) as one, Journal(url) as other:
        row = opened(one)
        assert opened(other) == row
        assert [opened(other, name).id for name in "bcd"] == [2, 3, 4]
        assert one.rows() == other.rows()


def test_one_process_at_a_time_holds_a_name(url: str) -> None:
    with closing(PostgresDatabase(url, SCHEMA, 1)) as one, closing(PostgresDatabase(url, SCHEMA, 1)) as other:
        one.hold("sender 0xAA")
        one.hold("sender 0xAA")
        other.hold("sender 0xBB")
        with pytest.raises(TemporaryError, match="sender 0xAA is taken"):
            other.hold("sender 0xAA")
        insert(other)
        one.close()
        other.hold("sender 0xAA")


def test_a_name_in_another_journal_of_the_same_database_is_free(postgres: PostgresServer) -> None:
    with (
        closing(PostgresDatabase(postgres.new_place(), SCHEMA, 1)) as one,
        closing(PostgresDatabase(postgres.new_place(), SCHEMA, 1)) as other,
    ):
        one.hold("sender")
        other.hold("sender")


def test_a_process_that_lost_what_it_held_writes_nothing_more(url: str, postgres: PostgresServer) -> None:
    with closing(PostgresDatabase(url, SCHEMA, 1)) as one, closing(PostgresDatabase(url, SCHEMA, 1)) as other:
        one.hold("sender")
        cut(postgres)
        other.hold("sender")
        with pytest.raises(TemporaryError, match="sender is taken"):
            insert(one)
        assert count(one) == 0
        other.close()
        insert(one)
        assert count(one) == 1


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("psycopg"):
            raise ModuleNotFoundError("no psycopg", name="psycopg")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"provenance-oracle\[postgres\]"):
        Journal("postgresql://localhost/base")
