"""Tests that a question from a stranger takes the index a bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.oracle.index import sqlite_index
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.verifier.errors import TemporaryError
from tests.support.postgres_server import PostgresServer

_ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) AS count FROM n"


def test_a_long_statement_and_many_short_ones_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_index, "QUESTION_SECONDS", 0.05)
    place = str(tmp_path / "index.sqlite")
    open_index_database(place).close()
    found = open_index_database(place, read_only=True)
    with pytest.raises(TemporaryError, match="took too long"), found.reading() as ask:
        ask(_ENDLESS, ())
    with pytest.raises(TemporaryError, match="took too long"), found.reading() as ask:
        while True:
            ask("SELECT 1", ())
    with found.reading() as ask:
        assert len(ask("SELECT 1", ())) == 1
    found.close()


def test_a_long_statement_ends_in_postgresql(postgres: PostgresServer) -> None:
    place = postgres.new_place()
    open_index_database(place).close()
    found = open_index_database(place, read_only=True)
    with pytest.raises(TemporaryError), found.reading() as ask:
        ask("SELECT pg_sleep(60)", ())
    found.close()
