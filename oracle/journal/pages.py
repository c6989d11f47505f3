"""Read a whole journal in pages, also while an oracle uses it, to compare it with the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provenance_oracle.oracle.journal.paging import PAGE_ROWS, in_pages
from provenance_oracle.oracle.journal.publications import (
    Member,
    StoredPublication,
    member_value,
    publication_value,
)
from provenance_oracle.oracle.journal.rows import Row, release_row
from provenance_oracle.oracle.journal.store import Ask, Found


class JournalPages:
    """The rows, batches and verdicts of a journal.

    Args:
        ask: answers a question in SQL; see `questions.asking`.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def final_rows(self) -> Iterator[list[Row]]:
        """Yield the rows of releases that are final, oldest first, in pages."""
        sql = "SELECT * FROM releases WHERE state = 'final' AND record IS NOT NULL AND id > ? ORDER BY id LIMIT ?"
        for found in in_pages(self._ask, sql, "id", 0):
            yield list(map(release_row, found))

    def final_batches(self) -> Iterator[list[StoredPublication]]:
        """Yield the batches that are final, oldest first, in pages."""
        sql = "SELECT * FROM publications WHERE kind = 'batch' AND state = 'final' AND id > ? ORDER BY id LIMIT ?"
        for found in in_pages(self._ask, sql, "id", 0):
            yield list(map(publication_value, found))

    def verdicts(self) -> Iterator[list[tuple[bytes, bytes, bytes]]]:
        """Yield each verdict in pages: its digest, its bytes, and the content of its release."""
        sql = (
            "SELECT digest, statement, content FROM verdicts JOIN releases ON releases.id = release_id"
            " WHERE digest > ? ORDER BY digest LIMIT ?"
        )
        for found in in_pages(self._ask, sql, "digest", b""):
            yield [(bytes(one["digest"]), bytes(one["statement"]), bytes(one["content"])) for one in found]

    def rows_of(self, contents: Sequence[bytes]) -> dict[bytes, list[Row]]:
        """Return the rows of releases by the content (digest of the manifest, 32 bytes), oldest first."""
        found: dict[bytes, list[Row]] = {}
        sql = "SELECT * FROM releases WHERE content IN ({}) ORDER BY id"
        for row in map(release_row, self._in_chunks(sql, contents)):
            found.setdefault(bytes(row.key.content), []).append(row)
        return found

    def statements(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the bytes that the journal keeps for verdicts, by digest."""
        sql = "SELECT digest, statement FROM verdicts WHERE digest IN ({})"
        return {bytes(one["digest"]): bytes(one["statement"]) for one in self._in_chunks(sql, digests)}

    def row_of_verdict(self, digest: bytes) -> int | None:
        """Return the id of the row to which a verdict belongs; None if there is no such verdict."""
        found = self._ask("SELECT release_id FROM verdicts WHERE digest = ?", (digest,))
        return int(found[0]["release_id"]) if found else None

    def archive(self, digest: bytes) -> bytes | None:
        """Return the evidence that the journal itself keeps for a verdict; None if there is none."""
        found = self._ask("SELECT archive FROM evidence WHERE digest = ?", (digest,))
        return bytes(found[0]["archive"]) or None if found else None

    def batch_of_root(self, root: bytes) -> StoredPublication | None:
        """Return the newest batch with a root (32 bytes); None if there is none."""
        sql = "SELECT * FROM publications WHERE kind = 'batch' AND root = ? ORDER BY id DESC LIMIT 1"
        found = self._ask(sql, (root,))
        return publication_value(found[0]) if found else None

    def members(self, publication_id: int) -> tuple[Member, ...]:
        """Return all rows of a publication in their order."""
        sql = "SELECT * FROM publication_rows WHERE publication_id = ? ORDER BY position"
        return tuple(map(member_value, self._ask(sql, (publication_id,))))

    def batch_of_content(self, content: bytes) -> StoredPublication | None:
        """Return the newest final batch that has a release, by its content (32 bytes); None if there is none."""
        sql = (
            "SELECT publications.* FROM publications JOIN publication_rows ON publication_id = publications.id"
            " JOIN releases ON releases.id = release_id"
            " WHERE kind = 'batch' AND publications.state = 'final' AND content = ?"
            " ORDER BY publications.id DESC LIMIT 1"
        )
        found = self._ask(sql, (content,))
        return publication_value(found[0]) if found else None

    def pins(self) -> dict[str, str]:
        """Return the facts about the chain that the journal keeps, by name."""
        return {one["name"]: one["value"] for one in self._ask("SELECT name, value FROM pins", ())}

    def _in_chunks(self, sql: str, values: Sequence[bytes]) -> Iterator[Found]:
        """Yield the rows of a query with a list of values in place of `{}`."""
        wanted = list(dict.fromkeys(values))
        for start in range(0, len(wanted), PAGE_ROWS):
            chunk = wanted[start : start + PAGE_ROWS]
            yield from self._ask(sql.format(", ".join("?" * len(chunk))), chunk)
