"""The read side beside an oracle, on its own server: the settings `index` and `listen` ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from starlette.routing import BaseRoute

from provenance_oracle.oracle.index.index_figures import IndexFigures
from provenance_oracle.oracle.index.record_reader import open_record_index
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.web.explorer.following import IndexThread
from provenance_oracle.oracle.web.explorer.read_side import ReadSide, opening_read_side
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.registry.deployment import Deployment


@dataclass(frozen=True)
class ExplorerParts:
    """The routes of the read side, and a function that returns the figures of its index for Prometheus."""

    routes: Sequence[BaseRoute]
    figures: Callable[[], bytes]


@contextmanager
def explorer_beside(
    settings: Settings, deployment: str | Deployment, policy: Policy, clock: Callable[[], datetime]
) -> Iterator[ExplorerParts]:
    """Keep the index of the settings in a thread, and answer from it, until the block ends.

    Args:
        deployment: the registry's deployment, or its address.
        policy: the oracle's, whose page is shown.
        clock: returns the time now, with a time zone.

    Raises:
        UsageError: the place of the index is another program's, or the URL of the page's node is none.
        TemporaryError: the index cannot be opened now.
    """
    thread = IndexThread(settings.index, settings.rpc_urls[0], deployment, settings.journal, clock)
    shown = ReadSide(
        settings.index,
        settings.journal,
        settings.evidence,
        policies=(policy,),
        page_rpc=settings.page_rpc,
        deployment=None if isinstance(deployment, str) else deployment,
        requests_per_second=settings.requests_per_second_max,
    )
    with thread.running(), closing(open_record_index(settings.index, clock=clock)) as index:
        figures = IndexFigures(index.status)

        def text() -> bytes:
            try:
                return figures.text()
            except TemporaryError:  # nothing was read yet
                return b""

        with opening_read_side(shown, clock) as routes:
            yield ExplorerParts(routes, text)
