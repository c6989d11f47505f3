"""Find the records of batches in a journal, also while an oracle uses it."""

from __future__ import annotations

from provenance_oracle.oracle.journal.questions import Ask, asking


def find_leaves(place: str, *, content: bytes | None = None, root: bytes | None = None) -> tuple[list[bytes], set[int]]:
    """Return the records of the newest final batch of a release or with a root, and the numbers of the named ones.

    Args:
        place: path or URL of the journal.
        content: manifest digest, 32 bytes. root: root of the batch, 32 bytes. One of the two is given.

    Returns:
        No records if there is no such batch.

    Raises:
        UsageError: there is no such journal. TemporaryError: it cannot be read now.
    """
    with asking(place) as ask:
        found = _publication(ask, content, root)
        if found is None:
            return [], set()
        sql = "SELECT record, is_named FROM publication_rows WHERE publication_id = ? ORDER BY position"
        rows = ask(sql, (found,))
    return [bytes(row["record"]) for row in rows], {number for number, row in enumerate(rows) if row["is_named"]}


def _publication(ask: Ask, content: bytes | None, root: bytes | None) -> int | None:
    if root is not None:
        sql = "SELECT id FROM publications WHERE kind = 'batch' AND root = ? ORDER BY id DESC LIMIT 1"
        rows = ask(sql, (root,))
    else:
        sql = (
            "SELECT publications.id AS id FROM publications JOIN publication_rows ON publication_id = publications.id"
            " JOIN releases ON releases.id = release_id"
            " WHERE kind = 'batch' AND publications.state = 'final' AND content = ?"
            " ORDER BY publications.id DESC LIMIT 1"
        )
        rows = ask(sql, (content,))
    return int(rows[0]["id"]) if rows else None
