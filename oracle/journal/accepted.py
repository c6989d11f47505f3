"""The releases that were accepted so far, as one step on the journal sees them."""

from __future__ import annotations

from datetime import datetime

from provenance_oracle.oracle.journal.rows import time_text
from provenance_oracle.oracle.journal.store import Ask


class AcceptedReleases:
    """Looks up accepted releases. Within a step on the journal, it sees those of all steps before."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def recordings(self, model_digest: bytes, publisher: bytes, *, besides: bytes, since: datetime) -> list[datetime]:
        """Return the times after `since` at which releases of a model by a publisher were accepted, oldest first.

        Args:
            model_digest, publisher: as `accept` got them.
            besides: the content digest of a release that does not count. Every other content counts once.
        """
        sql = (
            "SELECT MAX(kept_at) AS newest FROM releases JOIN verdicts ON digest = verdict_digest"
            " WHERE model_digest = ? AND publisher = ? AND content != ? AND record IS NOT NULL AND state != 'rejected'"
            " GROUP BY content HAVING MAX(kept_at) > ? ORDER BY newest"
        )
        rows = self._ask(sql, (model_digest, publisher, besides, time_text(since)))
        return [datetime.fromisoformat(row["newest"]) for row in rows]

    def manifest_by_report(self, report_digest: bytes) -> bytes | None:
        """Return the content digest of the first accepted release that used this report; None if there is none."""
        sql = "SELECT content FROM releases WHERE report_digest = ? AND record IS NOT NULL AND state != 'rejected'"
        rows = self._ask(sql + " ORDER BY id LIMIT 1", (report_digest,))
        return bytes(rows[0]["content"]) if rows else None
