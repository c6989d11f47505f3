"""Ancestors and descendants of a release, from the index, found as `contracts/Lineage.sol` finds them."""

from __future__ import annotations

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import KeyRole, parsed
from provenance_oracle.oracle.index.rows import Edge, IndexedRecord
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.registry.lineage import Ancestor, in_tree_order
from provenance_oracle.verifier.registry.registry_events import parse_stated_parent

_ANCESTORS_MAX = 32
_GENERATIONS_MAX = 16


class _Tree:
    """The ancestors of one release, nearest first, as far as they were followed."""

    def __init__(self, maker: EntryMaker, shelf: Shelf, start: bytes) -> None:
        self._maker = maker
        self._shelf = shelf
        self._start = start
        self.found: list[Ancestor] = []
        self.edges: list[Edge] = []
        self._known = {start}

    def follow_all(self) -> None:
        """Follow attested edges first, as far as they go; then stated ones, and from there both."""
        self._follow(self._start, 1, is_attested=True, stated=False)
        position = 0
        while position < len(self.found):
            self._follow(
                self.found[position].release_id, self.found[position].depth + 1, is_attested=True, stated=False
            )
            position += 1
        attested = len(self.found)
        self._follow(self._start, 1, is_attested=False, stated=True)
        position = 0
        while position < len(self.found):
            child, depth = self.found[position].release_id, self.found[position].depth + 1
            if position >= attested:
                self._follow(child, depth, is_attested=False, stated=False)
            self._follow(child, depth, is_attested=False, stated=True)
            position += 1

    def _follow(self, child: bytes, depth: int, *, is_attested: bool, stated: bool) -> None:
        parents = stated_parents(self._shelf, child) if stated else attested_parents(self._maker, child)
        for parent in parents:
            self.edges.append(Edge(child, parent, not stated))
            if parent in self._known:
                continue
            if len(self.found) == _ANCESTORS_MAX or depth > _GENERATIONS_MAX:
                wanted = f"{_ANCESTORS_MAX}, in {_GENERATIONS_MAX} steps"
                problem = "too many ancestors"
                raise RecordError(problem, check=Check.LINEAGE, where=self._shelf.where, got="more", wanted=wanted)
            self._known.add(parent)
            own = record_of_release(self._maker, self._shelf, parent)
            is_open = own is not None and own.entry.batch is None and own.is_open
            self.found.append(Ancestor(parent, child, depth, is_attested, is_open))


def find_ancestors_of(
    maker: EntryMaker, shelf: Shelf, entry: Entry
) -> tuple[tuple[Ancestor, IndexedRecord | None], ...]:
    """Return the ancestors of an entry's release in the order of a tree, each with its own record if it has one.

    Raises:
        RecordError: there are more than 32, or one is more than 16 steps away (check `lineage`).
    """
    start = release_id(entry.model_digest, entry.manifest_digest)
    tree = _Tree(maker, shelf, start)
    tree.follow_all()
    ordered = in_tree_order(start, tuple(tree.found))
    return tuple((one, record_of_release(maker, shelf, one.release_id)) for one in ordered)


def find_edges(maker: EntryMaker, shelf: Shelf, entry: Entry) -> tuple[Edge, ...]:
    """Return every edge among an entry's release and its ancestors, each once. Raises as `find_ancestors_of` does."""
    tree = _Tree(maker, shelf, release_id(entry.model_digest, entry.manifest_digest))
    tree.follow_all()
    return tuple(dict.fromkeys(tree.edges))


def find_descendants(maker: EntryMaker, shelf: Shelf, entry: Entry, *, after: int | None, limit: int) -> list[int]:
    """Return places of the releases that name an entry's release as a parent, newest first.

    A statement that was taken back counts no more.
    """
    release = release_id(entry.model_digest, entry.manifest_digest)
    stated = []
    for event in shelf.events([(release, KeyRole.STATED_PARENT)])[KeyRole.STATED_PARENT]:
        child = parsed(event.emitter, event.log, parse_stated_parent, shelf.where).child
        if release in stated_parents(shelf, child):
            stated += shelf.places([(child, KeyRole.RECORD)], after=None, limit=1)
    places = shelf.places([(release, KeyRole.PARENT)], after=after, limit=limit)
    below = [place for place in stated if after is None or place < after]
    return sorted({*places, *below}, reverse=True)[:limit]


def attested_parents(maker: EntryMaker, release: bytes) -> tuple[bytes, ...]:
    """Return the parents that the records of a release name, in the contract's order."""
    found = maker.judgements(release)
    return tuple(dict.fromkeys(parent for _, one in found for parent in one.record.parents))


def stated_parents(shelf: Shelf, release: bytes) -> tuple[bytes, ...]:
    """Return the parents that the namespace's owner states for a release now, in the contract's order."""
    events = shelf.events([(release, KeyRole.PARENT_STATED), (release, KeyRole.PARENT_WITHDRAWN)])
    told = [(one.place, True, one) for one in events[KeyRole.PARENT_STATED]]
    told += [(one.place, False, one) for one in events[KeyRole.PARENT_WITHDRAWN]]
    parents: list[bytes] = []
    for _, is_stated, event in sorted(told, key=lambda item: item[0]):
        parent = parsed(event.emitter, event.log, parse_stated_parent, shelf.where).parent
        if is_stated:
            parents += [parent] if parent not in parents else []
        elif parent in parents:  # the last one takes its place
            last = parents.pop()
            if last != parent:
                parents[parents.index(parent)] = last
    return tuple(parents)


def record_of_release(maker: EntryMaker, shelf: Shelf, release: bytes) -> IndexedRecord | None:
    """Return the record of a release; None if the index has none."""
    places = shelf.places([(release, KeyRole.RECORD)], after=None, limit=1)
    return maker.record(places[0]) if places else None
