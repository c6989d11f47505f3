"""The place of an event or of a release in a batch as one number, which sorts in the chain's order.

From the highest bit: the block's number 35 bits, the event's number in its block 20 bits, and 8 bits that are 0 for the
event itself and n + 1 for record n of the batch that the event recorded.
"""

from __future__ import annotations

from provenance_oracle.verifier.errors import TemporaryError

_LEAF_BITS = 8
_INDEX_BITS = 20
_BLOCK_BITS = 35
_LEAF_MASK = (1 << _LEAF_BITS) - 1
PLACE_MAX = (1 << _BLOCK_BITS + _INDEX_BITS + _LEAF_BITS) - 1


def event_place(block: int, index: int, where: str) -> int:
    """Return the place of an event. Raises TemporaryError if a node tells numbers that no chain has."""
    if block >> _BLOCK_BITS or index >> _INDEX_BITS:
        got = f"event {index} of block {block}"
        raise TemporaryError("the node tells an event where none can be", where=where, got=got)
    return block << _INDEX_BITS + _LEAF_BITS | index << _LEAF_BITS


def first_place(block: int) -> int:
    """Return the lowest place in a block."""
    return block << _INDEX_BITS + _LEAF_BITS


def leaf_place(batch: int, leaf: int) -> int:
    """Return the place of record `leaf` of the batch whose event is at the place `batch`."""
    return batch | leaf + 1


def block_of(place: int) -> int:
    """Return the number of the block."""
    return place >> _INDEX_BITS + _LEAF_BITS


def index_of(place: int) -> int:
    """Return the number of the event in its block."""
    return place >> _LEAF_BITS & (1 << _INDEX_BITS) - 1


def leaf_of(place: int) -> int | None:
    """Return the number of the record in its batch; None if this is the place of an event."""
    return (place & _LEAF_MASK) - 1 if place & _LEAF_MASK else None


def event_of(place: int) -> int:
    """Return the place of the event: the batch's event for a record in a batch."""
    return place & ~_LEAF_MASK
