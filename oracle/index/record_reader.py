"""Answer questions from the index. No question goes to a node, and no SQL is outside this folder.

All answers are as of the last block that the index has read (`status`). Each is made from the events of the chain,
which `provenance index` compared with the contract's state, by the parsers with which a `RegistryReader` answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from provenance_oracle.oracle.index.batch_answers import find_batch
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import RECORD_ROLES, KeyRole, name_key
from provenance_oracle.oracle.index.histories import find_namespace, history_of
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.lineages import find_ancestors_of, find_descendants, find_edges
from provenance_oracle.oracle.index.places import PLACE_MAX
from provenance_oracle.oracle.index.rows import (
    Edge,
    IdentityFacts,
    IndexedBatch,
    IndexedNamespace,
    IndexedRecord,
    IndexStatistics,
    IndexStatus,
    PolicyFacts,
    RecordPage,
    SearchPage,
)
from provenance_oracle.oracle.index.searching import search_page
from provenance_oracle.oracle.index.shelf import Key, Shelf
from provenance_oracle.oracle.index.statistics import count_all, identity_facts, policy_facts
from provenance_oracle.oracle.index.status import read_status
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.codec import namespace_id, release_id
from provenance_oracle.verifier.registry.events import HistoryEvent
from provenance_oracle.verifier.registry.lineage import Ancestor

LIMIT_MAX = 100
_DIGEST = re.compile("(?:0x)?[0-9a-fA-F]{64}")


class RecordIndex:
    """The index, to be asked. Several threads may use it.

    Args:
        database: opened by `open_record_index`.
        clock: returns the time now, with a time zone, for which gates are told.

    Raises (every method):
        TemporaryError: the database fails.
        UsageError: a limit is not from 1 to LIMIT_MAX.
    """

    def __init__(self, database: IndexDatabase, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def status(self) -> IndexStatus:
        """Return how far the index is."""
        with self._shelf() as shelf:
            return read_status(shelf)

    # Records

    def by_digest(self, digest: bytes, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases and FAILED verdicts to which a digest leads, newest first.

        Args:
            digest: a digest of model, manifest, verdict or report, or the id of a record or release; 32 bytes.
            after: `next_after` of the page before.
        """
        return self._page([(digest, role) for role in RECORD_ROLES], after, limit)

    def by_name(self, name: str, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases of `namespace/model` or `namespace/model@version`, newest first.

        If the namespace is claimed, its name leads only to those with `is_called`.
        """
        key = name_key(name)
        return self._page([(key, KeyRole.NAME), (key, KeyRole.VERSION)], after, limit)

    def by_namespace(self, name: str, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases of a namespace, newest first; see `by_name`."""
        return self._page([(namespace_id(name), KeyRole.NAMESPACE)], after, limit)

    def by_identity(self, identity: bytes, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases and FAILED verdicts with a publisher's identity, newest first."""
        return self._page([(identity, KeyRole.IDENTITY)], after, limit)

    def by_policy(self, policy_digest: bytes, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases and FAILED verdicts judged by a policy, newest first."""
        return self._page([(policy_digest, KeyRole.POLICY)], after, limit)

    def recent(self, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the newest releases and FAILED verdicts."""
        with self._shelf() as shelf:
            places = _recent_places(shelf, after, _checked(limit) + 1)
            return _paged(self._maker(shelf), places, limit)

    def record(self, key: bytes) -> IndexedRecord | None:
        """Return the release or FAILED verdict with an id (32 bytes), for its latest judgement; None for no such id."""
        with self._shelf() as shelf:
            places = shelf.places([(key, KeyRole.RECORD)], after=None, limit=1)
            return self._maker(shelf).record(places[0]) if places else None

    def release(self, model_digest: bytes, manifest_digest: bytes) -> IndexedRecord | None:
        """Return the release with these digests; None if it is not recorded."""
        return self.record(release_id(model_digest, manifest_digest))

    def history(self, found: IndexedRecord) -> tuple[HistoryEvent, ...]:
        """Return the events of a record, oldest first, as `RegistryReader.history` does; none for one in a batch."""
        with self._shelf() as shelf:
            return history_of(self._maker(shelf), shelf, found.entry)

    # Lineage

    def lineage(self, found: IndexedRecord) -> tuple[tuple[Ancestor, IndexedRecord | None], ...]:
        """Return the ancestors of a record's release in the order of a tree, each with its own record if it has one.

        Raises:
            RecordError: there are more than the contract follows (check `lineage`).
        """
        with self._shelf() as shelf:
            return find_ancestors_of(self._maker(shelf), shelf, found.entry)

    def edges(self, found: IndexedRecord) -> tuple[Edge, ...]:
        """Return every edge among a record's release and its ancestors, attested and stated."""
        with self._shelf() as shelf:
            return find_edges(self._maker(shelf), shelf, found.entry)

    def descendants(self, found: IndexedRecord, *, after: int | None = None, limit: int = LIMIT_MAX) -> RecordPage:
        """Return the releases that name a record's release as a parent, attested or stated, newest first."""
        with self._shelf() as shelf:
            maker = self._maker(shelf)
            places = find_descendants(maker, shelf, found.entry, after=after, limit=_checked(limit) + 1)
            return _paged(maker, places, limit)

    # Namespaces, publishers, policies, batches

    def namespace(self, name: str) -> IndexedNamespace | None:
        """Return a namespace and its whole history; None if nobody claimed it."""
        with self._shelf() as shelf:
            return find_namespace(self._maker(shelf), shelf, namespace_id(name))

    def identity(self, identity: bytes) -> IdentityFacts:
        """Return what is known of a publisher's identity. Its numbers are 0 for one that nobody has."""
        with self._shelf() as shelf:
            return identity_facts(self._maker(shelf), shelf, identity)

    def policy(self, policy_digest: bytes) -> PolicyFacts:
        """Return what is known of a policy. Its numbers are None and 0 for one that nobody has."""
        with self._shelf() as shelf:
            return policy_facts(shelf, policy_digest)

    def batch(self, root: bytes) -> IndexedBatch | None:
        """Return a batch; None if the registry has none with this root."""
        with self._shelf() as shelf:
            return find_batch(self._maker(shelf), shelf, root)

    # Several

    def search(self, text: str, *, cursor: str | None = None, limit: int = LIMIT_MAX) -> SearchPage:
        """Return what a digest, an id, a name, or the beginnings of words of a name lead to.

        Raises:
            UsageError: the cursor is not one that a page ended with.
        """
        digest = bytes.fromhex(text.lower().removeprefix("0x")) if _DIGEST.fullmatch(text) else None
        with self._shelf() as shelf:
            return search_page(self._maker(shelf), shelf, text, digest, cursor, _checked(limit))

    def statistics(self) -> IndexStatistics:
        """Return what is counted over all records. It reads them all: ask seldom."""
        with self._shelf() as shelf:
            return count_all(self._maker(shelf), shelf)

    def _maker(self, shelf: Shelf) -> EntryMaker:
        """Return what makes entries. Gates are told for now, or for the indexed block if the clock is behind it."""
        return EntryMaker(shelf, max(self._clock(), shelf.newest_time()))

    @contextmanager
    def _shelf(self) -> Iterator[Shelf]:
        with self._database.reading() as ask:
            yield Shelf(ask, self._database.where)

    def _page(self, keys: Sequence[Key], after: int | None, limit: int) -> RecordPage:
        with self._shelf() as shelf:
            places = shelf.places(keys, after=after, limit=_checked(limit) + 1)
            return _paged(self._maker(shelf), places, limit)


def open_record_index(place: str, *, clock: Callable[[], datetime]) -> RecordIndex:
    """Open the index at a path or URL for reading. `clock` is as for `RecordIndex`.

    Raises:
        UsageError: there is no index.
        TemporaryError: it cannot be read now.
    """
    return RecordIndex(open_index_database(place, read_only=True), clock=clock)


def _paged(maker: EntryMaker, places: Sequence[int], limit: int) -> RecordPage:
    """Make a page of at most `limit` places. `places` has one more if there is a next page."""
    records = maker.records(places[:limit])
    return RecordPage(tuple(records), places[limit - 1] if len(places) > limit else None)


def _recent_places(shelf: Shelf, after: int | None, limit: int) -> list[int]:
    below = PLACE_MAX if after is None else after
    rows = shelf.ask(
        "SELECT place FROM figures WHERE kind < 2 AND place < ? ORDER BY place DESC LIMIT ?", (below, limit)
    )
    return [int(row["place"]) for row in rows]


def _checked(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise UsageError("not a number of results", where="limit", got=str(limit), wanted=f"1 to {LIMIT_MAX}")
    return limit
