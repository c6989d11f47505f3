"""Ask a journal questions while an oracle may be using it, whether it is a file or a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from provenance_oracle.oracle.journal.migrations import UPGRADES
from provenance_oracle.oracle.journal.reader import open_read_only
from provenance_oracle.oracle.journal.schema import VERSION
from provenance_oracle.oracle.journal.store import Ask
from provenance_oracle.oracle.journal.stores import is_url, open_store

_FIRST_VERSION = 4  # that has publications


@contextmanager
def asking(place: str) -> Iterator[Ask]:
    """Yield a function that answers a question in SQL, with its parameters.

    Args:
        place: path or URL of the journal.

    Raises:
        UsageError: there is no such journal, or it has no publications yet. TemporaryError: it cannot be read now.
    """
    if is_url(place):
        with closing(open_store(place)) as store:
            yield store.rows
    else:
        versions = [number for number in (*UPGRADES, VERSION) if number >= _FIRST_VERSION]
        with open_read_only(Path(place), versions) as db:
            yield lambda sql, parameters: db.execute(sql, parameters).fetchall()
