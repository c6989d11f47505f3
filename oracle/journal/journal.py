"""The crash-safe history of every release. The oracle keeps no other state.

A row is one signed manifest of one release. It moves forward through these states:

    seen -> judged -> signed -> sent -> mined -> final         the record is on chain, deep enough
      | <------|________________________________/
      v                                                        (a reorg moves mined back to sent; a record that waited
                                                               too long is dropped, and the release is seen again)
    rejected                                                   malformed, forged or refused; a FAILED verdict is kept
    stuck                                                      too many internal errors: waits for a person
    superseded                                                 replaced or gone before it was judged

Waiting is not a state: a parked row keeps its state and has a `retry_at`. The journal adds verdicts and never removes
one. It stores a transaction before the oracle sends it, so that after a kill the oracle sends the same bytes again.

A policy that has no number in the registry yet has a row of its own. Such a row has no record and begins in `judged`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType

from provenance_oracle.oracle.journal.accepted import AcceptedReleases
from provenance_oracle.oracle.journal.overview import Overview
from provenance_oracle.oracle.journal.proof_book import ProofBook, begin_proof
from provenance_oracle.oracle.journal.publication_book import PublicationBook
from provenance_oracle.oracle.journal.publication_steps import follow_row
from provenance_oracle.oracle.journal.quorum_book import QuorumBook
from provenance_oracle.oracle.journal.repairs import Repairs
from provenance_oracle.oracle.journal.rows import NewRelease, ReleaseKey, Row, State, policy_key, release_row, time_text
from provenance_oracle.oracle.journal.steps import (
    by_key,
    count_internal_error,
    drop_record,
    fail_row,
    insert_row,
    keep_verdict,
    move_row,
    open_row,
    select_row,
)
from provenance_oracle.oracle.journal.store import Session
from provenance_oracle.oracle.journal.stores import open_evidence, open_store
from provenance_oracle.oracle.journal.verdict_signatures import VerdictSignatures
from provenance_oracle.verifier.errors import ProvenanceError, UsageError

_log = logging.getLogger(__name__)
_UNSETTLED_MAX = 256  # verdicts whose files may not be on disk yet


class Journal(PublicationBook, ProofBook, QuorumBook, Repairs, VerdictSignatures, Overview):
    """The journal. Every method is one durable step; `accept` may leave its commit to a later one.

    One process at a time opens a file; several may share a PostgreSQL database. A journal of an earlier version of the
    format is carried over to the present one when it is opened.

    Args:
        place: the path of a SQLite file, or a URL `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        evidence: the folder for verdicts and evidence; None for `verdicts` beside the file, or a table of PostgreSQL.
        is_guest: work beside the oracle that holds the file; see `sqlite.Database`.

    Digests have 32 bytes; `at` and `retry_at` are times with a time zone.

    Raises (every method):
        UsageError: the database is corrupt, of another program, of another version, in use, or was deleted.
        TemporaryError: the disk is full or fails, or the server does not answer. Steps that returned before are kept.
    """

    def __init__(self, place: Path | str, evidence: Path | None = None, *, is_guest: bool = False) -> None:
        self._database = open_store(place, is_guest=is_guest)
        try:
            self._evidence = open_evidence(place, evidence, self._database, is_guest=is_guest)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the database and release its lock."""
        try:
            self._settle_evidence(1)
        finally:
            self._database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use the journal. Each then works on a release under a lease."""
        return self._database.is_shared

    def flush(self) -> None:
        """Make steps durable that were left to a later commit; see `accept`."""
        self._database.flush()

    def hold_sender(self) -> None:
        """Be the one process that sends this journal's transactions, until the journal is closed.

        Raises:
            TakenError: another process sends them. When it ends, a later call succeeds.
            TemporaryError: the database fails.
        """
        self._database.hold("sender")

    def pin(self, facts: Mapping[str, str]) -> None:
        """Store each fact that is new, and compare every other one with its stored value.

        Args:
            facts: facts about the chain that never change, by name.

        Raises:
            UsageError: a fact differs from its stored value.
        """
        with self._step() as db:
            for name, value in facts.items():
                db.execute("INSERT INTO pins VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
                kept = db.execute("SELECT value FROM pins WHERE name = ?", (name,)).fetchone()["value"]
                if kept != value:
                    raise UsageError(
                        f"{name} is not the one that this journal began with",
                        where=self._database.where,
                        got=value,
                        wanted=kept,
                    )

    def pins(self) -> dict[str, str]:
        """Return the facts that `pin` stored, by name."""
        return {found["name"]: found["value"] for found in self._database.rows("SELECT name, value FROM pins")}

    # Releases

    def find(self, source: str, release: str, fingerprint: str) -> Row | None:
        """Return the newest row of a release with this fingerprint; None if there is none."""
        sql = "SELECT * FROM releases WHERE source = ? AND release = ? AND fingerprint = ?"
        rows = self._database.rows(sql + " ORDER BY changed_at DESC, id DESC LIMIT 1", (source, release, fingerprint))
        return release_row(rows[0]) if rows else None

    def open(self, key: ReleaseKey, fingerprint: str, *, at: datetime) -> Row:
        """Return the row of `key`, and make it if it is new.

        A rejected or superseded row goes back to `seen`, to be judged again. A stuck row goes on where it was. A row
        that must wait keeps everything, also its old fingerprint, so that a later scan finds the release changed again.
        Rows of the release with other contents that were not judged yet become `superseded`.
        """
        with self._step() as db:
            return open_row(db, key, fingerprint, at)

    def knows(self, key: ReleaseKey) -> bool:
        """Return whether there is a row of `key`."""
        sql = "SELECT 1 AS one FROM releases WHERE source = ? AND release = ? AND content = ?"
        return bool(self._database.rows(sql, (key.source, key.release, key.content)))

    def row(self, row_id: int) -> Row:
        """Return the row with this id, which must exist."""
        return release_row(self._database.rows("SELECT * FROM releases WHERE id = ?", (row_id,))[0])

    def rows(self) -> tuple[Row, ...]:
        """Return every row, oldest first."""
        return tuple(release_row(found) for found in self._database.rows("SELECT * FROM releases ORDER BY id"))

    def supersede(self, row_id: int, *, note: str, at: datetime) -> Row:
        """Close a row whose release has gone before it was judged. `open` takes it up again if it comes back."""
        with self._step() as db:
            return move_row(db, row_id, State.SUPERSEDED, at, note)

    def accept(
        self,
        row: int | NewRelease,
        statement: bytes,
        record: bytes,
        report_digest: bytes,
        *,
        policy_digest: bytes | None = None,
        model_digest: bytes | None = None,
        publisher: bytes | None = None,
        evidence: bytes | None = None,
        check: Callable[[AcceptedReleases], object] = lambda _accepted: None,
        proves: bool = False,
        later: bool = False,
        at: datetime,
    ) -> Row:
        """Store the PASSED verdict and the record to publish, and move the row to `judged`.

        Args:
            row: the row's id; or a release that has no row yet, for which the same step makes one, as `open` does.
            statement: bytes of the verdict.
            record: the record from `stored_record.to_json`.
            policy_digest, model_digest, publisher: those in the record, by which rows are found; None: unknown.
            evidence: the release's `provenance/` as `evidence.archive` packs it; None to keep the verdict only.
            check: called within the step with the releases that were accepted before. If it raises, nothing is stored.
            proves: have the release proven on chain too, once its record is final.
            later: leave the commit to a later step or to `flush`. Until then a kill or a full disk undoes this step.
        """
        with self._step(later=later) as db:
            check(AcceptedReleases(lambda sql, values: db.execute(sql, values).fetchall()))
            row_id = row if isinstance(row, int) else open_row(db, row.key, row.fingerprint, row.found_at).id
            digest = self._keep_verdict(db, row_id, statement, evidence, at)
            db.execute(
                "UPDATE releases SET verdict_digest = ?, record = ?, report_digest = ?, policy_digest = ?,"
                " model_digest = ?, publisher = ? WHERE id = ?",
                (digest, record, report_digest, policy_digest, model_digest, publisher, row_id),
            )
            if proves:
                begin_proof(db, row_id, at)
            judged = move_row(db, row_id, State.JUDGED, at)
        self._settle_evidence(_UNSETTLED_MAX)
        return judged

    def reject(
        self,
        row_id: int,
        error: ProvenanceError,
        statement: bytes | None,
        *,
        policy_digest: bytes | None = None,
        retry_at: datetime,
        at: datetime,
    ) -> Row:
        """Move the row of a refused release to `rejected`.

        If the release changes, it is judged again, but not before `retry_at`.

        Args:
            statement: bytes of the FAILED verdict; None to keep the verdict and the policy that the row has.
            policy_digest: digest of the policy of that verdict; None: unknown.
        """
        with self._step() as db:
            if statement is not None:
                digest = self._keep_verdict(db, row_id, statement, None, at)
                sql = "UPDATE releases SET verdict_digest = ?, policy_digest = ? WHERE id = ?"
                db.execute(sql, (digest, policy_digest, row_id))
            fail_row(db, row_id, error.exit_code, error.check, str(error), retry_at, at)
            db.execute("UPDATE releases SET state = ? WHERE id = ?", (State.REJECTED, row_id))
            follow_row(db, row_id, State.REJECTED, at)
            row = select_row(db, row_id)
        self._settle_evidence(_UNSETTLED_MAX)
        return row

    def park(self, row_id: int, error: ProvenanceError, *, retry_at: datetime, at: datetime) -> Row:
        """Store a temporary failure. The row keeps its state and waits until `retry_at`."""
        with self._step() as db:
            fail_row(db, row_id, error.exit_code, error.check, str(error), retry_at, at)
            return select_row(db, row_id)

    def park_internal(self, row_id: int, problem: str, *, limit: int, retry_at: datetime, at: datetime) -> Row:
        """Store an internal error (exit code 1). The row waits as if parked; error number `limit` makes it stuck."""
        with self._step() as db:
            fail_row(db, row_id, 1, None, problem, retry_at, at)
            return count_internal_error(db, row_id, limit)

    def advance(self, row_id: int, state: State, *, note: str = "", at: datetime) -> Row:
        """Move a row to `state`, clear its failure and its wait, and store a remark.

        The row's publication moves with it, unless it is a batch; see `advance_publication`.
        """
        with self._step() as db:
            follow_row(db, row_id, state, at, note)
            return move_row(db, row_id, state, at, note)

    def forget_record(self, row_id: int, *, note: str, at: datetime) -> Row:
        """Move a row back to `seen` without its record, so that the next scan judges it again. Its verdicts stay."""
        with self._step() as db:
            drop_record(db, row_id)
            follow_row(db, row_id, State.SEEN, at, note)
            return move_row(db, row_id, State.SEEN, at, note)

    def distrust(self, row_id: int, error: ProvenanceError, *, limit: int, retry_at: datetime, at: datetime) -> Row:
        """Move an altered row back to `seen` without its record, so that its release is judged again.

        The row waits as if parked. It counts as an internal error, of which number `limit` makes the row stuck.
        """
        with self._step() as db:
            drop_record(db, row_id)
            follow_row(db, row_id, State.SEEN, at)
            fail_row(db, row_id, error.exit_code, error.check, str(error), retry_at, at)
            db.execute("UPDATE releases SET state = 'seen' WHERE id = ?", (row_id,))
            return count_internal_error(db, row_id, limit)

    def open_policy(self, policy_digest: bytes, *, at: datetime) -> Row:
        """Return the row of a policy that has no number in the registry, and make it if it is new.

        A row that is `final` (a fork removed the number), or `stuck` and need not wait, goes back to `judged`.
        """
        key = policy_key(policy_digest)
        with self._step() as db:
            row = by_key(db, key) or insert_row(db, key, "", State.JUDGED, at)
            if row.state is State.FINAL or (row.state is State.STUCK and not row.waits(at)):
                return move_row(db, row.id, State.JUDGED, at)
            return row

    def reopen(self, row_id: int, *, at: datetime) -> Row:
        """Have a rejected, stuck or parked release processed at the next pass."""
        with self._step() as db:
            db.execute(
                "UPDATE releases SET retry_at = NULL, internal_errors = 0, vain_attempts = 0, changed_at = ?,"
                " fingerprint = CASE WHEN state IN ('rejected', 'stuck') THEN '' ELSE fingerprint END WHERE id = ?",
                (time_text(at), row_id),
            )
            return select_row(db, row_id)

    def reopen_rejected(self, policy_digest: bytes, *, at: datetime) -> int:
        """Have releases judged again that a policy other than this one rejected, and return their number."""
        with self._step() as db:
            return db.execute(
                "UPDATE releases SET fingerprint = '', policy_digest = NULL, retry_at = NULL, vain_attempts = 0,"
                " changed_at = ? WHERE state = 'rejected' AND policy_digest != ?",  # NULL: unknown, or reopened before
                (time_text(at), policy_digest),
            ).rowcount

    def verdict(self, digest: bytes) -> bytes | None:
        """Return the bytes of a stored verdict, PASSED or FAILED; None if there is none with this digest.

        A verdict of an earlier journal that was lost is found in the folder of evidence.
        """
        rows = self._database.rows("SELECT statement FROM verdicts WHERE digest = ?", (digest,))
        return bytes(rows[0]["statement"]) if rows else self._evidence.verdict(digest)

    def evidence(self, digest: bytes) -> bytes | None:
        """Return the tar archive of the evidence behind a verdict (digest of 32 bytes); None if there is none."""
        return self._evidence.evidence(digest)

    def _keep_verdict(self, db: Session, row_id: int, statement: bytes, evidence: bytes | None, at: datetime) -> bytes:
        digest = keep_verdict(db, row_id, statement, at)
        self._evidence.keep(db, digest, statement, evidence)
        return digest

    def _settle_evidence(self, least: int) -> None:
        try:
            self._evidence.settle(least=least)
        except (OSError, ProvenanceError) as error:  # nothing is lost: it stays in the journal, and is tried again
            _log.warning("verdicts are not in their folder yet: %s", error)


def open_journal(place: str, evidence: Path | None = None, *, is_guest: bool = False) -> Journal:
    """Open the journal that a setting names: a path, or a URL `postgresql://...`. Arguments and errors: `Journal`."""
    return Journal(place, evidence, is_guest=is_guest)
