"""Look up events and releases in the index by what leads to them, as of one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.oracle.index.event_kinds import Emitter, KeyRole
from provenance_oracle.oracle.index.places import PLACE_MAX, block_of, index_of, leaf_place
from provenance_oracle.oracle.journal.store import Ask, Found
from provenance_oracle.verifier.record.batch import LEAVES_MAX
from provenance_oracle.verifier.record.standing import parse_moment
from provenance_oracle.verifier.registry.raw_logs import Place, RawLog

_WORD = 32
_EVENT = (
    "SELECT e.place, e.emitter, e.topics, e.data, t.hash, t.gas{more} FROM {source}"
    " JOIN events e ON e.place = k.place JOIN transactions t ON t.place = e.sent ORDER BY e.place"
)
_KEY = "SELECT place, digest, role FROM keys WHERE digest = ? AND role = ?"
Key = tuple[bytes, KeyRole]


@dataclass(frozen=True)
class StoredEvent:
    """An event of the index. `gas` is the gas that its transaction used; None if no node told."""

    place: int
    emitter: Emitter
    log: RawLog
    gas: int | None


@dataclass(frozen=True)
class StoredLeaf:
    """A record in a batch: its place and its bytes. `is_named`: it has a name in a claimed namespace."""

    place: int
    data: bytes
    is_named: bool


class Shelf:
    """Answers from the tables. `where` names the database in messages.

    Raises (every method):
        TemporaryError: the database fails.
    """

    def __init__(self, ask: Ask, where: str) -> None:
        self.ask = ask
        self.where = where
        self._known: dict[Key, list[StoredEvent]] = {}

    def places(self, keys: Sequence[Key], *, after: int | None, limit: int) -> list[int]:
        """Return the places to which keys lead, each once, newest first, below the place `after`."""
        below = PLACE_MAX if after is None else after
        parts = " UNION ".join(["SELECT place FROM keys WHERE digest = ? AND role = ? AND place < ?"] * len(keys))
        values = [value for digest, role in keys for value in (digest, int(role), below)]
        rows = self.ask(f"{parts} ORDER BY place DESC LIMIT ?", (*values, limit))
        return [int(row["place"]) for row in rows]

    def count(self, digest: bytes, role: KeyRole) -> int:
        """Return the number of events or releases to which a key leads."""
        rows = self.ask("SELECT COUNT(*) AS count FROM keys WHERE digest = ? AND role = ?", (digest, int(role)))
        return int(rows[0]["count"])

    def has(self, digest: bytes, role: KeyRole) -> bool:
        """Return whether a key leads anywhere."""
        if (digest, role) in self._known:
            return bool(self._known[digest, role])
        return bool(self.ask("SELECT 1 AS one FROM keys WHERE digest = ? AND role = ? LIMIT 1", (digest, int(role))))

    def event(self, place: int) -> StoredEvent:
        """Return the event at a place, which must be there."""
        (row,) = self.ask(_EVENT.format(source="(SELECT ? AS place) k", more=""), (place,))
        return _event(row)

    def events(self, keys: Sequence[Key]) -> dict[KeyRole, list[StoredEvent]]:
        """Return the events to which keys lead, by role, in the chain's order. Records in batches are no events."""
        if not all(key in self._known for key in keys):
            return _by_role(keys, self._events(keys))
        return _by_role(keys, self._known)

    def read_ahead(self, keys: Sequence[Key]) -> None:
        """Read the events to which keys lead by one question, for `events` and `has` to answer from."""
        self._known.update(self._events(keys))

    def leaf(self, place: int) -> StoredLeaf:
        """Return the record in a batch at a place, which must be there."""
        (row,) = self.ask("SELECT place, record, is_named FROM leaves WHERE place = ?", (place,))
        return StoredLeaf(place, bytes(row["record"]), bool(row["is_named"]))

    def models_in_batch(self, place: int) -> list[bytes]:
        """Return the digests of the models of a batch's records, as far as they were read. `place` is the batch's."""
        sql = "SELECT DISTINCT digest FROM keys WHERE place > ? AND place < ? AND role = ?"
        rows = self.ask(sql, (place, leaf_place(place, LEAVES_MAX), int(KeyRole.MODEL)))
        return [bytes(row["digest"]) for row in rows]

    def newest_time(self) -> datetime:
        """Return the time of the last block that the index has; that of the first moment of 1970 if it has none."""
        rows = self.ask("SELECT seconds FROM blocks ORDER BY number DESC LIMIT 1", ())
        return parse_moment(int(rows[0]["seconds"]) if rows else 0, self.where)

    def seconds_of(self, block: int) -> int:
        """Return the time of a block with events, in seconds since 1970."""
        (row,) = self.ask("SELECT seconds FROM blocks WHERE number = ?", (block,))
        return int(row["seconds"])

    def _events(self, keys: Sequence[Key]) -> dict[Key, list[StoredEvent]]:
        parts = " UNION ALL ".join([_KEY] * len(keys))
        sql = _EVENT.format(source=f"({parts}) k", more=", k.digest, k.role")
        values = [value for digest, role in keys for value in (digest, int(role))]
        found: dict[Key, list[StoredEvent]] = {key: [] for key in keys}
        for row in self.ask(sql, values):
            found[bytes(row["digest"]), KeyRole(row["role"])].append(_event(row))
        return found


def _by_role(keys: Sequence[Key], found: Mapping[Key, list[StoredEvent]]) -> dict[KeyRole, list[StoredEvent]]:
    return {role: list(found[digest, role]) for digest, role in keys}


def _event(row: Found) -> StoredEvent:
    place, topics = int(row["place"]), bytes(row["topics"])
    words = tuple(topics[start : start + _WORD] for start in range(0, len(topics), _WORD))
    log = RawLog(b"", words, bytes(row["data"]), Place(block_of(place), index_of(place), bytes(row["hash"])))
    return StoredEvent(place, Emitter(row["emitter"]), log, row["gas"])
