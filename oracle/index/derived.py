"""The rows that follow from an event or from a record in a batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from provenance_oracle.oracle.index.event_kinds import KeyRole, name_key, record_keys
from provenance_oracle.oracle.index.places import leaf_of
from provenance_oracle.oracle.index.searching import words_of
from provenance_oracle.oracle.index.shelf import Key
from provenance_oracle.oracle.index.statistics import DAY_SECONDS, FigureKind
from provenance_oracle.verifier.record.fields import WrittenRecord

# A release is in a list once: a later judgement leads there by what the earlier ones did not have. These always lead.
_ALWAYS = (KeyRole.RECORD, KeyRole.JUDGEMENT, KeyRole.CONTENT)

KeyRow = tuple[bytes, int, int]
WordRow = tuple[str, bytes, int]
FigureRow = tuple[int, int, int, int, bytes, int, int]


@dataclass(frozen=True)
class PlacedRecord:
    """A record at a place: of its own, or in a batch.

    Attributes:
        content: keccak256 of its bytes.
        seconds: the time at which it was recorded, since 1970.
        epoch, signers: the oracles that signed it; 0 for a record in a batch, whose signers signed the batch.
    """

    place: int
    written: WrittenRecord
    content: bytes
    seconds: int
    epoch: int
    signers: int


def key_rows(one: PlacedRecord, earlier: Collection[Key]) -> list[KeyRow]:
    """Return the rows of `keys` of a record.

    Args:
        earlier: what leads to the release's earlier places.
    """
    found = record_keys(one.written, one.content)
    return [
        (digest, int(role), one.place) for digest, role in found if role in _ALWAYS or (digest, role) not in earlier
    ]


def word_rows(one: PlacedRecord) -> list[WordRow]:
    """Return the rows of `words` of a record; none for a refused one, which may have any name."""
    if not one.written.passed:
        return []
    name = one.written.name
    return [(word, name_key(name), one.place) for word in words_of(name)]


def figure_row(one: PlacedRecord, *, is_known: bool) -> FigureRow:
    """Return the row of `figures` of a record.

    Args:
        is_known: whether the release has an earlier place.
    """
    kind = FigureKind.RELEASE if one.written.passed else FigureKind.FAILURE
    if is_known:
        is_first = one.written.revision == 0
        kind = FigureKind.WRITTEN_OUT if is_first or leaf_of(one.place) is not None else FigureKind.LATER_JUDGEMENT
    day, written = one.seconds // DAY_SECONDS, one.written
    return (one.place, day, int(kind), written.product_line, written.reported_tcb, one.epoch, one.signers)


def batch_figure_row(place: int, seconds: int, epoch: int, signers: int) -> FigureRow:
    """Return the row of `figures` of a batch."""
    return (place, seconds // DAY_SECONDS, int(FigureKind.BATCH), 0, b"", epoch, signers)
