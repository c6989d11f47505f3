"""Read the rows of a long query in pages, so that none needs much memory or holds the database for long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provenance_oracle.oracle.journal.store import Ask, Found

PAGE_ROWS = 200


def in_pages(ask: Ask, sql: str, column: str, before: Any, more: Sequence[object] = ()) -> Iterator[Sequence[Found]]:
    """Yield the rows of a query in pages of PAGE_ROWS rows at most.

    Args:
        sql: the query. It takes the rows after a value of `column`, in the order of that column, and at most so many:
            these are its first and its last parameter.
        before: a value of the column that no row has, before all others.
        more: the parameters in between.
    """
    last = before
    while found := ask(sql, (last, *more, PAGE_ROWS)):
        yield found
        last = found[-1][column]
