"""The part of the journal by which an audit mends it: what vanished from the chain, and verdicts that were lost.

Only a final row or batch is put back, in one durable step. So an oracle that runs meanwhile, which leaves final rows
alone, takes it up at its next pass, and two repairs put nothing back twice.
"""

from __future__ import annotations

from datetime import datetime

from provenance_oracle.oracle.journal.evidence import EvidenceStore
from provenance_oracle.oracle.journal.leases import Leases
from provenance_oracle.oracle.journal.publication_steps import mark_publication, move_publication, select_publication
from provenance_oracle.oracle.journal.publications import PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.journal.steps import keep_verdict, move_row, select_row
from provenance_oracle.oracle.journal.store import JournalStore, Session


class Repairs(Leases):
    """The journal's methods that mend it; see `journal.Journal`."""

    _database: JournalStore
    _evidence: EvidenceStore

    def put_back(self, row_id: int, *, resends: bool, note: str, at: datetime) -> Row:
        """Move a final row whose own record vanished from the chain back on its way. Any other row stays as it is.

        Args:
            resends: have the transactions that wrote the record sent again, as they are. Otherwise, and if there are
                none, the row is `judged`, and what is signed for it is signed anew.
        """
        newest = (
            "SELECT publications.id FROM publications JOIN publication_rows ON publication_id = publications.id"
            " WHERE release_id = ? AND kind NOT IN ('batch', 'proof') AND publications.state = 'final'"
            " ORDER BY publications.id DESC"
        )
        with self._step() as db:
            row = select_row(db, row_id)
            if row.state is not State.FINAL:
                return row
            found = db.execute(f"{newest} LIMIT 1", (row_id,)).fetchone()
            if not (found and resends and _revived(db, found["id"])):
                return move_row(db, row_id, State.JUDGED, at, note)
            db.execute("UPDATE publication_rows SET is_open = 1 WHERE publication_id = ?", (found["id"],))
            mark_publication(db, found["id"], PublicationState.SENT, at, note)
            return move_row(db, row_id, State.SENT, at, note)

    def reopen_publication(self, publication_id: int, *, resends: bool, note: str, at: datetime) -> StoredPublication:
        """Put a final batch that vanished from the chain, and its final rows, back. Any other batch stays as it is.

        A row that is in another open publication stays where it is.

        Args:
            resends: have the transactions that recorded the batch sent again, as they are. Otherwise, and if there are
                none, the batch is dropped, and its rows are `judged` and free for others.
        """
        with self._step() as db:
            if select_publication(db, publication_id).state is not PublicationState.FINAL:
                return select_publication(db, publication_id)
            db.execute(
                "UPDATE publication_rows SET is_open = 1 WHERE publication_id = ? AND release_id IN"
                " (SELECT id FROM releases WHERE state = 'final') AND release_id NOT IN"
                " (SELECT release_id FROM publication_rows WHERE is_open = 1)",
                (publication_id,),
            )
            revived = resends and _revived(db, publication_id)
            state = PublicationState.SENT if revived else PublicationState.DROPPED
            return move_publication(db, publication_id, state, at, note)

    def restore_verdict(self, row_id: int, statement: bytes, *, at: datetime) -> None:
        """Store the bytes of a verdict of a row again, in the journal and in the folder of evidence."""
        with self._step() as db:
            digest = keep_verdict(db, row_id, statement, at)
            db.execute("UPDATE verdicts SET statement = ? WHERE digest = ?", (statement, digest))
            self._evidence.keep(db, digest, statement, None)
        self._evidence.settle()


def _revived(db: Session, publication_id: int) -> bool:
    """Have the transactions that took effect sent again, and return whether there are any."""
    sql = "UPDATE transactions SET state = 'live' WHERE publication_id = ? AND state = 'mined'"
    return db.execute(sql, (publication_id,)).rowcount > 0
