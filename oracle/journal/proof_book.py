"""The part of the journal about proofs of recorded releases on chain (docs/proofs.md).

A proof is a publication of kind PROOF with one row. The row and the proof move apart from each other: the proof begins
when the release is judged, waits until the row is `final`, and then goes its own way:

    open -> signed -> sent -> mined -> final        proven, by this oracle or by anybody
      | <-----------------/                          (a remark says why an open one waits)
      v
    dropped                                          it cannot be proven; the remark says why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.oracle.journal.publication_steps import insert_publication
from provenance_oracle.oracle.journal.publications import (
    Member,
    PublicationKind,
    PublicationState,
    StoredPublication,
    publication_value,
)
from provenance_oracle.oracle.journal.rows import Row, own_writing, release_row, time_text
from provenance_oracle.oracle.journal.store import Ask, JournalStore, Session

_PROOFS = (
    " FROM publications JOIN publication_rows ON publication_id = publications.id"
    " JOIN releases ON releases.id = release_id WHERE kind = 'proof'"
)
_SHOWN_MAX = 10


@dataclass(frozen=True)
class OpenProof:
    """A proof that is not closed, and the row of its release, whose record is final."""

    publication: StoredPublication
    row: Row


@dataclass(frozen=True)
class ProofNote:
    """Why a release has no proof: it waits for one, or (`is_refused`) it cannot be proven."""

    source: str
    release: str
    at: datetime
    reason: str
    is_refused: bool


@dataclass(frozen=True)
class ProofProgress:
    """How far the proofs are.

    Attributes:
        counts: the number of proofs in each state that has any, but for FINAL.
        notes: why the newest ones that wait or were refused have no proof, the newest first.
    """

    counts: Mapping[PublicationState, int]
    notes: tuple[ProofNote, ...]


NO_PROOFS = ProofProgress({}, ())


def begin_proof(db: Session, row_id: int, at: datetime) -> None:
    """Have the release of a row proven once its record is final, unless it is proven or about to be."""
    sql = f"SELECT 1 AS one{_PROOFS} AND release_id = ? AND publications.state != 'dropped'"
    if db.execute(sql, (row_id,)).fetchone() is None:
        insert_publication(db, PublicationKind.PROOF, [Member(row_id)], at)


class ProofBook:
    """The journal's methods about proofs; see `journal.Journal`. `PublicationBook` has those that move them."""

    _database: JournalStore

    def open_proofs(self, *, most: int) -> tuple[OpenProof, ...]:
        """Return the proofs of final records that are not closed: first those on their way, then the others.

        Args:
            most: the number of them at most. Those that were looked at last are left out first.
        """
        sql = (
            f"SELECT publications.id AS proof_id, releases.*{_PROOFS}"
            " AND publications.state IN ('open', 'signed', 'sent', 'mined') AND releases.state = 'final'"
            " ORDER BY publications.state = 'open', publications.changed_at, publications.id LIMIT ?"
        )
        found = self._database.rows(sql, (most,))
        return tuple(OpenProof(self._proof(one["proof_id"]), release_row(one)) for one in found)

    def drop_proofs(self, *, note: str, at: datetime) -> int:
        """Give up every proof that is not closed, and return their number. What was sent for them may be mined yet."""
        with self._database.transaction() as db:
            return db.execute(
                "UPDATE publications SET state = 'dropped', note = ?, changed_at = ?"
                " WHERE kind = 'proof' AND state IN ('open', 'signed', 'sent', 'mined')",
                (note, time_text(at)),
            ).rowcount

    def _proof(self, publication_id: int) -> StoredPublication:
        return publication_value(self._database.rows("SELECT * FROM publications WHERE id = ?", (publication_id,))[0])


def has_moving_proof(ask: Ask) -> bool:
    """Return whether a proof of a final record is on its way, or begins at the next pass."""
    sql = (
        f"SELECT 1 AS one{_PROOFS} AND releases.state = 'final' AND (publications.state IN ('signed', 'sent', 'mined')"
        " OR publications.state = 'open' AND note = '') LIMIT 1"
    )
    return bool(ask(sql, ()))


def read_proofs(ask: Ask) -> ProofProgress:
    """Return how far the proofs are. Two queries."""
    counts = ask(
        "SELECT state, COUNT(*) AS many FROM publications"
        " WHERE state IN ('open', 'signed', 'sent', 'mined', 'dropped') AND kind = 'proof' GROUP BY state",
        (),
    )
    notes = (
        f"SELECT source, release, note, publications.state AS state, publications.changed_at AS at{_PROOFS}"
        " AND publications.state IN ('open', 'dropped') AND note != '' ORDER BY publications.changed_at DESC LIMIT ?"
    )
    with own_writing():
        found: Sequence[ProofNote] = [
            ProofNote(
                one["source"],
                one["release"],
                datetime.fromisoformat(one["at"]),
                one["note"],
                one["state"] == PublicationState.DROPPED,
            )
            for one in ask(notes, (_SHOWN_MAX,))
        ]
        return ProofProgress({PublicationState(one["state"]): one["many"] for one in counts}, tuple(found))
