"""Read the events of a registry again, page by page, and compare each with the contract's state.

The node is trusted with the state only. Each event must have its content digest in the state; a record of the state
without an event shows when the caller looks for it (`has_event`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from provenance_oracle.oracle.chain.batch_reader import BatchReader
from provenance_oracle.oracle.chain.calls import batch_call, content_call, standing_by_id_call, standing_call
from provenance_oracle.oracle.chain.endpoints import Endpoints
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.standing import Standing, signer_numbers
from provenance_oracle.verifier.registry.event_reader import TooManyEventsError
from provenance_oracle.verifier.registry.events import Publication
from provenance_oracle.verifier.registry.registry_events import RecordedBatch
from provenance_oracle.verifier.registry.rpc_client import Asked

_PAGE_BLOCKS = 10_000  # as many as most providers give at once

# An oracle: the number of its set, and its number in it.
OraclePlace = tuple[int, int]


@dataclass(frozen=True)
class ReplayedRecord:
    """A record that an event tells, with all oracles that signed it, also those that were taken off later."""

    event: Publication
    signers: frozenset[OraclePlace]


@dataclass(frozen=True)
class ReplayedBatch:
    """A batch that an event tells, with all oracles that signed it."""

    event: RecordedBatch
    signers: frozenset[OraclePlace]


@dataclass(frozen=True)
class EventPage:
    """The records and batches of the blocks up to `last`. `first` and `head` are the ends of the whole replay."""

    first: int
    last: int
    head: int
    records: tuple[ReplayedRecord, ...]
    batches: tuple[ReplayedBatch, ...]


class Replay:
    """Replays one registry. `close` drops its temporary file, which has 32 bytes for each record.

    Raises (every method):
        TemporaryError: no node serves, or one contradicts itself or the other.
    """

    def __init__(self, endpoints: Endpoints[BatchReader], finality: Finality[BatchReader], address: str) -> None:
        self._endpoints = endpoints
        self._finality = finality
        self._address = address
        self._seen = sqlite3.connect("")  # a temporary file
        self._seen.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        self._first = self._next = self._registry.first_block(self._head)

    def close(self) -> None:
        """Drop the temporary file."""
        self._seen.close()

    def places_of(self, keys: Iterable[bytes]) -> frozenset[OraclePlace]:
        """Return the places that keys (addresses of 20 bytes) have or had in the oracle sets."""
        return self._registry.places_of(frozenset(keys), block=self._head)

    def pages(self) -> Iterator[EventPage]:
        """Yield the events that were not read yet, up to the block that is the newest at the start.

        A page may be empty. The pages do not follow a chain that makes blocks as fast as they are read.
        """
        blocks = _PAGE_BLOCKS
        self.look()
        until = self._head
        while self._next <= min(until, self._head):
            last = min(self._next + blocks - 1, self._head)
            try:
                page = self._page(self._next, last, self._head)
            except TooManyEventsError:
                if blocks == 1:
                    raise
                blocks = max(1, blocks // 10)
                continue
            self._next = last + 1
            yield page
            self.look()

    def has_event(self, record_id: bytes) -> bool:
        """Return whether an event that was read is about a record."""
        return self._seen.execute("SELECT 1 FROM seen WHERE id = ?", (record_id,)).fetchone() is not None

    def look(self) -> None:
        """Take the newest block for the next questions."""
        serving, _ = self._endpoints.survey()
        self._finality.use(serving, self._endpoints.problems)

    def are_recorded(self, releases: list[tuple[bytes, bytes]]) -> list[bool]:
        """Return whether each release (model and manifest digest) has a record in the newest block."""
        block = self._head
        self._ask([standing_call(*both) for both in releases])
        return [self._registry.is_recorded(*both, block=block) for both in releases]

    def batch_counts(self, roots: list[bytes]) -> list[int]:
        """Return the number of records of each batch in the newest block; 0 if there is no such batch."""
        block = self._head
        self._ask([batch_call(root) for root in roots])
        return [self._registry.batch(root, block=block).count for root in roots]

    def is_gone(self, model_digest: bytes, manifest_digest: bytes) -> bool:
        """Return whether every node says that a release has no record in a newer block than before."""
        return not self._agreed(
            lambda registry, block: registry.is_recorded(model_digest, manifest_digest, block=block)
        )

    def is_batch_gone(self, root: bytes) -> bool:
        """Return whether every node says that there is no batch with a root in a newer block than before."""
        return not self._agreed(lambda registry, block: registry.batch(root, block=block).count)

    def _agreed(self, ask: Callable[[BatchReader, int], int]) -> int:
        self.look()

        def of(one: Endpoint[BatchReader], block: int) -> int:
            return ask(one.registry, block)

        return self._finality.at_newest(of, self._head)

    @property
    def _registry(self) -> BatchReader:
        return self._finality.first.registry

    @property
    def _head(self) -> int:
        return self._finality.first.chain.head()

    def _ask(self, calls: list[bytes]) -> None:
        """Ask the node together what the next calls will ask one by one."""
        block = hex(self._head)
        asked: list[Asked] = [("eth_call", [{"to": self._address, "data": f"0x{data.hex()}"}, block]) for data in calls]
        self._finality.first.chain.read_ahead(asked)

    def _page(self, first: int, last: int, head: int) -> EventPage:
        registry = self._registry
        events, batches = registry.published(first, last), registry.recorded_batches(first, last)
        leaves = registry.revoked_leaves(first, last)
        ids = [event.record_id for event in events]
        self._ask([call(one) for one in ids for call in (content_call, standing_by_id_call)])
        self._ask([batch_call(batch.root) for batch in batches])
        records = tuple(self._believed(event, head) for event in events)
        with self._seen:
            self._seen.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(one,) for one in (*ids, *leaves)])
        return EventPage(self._first, last, head, records, tuple(self._batch(batch, head) for batch in batches))

    def _believed(self, event: Publication, block: int) -> ReplayedRecord:
        standing = self._registry.standing_of_id(event.record_id, block=block)
        if standing is None or self._registry.content_of(event.record_id, block=block) != event.content_digest:
            raise self._contradiction(f"the event of record {event.record_id.hex()}")
        return ReplayedRecord(event, _places(event.first) | _places(standing))

    def _batch(self, event: RecordedBatch, block: int) -> ReplayedBatch:
        state = self._registry.batch(event.root, block=block)
        if (state.count, state.epoch) != (event.count, event.epoch):
            raise self._contradiction(f"the event of batch {event.root.hex()}")
        numbers = signer_numbers(event.signers | state.signers)
        return ReplayedBatch(event, frozenset((event.epoch, number) for number in numbers))

    def _contradiction(self, got: str) -> TemporaryError:
        where = self._finality.first.where
        wanted = "the same in events and state; ask another node (rpc_urls)"
        return TemporaryError("an event does not fit the contract's state", where=where, got=got, wanted=wanted)


def _places(standing: Standing) -> frozenset[OraclePlace]:
    return frozenset((standing.epoch, number) for number in signer_numbers(standing.signers))
