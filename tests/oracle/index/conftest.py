"""Fixtures of the tests of the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place for an index, in a file and in a database in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "index.sqlite")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_place()
