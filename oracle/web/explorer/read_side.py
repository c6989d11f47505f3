"""The routes of the read side: the REST API and the page, for `provenance serve` and for the oracle's own server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import BaseRoute

from provenance_oracle.oracle.index.record_reader import RecordIndex, open_record_index
from provenance_oracle.oracle.journal.stores import is_url
from provenance_oracle.oracle.web.api.asking import reading_index
from provenance_oracle.oracle.web.api.card import card_facts
from provenance_oracle.oracle.web.api.endpoint import starlette_routes
from provenance_oracle.oracle.web.api.rate import RateLimit
from provenance_oracle.oracle.web.api.routes import ApiSources, api_table
from provenance_oracle.oracle.web.api.standing_words import standing_of
from provenance_oracle.oracle.web.api.table import API_PREFIX
from provenance_oracle.oracle.web.explorer.page_files import PageFiles, SharedRelease
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, Policy, shipped_policy
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from provenance_oracle.verifier.text import printable

_NODES_MAX = 2


@dataclass(frozen=True)
class ReadSide:
    """What the read side shows, and its limits.

    Attributes:
        index: path or URL of the index.
        journal: path or URL of the oracle's journal; "" if there is none here.
        evidence: folder of evidence; None for the default.
        policies: those whose page is shown, beside the shipped ones.
        page_rpc: the URL of the node that the page asks, and of a second one whose answers it compares; none, or
            one, or both.
        deployment: the registry's deployment, for the page; None if it is not at hand: the page compares nothing with
            the chain then.
        requests_per_second: of one address, in the long run; 0 for no limit.
    """

    index: str
    journal: str = ""
    evidence: Path | None = None
    policies: Sequence[Policy] = ()
    page_rpc: Sequence[str] = ()
    deployment: Deployment | None = None
    requests_per_second: int = 0


@contextmanager
def opening_read_side(shown: ReadSide, clock: Callable[[], datetime]) -> Iterator[list[BaseRoute]]:
    """Yield the routes of the API and of the page, which answer until the block ends.

    The page's routes come last: they match every short path.

    Args:
        clock: returns the time now, with a time zone, for which gates are told.

    Raises:
        UsageError: there is no index, or the page's nodes are more than two or have no URL of HTTP.
        TemporaryError: the index cannot be read now.
    """
    if len(shown.page_rpc) > _NODES_MAX:
        got, wanted = f"{len(shown.page_rpc)} nodes", "a node, and a second one to compare"
        raise UsageError("too many nodes for the page", where="page_rpc", got=got, wanted=wanted)
    origins = [origin_of(url) for url in shown.page_rpc]
    rpc_url, second_url = (*shown.page_rpc, None, None)[:_NODES_MAX]
    opened = partial(open_record_index, shown.index, clock=clock)
    with closing(opened()) as index, closing(opened()) as slow_index:
        policies = (*map(shipped_policy, SHIPPED_POLICIES), *shown.policies)
        sources = ApiSources(index, slow_index, shown.journal, shown.evidence, policies)
        table = api_table(sources, version("provenance-oracle"))
        config = {
            "rpcUrl": rpc_url,
            "secondRpcUrl": second_url,
            "deployment": json.loads(encode_deployment(shown.deployment)) if shown.deployment else None,
            "evidence": f"{API_PREFIX}/evidence",
            "api": API_PREFIX,
        }
        page = PageFiles(config, origins, Sharing(slow_index).release)
        rate = RateLimit(shown.requests_per_second)
        yield [*starlette_routes(table, rate, is_remote=is_url(shown.index)), *page.routes()]


class Sharing:
    """Tells of a release what those see who get its address."""

    def __init__(self, index: RecordIndex) -> None:
        self._index = index

    def release(self, model_digest: bytes, manifest_digest: bytes) -> SharedRelease | None:
        """Return it; None for a release without a record, or while the index cannot be read: the page says so itself.

        Digests have 32 bytes.
        """
        try:
            with reading_index():
                found = self._index.release(model_digest, manifest_digest)
        except TemporaryError:
            return None
        if found is None:
            return None
        entry = found.entry
        title = printable(f"{entry.name} {entry.version}: {standing_of(entry).words}")
        text = "; ".join(f"{heading}: {fact}" for heading, fact in card_facts(entry))
        return SharedRelease(title, printable(text), entry.record_id)


def origin_of(url: str) -> str:
    """Return the origin of a URL, such as `https://node.example:8545`, for the page's policy.

    Raises:
        UsageError: it is no URL of HTTP, or has a user.
    """
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        is_plain = parts.port is not None or ":" not in parts.netloc or parts.netloc.endswith("]")
    except ValueError:
        is_web = is_plain = False
    if not (is_web and is_plain) or any(char in parts.netloc for char in "; ,'\"") or not parts.netloc.isascii():
        wanted = "http:// or https://, a host, and perhaps a port and a path"
        raise UsageError("not the URL of a node for the page", where="page_rpc", got=printable(url), wanted=wanted)
    return f"{parts.scheme}://{parts.netloc}"
