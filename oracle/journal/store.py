"""The port between the journal and the database that stores it. `sqlite.py` and `postgres.py` implement it.

Both databases get the same SQL: SQLite's placeholders (`?`), `RETURNING` and `ON CONFLICT`, which PostgreSQL has too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from provenance_oracle.verifier.errors import TemporaryError, UsageError

# One row of a result, by the names of its columns.
Found = Mapping[str, Any]
# Answers a question in SQL with its parameters.
Ask = Callable[[str, Sequence[object]], Sequence[Found]]


class TakenError(TemporaryError):
    """Another process holds a name that this one asks for. That process may end, and a later try succeed."""


class SqlAnswer(Protocol):
    """The result of one statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""

    def fetchone(self) -> Any:
        """Return the next row (`Found`); None if there is none."""

    def fetchall(self) -> Sequence[Any]:
        """Return all other rows (`Found`)."""


class Session(Protocol):
    """An open transaction."""

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> SqlAnswer:
        """Run one statement."""


# By the number of an earlier version of the tables, the step to the next one.
Migrations = Mapping[int, Callable[[Session], None]]


class JournalStore(Protocol):
    """A database with the tables of `schema.py`. Several threads may use it.

    Raises (every method):
        UsageError: the database is corrupt, of another program or version, or cannot be reached with these settings.
        TemporaryError: the disk or the connection fails. Transactions that were committed before are kept.
    """

    @property
    def where(self) -> str:
        """The database as messages name it, without a password."""

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use it at the same time."""

    def transaction(self, *, later: bool = False) -> AbstractContextManager[Session]:
        """Run the statements of a block as one durable transaction: all take effect, or none does.

        Args:
            later: return before the commit, which a later transaction or `flush` makes. If that fails, the block is
                taken back, and its caller is not told.
        """

    def flush(self) -> None:
        """Commit what `transaction(later=True)` left open."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Found]:
        """Return the rows of a query."""

    def before_commit(self, step: Callable[[], object]) -> None:
        """Have `step` called right before the commit of the transaction that this thread is in."""

    def hold(self, name: str) -> None:
        """Keep every other process from holding `name` in this journal, until the store is closed.

        Raises:
            TakenError: another process holds it.
        """

    def close(self) -> None:
        """Close the connection and release what keeps other processes out."""


def other_version(where: str, found: int, version: int, upgrades: Collection[int]) -> UsageError:
    """Return the error for a journal of a version that this program cannot open; the caller raises it.

    Args:
        found: the journal's version. version: the program's.
        upgrades: the versions that the program carries over.
    """
    if found > version:
        problem = (
            "the journal was written by a newer provenance-oracle and is left as it is; install that version or a later"
            " one, or go back to a backup from before the upgrade (`provenance restore`)"
        )
    else:
        problem = (
            "the journal is older than this program can carry over; open it with the release before this one first"
        )
    oldest = min([version, *upgrades])
    wanted = str(version) if found > version or oldest == version else f"{oldest} to {version}"
    return UsageError(problem, where=where, got=str(found), wanted=wanted)
