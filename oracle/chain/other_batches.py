"""Find a release in the batches that other oracles recorded, by the documents that they serve.

The registry tells the root of a batch and an address (event BatchRecorded). The document there counts only if its
records lead to the root, so whoever serves it can withhold records, and make none up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from provenance_oracle.oracle.index.leaf_index import LeafIndex, ServedBatch
from provenance_oracle.oracle.index.report_index import OVERLAP_BLOCKS, PIECE_BLOCKS
from provenance_oracle.verifier.errors import FormatError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.leaves import LEAVES_MAX_BYTES, parse_leaves
from provenance_oracle.verifier.registry.registry_events import RecordedBatch
from provenance_oracle.verifier.registry.structs import BatchState
from provenance_oracle.verifier.strict.exchange import HttpClient, Server, default_port, environment_proxy
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_DOCUMENTS_MAX = 1000
_EXCHANGE_SECONDS = 5.0
_READING_SECONDS = 5.0  # in one look for a release
_PAUSE = timedelta(minutes=1)
_ALWAYS = datetime.max.replace(tzinfo=UTC)

# Returns the document at an address. Raises TemporaryError if it cannot be had.
Fetch = Callable[[str], bytes]


class BatchedRegistry(Protocol):
    """The methods of `oracle.chain.batch_reader.BatchReader` that tell about batches."""

    def batch(self, root: bytes, *, block: int) -> BatchState:
        """Return the batch with a root at `block`. Its count is 0 if there is none."""

    def recorded_batches(self, first: int, last: int) -> Sequence[RecordedBatch]:
        """Return the events of batches in a range of blocks, both ends included, oldest first."""

    def first_block(self, head: int) -> int:
        """Return a block before which the registry has no events."""


class OtherBatches:
    """Looks releases up in the batches of one registry.

    Args:
        knows: returns whether the journal has the batch with a root. Its document is not asked for.
        clock: returns the time now, with a time zone.
        ticks: returns monotonic seconds.
    """

    def __init__(
        self,
        index: LeafIndex,
        fetch: Fetch,
        *,
        knows: Callable[[bytes], bool],
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._fetch = fetch
        self._knows = knows
        self._clock = clock
        self._ticks = ticks
        self._resting: dict[str, datetime] = {}  # servers by the time of their last failure

    def find(self, manifest: bytes, registry: BatchedRegistry, *, block: int) -> ServedBatch | None:
        """Return a batch of the registry at `block` that has a release; None if no document that was read has it.

        Documents are read for a few seconds at each call, and a server that failed is left alone for a minute.

        Args:
            manifest: the digest of the release's manifest, 32 bytes.

        Raises:
            TemporaryError: the node fails, or the file of the index.
        """
        # (1) the batches that were recorded since the last look
        first = max(registry.first_block(block), self._index.block + 1 - OVERLAP_BLOCKS)
        for start in range(first, block + 1, PIECE_BLOCKS):
            end = min(start + PIECE_BLOCKS - 1, block)
            found = [one for one in registry.recorded_batches(start, end) if not self._knows(one.root)]
            self._index.add([ServedBatch(one.root, one.uri) for one in found], end)
        # (2) documents that were not read yet
        self._read_documents()
        # (3) the documents that have the release, of batches that the registry has
        batches = self._index.batches_of(manifest)
        return next((one for one in batches if registry.batch(one.root, block=block).count), None)

    def unread(self) -> tuple[int, ServedBatch] | None:
        """Return the number of batches whose document could not be read yet, and one of them; None for no such batch.

        As long as there is one, nobody knows whether a release is in none.
        """
        count = self._index.count_unread()
        return (count, self._index.unread(_ALWAYS, 1)[0]) if count else None

    def _read_documents(self) -> None:
        until, since = self._ticks() + _READING_SECONDS, self._clock() - _PAUSE
        self._resting = {host: at for host, at in self._resting.items() if at > since}
        for one in self._index.unread(since, _DOCUMENTS_MAX):
            host = one.uri.partition("://")[2].partition("/")[0]
            if self._ticks() >= until:
                return
            if host not in self._resting and not self._read(one):
                self._resting[host] = self._clock()  # a server that is down costs one wait, however many batches it has

    def _read(self, batch: ServedBatch) -> bool:
        """Read the document of a batch into the index, and return whether it could be read."""
        try:
            leaves = parse_leaves(self._fetch(batch.uri), batch.uri)
            if leaves.root != batch.root:
                got, wanted = leaves.root.hex(), batch.root.hex()
                raise VerificationError("the records of another batch", where=batch.uri, got=got, wanted=wanted)
        except (TemporaryError, FormatError, VerificationError) as error:
            _log.warning("batch %s: its records cannot be read: %s", batch.root.hex(), error)
            self._index.tried(batch.root, self._clock())
            return False
        self._index.keep(batch.root, [leaf.written.manifest_digest for leaf in leaves.leaves])
        return True


def fetching(on_wait: Callable[[], object], *, is_local: bool) -> Fetch:
    """Return a function that fetches documents: by HTTPS from public addresses only, except on a local chain.

    Another oracle chose the address, so it must lead nowhere into our own network.

    Args:
        on_wait: called at least twice a second while a request waits. What it raises ends the request.
    """

    def fetch(uri: str) -> bytes:
        parts = _address(uri, is_local)
        if parts is None or parts.hostname is None:
            raise TemporaryError("not an address that is asked", where=printable(uri), wanted="https://HOST/PATH")
        who, proxy = f"{parts.scheme}://{parts.hostname}", environment_proxy(parts.scheme, parts.hostname)
        place = (parts.scheme, parts.hostname, parts.port or default_port(parts.scheme))
        server = Server(*place, who, _EXCHANGE_SECONDS, proxy, only_public=not is_local)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Connection": "close"}
        answer = HttpClient(server, on_wait).exchange("GET", target, headers, body_max_bytes=LEAVES_MAX_BYTES)
        if answer.status != HTTPStatus.OK:
            got, wanted = f"status {answer.status}", f"status {HTTPStatus.OK}"
            raise TemporaryError("the server does not give the records", where=who, got=got, wanted=wanted)
        return answer.body

    return fetch


def _address(uri: str, is_local: bool) -> SplitResult | None:
    """Return the parts of an address; None for one that is not asked."""
    with suppress(ValueError):
        parts = urlsplit(uri)
        is_kind = parts.scheme == "https" or (is_local and parts.scheme == "http")
        if is_kind and parts.hostname and parts.port != 0 and uri.isascii() and uri.isprintable() and " " not in uri:
            return parts
    return None
