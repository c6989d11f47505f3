"""Indices for tests: of registries on a real node, and their content as one value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.oracle.index.index_schema import PLACED_TABLES
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.verifier.registry.node import open_node
from tests.support.chain_fixtures import DeployedRegistry


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class OpenIndex:
    """An index of a registry, with what reads the chain into it and what answers from it."""

    database: IndexDatabase
    follower: Follower
    found: RecordIndex


def source_of(registry: DeployedRegistry, rpc_url: str | None = None) -> ChainSource:
    """Return a registry at its own node, or at another one."""
    node = open_node(rpc_url or registry.chain.rpc_url)
    return ChainSource(node, registry.address, chain_id=None, first=registry.block_number)


@contextmanager
def open_index(
    registry: DeployedRegistry, place: str, rpc_url: str | None = None, **options: Any
) -> Iterator[OpenIndex]:
    """Open an index. `options` are those of `Follower`."""
    with closing(open_index_database(place)) as database:
        follower = Follower(database, source_of(registry, rpc_url), **options)
        yield OpenIndex(database, follower, RecordIndex(database, clock=now))


def content_of(database: IndexDatabase) -> dict[str, list[tuple[object, ...]]]:
    """Return every row that follows from the chain, without blocks that have no events."""
    found = {}
    with database.reading() as ask:
        for table in PLACED_TABLES:
            rows = ask(f"SELECT * FROM {table}", ())
            found[table] = sorted(tuple(map(_plain, dict(row).values())) for row in rows)
        sql = "SELECT number, hash, seconds FROM blocks WHERE EXISTS (SELECT 1 FROM events WHERE place / ? = number)"
        found["blocks"] = sorted(tuple(map(_plain, dict(row).values())) for row in ask(sql, (1 << 28,)))
    return found


def _plain(value: object) -> Any:
    return ("", bytes(value)) if isinstance(value, bytes | memoryview) else value
