"""The port between the index and its database. `sqlite_index.py` and `postgres_index.py` implement it.

Both databases get the same SQL. All that is in them can be read again, so a commit need not wait for the disk. Readers
see one moment, while a writer goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from provenance_oracle.oracle.journal.store import Ask
from provenance_oracle.verifier.errors import TemporaryError, UsageError

# For all reads of one question from a database that was opened only to be asked, because strangers ask.
QUESTION_SECONDS = 2.0


class IndexSession(Protocol):
    """An open transaction that writes."""

    def rows(self, sql: str, parameters: Sequence[object] = (), /) -> Sequence[Any]:
        """Return the rows of a query."""

    def many(self, sql: str, rows: Sequence[Sequence[object]], /) -> None:
        """Run one statement for each of the rows of parameters."""


class IndexDatabase(Protocol):
    """A database with the tables of `index_schema`. Several threads may use it.

    Raises (every method):
        UsageError: it is of another program, or cannot be reached with these settings.
        TemporaryError: disk or connection fail.
    """

    @property
    def where(self) -> str:
        """The database as messages name it, without a password."""

    def writing(self) -> AbstractContextManager[IndexSession]:
        """Run the statements of a block as one transaction: all take effect, or none does."""

    def reading(self) -> AbstractContextManager[Ask]:
        """Answer the questions of a block as of one moment."""

    def close(self) -> None:
        """Close the connections."""


def took_too_long(where: str) -> TemporaryError:
    """Return the error for a question that took more than QUESTION_SECONDS; the caller raises it."""
    wanted = f"a question that takes {QUESTION_SECONDS:.0f} s at most"
    return TemporaryError("the question took too long", where=where, wanted=wanted)


def no_index(where: str) -> UsageError:
    """Return the error for a place without an index of this version; the caller raises it."""
    wanted = "the database of a `provenance index` of this version"
    return UsageError("there is no index to read", where=where, got="nothing, or another file", wanted=wanted)
