"""What the journal holds about several rows, read with few queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.oracle.journal.store import Ask

_SIGNED = (
    "SELECT DISTINCT release_id AS id FROM publication_rows"
    " JOIN transactions ON transactions.publication_id = publication_rows.publication_id"
    " JOIN publications ON publications.id = publication_rows.publication_id AND kind != 'proof'"
)
_ELSEWHERE = (
    "SELECT DISTINCT mine.id AS id FROM releases AS mine"
    " JOIN releases AS other ON other.content = mine.content AND other.id != mine.id"
    " JOIN publication_rows ON release_id = other.id JOIN publications ON publications.id = publication_id"
)


@dataclass(frozen=True)
class Dossiers:
    """Facts about the rows with these ids, at one moment.

    Attributes:
        statements: verdicts by digest (32 bytes), as far as the journal's table has them.
        signed: ids of the rows for which a transaction was signed.
        elsewhere: ids of the rows whose release is in a batch that was not dropped, from another row.
    """

    ids: frozenset[int] = frozenset()
    statements: Mapping[bytes, bytes] = field(default_factory=dict)
    signed: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()


def read_dossiers(ask: Ask, rows: Sequence[Row]) -> Dossiers:
    """Return the dossiers of at most a few hundred rows. Three queries."""
    ids, digests = [row.id for row in rows], [row.verdict_digest for row in rows]
    marks = ", ".join("?" * len(rows))
    verdicts = f"SELECT digest, statement FROM verdicts WHERE digest IN ({marks})"  # noqa: S608
    signed = f"{_SIGNED} WHERE release_id IN ({marks})"
    elsewhere = f"{_ELSEWHERE} WHERE mine.id IN ({marks}) AND kind = 'batch' AND publications.state != 'dropped'"
    return Dossiers(
        frozenset(ids),
        {bytes(found["digest"]): bytes(found["statement"]) for found in ask(verdicts, digests)},
        frozenset(found["id"] for found in ask(signed, ids)),
        frozenset(found["id"] for found in ask(elsewhere, ids)),
    )
