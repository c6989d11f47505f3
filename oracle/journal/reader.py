"""Read a journal while an oracle may be using it: no lock is taken, nothing is written, nothing is carried over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from provenance_oracle.oracle.journal.sqlite import APPLICATION_ID
from provenance_oracle.oracle.journal.store import other_version
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.text import printable


@contextmanager
def open_read_only(path: Path, versions: Sequence[int]) -> Iterator[sqlite3.Connection]:
    """Open a journal's file for reading, in a second connection beside the oracle's.

    Args:
        versions: the versions of the tables that the caller can read.

    Raises:
        UsageError: there is no such file, or it is not a journal of one of these versions, or it is damaged.
        TemporaryError: it cannot be read now.
    """
    where = printable(str(path))
    if not path.is_file():
        raise UsageError("there is no journal", where=where, got="no file", wanted="an oracle's journal or a backup")
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)
        ) as db:
            db.row_factory = sqlite3.Row
            _match_file(db, where, versions)
            yield db
    except sqlite3.OperationalError as error:
        raise TemporaryError(f"the journal cannot be read: {error}", where=where) from error
    except sqlite3.DatabaseError as error:
        raise UsageError("the file is damaged, or is not a journal", where=where, got=printable(str(error))) from error


def _match_file(db: sqlite3.Connection, where: str, versions: Sequence[int]) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise UsageError("the file is not a journal of this program", where=where)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in versions:
        raise other_version(where, version, max(versions), versions)
