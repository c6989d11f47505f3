"""A snapshot: a file with the events of a registry, from which an index is started without reading the whole chain.

The file is text, and the same events give the same bytes, so its SHA-256 names it:

    provenance-oracle/index-snapshot/v1
    {"chain_id": …, "deployed_block": …, "lineage": HEX, "namespaces": HEX, "registry": HEX}
    block NUMBER HASH SECONDS                                    blocks with events, and the last one
    event BLOCK INDEX CONTRACT TRANSACTION GAS|- TOPICS DATA     in the chain's order; HEX, `-` for no bytes
    leaf BLOCK INDEX NUMBER NAMED RECORD                         records in batches, in their order
    end COUNT                                                    the number of lines before

Nothing in it is believed: the digest is compared before anything is kept, the last block with the chain, and then every
event with the contract's state, as if a node had told it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.event_kinds import Emitter, event_kinds
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.index_writer import BlockHeader, ChainPiece, IndexWriter
from provenance_oracle.oracle.index.places import block_of, event_of, event_place, first_place, index_of, leaf_of
from provenance_oracle.oracle.journal.new_file import new_file
from provenance_oracle.oracle.journal.paging import in_pages
from provenance_oracle.oracle.journal.store import Ask
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError, unread
from provenance_oracle.verifier.record.batch import LEAVES_MAX
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.registry.raw_logs import Place, RawLog
from provenance_oracle.verifier.text import printable

SNAPSHOT_SCHEMA = "provenance-oracle/index-snapshot/v1"
_LINE_MAX = 1 << 20
_LINES_MAX = 100_000_000
_PIECE_EVENTS = 2_000
_NAMES = ("chain_id", "deployed_block", "lineage", "namespaces", "registry")


def write_snapshot(database: IndexDatabase, file: Path) -> str:
    """Write the index into a new file, and return the file's SHA-256 in hex.

    Raises:
        UsageError: there is such a file, or the index is empty. TemporaryError: disk or database fail.
    """
    digest, count = hashlib.sha256(), 0
    with new_file(file) as new, new.open("wb") as out, database.reading() as ask:
        for line in _lines(ask, database.where):
            _put(out, digest, line)
            count += 1
        _put(out, digest, f"end {count}")
    return digest.hexdigest()


def read_snapshot(database: IndexDatabase, source: ChainSource, file: Path, digest: str) -> BlockHeader:
    """Fill an empty index from a snapshot, as one transaction, and return the snapshot's last block.

    Every event is then waiting to be compared with the contract's state, which `Follower.follow` does.

    Args:
        digest: the SHA-256 that the file must have, 64 lower-case hex digits.

    Raises:
        UsageError: the index is not empty, the file cannot be read, or it is about another registry or chain.
        VerificationError: the file has another digest.
        FormatError: it is not a snapshot.
        TemporaryError: disk, database or node fail.
    """
    where = printable(str(file))
    try:
        with file.open("rb") as opened:
            _match_digest(_Lines(opened, where), digest)  # before its lines are parsed
            opened.seek(0)
            lines = _Lines(opened, where)
            with database.writing() as session:
                last = _load(IndexWriter(session, database.where), lines, source)
                _match_digest(lines, digest)  # the same bytes
            return last
    except OSError as error:
        raise unread("the snapshot cannot be read", error, where=where, wanted="a file") from error


class _Lines:
    """The lines of a snapshot, each as its words, with a bound on each and on all."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._count = 0
        self.where = where

    def next(self) -> str:
        line = self._file.readline(_LINE_MAX)
        self._digest.update(line)
        self._count += 1
        if not line.endswith(b"\n") or self._count > _LINES_MAX or not line.isascii():
            raise self.malformed("no whole line")
        return line[:-1].decode("ascii")

    def finish(self) -> str:
        """Return the digest of the file, which must end here."""
        while rest := self._file.read(_LINE_MAX):  # a longer file has another digest, and that is what is wrong with it
            self._digest.update(rest)
        return self._digest.hexdigest()

    @property
    def count(self) -> int:
        """The number of lines so far."""
        return self._count

    def malformed(self, got: str) -> FormatError:
        """Return the error for the present line."""
        where = f"{self.where}, line {self._count}"
        wanted = f"a line of {SNAPSHOT_SCHEMA}"
        return FormatError("not a snapshot", check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)


def _match_digest(lines: _Lines, wanted: str) -> None:
    got = lines.finish()
    if got != wanted:
        problem = "the snapshot is not the one that was asked for; nothing of it was kept"
        raise VerificationError(problem, check=Check.REGISTRY_RECORD, where=lines.where, got=got, wanted=wanted)


def _put(out: IO[bytes], digest: hashlib._Hash, line: str) -> None:
    data = line.encode("ascii") + b"\n"
    digest.update(data)
    out.write(data)


def _lines(ask: Ask, where: str) -> Iterator[str]:
    facts = {row["name"]: row["value"] for row in ask("SELECT name, value FROM facts", ())}
    newest = ask("SELECT MAX(number) AS newest FROM blocks", ())[0]["newest"]
    if newest is None:
        raise UsageError("the index is empty", where=where, got="no block", wanted="an index that was filled")
    yield SNAPSHOT_SCHEMA
    yield json.dumps({name: facts[name] for name in _NAMES}, sort_keys=True)
    blocks = (
        "SELECT number, hash, seconds FROM blocks WHERE number > ? AND (number = ? OR EXISTS (SELECT 1"
        " FROM transactions t WHERE t.place >= number * ? AND t.place < (number + 1) * ?)) ORDER BY number LIMIT ?"
    )
    for page in in_pages(ask, blocks, "number", -1, (newest, first_place(1), first_place(1))):
        yield from (f"block {row['number']} {_hex(row['hash'])} {row['seconds']}" for row in page)
    events = (
        "SELECT e.place, e.emitter, t.hash, t.gas, e.topics, e.data FROM events e"
        " JOIN transactions t ON t.place = e.sent WHERE e.place > ? ORDER BY e.place LIMIT ?"
    )
    for page in in_pages(ask, events, "place", -1):
        for row in page:
            place, gas = int(row["place"]), "-" if row["gas"] is None else row["gas"]
            rest = f"{_hex(row['hash'])} {gas} {_hex(row['topics'])} {_hex(row['data'])}"
            yield f"event {block_of(place)} {index_of(place)} {row['emitter']} {rest}"
    leaves = "SELECT place, is_named, record FROM leaves WHERE place > ? ORDER BY place LIMIT ?"
    for page in in_pages(ask, leaves, "place", -1):
        for row in page:
            place = int(row["place"])
            rest = f"{leaf_of(place)} {row['is_named']} {_hex(row['record'])}"
            yield f"leaf {block_of(place)} {index_of(place)} {rest}"


def _hex(data: bytes) -> str:
    return bytes(data).hex() or "-"


def _load(writer: IndexWriter, lines: _Lines, source: ChainSource) -> BlockHeader:
    if writer.newest_blocks(1):
        wanted = "a new database, or this one without --snapshot"
        raise UsageError("the index is not empty", where="--snapshot", got="an index with blocks", wanted=wanted)
    if lines.next() != SNAPSHOT_SCHEMA:
        raise lines.malformed("another first line")
    _match_facts(lines, source)
    blocks, words = _load_blocks(lines)
    last = max(blocks.values(), key=lambda one: one.number)
    found = source.header_if_any(last.number)
    if found is None or found.hash != last.hash:
        problem = (
            "the chain does not have the snapshot's last block: it is another chain, or a fork took the block away"
        )
        got = f"0x{found.hash.hex()}" if found else f"no block {last.number}"
        raise UsageError(problem, where=lines.where, got=got, wanted=f"0x{last.hash.hex()}")
    words = _load_events(writer, lines, words, blocks)
    words = _load_leaves(writer, lines, words)
    if words != ["end", str(lines.count - 1)]:
        raise lines.malformed("another last line")
    return last


def _match_facts(lines: _Lines, source: ChainSource) -> None:
    try:
        told = json.loads(lines.next())
    except ValueError:
        raise lines.malformed("no JSON") from None
    wanted = {name: source.facts[name] for name in _NAMES}
    if not isinstance(told, dict) or set(told) != set(_NAMES):
        raise lines.malformed("other members")
    for name in _NAMES:
        if name != "deployed_block" and told[name] != wanted[name]:
            problem, where = "the snapshot is of another chain or registry", f"{lines.where}, {name}"
            raise UsageError(problem, where=where, got=printable(str(told[name])), wanted=wanted[name])


def _load_blocks(lines: _Lines) -> tuple[dict[int, BlockHeader], list[str]]:
    blocks: dict[int, BlockHeader] = {}
    words = lines.next().split(" ")
    while words[0] == "block":
        number, digest, seconds = _parsed(lines, words[1:], (_number, _word, _number))
        blocks[number] = BlockHeader(number, digest, seconds)
        words = lines.next().split(" ")
    if not blocks:
        raise lines.malformed("no block")
    return blocks, words


def _load_events(writer: IndexWriter, lines: _Lines, words: list[str], blocks: dict[int, BlockHeader]) -> list[str]:
    """Append the events in pieces of whole blocks, and return the words of the first line after them."""
    events: list[tuple[Emitter, RawLog]] = []
    gas: dict[bytes, int] = {}

    def append(until: int | None) -> None:
        numbers = sorted(number for number in blocks if until is None or number <= until)
        writer.mark_unchecked(writer.append(ChainPiece(events, [blocks.pop(number) for number in numbers], gas)))
        events.clear()
        gas.clear()

    before = -1
    while words[0] == "event":
        parsers = (_number, _number, _number, _word, _gas, _bytes, _bytes)
        block, index, emitter, digest, used, topics, data = _parsed(lines, words[1:], parsers)
        place = event_place(block, index, lines.where)
        is_known = emitter in set(Emitter) and (Emitter(emitter), topics[:32]) in event_kinds()
        if place <= before or len(topics) % 32 or not is_known:
            raise lines.malformed("an event that is not in order, or of another kind")
        if len(events) >= _PIECE_EVENTS and block > block_of(before):
            append(block_of(before))
        if block not in blocks:
            raise lines.malformed("an event of a block that is not listed")
        split = tuple(topics[start : start + 32] for start in range(0, len(topics), 32))
        events.append((Emitter(emitter), RawLog(b"", split, data, Place(block, index, digest))))
        if used is not None:
            gas[digest] = used
        before = place
        words = lines.next().split(" ")
    append(None)
    return words


def _load_leaves(writer: IndexWriter, lines: _Lines, words: list[str]) -> list[str]:
    """Keep the records in batches, and return the words of the first line after them."""
    batch, records, named = -1, list[bytes](), set[int]()

    def keep() -> None:
        if records:
            writer.keep_leaves(batch, leaves_of(records, frozenset(named)))
        records.clear()
        named.clear()

    while words[0] == "leaf":
        block, index, leaf, is_named, record = _parsed(lines, words[1:], (_number, _number, _number, _number, _bytes))
        place = event_of(event_place(block, index, lines.where))
        if place != batch:
            keep()
            batch = place
        if leaf != len(records) or leaf >= LEAVES_MAX:
            raise lines.malformed("a record that is not in order")
        records.append(record)
        named |= {leaf} if is_named else set()
        words = lines.next().split(" ")
    keep()
    return words


def _parsed(lines: _Lines, words: list[str], parsers: tuple[Callable[[str], object], ...]) -> list:  # type: ignore[type-arg]
    if len(words) != len(parsers):
        raise lines.malformed(f"{len(words)} words")
    try:
        return [parse(word) for parse, word in zip(parsers, words, strict=True)]
    except ValueError:
        raise lines.malformed("another word") from None


def _number(word: str) -> int:
    if not word.isdecimal() or len(word) > 19 or (word != "0" and word.startswith("0")):
        raise ValueError(word)
    return int(word)


def _gas(word: str) -> int | None:
    return None if word == "-" else _number(word)


def _bytes(word: str) -> bytes:
    data = b"" if word == "-" else bytes.fromhex(word)
    if word not in (data.hex(), "-"):
        raise ValueError(word)
    return data


def _word(word: str) -> bytes:
    data = _bytes(word)
    if len(data) != 32:
        raise ValueError(word)
    return data
