"""The SQL of single steps on publications. The caller runs them within a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from provenance_oracle.oracle.journal.publications import (
    ROW_STATES,
    Member,
    PartialSignature,
    PublicationKind,
    PublicationState,
    StoredPublication,
    publication_value,
)
from provenance_oracle.oracle.journal.rows import State, time_text
from provenance_oracle.oracle.journal.store import Session
from provenance_oracle.verifier.errors import UsageError

_STATES = {state: publication for publication, state in ROW_STATES.items() if publication != PublicationState.DROPPED}
# The open publication of a row, by the row's id.
OPEN_PUBLICATION = (
    "SELECT publications.* FROM publications JOIN publication_rows ON publication_id = publications.id"
    " WHERE release_id = ? AND is_open = 1"
)


def insert_publication(
    db: Session,
    kind: PublicationKind,
    members: Sequence[Member],
    at: datetime,
    positions: Sequence[int] | None = None,
) -> StoredPublication:
    """Add an open publication with these rows, which move with it unless it is a proof, and return it.

    Args:
        positions: the number of each row's leaf; None if the rows stand in the order of the leaves, without gaps.
    """
    made = db.execute(
        "INSERT INTO publications (kind, state, created_at, changed_at) VALUES (?, 'open', ?, ?) RETURNING *",
        (kind, time_text(at), time_text(at)),
    )
    publication = publication_value(made.fetchone())
    is_open = None if kind is PublicationKind.PROOF else 1
    for position, member in zip(positions or range(len(members)), members, strict=True):
        db.execute(
            "INSERT INTO publication_rows (publication_id, release_id, position, record, is_named, is_open)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (publication.id, member.release_id, position, member.record, int(member.is_named), is_open),
        )
    return publication


def seal(
    db: Session,
    publication_id: int,
    *,
    root: bytes,
    count: int,
    uri: str = "",
    epoch: int | None = None,
    at: datetime,
) -> StoredPublication:
    """Store the root of a batch; see `Journal.seal_publication`."""
    db.execute(
        "UPDATE publications SET root = ?, leaf_count = ?, uri = ?, epoch = ?, sealed_at = ? WHERE id = ?",
        (root, count, uri, epoch, time_text(at), publication_id),
    )
    return select_publication(db, publication_id)


def insert_signatures(db: Session, signatures: Iterable[PartialSignature]) -> int:
    """Add signatures that are not there yet, and return their number."""
    count = 0
    for one in signatures:
        count += db.execute(
            "INSERT INTO signatures (digest, oracle_index, epoch, signature, origin, kept_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (one.digest, one.oracle_index, one.epoch, one.signature, one.origin, time_text(one.kept_at)),
        ).rowcount
    return count


def match_free(db: Session, row_id: int, where: str) -> None:
    """Raise UsageError unless a row is `judged` and in no open publication."""
    found = db.execute("SELECT state FROM releases WHERE id = ?", (row_id,)).fetchone()
    state = found["state"] if found else "no such row"
    if state != State.JUDGED or open_publication_of(db, row_id) is not None:
        raise UsageError(
            "the row cannot go into a publication",
            where=f"{where}, row {row_id}",
            got=state if state != State.JUDGED else "a row that is in an open publication",
            wanted="a judged row in no open publication",
        )


def select_publication(db: Session, publication_id: int) -> StoredPublication:
    """Return the publication with this id, which must exist."""
    return publication_value(db.execute("SELECT * FROM publications WHERE id = ?", (publication_id,)).fetchone())


def move_publication(
    db: Session, publication_id: int, state: PublicationState, at: datetime, note: str = ""
) -> StoredPublication:
    """Move a publication and each row that did not leave it. Clear the rows' failures and waits; store a remark."""
    db.execute(
        "UPDATE releases SET state = ?, changed_at = ?, retry_at = NULL, vain_attempts = 0, exit_code = NULL,"
        " check_id = NULL, problem = ? WHERE id IN"
        " (SELECT release_id FROM publication_rows WHERE publication_id = ? AND is_open = 1)",
        (ROW_STATES[state], time_text(at), note, publication_id),
    )
    mark_publication(db, publication_id, state, at, note)
    return select_publication(db, publication_id)


def mark_publication(db: Session, publication_id: int, state: PublicationState, at: datetime, note: str) -> None:
    """Store the state of a publication. One that is closed lets its rows go."""
    sql = "UPDATE publications SET state = ?, changed_at = ?, note = ? WHERE id = ?"
    db.execute(sql, (state, time_text(at), note, publication_id))
    if state.closed:
        db.execute("UPDATE publication_rows SET is_open = NULL WHERE publication_id = ?", (publication_id,))


def open_publication_of(db: Session, row_id: int) -> StoredPublication | None:
    """Return the open publication of a row; None if it has none."""
    found = db.execute(OPEN_PUBLICATION, (row_id,)).fetchone()
    return publication_value(found) if found else None


def follow_row(db: Session, row_id: int, state: State, at: datetime, note: str = "") -> None:
    """Have the open publication of a row follow it to `state`.

    A publication of one row moves with it, and is dropped if the row is judged again or rejected. A batch stays as it
    is, but a row that is judged again or rejected leaves it; a batch that the last row left is dropped.
    """
    publication = open_publication_of(db, row_id)
    if publication is None or state is State.STUCK:
        return
    target = _STATES.get(state, PublicationState.DROPPED)
    if publication.kind is not PublicationKind.BATCH:
        mark_publication(db, publication.id, target, at, note)
        return
    if target is PublicationState.DROPPED:
        sql = "UPDATE publication_rows SET is_open = NULL WHERE publication_id = ? AND release_id = ?"
        db.execute(sql, (publication.id, row_id))
        left = "SELECT release_id FROM publication_rows WHERE publication_id = ? AND is_open = 1"
        if db.execute(left, (publication.id,)).fetchone() is None:
            mark_publication(db, publication.id, PublicationState.DROPPED, at, note)
