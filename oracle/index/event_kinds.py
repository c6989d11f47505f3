"""The events that the index follows, and the digests and ids that lead to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from typing import TypeVar, cast

from provenance_oracle.verifier.record.codec import namespace_id, record_id, release_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.event_types import EventType, Log
from provenance_oracle.verifier.registry.raw_logs import Question, RawLog

_T = TypeVar("_T")
_WORD = 32
_PARSED_KEPT = 64  # those of the oracle sets in use, and what one question needs twice


class Emitter(IntEnum):
    """The contract that emits an event, by its number in the table `events`."""

    REGISTRY = 0
    NAMESPACES = 1
    LINEAGE = 2

    @property
    def artifact(self) -> str:
        """The contract's name."""
        return ("ProvenanceRegistry", "Namespaces", "Lineage")[self]


class KeyRole(IntEnum):
    """What a digest or id is to the event or release to which it leads. The numbers stand in the table `keys`."""

    # of a record, its own or in a batch
    MODEL = 1
    MANIFEST = 2
    VERDICT = 3
    REPORT = 4
    RECORD = 5
    POLICY = 6
    IDENTITY = 7
    JUDGEMENT = 8  # the release's id leads to each of its judgements
    PARENT = 9  # the id of a release leads to the releases that name it as parent
    NAMESPACE = 10
    NAME = 11  # keccak256 of namespace/model
    VERSION = 12  # keccak256 of namespace/model@version
    CONTENT = 13
    # of another event
    LEAF_CLOSED = 20
    ROOT_CLOSED = 21  # the batch whose leaf was closed
    RECOUNTED = 22
    REVOKED = 23
    MODEL_REVOKED = 24
    REVOCATION_APPLIED = 25
    LEAF_REVOKED = 26
    BATCH = 27
    POLICY_NUMBERED = 28
    CLAIMED = 29
    NAMESPACE_ENTRY = 30
    NAMESPACE_SUBJECT = 31
    PARENT_STATED = 32
    STATED_PARENT = 33  # the parent leads to the statement
    PARENT_WITHDRAWN = 34
    PUBLISHER_NOTED = 35
    EPOCH = 36
    ORACLE_REVOKED = 37
    KEY_BOUND = 38
    # of an event about the registry itself: THE_REGISTRY leads there
    PAUSED = 39
    GUARDIAN = 40
    SET_ANNOUNCED = 41
    SET_CANCELLED = 42
    SET_STARTED = 43


# The roles in which a digest leads to releases and FAILED verdicts, few for one digest.
RECORD_ROLES = (KeyRole.MODEL, KeyRole.MANIFEST, KeyRole.VERDICT, KeyRole.REPORT, KeyRole.RECORD)
PUBLISHED = "RecordPublished"
BATCHED = "BatchRecorded"
ENTERED = "NamespaceEntry"
APPLIED = "ModelRevocationApplied"
KEY_ENDED = "OracleRevoked"
THE_REGISTRY = bytes(_WORD)
# By contract and event: the number of a topic and the role of its value. Number 0 stands for THE_REGISTRY.
_KEYED: Mapping[tuple[Emitter, str], tuple[tuple[int, KeyRole], ...]] = {
    (Emitter.REGISTRY, PUBLISHED): (),  # `record_keys` has them
    (Emitter.REGISTRY, "LeafClosed"): ((1, KeyRole.LEAF_CLOSED), (2, KeyRole.ROOT_CLOSED)),
    (Emitter.REGISTRY, BATCHED): ((1, KeyRole.BATCH),),
    (Emitter.REGISTRY, "LeafRevoked"): ((2, KeyRole.LEAF_REVOKED),),
    (Emitter.REGISTRY, "RecordRevoked"): ((1, KeyRole.REVOKED),),
    (Emitter.REGISTRY, "ModelRevoked"): ((1, KeyRole.MODEL_REVOKED),),
    (Emitter.REGISTRY, APPLIED): ((1, KeyRole.REVOCATION_APPLIED),),
    (Emitter.REGISTRY, "Recounted"): ((1, KeyRole.RECOUNTED),),
    (Emitter.REGISTRY, "PublisherNoted"): ((1, KeyRole.PUBLISHER_NOTED),),
    (Emitter.REGISTRY, "PolicyNumbered"): ((1, KeyRole.POLICY_NUMBERED),),
    (Emitter.REGISTRY, "EpochStarted"): ((1, KeyRole.EPOCH), (0, KeyRole.SET_STARTED)),
    (Emitter.REGISTRY, KEY_ENDED): ((1, KeyRole.ORACLE_REVOKED),),
    (Emitter.REGISTRY, "RoflKeyBound"): ((1, KeyRole.KEY_BOUND),),
    (Emitter.NAMESPACES, "NamespaceClaimed"): ((1, KeyRole.CLAIMED),),
    (Emitter.NAMESPACES, ENTERED): ((1, KeyRole.NAMESPACE_ENTRY),),
    (Emitter.LINEAGE, "ParentStated"): ((1, KeyRole.PARENT_STATED), (2, KeyRole.STATED_PARENT)),
    (Emitter.LINEAGE, "ParentWithdrawn"): ((1, KeyRole.PARENT_WITHDRAWN),),
    (Emitter.REGISTRY, "OracleSetScheduled"): ((0, KeyRole.SET_ANNOUNCED),),
    (Emitter.REGISTRY, "OracleSetCancelled"): ((0, KeyRole.SET_CANCELLED),),
    (Emitter.REGISTRY, "WritesPaused"): ((0, KeyRole.PAUSED),),
    (Emitter.REGISTRY, "GuardianAppointed"): ((0, KeyRole.GUARDIAN),),
}


@dataclass(frozen=True)
class EventKind:
    """A kind of event: its contract, its name, and the roles of its topics."""

    emitter: Emitter
    name: str
    type: EventType
    keyed: tuple[tuple[int, KeyRole], ...]


@cache
def event_kinds() -> Mapping[tuple[Emitter, bytes], EventKind]:
    """Return the kinds of events that the index follows, by contract and first topic."""
    from eth_abi.abi import default_codec

    kinds = {}
    for (emitter, name), keyed in _KEYED.items():
        (item,) = (
            one for one in load_artifact(emitter.artifact).abi if (one["type"], one.get("name")) == ("event", name)
        )
        found = EventType(item, default_codec)
        kinds[emitter, found.question(b"", {}).topics[0] or b""] = EventKind(emitter, name, found, keyed)
    return kinds


def questions(emitter: Emitter, address: bytes) -> list[Question]:
    """Return the questions for all events of one contract that the index follows."""
    return [Question(address, (topic,)) for one, topic in event_kinds() if one is emitter]


def event_kind(emitter: Emitter, log: RawLog) -> EventKind:
    """Return the kind of an event that `questions` asked for."""
    return event_kinds()[emitter, log.topics[0]]


def parsed(emitter: Emitter, log: RawLog, parse: Callable[[Log, str], _T], where: str) -> _T:
    """Return an event as one of the parsers of `verifier.registry` gives it. Raises FormatError as they do."""
    return cast(_T, _parsed(emitter, log, parse, where))


@lru_cache(_PARSED_KEPT)
def _parsed(emitter: Emitter, log: RawLog, parse: Callable[[Log, str], object], where: str) -> object:
    return parse(event_kind(emitter, log).type.decode(log, where), where)


def event_keys(kind: EventKind, log: RawLog) -> Iterator[tuple[bytes, KeyRole]]:
    """Yield what leads to an event other than a record's."""
    for number, role in kind.keyed:
        yield log.topics[number] if number else THE_REGISTRY, role
    if kind.name == ENTERED:  # its data begin with the entry's subject
        yield log.data[:_WORD], KeyRole.NAMESPACE_SUBJECT


def record_keys(record: WrittenRecord, content: bytes) -> list[tuple[bytes, KeyRole]]:
    """Return what leads to a record, each once. Zeros stand for nothing, and lead nowhere.

    Args:
        content: keccak256 of the record's bytes.
    """
    found = [
        (record.model_digest, KeyRole.MODEL),
        (record.manifest_digest, KeyRole.MANIFEST),
        (record.verdict_digest, KeyRole.VERDICT),
        (record.snp_report_digest, KeyRole.REPORT),
        (record_id(record), KeyRole.RECORD),
        (record.policy_digest, KeyRole.POLICY),
        (record.publisher_identity, KeyRole.IDENTITY),
        (content, KeyRole.CONTENT),
    ]
    if record.passed:  # a refused release may have any name
        name = f"{record.name}@{record.version}"
        found += [
            (release_id(record.model_digest, record.manifest_digest), KeyRole.JUDGEMENT),
            (namespace_id(record.namespace), KeyRole.NAMESPACE),
            (name_key(record.name), KeyRole.NAME),
            (name_key(name), KeyRole.VERSION),
            *((parent, KeyRole.PARENT) for parent in record.parents),
        ]
    return [pair for pair in dict.fromkeys(found) if any(pair[0])]


def name_key(name: str) -> bytes:
    """Return the key (32 bytes) of `namespace/model` or `namespace/model@version`."""
    return keccak256(name.encode("utf-8", "surrogatepass"))
