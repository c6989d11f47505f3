"""An index of the reports that a registry's events name, so that no question reads the chain from its beginning.

The index reads each range of blocks once and keeps its place: block number and hash. If a fork replaced that block, it
goes back to the newest place that the chain still has. The newest blocks are read twice, because nodes may show a block
before they show its events. An entry is only a hint: the caller compares each with the contract's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from provenance_oracle.oracle.index.index_file import index_errors, open_index
from provenance_oracle.verifier.errors import TemporaryError

OVERLAP_BLOCKS = 64  # nodes may show a block before they show its events
PIECE_BLOCKS = 100_000  # read at once, so that little is read again after a failure
_PLACES_MAX = 128
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS places (
    endpoint TEXT NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (endpoint, number)) STRICT;
CREATE TABLE IF NOT EXISTS uses (
    endpoint TEXT NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, report BLOB NOT NULL,
    manifest BLOB NOT NULL, record_id BLOB NOT NULL, content BLOB NOT NULL, passed INTEGER NOT NULL,
    PRIMARY KEY (endpoint, block, position)) STRICT;
CREATE INDEX IF NOT EXISTS uses_by_report ON uses (endpoint, report, block);
"""


@dataclass(frozen=True)
class Use:
    """A record that names a report. `position` is the event's number in its block. Digests and ids have 32 bytes."""

    block: int
    position: int
    report: bytes
    manifest: bytes
    record_id: bytes
    content: bytes
    passed: bool


class ReportIndex:
    """The uses of reports as one endpoint tells them. Not for use by several threads at once.

    Args:
        path: the file, which may hold the indices of several endpoints; None for a temporary file. A file that is
            damaged or of another version is made anew.
        endpoint: names the endpoint and the registry.

    Raises:
        TemporaryError: from every method, if the file cannot be read or written.
    """

    def __init__(self, path: Path | None, endpoint: str) -> None:
        self._endpoint = endpoint
        self._path = path
        self._until = -1
        self._db = open_index(path, _SCHEMA, _VERSION)

    def sync(
        self, first: int, head: int, hash_of: Callable[[int], bytes], read: Callable[[int, int], Sequence[Use]]
    ) -> None:
        """Read the blocks up to `head` that the index does not have.

        Args:
            first: a block before which there are no events.
            hash_of: returns the hash of a block. read: returns the uses in a range of blocks, both ends included.
        """
        if head <= self._until:
            return
        with self._failures():
            self._db.commit()  # the end of what `uses_of` reads from
            start = max(first, self._known(hash_of) + 1 - OVERLAP_BLOCKS)
            while start <= head:
                end = min(start + PIECE_BLOCKS - 1, head)
                digest = hash_of(end)  # before the events: a fork in between shows at the next call
                self._keep(read(start, end), end, digest)
                start = end + 1
            self._until = head

    def uses_of(self, report: bytes, until: int) -> list[Use]:
        """Return the records up to a block that name a report, oldest first."""
        sql = (
            "SELECT block, position, report, manifest, record_id, content, passed FROM uses"
            " WHERE endpoint = ? AND report = ? AND block <= ? ORDER BY block, position"
        )
        with self._failures():
            if not self._db.in_transaction:  # the file is locked once for all questions up to the next `sync`
                self._db.execute("BEGIN")
            rows = self._db.execute(sql, (self._endpoint, report, until)).fetchall()
        return [
            Use(one, at, named, manifest, record, content, bool(ok))
            for one, at, named, manifest, record, content, ok in rows
        ]

    def forget(self) -> None:
        """Drop everything, because an entry does not fit the contract's state."""
        with self._failures(), self._db:
            self._db.commit()
            for table in ("uses", "places"):
                self._db.execute(f"DELETE FROM {table} WHERE endpoint = ?", (self._endpoint,))  # noqa: S608
            self._until = -1

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _known(self, hash_of: Callable[[int], bytes]) -> int:
        """Return the newest place that the chain still has, and drop all after it; -1 if none is left."""
        sql = "SELECT number, hash FROM places WHERE endpoint = ? ORDER BY number DESC"
        for number, digest in self._db.execute(sql, (self._endpoint,)).fetchall():
            if _is_there(hash_of, number, digest):
                return int(number)
            with self._db:
                self._db.execute("DELETE FROM places WHERE endpoint = ? AND number = ?", (self._endpoint, number))
                self._db.execute(
                    "DELETE FROM uses WHERE endpoint = ? AND block > COALESCE("
                    "(SELECT MAX(number) FROM places WHERE endpoint = ?), -1)",
                    (self._endpoint, self._endpoint),
                )
        return -1

    def _keep(self, found: Sequence[Use], end: int, digest: bytes) -> None:
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(self._endpoint, *astuple(one)) for one in found],
            )
            self._db.execute("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", (self._endpoint, end, digest))
            self._db.execute(
                "DELETE FROM places WHERE endpoint = ? AND number NOT IN"
                " (SELECT number FROM places WHERE endpoint = ? ORDER BY number DESC LIMIT ?)",
                (self._endpoint, self._endpoint, _PLACES_MAX),
            )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            with index_errors(self._path):
                yield
        except TemporaryError:
            self._until = -1
            raise


def _is_there(hash_of: Callable[[int], bytes], number: int, digest: bytes) -> bool:
    return hash_of(number) == digest
