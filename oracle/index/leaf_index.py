"""An index of the releases in the batches of a registry, from the documents that the batches' oracles serve.

The registry has the root of a batch and the address of its document only. An entry is a hint: the caller asks the
registry whether it has the root. A document is read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from provenance_oracle.oracle.index.index_file import index_errors, open_index

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    registry TEXT NOT NULL, root BLOB NOT NULL, uri TEXT NOT NULL, is_read INTEGER NOT NULL, tried_at REAL NOT NULL,
    PRIMARY KEY (registry, root)) STRICT;
CREATE TABLE IF NOT EXISTS leaves (
    registry TEXT NOT NULL, manifest BLOB NOT NULL, root BLOB NOT NULL, PRIMARY KEY (registry, manifest, root)) STRICT;
CREATE TABLE IF NOT EXISTS places (registry TEXT PRIMARY KEY, block INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class ServedBatch:
    """A batch with this root (32 bytes), and the address where its oracle serves its records; empty for none."""

    root: bytes
    uri: str


class LeafIndex:
    """The releases in batches of one registry. Not for use by several threads at once.

    Args:
        path: the file; None for a temporary one.
        registry: names chain and registry.

    Raises:
        TemporaryError: from every method, if the file cannot be read or written.
    """

    def __init__(self, path: Path | None, registry: str) -> None:
        self._path = path
        self._registry = registry
        self._db = open_index(path, _SCHEMA, _VERSION)

    @property
    def block(self) -> int:
        """The last block whose batches are here; -1 if there is none."""
        with index_errors(self._path):
            found = self._db.execute("SELECT block FROM places WHERE registry = ?", (self._registry,)).fetchone()
        return int(found[0]) if found else -1

    def add(self, batches: Iterable[ServedBatch], block: int) -> None:
        """Add the batches up to a block. One that is here already stays as it is."""
        rows = [(self._registry, one.root, one.uri) for one in batches]
        with index_errors(self._path), self._db:
            self._db.executemany("INSERT INTO batches VALUES (?, ?, ?, 0, 0) ON CONFLICT DO NOTHING", rows)
            self._db.execute("INSERT OR REPLACE INTO places VALUES (?, ?)", (self._registry, block))

    def unread(self, tried_before: datetime, most: int) -> list[ServedBatch]:
        """Return batches whose document was not read yet, and was not asked for since a time."""
        sql = "SELECT root, uri FROM batches WHERE registry = ? AND is_read = 0 AND tried_at < ?"
        sql += " ORDER BY tried_at LIMIT ?"
        with index_errors(self._path):
            found = self._db.execute(sql, (self._registry, tried_before.timestamp(), most)).fetchall()
        return [ServedBatch(bytes(root), uri) for root, uri in found]

    def count_unread(self) -> int:
        """Return the number of batches whose document was not read yet."""
        sql = "SELECT COUNT(*) FROM batches WHERE registry = ? AND is_read = 0"
        with index_errors(self._path):
            return int(self._db.execute(sql, (self._registry,)).fetchone()[0])

    def tried(self, root: bytes, at: datetime) -> None:
        """Note that the document of a batch could not be read."""
        sql = "UPDATE batches SET tried_at = ? WHERE registry = ? AND root = ?"
        with index_errors(self._path), self._db:
            self._db.execute(sql, (at.timestamp(), self._registry, root))

    def keep(self, root: bytes, manifests: Iterable[bytes]) -> None:
        """Keep the manifest digests (32 bytes each) of the records of a batch, whose document was read."""
        rows = [(self._registry, manifest, root) for manifest in manifests]
        with index_errors(self._path), self._db:
            self._db.executemany("INSERT INTO leaves VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)
            self._db.execute("UPDATE batches SET is_read = 1 WHERE registry = ? AND root = ?", (self._registry, root))

    def batches_of(self, manifest: bytes) -> list[ServedBatch]:
        """Return the batches whose document has a record of a manifest."""
        sql = (
            "SELECT root, uri FROM leaves JOIN batches USING (registry, root) WHERE registry = ? AND manifest = ?"
            " ORDER BY root"
        )
        with index_errors(self._path):
            found = self._db.execute(sql, (self._registry, manifest)).fetchall()
        return [ServedBatch(bytes(root), uri) for root, uri in found]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
