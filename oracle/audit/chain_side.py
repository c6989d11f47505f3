"""From the chain to the journal: each record and batch that our oracle signed must be in the journal, and agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from provenance_oracle.oracle.audit.differences import Difference, DifferenceKind, Differences
from provenance_oracle.oracle.audit.kept_verdicts import KeptVerdicts
from provenance_oracle.oracle.chain.replay import EventPage, OraclePlace, Replay, ReplayedBatch, ReplayedRecord
from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.oracle.journal.stored_record import from_json
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import decode_record
from provenance_oracle.verifier.record.fields import Record, RecordFields, WrittenRecord, match_entry
from provenance_oracle.verifier.text import printable

# Each field that a record and its bytes on chain have in common. The revision is the registry's.
_FIELDS = tuple(name for name in RecordFields.__dataclass_fields__ if name != "revision")


class ChainSide:
    """Compares what a replay reads.

    Args:
        ours: the places of our oracle in the oracle sets.
    """

    def __init__(
        self,
        replay: Replay,
        pages: JournalPages,
        verdicts: KeptVerdicts,
        ours: frozenset[OraclePlace],
        differences: Differences,
    ) -> None:
        self._replay = replay
        self._pages = pages
        self._verdicts = verdicts
        self._ours = ours
        self._differences = differences

    def compare(self, progress: Callable[[EventPage], object]) -> None:
        """Compare all events that were not read yet. `progress` is called after each page.

        Raises:
            TemporaryError: a node or the journal fails.
        """
        for page in self._replay.pages():
            rows = self._pages.rows_of([one.event.record.manifest_digest for one in page.records])
            ours = [one.event.record.verdict_digest for one in page.records if one.signers & self._ours]
            self._verdicts.prepare(ours)
            for record in page.records:
                self._record(record, rows.get(record.event.record.manifest_digest, []))
            for batch in page.batches:
                self._batch(batch)
            self._differences.read["records"] += len(page.records)
            self._differences.read["batches"] += len(page.batches)
            progress(page)

    def _record(self, found: ReplayedRecord, rows: Sequence[Row]) -> None:
        written = found.event.record
        self._match_rows(written, rows)
        if found.signers & self._ours:
            self._match_verdict(written, rows)

    def _match_rows(self, written: WrittenRecord, rows: Sequence[Row]) -> None:
        """Compare a record with the row of its own judgement, or else with what another judgement says of the release.

        A row that is not final may have any record: its own is not on chain.
        """
        kept = [(row, record) for row in rows if row.state == "final" and (record := row_record(row))]
        same = [one for one in kept if one[1].verdict_digest == written.verdict_digest]
        for row, record in same[:1] or (kept[:1] if written.passed else []):
            difference = _first_difference(record, written) if same else _release_difference(record, written)
            if difference:
                got, wanted = difference
                self._add(DifferenceKind.OTHER_RECORD, f"release {row.key.release}", got, wanted, row_id=row.id)

    def _match_verdict(self, written: WrittenRecord, rows: Sequence[Row]) -> None:
        subject = f"record of {written.name}@{written.version}, manifest {written.manifest_digest.hex()}"
        digest = written.verdict_digest
        is_kept = self._verdicts.has(digest)
        if not is_kept and rows:
            got, wanted = "no bytes of the verdict that we signed", f"verdict {digest.hex()}"
            found: dict[str, Any] = {"digest": digest, "row_id": rows[-1].id, "judged_at": written.judged_at}
            self._add(DifferenceKind.MISSING_VERDICT, subject, got, wanted, **found)
        elif not rows:
            kind = DifferenceKind.MISSING_ROW if is_kept else DifferenceKind.UNKNOWN_RECORD
            got = "no such release in the journal" + ("" if is_kept else ", and no such verdict")
            self._add(kind, subject, got, "the row of the release that our key signed", digest=digest)

    def _batch(self, found: ReplayedBatch) -> None:
        if not found.signers & self._ours:
            return
        root, subject = found.event.root, f"batch {found.event.root.hex()}"
        kept = self._pages.batch_of_root(root)
        if kept is None:
            got, wanted = "no such batch in the journal", "the batch that our key signed"
            self._add(DifferenceKind.UNKNOWN_BATCH, subject, got, wanted, digest=root)
            return
        members = self._pages.members(kept.id)
        named = frozenset(number for number, member in enumerate(members) if member.is_named)
        records = tuple(member.record or b"" for member in members)
        try:
            rebuilt = seal_batch(records, named=named).root
        except (FormatError, UsageError):
            rebuilt = b""
        if (rebuilt, len(records)) != (root, found.event.count):
            got = f"{len(records)} records that lead to {rebuilt.hex() or 'no root'}"
            wanted = f"{found.event.count} records that lead to {root.hex()}"
            self._add(DifferenceKind.ALTERED_BATCH, subject, got, wanted, digest=root, row_id=kept.id)
            return
        written = [decode_record(data, subject) for data in records]
        rows = self._pages.rows_of([one.manifest_digest for one in written])
        self._verdicts.prepare([one.verdict_digest for one in written])
        for one in written:
            self._match_rows(one, rows.get(one.manifest_digest, []))
            self._match_verdict(one, rows.get(one.manifest_digest, []))

    def _add(self, kind: DifferenceKind, subject: str, got: str, wanted: str, **found: Any) -> None:
        self._differences.add(Difference(kind, printable(subject), printable(got), printable(wanted), **found))


def row_record(row: Row) -> Record | None:
    """Return the record of a row; None if it has none that the oracle writes."""
    try:
        return from_json(row.record or b"")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _first_difference(record: Record, written: WrittenRecord) -> tuple[str, str] | None:
    for name in _FIELDS:
        own, kept = getattr(record, name), getattr(written, name)
        if own != kept:
            return f"{name} {_shown(kept)} on chain", f"{_shown(own)} as in the row"
    return None


def _release_difference(record: Record, written: WrittenRecord) -> tuple[str, str] | None:
    try:
        match_entry(record, written)
    except VerificationError as error:
        return f"{error.problem}: {error.got}", error.wanted
    return None


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
