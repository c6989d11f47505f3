"""A batch with its records, from the index."""

from __future__ import annotations

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import KeyRole
from provenance_oracle.oracle.index.places import block_of, leaf_place
from provenance_oracle.oracle.index.rows import IndexedBatch
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.verifier.record.batch import LEAVES_MAX
from provenance_oracle.verifier.record.leaves import Leaves, leaves_of


def find_batch(maker: EntryMaker, shelf: Shelf, root: bytes) -> IndexedBatch | None:
    """Return the batch with a root (32 bytes); None if the registry has none.

    Raises:
        TemporaryError: the index lacks an event.
    """
    places = shelf.places([(root, KeyRole.BATCH)], after=None, limit=1)
    if not places:
        return None
    batch = maker.batch(places[0])
    return IndexedBatch(
        root=root,
        uri=batch.recorded.uri,
        state=batch.state,
        block=block_of(places[0]),
        transaction=batch.event.log.place.transaction_hash,
        gas_used=batch.event.gas,
        leaves=_leaves(shelf, places[0]),
    )


def _leaves(shelf: Shelf, place: int) -> Leaves | None:
    sql = "SELECT is_named, record FROM leaves WHERE place >= ? AND place < ? ORDER BY place"
    rows = shelf.ask(sql, (leaf_place(place, 0), leaf_place(place, LEAVES_MAX)))
    if not rows:
        return None
    named = frozenset(number for number, row in enumerate(rows) if row["is_named"])
    return leaves_of([bytes(row["record"]) for row in rows], named)
