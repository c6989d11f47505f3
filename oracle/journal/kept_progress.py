"""Read how far the releases of a journal are, also while an oracle uses it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

from provenance_oracle.oracle.journal.overview import Overview, Progress
from provenance_oracle.oracle.journal.questions import asking
from provenance_oracle.oracle.journal.store import Ask, Found

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.store import JournalStore


class _Questions:
    """The one method of a store that `Overview` calls."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Found]:
        return self._ask(sql, parameters)


class _Reading(Overview):
    """`Overview` over a journal that another process may hold."""

    def __init__(self, ask: Ask) -> None:
        self._database = cast("JournalStore", _Questions(ask))


def read_progress(place: str, *, since: datetime) -> Progress:
    """Return how far the releases are, with the number of rows that became final since a time.

    Args:
        place: path or URL of the journal.

    Raises:
        UsageError: there is no such journal. TemporaryError: it cannot be read now.
    """
    with asking(place) as ask:
        return _Reading(ask).progress(since=since)
