"""The part of the journal about publications: batches, single records, policies, and their transactions.

    open_publication -> sign_publication -> advance_publication(SENT) -> ... (MINED) -> ... (FINAL)
           |                                          |
           +------------------------------------------+-> ... (DROPPED): its rows are `judged` and free again

Each method moves the publication and all its rows in one durable step. A row has one open publication at most. The
sender stores the records of a batch, in their order, before it signs the batch, so its leaves and proofs can be rebuilt
from the journal alone:

    records = journal.members(publication.id)
    batch = seal_batch(tuple(one.record for one in records), named=frozenset(i for i, one ... if one.is_named))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from provenance_oracle.oracle.journal.publication_steps import (
    OPEN_PUBLICATION,
    insert_publication,
    insert_signatures,
    mark_publication,
    match_free,
    move_publication,
    open_publication_of,
    seal,
)
from provenance_oracle.oracle.journal.publications import (
    LeafPlace,
    Member,
    PartialSignature,
    PublicationKind,
    PublicationState,
    StoredPublication,
    member_value,
    publication_value,
    signature_value,
)
from provenance_oracle.oracle.journal.rows import (
    Attempt,
    AttemptState,
    SignedTransaction,
    State,
    attempt_row,
    time_text,
)
from provenance_oracle.oracle.journal.steps import move_row
from provenance_oracle.oracle.journal.store import JournalStore, Session


class PublicationBook:
    """The journal's methods about publications, transactions and partial signatures; see `journal.Journal`."""

    _database: JournalStore

    # Publications

    def open_publication(self, kind: PublicationKind, members: Sequence[Member], *, at: datetime) -> StoredPublication:
        """Begin a publication with these rows, in this order, which is that of the leaves.

        Args:
            members: one row for a record or a policy, 1 to 128 rows for a batch. Each row is `judged`.

        Raises:
            UsageError: a row is not `judged`, or is in an open publication. Nothing is stored then.
        """
        with self._database.transaction() as db:
            for member in members:
                match_free(db, member.release_id, self._database.where)
            return insert_publication(db, kind, members, at)

    def seal_publication(
        self, publication_id: int, *, root: bytes, count: int, uri: str = "", epoch: int | None = None, at: datetime
    ) -> StoredPublication:
        """Store the root of a batch, before it is signed. A later call replaces the values, for another epoch.

        Args:
            root: 32 bytes. count: the number of leaves. uri: where leaves and proofs are served.
            epoch: the number of the oracle set that signs.
        """
        with self._database.transaction() as db:
            return seal(db, publication_id, root=root, count=count, uri=uri, epoch=epoch, at=at)

    def publication(self, publication_id: int) -> StoredPublication:
        """Return the publication with this id, which must exist."""
        found = self._database.rows("SELECT * FROM publications WHERE id = ?", (publication_id,))
        return publication_value(found[0])

    def open_publications(self) -> tuple[StoredPublication, ...]:
        """Return the publications from `open` to `mined`, oldest first, without proofs; see `open_proofs`."""
        sql = (
            "SELECT * FROM publications WHERE state IN ('open', 'signed', 'sent', 'mined') AND kind != 'proof'"
            " ORDER BY id"
        )
        return tuple(map(publication_value, self._database.rows(sql)))

    def publication_of(self, row_id: int) -> StoredPublication | None:
        """Return the open publication of a row; None if it has none."""
        found = self._database.rows(OPEN_PUBLICATION, (row_id,))
        return publication_value(found[0]) if found else None

    def members(self, publication_id: int) -> tuple[Member, ...]:
        """Return all rows of a publication in their order, also those that left it."""
        sql = "SELECT * FROM publication_rows WHERE publication_id = ? ORDER BY position"
        return tuple(map(member_value, self._database.rows(sql, (publication_id,))))

    def places(self, content: bytes) -> tuple[LeafPlace, ...]:
        """Return the places of a release in publications that were not dropped, newest first.

        Args:
            content: the release's manifest digest, 32 bytes.
        """
        sql = (
            "SELECT publication_rows.*, publications.id FROM publication_rows"
            " JOIN releases ON releases.id = release_id JOIN publications ON publications.id = publication_id"
            " WHERE content = ? AND publications.state != 'dropped' ORDER BY publications.id DESC"
        )
        found = self._database.rows(sql, (content,))
        return tuple(
            LeafPlace(self.publication(one["publication_id"]), one["position"], member_value(one)) for one in found
        )

    def has_batch(self, root: bytes) -> bool:
        """Return whether there is a batch with this root (32 bytes)."""
        return bool(self._database.rows("SELECT id FROM publications WHERE root = ? LIMIT 1", (root,)))

    def advance_publication(
        self,
        publication_id: int,
        state: PublicationState,
        *,
        note: str = "",
        settled: Mapping[int, AttemptState] | None = None,
        at: datetime,
    ) -> StoredPublication:
        """Move a publication and its rows to `state`, and store states of transactions, in one durable step.

        The rows lose their failure and their wait, and get the remark `note`. FINAL and DROPPED close the publication.
        Rows of a dropped one are `judged`.

        Args:
            settled: by the id of a transaction, its new state.
        """
        with self._database.transaction() as db:
            _settle(db, settled or {})
            return move_publication(db, publication_id, state, at, note)

    # Transactions

    def sign_publication(self, publication_id: int, transaction: SignedTransaction, *, at: datetime) -> Attempt:
        """Store a signed transaction of a publication, and move its rows to `signed`; see `keep_transaction`."""
        with self._database.transaction() as db:
            attempt = _insert_transaction(db, publication_id, transaction, at)
            move_publication(db, publication_id, PublicationState.SIGNED, at)
            return attempt

    def attempts_of(self, publication_id: int) -> tuple[Attempt, ...]:
        """Return every transaction ever signed for a publication, oldest first."""
        rows = self._database.rows("SELECT * FROM transactions WHERE publication_id = ? ORDER BY id", (publication_id,))
        return tuple(map(attempt_row, rows))

    def keep_transaction(self, row_id: int, transaction: SignedTransaction, *, at: datetime) -> Attempt:
        """Store a signed transaction for a single row. The caller may send its bytes only after this returns.

        The row's open publication gets it. A row without one begins one of kind `record`, or `policy` for a row without
        a record.

        A key in memory signs the same bytes again, also bytes that the account had given up before a reorg. These then
        become live again. A token or a KMS signs other bytes, which are another transaction with the same call.
        """
        with self._database.transaction() as db:
            publication = open_publication_of(db, row_id)
            if publication is None:
                found = db.execute("SELECT record FROM releases WHERE id = ?", (row_id,)).fetchone()
                kind = PublicationKind.POLICY if found["record"] is None else PublicationKind.RECORD
                publication = insert_publication(db, kind, [Member(row_id)], at)
            attempt = _insert_transaction(db, publication.id, transaction, at)
            mark_publication(db, publication.id, PublicationState.SIGNED, at, "")
            move_row(db, row_id, State.SIGNED, at)
            return attempt

    def attempts(self, row_id: int) -> tuple[Attempt, ...]:
        """Return every transaction ever signed for a row, in any publication but proofs, oldest first."""
        sql = (
            "SELECT transactions.* FROM transactions"
            " JOIN publication_rows ON publication_rows.publication_id = transactions.publication_id"
            " JOIN publications ON publications.id = transactions.publication_id"
            " WHERE release_id = ? AND kind != 'proof' ORDER BY transactions.id"
        )
        return tuple(map(attempt_row, self._database.rows(sql, (row_id,))))

    def orphans(self, sender: str) -> tuple[Attempt, ...]:
        """Return live transactions that nobody sends any more, by nonce. Later nonces wait for them.

        No row of their publication is on its way (each is closed or `seen`), or their batch or proof is closed.
        """
        sql = (
            "SELECT transactions.* FROM transactions JOIN publications ON publications.id = publication_id"
            " WHERE sender = ? AND transactions.state = 'live'"
            " AND ((kind IN ('batch', 'proof') AND publications.state IN ('final', 'dropped'))"
            " OR kind != 'proof' AND NOT EXISTS ("
            "SELECT 1 FROM publication_rows JOIN releases ON releases.id = release_id"
            " WHERE publication_rows.publication_id = publications.id"
            " AND releases.state IN ('judged', 'signed', 'sent', 'mined'))) ORDER BY nonce, transactions.id"
        )
        return tuple(map(attempt_row, self._database.rows(sql, (sender,))))

    def settle(self, attempt_id: int, state: AttemptState) -> None:
        """Store the state of a transaction."""
        with self._database.transaction() as db:
            _settle(db, {attempt_id: state})

    def live_nonces(self, sender: str) -> frozenset[int]:
        """Return the nonces of all live transactions of `sender`.

        Mined ones are left out: the chain counts them, and one that a deep reorg removed leaves a gap to fill.
        """
        sql = "SELECT DISTINCT nonce FROM transactions WHERE sender = ? AND state = 'live'"
        return frozenset(int(found["nonce"]) for found in self._database.rows(sql, (sender,)))

    # Partial signatures

    def keep_signatures(self, signatures: Iterable[PartialSignature]) -> int:
        """Store signatures of one or more oracles and return the number of new ones.

        The first signature of an oracle for a digest stays; a second one changes nothing.
        """
        with self._database.transaction() as db:
            return insert_signatures(db, signatures)

    def signatures(self, digest: bytes) -> tuple[PartialSignature, ...]:
        """Return the stored signatures of a digest (32 bytes), by the oracle's number."""
        sql = "SELECT * FROM signatures WHERE digest = ? ORDER BY oracle_index"
        return tuple(map(signature_value, self._database.rows(sql, (digest,))))


def _settle(db: Session, states: Mapping[int, AttemptState]) -> None:
    for attempt_id, state in states.items():
        db.execute("UPDATE transactions SET state = ? WHERE id = ?", (state, attempt_id))


def _insert_transaction(db: Session, publication_id: int, transaction: SignedTransaction, at: datetime) -> Attempt:
    made = db.execute(
        "INSERT INTO transactions (publication_id, sender, nonce, hash, raw, max_fee_wei, priority_fee_wei,"
        " call_to, call_data, state, signed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET state = excluded.state, signed_at = excluded.signed_at,"
        " publication_id = excluded.publication_id RETURNING *",
        (
            publication_id,
            transaction.sender,
            transaction.nonce,
            transaction.hash,
            transaction.raw,
            transaction.max_fee_wei,
            transaction.priority_fee_wei,
            transaction.to,
            transaction.data,
            AttemptState.LIVE,
            time_text(at),
        ),
    )
    return attempt_row(made.fetchone())
