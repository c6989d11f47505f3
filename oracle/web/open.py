"""Open the HTTP server of an oracle as its settings say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.journal.kept_evidence import find_verdict
from provenance_oracle.oracle.pipeline import Feed
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.signers.passwords import read_password
from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.record.leaves import leaves_json

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


@contextmanager
def serving_oracle(
    settings: Settings,
    feeds: Sequence[Feed],
    views: Mapping[str, Callable[[], Any]],
    proposals: Sequence[OwnProposals] = (),
    more: Sequence[BaseRoute] = (),
) -> Iterator[None]:
    """Answer health, metrics and webhooks by HTTP until the block ends, if the setting `listen` says where.

    The server also has the batches that the oracle recorded, its verdicts, and its proposals for the other oracles of a
    quorum.

    Args:
        views: the arguments of `oracle.web.app.Views`.
        proposals: those of each kind; none if there are no other oracles.
        more: further routes, which are matched last.

    Raises:
        UsageError: the address cannot be listened on, or the file with the secret cannot be read.
    """
    if not settings.listen:
        yield
        return
    with naming_extras():
        from provenance_oracle.oracle.web.app import Views, make_app
        from provenance_oracle.oracle.web.batches import batch_route
        from provenance_oracle.oracle.web.hooks import HubHook
        from provenance_oracle.oracle.web.proposals import proposals_route
        from provenance_oracle.oracle.web.server import serving
        from provenance_oracle.oracle.web.verdicts import verdict_route

    def wake(source: str) -> None:
        for feed in feeds:
            if feed.source.name == source:
                feed.ring.ring()

    hook = None
    if settings.webhook_secret_file:
        secret = read_password(settings.webhook_secret_file).reveal()
        hook = HubHook(secret, [feed.source.name for feed in feeds], wake, time.monotonic)
    routes = [batch_route(partial(_leaves_document, settings.journal))]
    routes += [verdict_route(partial(find_verdict, place=settings.journal, evidence=settings.evidence))]
    routes += map(proposals_route, proposals)
    with serving(make_app(Views(**views), hook, [*routes, *more]), settings.listen, settings.proxies):
        yield


def _leaves_document(journal: str, root: bytes) -> bytes | None:
    records, named = find_leaves(journal, root=root)
    return leaves_json(records, named) if records else None
