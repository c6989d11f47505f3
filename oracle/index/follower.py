"""Follow the chain into the index: read what is new, compare it with the contracts' state, undo what a fork took away.

Each piece of blocks is one transaction, so a process that is killed leaves a whole prefix of the chain. A piece that
ends with the newest block is compared with the state at that block before it is committed. While the index catches up,
a node may not have the states of old blocks: the digest of each record is compared at once then, and everything else
when the newest block is reached. The index says which (`IndexStatus.unchecked`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.index_writer import BlockHeader, ChainPiece, IndexWriter
from provenance_oracle.oracle.index.places import block_of, event_place
from provenance_oracle.oracle.index.report_index import OVERLAP_BLOCKS
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.oracle.index.state_check import ContradictionError, StateCheck
from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.registry.event_reader import TooManyEventsError

_log = logging.getLogger(__name__)
_PIECE_BLOCKS = 10_000  # as many as most providers give at once
_KNOWN_BLOCKS = 256  # whose hashes are compared to find where a fork begins
_CHECKED_AT_ONCE = 200
_SWEPT_AT_ONCE = 100
_CONTRADICTIONS = "contradictions"  # one after the other, in the table `facts`
_PATIENCE = 3  # of them, after which more is undone than the block of the event


@dataclass(frozen=True)
class FollowedTo:
    """The index has read up to block `until`; `head` is the newest block, `first` the first of this pass."""

    first: int
    until: int
    head: int


class Follower:
    """Brings one index up to the newest block of a chain.

    Args:
        piece_blocks: the number of blocks in one transaction.

    Raises (every method):
        UsageError: the index is about another chain or registry.
        TemporaryError: the node or the database fails, or the node contradicts itself. The index is whole then, and the
            next call goes on.
    """

    def __init__(self, database: IndexDatabase, source: ChainSource, *, piece_blocks: int = _PIECE_BLOCKS) -> None:
        self._database = database
        self._source = source
        self._check = StateCheck(source.contracts)
        self._piece_blocks = piece_blocks
        self._swept = 0
        with database.writing() as session:
            IndexWriter(session, database.where).adopt(source.facts)

    def follow(self, progress: Callable[[FollowedTo], object] = lambda _: None) -> FollowedTo:
        """Read all blocks up to the newest one, and return how far the index is.

        Args:
            progress: called after each piece.
        """
        head = self._source.look()
        base = self._undo_fork(head)
        start = max(self._source.first, base + 1 - OVERLAP_BLOCKS)
        first, blocks = start, self._piece_blocks
        while start <= head:
            end = min(start + blocks - 1, head)
            try:
                self._follow_piece(start, end, head)
            except TooManyEventsError:
                if blocks == 1:
                    raise
                blocks = max(1, blocks // 10)
                continue
            progress(FollowedTo(first, end, head))
            start = end + 1
            if start <= head:
                head = max(head, self._source.look())
        self._check_rest(head)
        self._sweep(head)
        with self._database.writing() as session:
            IndexWriter(session, self._database.where).note({_CONTRADICTIONS: "0"})
        return FollowedTo(first, head, head)

    def _undo_fork(self, head: int) -> int:
        """Undo the blocks that the chain does not have any more, and return the last one that is left; -1 for none."""
        with self._database.writing() as session:
            writer = IndexWriter(session, self._database.where)
            writer.note({"head": str(head)})
            known = writer.newest_blocks(_KNOWN_BLOCKS)
            if not known:
                return self._source.first - 1
            if known[0].number > head + OVERLAP_BLOCKS:
                got, wanted = f"block {head}", f"block {known[0].number}, which the index has"
                raise TemporaryError("the node lags behind the index", where=self._source.where, got=got, wanted=wanted)
            kept = next((one.number for one in known if self._has(one, head)), None)
            if kept == known[0].number:
                return kept
            if kept is None and len(known) == _KNOWN_BLOCKS:  # deeper than any fork: all is read again
                _log.warning("the chain has none of the newest %d blocks of the index; it is made anew", len(known))
            kept = self._source.first - 1 if kept is None else kept
            _log.info("blocks %d to %d of the index are undone: the chain has others", kept + 1, known[0].number)
            writer.undo(kept)
            return kept

    def _has(self, block: BlockHeader, head: int) -> bool:
        if block.number > head:
            return False
        found = self._source.header_if_any(block.number)
        return found is not None and found.hash == block.hash

    def _follow_piece(self, start: int, end: int, head: int) -> None:
        before = self._source.headers([end])[0]
        piece = self._source.piece(start, end)
        with self._nonsense(), self._undoing(), self._database.writing() as session:
            writer = IndexWriter(session, self._database.where)
            piece = self._new_part(writer, piece, start)
            places = writer.append(piece)
            shelf = Shelf(session.rows, self._database.where)
            if end == head:
                self._compare(shelf, places, end)
            else:
                self._check.compare_contents(shelf, places, head)
                writer.mark_unchecked(places)
            writer.note({"head": str(head)})
            writer.forget_empty_blocks(end - _KNOWN_BLOCKS)
            self._require_unchanged(before)

    def _new_part(self, writer: IndexWriter, piece: ChainPiece, start: int) -> ChainPiece:
        """Return what the index does not have of a piece; all of it, after an undo, if the rest differs."""
        newest = writer.newest_blocks(1)
        until = newest[0].number if newest else self._source.first - 1
        if until < start - 1:
            problem = "the index has fewer blocks than before; another process may write it"
            raise TemporaryError(problem, where=self._database.where, got=f"block {until}", wanted=f"block {start - 1}")
        where = self._database.where
        told = {
            (event_place(log.place.block_number, log.place.index, where), int(emitter), b"".join(log.topics), log.data)
            for emitter, log in piece.events
            if log.place.block_number <= until
        }
        if writer.events_from(start) != told:
            _log.info("blocks %d to %d of the index are read again: the node tells other events", start, until)
            writer.undo(start - 1)
            return piece
        events = [(emitter, log) for emitter, log in piece.events if log.place.block_number > until]
        return ChainPiece(events, [one for one in piece.blocks if one.number > until], piece.gas)

    def _compare(self, shelf: Shelf, places: list[int], block: int) -> None:
        for start in range(0, len(places), _CHECKED_AT_ONCE):
            self._check.compare(shelf, places[start : start + _CHECKED_AT_ONCE], block)

    def _require_unchanged(self, before: BlockHeader) -> None:
        """Raise TemporaryError if the chain lost a block while its piece was read."""
        self._source.look()
        if not self._has(before, before.number):
            got, wanted = f"another block {before.number}", f"0x{before.hash.hex()}"
            raise TemporaryError(
                "the chain changed while it was read", where=self._source.where, got=got, wanted=wanted
            )

    def _check_rest(self, head: int) -> None:
        """Compare what was read while the index caught up."""
        while True:
            with self._nonsense(), self._undoing(), self._database.writing() as session:
                writer = IndexWriter(session, self._database.where)
                places = writer.unchecked(_CHECKED_AT_ONCE)
                if not places:
                    return
                self._check.compare(Shelf(session.rows, self._database.where), places, head)
                writer.mark_checked(places)

    def _sweep(self, head: int) -> None:
        """Compare some events anew in each pass, all of them in turn: a node may have kept back one that came later."""
        with self._nonsense(), self._undoing(), self._database.reading() as ask:
            sql = "SELECT place FROM events WHERE place > ? ORDER BY place LIMIT ?"
            places = [int(row["place"]) for row in ask(sql, (self._swept, _SWEPT_AT_ONCE))]
            self._check.compare(Shelf(ask, self._database.where), places, head)
            self._swept = places[-1] if len(places) == _SWEPT_AT_ONCE else 0

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """If an event contradicts the state, undo all from its block on, so that it is read anew.

        An event that the contradiction follows from may be missing from much earlier. So each contradiction more,
        without a whole pass in between, undoes more.
        """
        try:
            yield
        except ContradictionError as error:
            with self._database.writing() as session:
                writer = IndexWriter(session, self._database.where)
                count = int(writer.fact(_CONTRADICTIONS) or 0) + 1
                writer.note({_CONTRADICTIONS: str(count)})
                depth = 0 if count <= _PATIENCE else OVERLAP_BLOCKS << min(4 * (count - _PATIENCE), 32)
                writer.undo(block_of(error.place) - 1 - depth)
            raise

    @contextmanager
    def _nonsense(self) -> Iterator[None]:
        """Turn the errors over an event that no contract emits into a TemporaryError."""
        from eth_abi.exceptions import DecodingError

        try:
            yield
        except (FormatError, DecodingError, ValueError) as error:
            got = str(error) if isinstance(error, FormatError) else type(error).__name__
            raise TemporaryError("the node told nonsense", where=self._source.where, got=got) from error
