"""The part of the journal about batches that several oracles sign.

    open_sealed_batch -> keep_signatures -> sign_publication -> ... -> FINAL, or DROPPED if too few oracles signed it

An oracle hands its signature out only after `open_sealed_batch` stored it with the rows. A row has one open publication
at most, so an oracle never signs two batches with the same release at the same time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.oracle.journal.publication_steps import (
    insert_publication,
    insert_signatures,
    match_free,
    seal,
)
from provenance_oracle.oracle.journal.publications import (
    Member,
    PartialSignature,
    PublicationKind,
    StoredPublication,
    publication_value,
)
from provenance_oracle.oracle.journal.rows import time_text
from provenance_oracle.oracle.journal.store import Ask, JournalStore

_REFUSED_MAX = 100
_CONTENTS_MAX = 500
_FAILED = (
    "SELECT publications.*, release_id FROM publications JOIN publication_rows ON publication_id = publications.id"
    " WHERE kind = 'batch' AND state = 'dropped' AND root IS NOT NULL"
)
_FINAL = (
    "SELECT DISTINCT publications.* FROM publications"
    " JOIN publication_rows ON publication_id = publications.id JOIN releases ON releases.id = release_id"
    " WHERE kind = 'batch' AND publications.state = 'final'"
)
_REFUSED = "kind = 'batch' AND state = 'dropped' AND root IS NULL AND substr(note, 1, 8) = 'refused '"


@dataclass(frozen=True)
class Seal:
    """What the signatures of a batch cover: its root (32 bytes), the number of its leaves, epoch, uri and moment."""

    root: bytes
    count: int
    epoch: int
    uri: str
    sealed_at: datetime


@dataclass(frozen=True)
class Refusal:
    """A batch of another oracle that this one did not sign, and why."""

    at: datetime
    reason: str


class QuorumBook:
    """The journal's methods about batches of several oracles; see `journal.Journal`."""

    _database: JournalStore

    def open_sealed_batch(
        self, members: Mapping[int, Member], sealed: Seal, signatures: Iterable[PartialSignature], *, at: datetime
    ) -> StoredPublication:
        """Begin a batch with its seal and the signatures that it has, in one durable step.

        Args:
            members: free rows by the numbers of their leaves: all of them, or for a batch that is on chain already,
                those whose releases this journal has.

        Raises:
            UsageError: a row is not `judged`, or is in an open publication. Nothing is stored then.
        """
        with self._database.transaction() as db:
            for member in members.values():
                match_free(db, member.release_id, self._database.where)
            made = insert_publication(db, PublicationKind.BATCH, list(members.values()), at, list(members))
            insert_signatures(db, signatures)
            facts = {"root": sealed.root, "count": sealed.count, "epoch": sealed.epoch, "uri": sealed.uri}
            return seal(db, made.id, **facts, at=sealed.sealed_at)  # type: ignore[arg-type]

    def failed_batches(self, row_ids: Sequence[int]) -> Mapping[int, tuple[StoredPublication, ...]]:
        """Return the batches that were sealed with a row and dropped later, oldest first, by the row's id.

        Rows without any are left out. At most a few hundred rows.
        """
        marks = ", ".join("?" * len(row_ids))
        sql = f"{_FAILED} AND release_id IN ({marks}) ORDER BY publications.id"
        found: dict[int, tuple[StoredPublication, ...]] = {}
        for one in self._database.rows(sql, list(row_ids)):
            found[one["release_id"]] = (*found.get(one["release_id"], ()), publication_value(one))
        return found

    def final_batches(self, contents: Collection[bytes], *, most: int) -> tuple[StoredPublication, ...]:
        """Return final batches that have one of these releases, `most` at most, newest first.

        Args:
            contents: manifest digests, 32 bytes each. Those after the first 500 are not looked up.
        """
        wanted = list(contents)[:_CONTENTS_MAX]
        marks = ", ".join("?" * len(wanted))
        sql = f"{_FINAL} AND content IN ({marks}) ORDER BY publications.id DESC LIMIT ?"
        return tuple(map(publication_value, self._database.rows(sql, (*wanted, most)))) if wanted else ()

    def note_refusal(self, reason: str, *, at: datetime) -> None:
        """Keep why a batch of another oracle was not signed. The newest 100 stay."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO publications (kind, state, created_at, changed_at, note)"
                " VALUES ('batch', 'dropped', ?, ?, ?)",
                (time_text(at), time_text(at), f"refused {reason}"),
            )
            db.execute(
                f"DELETE FROM publications WHERE {_REFUSED} AND id NOT IN"  # noqa: S608
                f" (SELECT id FROM publications WHERE {_REFUSED} ORDER BY id DESC LIMIT ?)",
                (_REFUSED_MAX,),
            )


def read_refusals(ask: Ask, *, most: int) -> tuple[Refusal, ...]:
    """Return why batches of other oracles were not signed, newest first."""
    sql = f"SELECT changed_at, note FROM publications WHERE {_REFUSED} ORDER BY id DESC LIMIT ?"  # noqa: S608
    return tuple(
        Refusal(datetime.fromisoformat(one["changed_at"]), one["note"].removeprefix("refused "))
        for one in ask(sql, (most,))
    )
