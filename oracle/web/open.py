"""Open the HTTP server of an oracle as its settings say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.pipeline import Feed
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.signers.secret_files import read_password
from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.record.leaves import leaves_json


@contextmanager
def serving_oracle(
    settings: Settings,
    feeds: Sequence[Feed],
    views: Mapping[str, Callable[[], Any]],
    proposals: OwnProposals | None,
) -> Iterator[None]:
    """Answer health, metrics and webhooks by HTTP until the block ends, if the setting `listen` says where.

    The server also has the batches that the oracle recorded, and its proposals for the other oracles of a quorum.

    Args:
        views: the arguments of `oracle.web.app.Views`.
        proposals: None if there are no other oracles.

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

    def wake(source: str) -> None:
        for feed in feeds:
            if feed.source.name == source:
                feed.ring.ring()

    hook = None
    if settings.webhook_secret_file:
        secret = read_password(settings.webhook_secret_file).reveal()
        hook = HubHook(secret, [feed.source.name for feed in feeds], wake, time.monotonic)
    routes = [batch_route(partial(_leaves_document, settings.journal))]
    routes += [proposals_route(proposals)] if proposals else []
    with serving(make_app(Views(**views), hook, routes), settings.listen):
        yield


def _leaves_document(journal: str, root: bytes) -> bytes | None:
    records, named = find_leaves(journal, root=root)
    return leaves_json(records, frozenset(named)) if records else None
