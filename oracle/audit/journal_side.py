"""From the journal to the chain: each row that is final must have its record on chain, each final batch its root."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provenance_oracle.oracle.audit.chain_side import row_record
from provenance_oracle.oracle.audit.differences import Difference, DifferenceKind, Differences
from provenance_oracle.oracle.chain.replay import Replay
from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.oracle.journal.rows import Row
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.text import printable


class JournalSide:
    """Compares the final rows and batches.

    Args:
        catch_up: replays the events of blocks that came meanwhile.
    """

    def __init__(
        self, replay: Replay, pages: JournalPages, differences: Differences, catch_up: Callable[[], object]
    ) -> None:
        self._replay = replay
        self._pages = pages
        self._differences = differences
        self._catch_up = catch_up

    def compare(self) -> None:
        """Compare each final batch, then each final row.

        Raises:
            TemporaryError: a node or the journal fails, or a node withholds an event.
        """
        for batches in self._pages.final_batches():
            self._replay.look()
            counts = self._replay.batch_counts([one.root or b"" for one in batches])
            for batch, count in zip(batches, counts, strict=True):
                root = batch.root or b""
                if not count and self._replay.is_batch_gone(root):
                    self._differences.add(vanished_batch(batch.id, root))
        for rows in self._pages.final_rows():
            self._rows(rows)
            self._differences.read["rows"] += len(rows)

    def _rows(self, rows: Sequence[Row]) -> None:
        kept = [(row, record) for row in rows if (record := self._record(row))]
        self._replay.look()
        found = self._replay.are_recorded([(one.model_digest, one.manifest_digest) for _, one in kept])
        for (row, record), is_recorded in zip(kept, found, strict=True):
            if is_recorded:
                self._match_event(row, record)
            elif self._is_vanished(record):
                self._differences.add(vanished_record(row))

    def _is_vanished(self, record: Record) -> bool:
        """Return whether every node says that a release has no record. One in a batch vanishes with the batch."""
        if self._pages.batch_of_content(record.manifest_digest) is not None:
            return False
        return self._replay.is_gone(record.model_digest, record.manifest_digest)

    def _record(self, row: Row) -> Record | None:
        record = row_record(row)
        if record is None or record.manifest_digest != row.key.content:
            subject, got = (
                f"release {row.key.release}",
                "a record that the oracle does not write, or of another release",
            )
            wanted = f"the record of manifest {row.key.content.hex()}"
            self._differences.add(
                Difference(DifferenceKind.MALFORMED_ROW, printable(subject), got, wanted, row_id=row.id)
            )
            return None
        return record

    def _match_event(self, row: Row, record: Record) -> None:
        """Raise TemporaryError if the state has a record that no event tells, because it was not compared then."""
        release = release_id(record.model_digest, record.manifest_digest)
        if self._replay.has_event(release):
            return
        self._catch_up()
        if not self._replay.has_event(release):
            raise TemporaryError(
                "the node withholds an event",
                where=printable(f"release {row.key.release}"),
                got="nothing",
                wanted="the event of its record; ask another node (rpc_urls)",
            )


def vanished_record(row: Row) -> Difference:
    """Return the difference of a final row without a record on chain."""
    subject, got = printable(f"release {row.key.release}"), "no record of it on chain, at any node"
    wanted = f"the record of manifest {row.key.content.hex()}; the row is final since {row.changed_at.isoformat()}"
    return Difference(DifferenceKind.VANISHED_RECORD, subject, got, wanted, row_id=row.id)


def vanished_batch(publication_id: int, root: bytes) -> Difference:
    """Return the difference of a final batch that is not on chain."""
    subject, got = f"batch {root.hex()}", "no such batch on chain, at any node"
    return Difference(DifferenceKind.VANISHED_BATCH, subject, got, "its root", digest=root, row_id=publication_id)
