"""Serve the read side by itself, for `provenance serve`: the API and the page, with health, metrics and status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

from provenance_oracle.oracle.index.index_figures import IndexFigures
from provenance_oracle.oracle.index.record_reader import open_record_index
from provenance_oracle.oracle.web.api.documents import index_status_json
from provenance_oracle.oracle.web.api.schemas import API_STATUS
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.explorer.following import IndexThread
from provenance_oracle.oracle.web.explorer.read_side import ReadSide, opening_read_side
from provenance_oracle.oracle.web.server import serving


@contextmanager
def serving_explorer(
    shown: ReadSide, listen: str, proxies: Sequence[str], thread: IndexThread | None, clock: Callable[[], datetime]
) -> Iterator[tuple[str, int]]:
    """Answer until the block ends, and yield the address: host and port.

    Args:
        listen, proxies: as for `serving`.
        thread: keeps the index; None if another process does.
        clock: returns the time now, with a time zone.

    Raises:
        UsageError: there is no index, the address cannot be listened on, or the URL of the page's node is none.
    """
    with closing(open_record_index(shown.index, clock=clock)) as index, opening_read_side(shown, clock) as routes:
        views = Views(
            blocking=thread.blocking if thread else tuple,
            metrics=IndexFigures(index.status).text,
            status=lambda: {"schema": API_STATUS, **index_status_json(index.status())},
        )
        with serving(make_app(views, routes=routes), listen, proxies) as address:
            yield address
