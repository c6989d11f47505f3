"""The part of the journal that is read often: look-ups of many releases at once, counts, and the rows that wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from provenance_oracle.oracle.journal.accepted import AcceptedReleases
from provenance_oracle.oracle.journal.dossiers import Dossiers, read_dossiers
from provenance_oracle.oracle.journal.paging import in_pages
from provenance_oracle.oracle.journal.proof_book import (
    NO_PROOFS,
    ProofProgress,
    has_moving_proof,
    read_proofs,
)
from provenance_oracle.oracle.journal.quorum_book import Refusal, read_refusals
from provenance_oracle.oracle.journal.rows import Row, State, own_writing, release_row, time_text
from provenance_oracle.oracle.journal.store import JournalStore

_NAMED_MAX = 500
_REFUSALS_SHOWN = 10
_PAIRS_MAX = 400  # two variables each; SQLite takes 32,766 in one statement


@dataclass(frozen=True)
class StateCount:
    """The rows in one state.

    Attributes:
        count: their number. parked: how many of them wait after a temporary failure.
        oldest_seen_at: when the journal first saw the oldest of them.
    """

    state: State
    count: int
    parked: int
    oldest_seen_at: datetime


@dataclass(frozen=True)
class OpenBatches:
    """The batches that are not final.

    Attributes:
        count: their number. records: the number of records in them.
        oldest_at: when the oldest one began; None if there is none.
    """

    count: int
    records: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """How far the releases of a journal are.

    Attributes:
        counts: by state. recorded: rows that became final since a given time.
        failures: by source, the newest row that failed or waits after a failure.
        refusals: why batches of other oracles were not signed, the newest first.
        proofs: how far the proofs of releases are.
    """

    counts: tuple[StateCount, ...]
    recorded: int
    failures: Mapping[str, Row]
    refusals: tuple[Refusal, ...] = ()
    proofs: ProofProgress = NO_PROOFS


class Overview:
    """The journal's methods that read many rows; see `journal.Journal`. None of them reads every row of the journal."""

    _database: JournalStore

    @property
    def accepted(self) -> AcceptedReleases:
        """The accepted releases as of the last commit."""
        return AcceptedReleases(self._database.rows)

    def dossiers(self, rows: Sequence[Row]) -> Dossiers:
        """Return what the journal holds about some rows, for one batch or a few at most."""
        return read_dossiers(self._database.rows, rows)

    def waiting_unjudged(self, source: str, *, most: int) -> tuple[Row, ...]:
        """Return the rows of a source that were seen and wait for another try, `most` at most, oldest first."""
        sql = "SELECT * FROM releases WHERE source = ? AND state = 'seen' AND retry_at IS NOT NULL ORDER BY id LIMIT ?"
        return tuple(release_row(found) for found in self._database.rows(sql, (source, most)))

    def failed_rows(self, release: str | None = None) -> Iterator[Row]:
        """Yield the rows that were rejected, are stuck or wait after a failure, oldest first, read in pages.

        Args:
            release: the name of the only release that is wanted; None for all.
        """
        sql = (
            "SELECT * FROM releases WHERE id > ? AND (state IN ('rejected', 'stuck')"
            " OR (retry_at IS NOT NULL AND state NOT IN ('final', 'superseded')))"
        )
        sql += "" if release is None else " AND release = ?"
        wanted = [] if release is None else [release]
        for found in in_pages(self._database.rows, f"{sql} ORDER BY id LIMIT ?", "id", 0, wanted):
            yield from map(release_row, found)

    def named_rows(self, release: str) -> tuple[Row, ...]:
        """Return the newest rows of a release's name, oldest first."""
        sql = "SELECT * FROM releases WHERE release = ? ORDER BY id DESC LIMIT ?"
        return tuple(map(release_row, reversed(self._database.rows(sql, (release, _NAMED_MAX)))))

    def known(self, source: str, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Row]:
        """Return the newest row of each release that has one with its fingerprint, as `find` does, in few queries.

        Args:
            pairs: release and fingerprint.

        Returns:
            Rows by (release, fingerprint). A pair without a row is left out.
        """
        found: dict[tuple[str, str], Row] = {}
        for chunk in _chunks(pairs):
            marks = ", ".join(["(?, ?)"] * len(chunk))
            sql = (  # SQLite chooses this index by itself only once it has statistics
                f"WITH wanted (release_name, print) AS (VALUES {marks}) SELECT releases.* FROM wanted"  # noqa: S608
                " CROSS JOIN releases INDEXED BY releases_by_fingerprint"
                " WHERE source = ? AND release = release_name AND fingerprint = print ORDER BY changed_at, id"
            )
            values = [text for pair in chunk for text in pair]
            rows = map(release_row, self._database.rows(sql, (*values, source)))
            found |= {(row.key.release, row.fingerprint): row for row in rows}  # the newest one comes last
        return found

    def counts(self) -> tuple[StateCount, ...]:
        """Return the number of rows in each state that has any, in the order of `State`. One query."""
        sql = (
            "SELECT state, COUNT(*) AS many, COUNT(retry_at) AS parked, MIN(seen_at) AS oldest FROM releases"
            " GROUP BY state"
        )
        with own_writing():
            found = {State(one["state"]): one for one in self._database.rows(sql)}
            return tuple(
                StateCount(
                    state,
                    found[state]["many"],
                    0 if state.closed else found[state]["parked"],
                    datetime.fromisoformat(found[state]["oldest"]),
                )
                for state in State
                if state in found
            )

    def open_batches(self) -> OpenBatches:
        """Return the number, size and age of the batches that are not final. One query."""
        sql = (
            "SELECT COUNT(DISTINCT id) AS many, COUNT(release_id) AS records, MIN(created_at) AS oldest"
            " FROM publications LEFT JOIN publication_rows ON publication_id = id"
            " WHERE state IN ('open', 'signed', 'sent', 'mined') AND kind = 'batch'"
        )
        with own_writing():
            (found,) = self._database.rows(sql)
            oldest = datetime.fromisoformat(found["oldest"]) if found["oldest"] else None
            return OpenBatches(found["many"], found["records"], oldest)

    def progress(self, *, since: datetime) -> Progress:
        """Return how far the releases are, with the number of rows that became final since a time. Six queries."""
        final = "SELECT COUNT(*) AS many FROM releases WHERE state = 'final' AND changed_at > ?"
        newest = (
            "SELECT releases.* FROM releases JOIN (SELECT source AS place, MAX(changed_at) AS newest FROM releases"
            " WHERE exit_code IS NOT NULL GROUP BY source) AS failed ON source = place AND changed_at = newest"
            " WHERE exit_code IS NOT NULL"
        )
        return Progress(
            self.counts(),
            self._database.rows(final, (time_text(since),))[0]["many"],
            {row.key.source: row for row in map(release_row, self._database.rows(newest))},
            read_refusals(self._database.rows, most=_REFUSALS_SHOWN),
            read_proofs(self._database.rows),
        )

    def is_moving(self) -> bool:
        """Return whether a record, a policy number or a proof is on its way to the chain.

        Parked rows do not count, nor do proofs that wait for a reason.
        """
        sql = (
            "SELECT 1 AS one FROM releases WHERE state IN ('judged', 'signed', 'sent', 'mined') AND retry_at IS NULL"
            " LIMIT 1"
        )
        return bool(self._database.rows(sql)) or has_moving_proof(self._database.rows)

    def unpublished(self) -> tuple[Row, ...]:
        """Return the rows from `judged` to `mined` that are in no open batch, oldest first.

        Their record or policy number is not final yet. The rows of a batch move with it.
        """
        sql = (
            "SELECT * FROM releases WHERE state IN ('judged', 'signed', 'sent', 'mined') AND NOT EXISTS ("
            "SELECT 1 FROM publication_rows JOIN publications ON publications.id = publication_id"
            " WHERE release_id = releases.id AND is_open = 1 AND kind = 'batch') ORDER BY id"
        )
        return tuple(map(release_row, self._database.rows(sql)))


def _chunks(pairs: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    left = iter(pairs)
    while chunk := list(islice(left, _PAIRS_MAX)):
        yield chunk
