"""The SQL of single steps on the journal's rows. The caller runs them within a transaction."""

from __future__ import annotations

import hashlib
from datetime import datetime

from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State, release_row, time_text
from provenance_oracle.oracle.journal.store import Session


def reopened(row: Row) -> State:
    """Return the state of a row that is opened again."""
    if row.state is State.STUCK and row.record is not None:
        return State.JUDGED
    return State.SEEN if row.state in (State.REJECTED, State.STUCK, State.SUPERSEDED) else row.state


def supersede_others(db: Session, key: ReleaseKey, at: datetime) -> None:
    """Close the other contents of a release that were seen and not judged: the release has another manifest now."""
    sql = "SELECT id FROM releases WHERE source = ? AND release = ? AND content != ? AND state = 'seen'"
    for found in db.execute(sql, (key.source, key.release, key.content)).fetchall():
        move_row(db, found["id"], State.SUPERSEDED, at, "was replaced by another manifest before it was judged")


def open_row(db: Session, key: ReleaseKey, fingerprint: str, at: datetime) -> Row:
    """Return the row of `key`, and make it if it is new; see `Journal.open`."""
    row = by_key(db, key)
    supersede_others(db, key, at)
    if row is None:
        return insert_row(db, key, fingerprint, State.SEEN, at)
    if not row.waits(at):
        record = None if row.state is State.REJECTED else row.record
        db.execute(
            "UPDATE releases SET fingerprint = ?, state = ?, record = ?, retry_at = NULL, changed_at = ? WHERE id = ?",
            (fingerprint, reopened(row), record, time_text(at), row.id),
        )
    return select_row(db, row.id)


def insert_row(db: Session, key: ReleaseKey, fingerprint: str, state: State, at: datetime) -> Row:
    """Add a row and return it."""
    made = db.execute(
        "INSERT INTO releases (source, release, content, fingerprint, state, seen_at, changed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (key.source, key.release, key.content, fingerprint, state, time_text(at), time_text(at)),
    )
    return release_row(made.fetchone())


def keep_verdict(db: Session, row_id: int, statement: bytes, at: datetime) -> bytes:
    """Store a verdict and return its digest (32 bytes). One that is new waits for its signature."""
    digest = hashlib.sha256(statement).digest()
    sql = "INSERT INTO verdicts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    if db.execute(sql, (digest, row_id, statement, time_text(at))).rowcount:
        is_signed = db.execute("SELECT 1 AS one FROM verdict_signatures WHERE digest = ?", (digest,)).fetchone()
        if not is_signed:  # as it is if an audit restores it
            db.execute("INSERT INTO unsigned_verdicts VALUES (?) ON CONFLICT DO NOTHING", (digest,))
    return digest


def drop_record(db: Session, row_id: int) -> None:
    """Remove a row's record."""
    db.execute("UPDATE releases SET record = NULL, report_digest = NULL WHERE id = ?", (row_id,))


def move_row(db: Session, row_id: int, state: State, at: datetime, note: str = "") -> Row:
    """Move a row to `state`, clear its failure and its wait, and store a remark."""
    db.execute(
        "UPDATE releases SET state = ?, changed_at = ?, retry_at = NULL, vain_attempts = 0, exit_code = NULL,"
        " check_id = NULL, problem = ? WHERE id = ?",
        (state, time_text(at), note, row_id),
    )
    return select_row(db, row_id)


def fail_row(
    db: Session,
    row_id: int,
    exit_code: int,
    check: str | None,
    problem: str,
    retry_at: datetime,
    at: datetime,
) -> None:
    """Store a failure, and the time before which the row waits."""
    db.execute(
        "UPDATE releases SET vain_attempts = vain_attempts + 1, exit_code = ?, check_id = ?, problem = ?, retry_at = ?,"
        " changed_at = ? WHERE id = ?",
        (exit_code, check, problem, time_text(retry_at), time_text(at), row_id),
    )


def by_key(db: Session, key: ReleaseKey) -> Row | None:
    """Return the row with a key; None if there is none."""
    sql = "SELECT * FROM releases WHERE source = ? AND release = ? AND content = ?"
    found = db.execute(sql, (key.source, key.release, key.content)).fetchone()
    return release_row(found) if found else None


def select_row(db: Session, row_id: int) -> Row:
    """Return the row with this id, which must exist."""
    return release_row(db.execute("SELECT * FROM releases WHERE id = ?", (row_id,)).fetchone())


def count_internal_error(db: Session, row_id: int, limit: int) -> Row:
    """Count one more internal error of a row, and make it stuck if it has `limit` of them."""
    db.execute(
        "UPDATE releases SET internal_errors = internal_errors + 1,"
        " state = CASE WHEN internal_errors + 1 >= ? THEN 'stuck' ELSE state END WHERE id = ?",
        (limit, row_id),
    )
    return select_row(db, row_id)
