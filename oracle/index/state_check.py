"""Compare the index with the contracts' state: a node is trusted with the state, and its events must lead to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import (
    APPLIED,
    BATCHED,
    ENTERED,
    PUBLISHED,
    THE_REGISTRY,
    Emitter,
    KeyRole,
    event_kind,
)
from provenance_oracle.oracle.index.folding import MissingEventError
from provenance_oracle.oracle.index.histories import find_namespace
from provenance_oracle.oracle.index.lineages import attested_parents, stated_parents
from provenance_oracle.oracle.index.shelf import Shelf, StoredEvent
from provenance_oracle.oracle.index.stewards import announced_set, guardian_of, writes_are_paused
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.standing import parse_moment_if_any, parse_standing_if_any
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.registry_events import SetAnnouncement
from provenance_oracle.verifier.registry.structs import (
    parse_batch_state,
    parse_epoch,
    parse_namespace_state,
    parse_oracle_key,
)
from provenance_oracle.verifier.strict.abi_values import (
    ValueParser,
    parse_account,
    parse_flag,
    parse_items,
    parse_members,
    parse_number,
    parse_word,
)

_NEVER = datetime.fromtimestamp(0, UTC)  # gates are not compared, so the moment does not matter


class Subject(Enum):
    """What an event is about, as the contract keeps it."""

    RECORD = "record"
    BATCH = "batch"
    MODEL = "model"
    POLICY = "policy"
    NAMESPACE = "namespace"
    PARENTS = "parents"
    EPOCH = "epoch"
    REGISTRY = "registry"


@dataclass(frozen=True)
class ExpectedView:
    """What a view must return. `read` takes the view's answer apart as far as it is compared."""

    emitter: Emitter
    function: str
    arguments: tuple[object, ...]
    read: ValueParser
    wanted: object


class ContradictionError(TemporaryError):
    """The index and the contract's state differ in what the event at `place` is about."""

    def __init__(self, got: str, where: str, place: int) -> None:
        problem = "an event does not fit the contract's state"
        wanted = "the same in events and state; another node, if it goes on"
        super().__init__(problem, check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)
        self.place = place


class StateCheck:
    """Compares what events are about with the three contracts, in as few requests as the node takes.

    Args:
        contracts: by emitter; their node keeps answers, so that questions are asked together.

    Raises (every method):
        TemporaryError: the node or the database fails.
    """

    def __init__(self, contracts: Mapping[Emitter, DeployedContract]) -> None:
        self._contracts = contracts

    def compare(self, shelf: Shelf, places: Iterable[int], block: int) -> None:
        """Compare what the events at places are about with the state at a block. The index must end with that block.

        Raises:
            ContradictionError: events are missing, added or altered.
        """
        maker = EntryMaker(shelf, _NEVER)
        subjects: dict[tuple[Subject, bytes], int] = {}
        views: list[tuple[ExpectedView, int]] = []
        for place in places:
            with self._contradicting(place):
                for subject in _subjects(maker, shelf, shelf.event(place)):
                    subjects.setdefault(subject, place)
        for subject, place in subjects.items():
            with self._contradicting(place):
                views += [(one, place) for one in _expected(maker, shelf, *subject)]
        for emitter, contract in self._contracts.items():
            asked = [(one.function, one.arguments) for one, _ in views if one.emitter is emitter]
            if asked:
                contract.ask_ahead(asked, block)
        for one, place in views:
            contract = self._contracts[one.emitter]
            found = contract.call(one.function, *one.arguments, parse=one.read, block=block)
            if found != one.wanted:
                raise ContradictionError(f"another answer of {one.function}", contract.where, place)

    @contextmanager
    def _contradicting(self, place: int) -> Iterator[None]:
        """Turn the errors over events that are missing, or that no contract emits, into a ContradictionError."""
        from eth_abi.exceptions import DecodingError

        try:
            yield
        except (MissingEventError, FormatError, DecodingError, ValueError) as error:
            got = str(error) if isinstance(error, ProvenanceError) else type(error).__name__
            raise ContradictionError(got, self._contracts[Emitter.REGISTRY].where, place) from error

    def compare_contents(self, shelf: Shelf, places: Iterable[int], block: int) -> None:
        """Compare the digests of the records among the events at places, which no later event changes.

        Raises:
            ContradictionError: a record is not in the state at a block.
        """
        maker = EntryMaker(shelf, _NEVER)
        events = ((place, shelf.event(place)) for place in places)
        found = [
            (place, maker.publication(one))
            for place, one in events
            if event_kind(one.emitter, one.log).name == PUBLISHED
        ]
        registry = self._contracts[Emitter.REGISTRY]
        if found:
            registry.ask_ahead([("contentOf", (one.record_id,)) for _, one in found], block)
        for place, one in found:
            if registry.call("contentOf", one.record_id, parse=parse_word, block=block) != one.content_digest:
                raise ContradictionError("another content digest", registry.where, place)


def _subjects(maker: EntryMaker, shelf: Shelf, event: StoredEvent) -> Iterator[tuple[Subject, bytes]]:
    """Yield what an event is about, each with its key of 32 bytes."""
    kind, topics = event_kind(event.emitter, event.log), event.log.topics
    if kind.name == PUBLISHED:
        written = maker.publication(event)
        yield Subject.RECORD, written.record_id
        yield Subject.MODEL, written.record.model_digest
        yield Subject.POLICY, written.record.policy_digest
        if written.record.passed:
            release = release_id(written.record.model_digest, written.record.manifest_digest)
            yield Subject.RECORD, release  # it counts its later judgements
            yield Subject.PARENTS, release
        return
    for number, role in kind.keyed:
        if role in _SUBJECT_OF:
            yield _SUBJECT_OF[role], topics[number] if number else THE_REGISTRY
    if kind.name == APPLIED:
        yield Subject.MODEL, topics[2]
    if kind.name == BATCHED:
        for model in shelf.models_in_batch(event.place):
            yield Subject.MODEL, model
    if kind.name == ENTERED:
        for record in maker.records_of_content(event.log.data[:32]):
            yield Subject.RECORD, record


_SUBJECT_OF = {
    KeyRole.LEAF_CLOSED: Subject.RECORD,
    KeyRole.ROOT_CLOSED: Subject.BATCH,
    KeyRole.RECOUNTED: Subject.RECORD,  # or of a batch; see `_expected`
    KeyRole.REVOKED: Subject.RECORD,
    KeyRole.MODEL_REVOKED: Subject.MODEL,
    KeyRole.REVOCATION_APPLIED: Subject.RECORD,
    KeyRole.LEAF_REVOKED: Subject.RECORD,
    KeyRole.PUBLISHER_NOTED: Subject.RECORD,
    KeyRole.BATCH: Subject.BATCH,
    KeyRole.POLICY_NUMBERED: Subject.POLICY,
    KeyRole.CLAIMED: Subject.NAMESPACE,
    KeyRole.NAMESPACE_ENTRY: Subject.NAMESPACE,
    KeyRole.PARENT_STATED: Subject.PARENTS,
    KeyRole.PARENT_WITHDRAWN: Subject.PARENTS,
    KeyRole.EPOCH: Subject.EPOCH,
    KeyRole.ORACLE_REVOKED: Subject.EPOCH,
    KeyRole.KEY_BOUND: Subject.EPOCH,
    KeyRole.PAUSED: Subject.REGISTRY,
    KeyRole.GUARDIAN: Subject.REGISTRY,
    KeyRole.SET_ANNOUNCED: Subject.REGISTRY,
    KeyRole.SET_CANCELLED: Subject.REGISTRY,
    KeyRole.SET_STARTED: Subject.REGISTRY,
}


def _expected(maker: EntryMaker, shelf: Shelf, subject: Subject, key: bytes) -> list[ExpectedView]:
    """Return what the contracts must say about a subject."""
    if subject is Subject.RECORD and shelf.has(key, KeyRole.BATCH):
        subject = Subject.BATCH
    return list(_EXPECTED[subject](maker, shelf, key))


def _record(maker: EntryMaker, _shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    registry = Emitter.REGISTRY
    found = maker.kept_record(key)
    content, standing = found if found else (bytes(32), None)
    yield ExpectedView(registry, "contentOf", (key,), parse_word, content)
    yield ExpectedView(registry, "standingById", (key,), parse_standing_if_any, standing)
    yield ExpectedView(registry, "publisherOf", (key,), parse_word, maker.noted_publisher(key))


def _batch(maker: EntryMaker, shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    places = shelf.places([(key, KeyRole.BATCH)], after=None, limit=1)
    if not places:
        raise maker.lacks(f"batch {key.hex()}")
    yield ExpectedView(Emitter.REGISTRY, "batchOf", (key,), parse_batch_state, maker.batch(places[0]).state)


def _model(maker: EntryMaker, _shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    wanted = maker.model_revoked_at(key)
    yield ExpectedView(Emitter.REGISTRY, "revokedModelTime", (key,), parse_moment_if_any, wanted)


def _policy(_maker: EntryMaker, shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    found = shelf.events([(key, KeyRole.POLICY_NUMBERED)])[KeyRole.POLICY_NUMBERED]
    number = int.from_bytes(found[0].log.topics[2], "big") if len(found) == 1 else None
    yield ExpectedView(Emitter.REGISTRY, "policyIdOf", (key,), parse_number, number)


def _namespace(maker: EntryMaker, shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    found = find_namespace(maker, shelf, key)
    if found is None or not found.history:
        raise maker.lacks(f"the claim of namespace {key.hex()}")
    space = found.namespace
    wanted = (space.owner, space.claimed_at, space.identity_limit, len(space.identities))
    yield ExpectedView(Emitter.NAMESPACES, "headOf", (key,), parse_number, found.history[-1].head)
    yield ExpectedView(Emitter.NAMESPACES, "namespaceOf", (key,), _parse_space, wanted)


def _parents(maker: EntryMaker, shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    attested = attested_parents(maker, key)
    for parent in attested:  # the contract takes no other
        if not shelf.has(parent, KeyRole.RECORD) and not shelf.has(parent, KeyRole.LEAF_REVOKED):
            raise maker.lacks(f"the record of parent {parent.hex()}")
    wanted = (attested, stated_parents(shelf, key))
    yield ExpectedView(Emitter.LINEAGE, "parentsOf", (key,), _parse_parents, wanted)


def _epoch(maker: EntryMaker, _shelf: Shelf, key: bytes) -> Iterator[ExpectedView]:
    number = int.from_bytes(key, "big")
    found = maker.oracle_set(number)
    wanted = (found.threshold, len(found.oracles))
    yield ExpectedView(Emitter.REGISTRY, "epochOf", (number,), _parse_epoch_size, wanted)
    for index, oracle in enumerate(found.oracles):
        yield ExpectedView(Emitter.REGISTRY, "oracleAt", (number, index), parse_oracle_key, oracle)


def _registry(_maker: EntryMaker, shelf: Shelf, _key: bytes) -> Iterator[ExpectedView]:
    announced = announced_set(shelf)
    yield ExpectedView(Emitter.REGISTRY, "writesPaused", (), parse_flag, writes_are_paused(shelf))
    yield ExpectedView(Emitter.REGISTRY, "guardian", (), parse_account, guardian_of(shelf))
    yield ExpectedView(Emitter.REGISTRY, "scheduledSet", (), _parse_announced, announced)


_EXPECTED: dict[Subject, Callable[[EntryMaker, Shelf, bytes], Iterator[ExpectedView]]] = {
    Subject.RECORD: _record,
    Subject.BATCH: _batch,
    Subject.MODEL: _model,
    Subject.POLICY: _policy,
    Subject.NAMESPACE: _namespace,
    Subject.PARENTS: _parents,
    Subject.EPOCH: _epoch,
    Subject.REGISTRY: _registry,
}


def _parse_space(answer: Any, where: str) -> object:
    state = parse_namespace_state(answer, where)
    return (state.owner, state.claimed_at, state.identity_limit, state.trusted)


def _parse_parents(answer: Any, where: str) -> object:
    return tuple(
        tuple(parse_word(one, where) for one in part) for part in parse_members(answer, (parse_items,) * 2, where)
    )


def _parse_epoch_size(answer: Any, where: str) -> object:
    found = parse_epoch(answer, where)
    return (found.threshold, found.size)


def _parse_announced(answer: Any, where: str) -> object:
    return SetAnnouncement(*parse_members(answer, (parse_word, parse_number), where))
