"""Find the records of batches in a journal, also while an oracle uses it."""

from __future__ import annotations

from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.oracle.journal.questions import asking


def find_leaves(
    place: str, *, content: bytes | None = None, root: bytes | None = None
) -> tuple[list[bytes], frozenset[int]]:
    """Return the records of the newest final batch of a release or with a root, and the numbers of the named ones.

    Args:
        place: path or URL of the journal.
        content: manifest digest, 32 bytes. root: root of the batch, 32 bytes. One of the two is given.

    Returns:
        No records if there is no such batch, or the journal has only some of its records: other oracles recorded it
        while this one was away.

    Raises:
        UsageError: there is no such journal. TemporaryError: it cannot be read now.
    """
    with asking(place) as ask:
        pages = JournalPages(ask)
        batch = pages.batch_of_content(content) if content is not None else pages.batch_of_root(root or b"")
        members = pages.members(batch.id) if batch is not None else ()
    if batch is not None and batch.count != len(members):
        return [], frozenset()
    named = frozenset(number for number, member in enumerate(members) if member.is_named)
    return [bytes(member.record or b"") for member in members], named
