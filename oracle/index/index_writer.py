"""Write pieces of the chain into the index, and undo blocks that a reorganisation took away.

Each method works in a transaction of its caller, so that the index holds a whole prefix of the chain at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provenance_oracle.oracle.index.derived import (
    PlacedRecord,
    batch_figure_row,
    figure_row,
    key_rows,
    word_rows,
)
from provenance_oracle.oracle.index.event_kinds import (
    BATCHED,
    PUBLISHED,
    Emitter,
    EventKind,
    KeyRole,
    event_keys,
    event_kind,
)
from provenance_oracle.oracle.index.index_schema import PLACED_TABLES
from provenance_oracle.oracle.index.index_store import IndexSession
from provenance_oracle.oracle.index.places import (
    block_of,
    event_of,
    event_place,
    first_place,
    index_of,
    leaf_of,
    leaf_place,
)
from provenance_oracle.oracle.index.shelf import Key
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import decode_record, release_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.leaves import Leaves
from provenance_oracle.verifier.registry.events import parse_publication
from provenance_oracle.verifier.registry.raw_logs import Place, RawLog
from provenance_oracle.verifier.registry.registry_events import parse_recorded_batch

_FORGOTTEN_AT_ONCE = 1024  # blocks that are looked at
_KEYS = "INSERT INTO keys VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FIGURES = "INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?)"
_WORDS = (  # the earliest place stays, so that an undo drops a word with the last record that has it
    "INSERT INTO words VALUES (?, ?, ?) ON CONFLICT (word, name)"
    " DO UPDATE SET place = excluded.place WHERE excluded.place < words.place"
)


@dataclass(frozen=True)
class BlockHeader:
    """A block: its number, its hash (32 bytes) and its time in seconds since 1970."""

    number: int
    hash: bytes
    seconds: int


@dataclass(frozen=True)
class ChainPiece:
    """What a node told about a range of blocks.

    Attributes:
        events: in any order, each with its contract.
        blocks: the headers of all blocks with events, and that of the last block.
        gas: the gas that transactions used, by their hashes; those that no node told are missing.
    """

    events: Sequence[tuple[Emitter, RawLog]]
    blocks: Sequence[BlockHeader]
    gas: Mapping[bytes, int]


class IndexWriter:
    """Writes in one transaction. `where` names the database in messages.

    Raises (every method):
        TemporaryError: the database fails.
        FormatError: an event is not what its contract emits.
    """

    def __init__(self, session: IndexSession, where: str) -> None:
        self._session = session
        self._where = where

    def adopt(self, facts: Mapping[str, str]) -> None:
        """Note which chain and contracts the index is about, or compare them with those noted.

        Raises:
            UsageError: it is about others.
        """
        kept = {row["name"]: row["value"] for row in self._session.rows("SELECT name, value FROM facts")}
        for name, value in facts.items():
            if name != "deployed_block" and kept.get(name, value) != value:
                problem = "the index is about another chain or registry; name another database, or delete this one"
                raise UsageError(problem, where=f"{self._where}, {name}", got=kept[name], wanted=value)
        self.note(facts)

    def note(self, facts: Mapping[str, str]) -> None:
        """Note facts."""
        sql = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self._session.many(sql, list(facts.items()))

    def fact(self, name: str) -> str | None:
        """Return a fact; None if it was never noted."""
        rows = self._session.rows("SELECT value FROM facts WHERE name = ?", (name,))
        return str(rows[0]["value"]) if rows else None

    def newest_blocks(self, limit: int) -> list[BlockHeader]:
        """Return the newest blocks that the index has, newest first."""
        sql = "SELECT number, hash, seconds FROM blocks ORDER BY number DESC LIMIT ?"
        rows = self._session.rows(sql, (limit,))
        return [BlockHeader(int(row["number"]), bytes(row["hash"]), int(row["seconds"])) for row in rows]

    def events_from(self, block: int) -> set[tuple[int, int, bytes, bytes]]:
        """Return the events from a block on: place, contract, topics and data of each."""
        sql = "SELECT place, emitter, topics, data FROM events WHERE place >= ?"
        rows = self._session.rows(sql, (first_place(block),))
        return {(int(row["place"]), int(row["emitter"]), bytes(row["topics"]), bytes(row["data"])) for row in rows}

    def undo(self, block: int) -> None:
        """Drop everything after a block."""
        after = first_place(block + 1)
        for table in (*PLACED_TABLES, "unchecked"):
            self._session.many(f"DELETE FROM {table} WHERE place >= ?", [(after,)])  # noqa: S608
        self._session.many("DELETE FROM blocks WHERE number > ?", [(block,)])

    def forget_empty_blocks(self, before: int) -> None:
        """Drop some blocks below a number that have no events: their hashes find no fork any more."""
        sql = (
            "DELETE FROM blocks WHERE number < ? AND number >= ? AND NOT EXISTS"
            " (SELECT 1 FROM transactions t WHERE t.place >= number * ? AND t.place < (number + 1) * ?)"
        )
        self._session.many(sql, [(before, before - _FORGOTTEN_AT_ONCE, first_place(1), first_place(1))])

    def append(self, piece: ChainPiece) -> list[int]:
        """Write a piece that follows what is there, and return the places of its events, in the chain's order."""
        blocks = {one.number: one for one in piece.blocks}
        sql = "INSERT INTO blocks VALUES (?, ?, ?) ON CONFLICT (number) DO NOTHING"
        self._session.many(sql, [(one.number, one.hash, one.seconds) for one in piece.blocks])
        placed = [
            (event_place(log.place.block_number, log.place.index, self._where), emitter, log)
            for emitter, log in piece.events
        ]
        placed.sort(key=lambda item: item[0])
        if len({place for place, _, _ in placed}) < len(placed):
            raise TemporaryError("the node tells two events at one place", where=self._where)
        sent: dict[bytes, int] = {}
        for place, _, log in placed:
            sent.setdefault(log.place.transaction_hash, place)
        transactions = [(place, digest, piece.gas.get(digest)) for digest, place in sent.items()]
        self._session.many("INSERT INTO transactions VALUES (?, ?, ?)", transactions)
        events = [
            (place, sent[log.place.transaction_hash], int(emitter), b"".join(log.topics), log.data)
            for place, emitter, log in placed
        ]
        self._session.many("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)
        for place, emitter, log in placed:
            self._derive(place, event_kind(emitter, log), log, blocks[log.place.block_number].seconds)
        return [place for place, _, _ in placed]

    def mark_unchecked(self, places: Sequence[int]) -> None:
        """Note events whose subjects are not compared with the contract's state yet."""
        self._session.many("INSERT INTO unchecked VALUES (?) ON CONFLICT DO NOTHING", [(one,) for one in places])

    def unchecked(self, limit: int) -> list[int]:
        """Return events of `mark_unchecked`, oldest first."""
        rows = self._session.rows("SELECT place FROM unchecked ORDER BY place LIMIT ?", (limit,))
        return [int(row["place"]) for row in rows]

    def mark_checked(self, places: Sequence[int]) -> None:
        """Take events back from `mark_unchecked`."""
        self._session.many("DELETE FROM unchecked WHERE place = ?", [(one,) for one in places])

    # Batches' documents

    def unread_documents(self, tried_before: int, limit: int) -> list[tuple[int, bytes, str]]:
        """Return place, root and address of batches whose records are not here, tried before a time in seconds."""
        sql = "SELECT place, root, uri FROM documents WHERE is_read = 0 AND tried_at < ? ORDER BY tried_at LIMIT ?"
        rows = self._session.rows(sql, (tried_before, limit))
        return [(int(row["place"]), bytes(row["root"]), bytes(row["uri"]).decode("utf-8", "replace")) for row in rows]

    def tried_document(self, place: int, at: int) -> None:
        """Note that a batch's document could not be read at a time, in seconds since 1970."""
        self._session.many("UPDATE documents SET tried_at = ? WHERE place = ?", [(at, place)])

    def keep_leaves(self, place: int, leaves: Leaves) -> None:
        """Keep the records of the batch at a place, if the index still has that batch."""
        kept = self._session.rows("SELECT root, is_read FROM documents WHERE place = ?", (place,))
        if not kept or kept[0]["is_read"] or bytes(kept[0]["root"]) != leaves.root:
            return
        self._session.many("UPDATE documents SET is_read = 1 WHERE place = ?", [(place,)])
        (block,) = self._session.rows("SELECT seconds FROM blocks WHERE number = ?", (block_of(place),))
        later = set[int]()
        for leaf in leaves.leaves:
            at = leaf_place(place, leaf.proof.index)
            self._session.many("INSERT INTO leaves VALUES (?, ?, ?)", [(at, int(leaf.proof.is_named), leaf.data)])
            self._add_record(PlacedRecord(at, leaf.written, leaf.proof.content_digest, int(block["seconds"]), 0, 0))
            release = release_id(leaf.written.model_digest, leaf.written.manifest_digest)
            later |= {other for other in self._judgements(release) if other > at}
        for other in sorted(later):  # as if the batch's records had been read before
            self._derive_again(other)

    def _derive(self, place: int, kind: EventKind, log: RawLog, seconds: int) -> None:
        if kind.name == PUBLISHED:
            found = parse_publication(kind.type.decode(log, self._where), self._where)
            first = found.first
            recorded = int(first.recorded_at.timestamp())
            self._add_record(
                PlacedRecord(place, found.record, found.content_digest, recorded, first.epoch, first.signers)
            )
            return
        self._session.many(_KEYS, [(digest, int(role), place) for digest, role in event_keys(kind, log)])
        if kind.name == BATCHED:
            batch = parse_recorded_batch(kind.type.decode(log, self._where), self._where)
            row = (place, batch.root, batch.uri.encode("utf-8", "replace"), 0 if batch.uri else 1, 0)
            self._session.many("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", [row])
            self._session.many(_FIGURES, [batch_figure_row(place, seconds, batch.epoch, batch.signers)])

    def _add_record(self, one: PlacedRecord) -> None:
        release = release_id(one.written.model_digest, one.written.manifest_digest)
        earlier = [place for place in self._judgements(release) if place < one.place] if one.written.passed else []
        keys = key_rows(one, self._keys_at(earlier))
        self._session.many(_KEYS, keys)
        self._session.many(_WORDS, word_rows(one))
        self._session.many(_FIGURES, [figure_row(one, is_known=bool(earlier))])

    def _derive_again(self, place: int) -> None:
        for table in ("keys", "figures"):
            self._session.many(f"DELETE FROM {table} WHERE place = ?", [(place,)])  # noqa: S608
        if leaf_of(place) is None:
            (row,) = self._session.rows("SELECT emitter, topics, data FROM events WHERE place = ?", (place,))
            topics = bytes(row["topics"])
            words = tuple(topics[start : start + 32] for start in range(0, len(topics), 32))
            log = RawLog(b"", words, bytes(row["data"]), Place(block_of(place), index_of(place), b""))
            self._derive(place, event_kind(Emitter(row["emitter"]), log), log, 0)
            return
        (row,) = self._session.rows("SELECT record FROM leaves WHERE place = ?", (place,))
        (block,) = self._session.rows("SELECT seconds FROM blocks WHERE number = ?", (block_of(event_of(place)),))
        data = bytes(row["record"])
        written = decode_record(data, self._where)
        self._add_record(PlacedRecord(place, written, keccak256(data), int(block["seconds"]), 0, 0))

    def _judgements(self, release: bytes) -> list[int]:
        rows = self._session.rows(
            "SELECT place FROM keys WHERE digest = ? AND role = ?", (release, int(KeyRole.JUDGEMENT))
        )
        return [int(row["place"]) for row in rows]

    def _keys_at(self, places: Sequence[int]) -> set[Key]:
        found = set[Key]()
        for place in places:
            rows = self._session.rows("SELECT digest, role FROM keys WHERE place = ?", (place,))
            found |= {(bytes(row["digest"]), KeyRole(row["role"])) for row in rows}
        return found
