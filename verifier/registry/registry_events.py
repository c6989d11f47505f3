"""The events of a registry that are about no single record: batches, oracle sets, policies, claims, stated parents."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.raw_logs import Place
from provenance_oracle.verifier.registry.structs import OracleKey, parse_oracle_key
from provenance_oracle.verifier.strict.abi_values import (
    parse_account,
    parse_arguments,
    parse_flag,
    parse_items,
    parse_number,
    parse_text,
    parse_word,
)


@dataclass(frozen=True)
class RecordedBatch:
    """A batch was recorded.

    Attributes:
        root: 32 bytes.
        epoch: the number of the oracle set. signers: its oracles that signed, as bits.
        count: the number of records.
        uri: where the oracle serves the records; empty for nowhere.
    """

    root: bytes
    epoch: int
    signers: int
    count: int
    uri: str


@dataclass(frozen=True)
class LeafRevocation:
    """A record was revoked in its batch, and nobody had written it out.

    `record_id`, `root` and `content_digest` have 32 bytes. `summary` is that of the proof; see `verifier.record.batch`.
    """

    record_id: bytes
    root: bytes
    content_digest: bytes
    summary: int


@dataclass(frozen=True)
class EpochStart:
    """An oracle set came in force. Until the Unix time `previous_until`, signatures of the one before count as well."""

    epoch: int
    oracles: tuple[OracleKey, ...]
    threshold: int
    previous_until: int


@dataclass(frozen=True)
class SetAnnouncement:
    """The next oracle set was announced, by its digest of 32 bytes. It can come in force from `active_from` on."""

    set_digest: bytes
    active_from: int


@dataclass(frozen=True)
class OracleChange:
    """Oracle `index` of a set changed: its validity ended at the Unix time `valid_until`, or it bound the key `key`.

    The other one of the two is None. `key` is an address, 20 bytes; it counts from the second after the event's block.
    """

    epoch: int
    index: int
    valid_until: int | None
    key: bytes | None
    place: Place


@dataclass(frozen=True)
class PolicyNumber:
    """A policy (digest of 32 bytes) got a number."""

    policy_digest: bytes
    number: int


@dataclass(frozen=True)
class NamespaceClaim:
    """A namespace was claimed for `owner`, an address of 20 bytes."""

    name: str
    owner: bytes
    identity_limit: int


@dataclass(frozen=True)
class StatedParent:
    """The owner of a namespace named a parent of a release, or took it back. Both ids have 32 bytes."""

    child: bytes
    parent: bytes


def parse_recorded_batch(log: Log, where: str) -> RecordedBatch:
    """Parse an event BatchRecorded. Raise FormatError for any other."""
    parsers = {"root": parse_word, "epoch": parse_number, "signers": parse_number, "count": parse_number}
    parsers |= {"uri": parse_text}
    return RecordedBatch(*parse_arguments(log.args, parsers, where))


def parse_leaf_revocation(log: Log, where: str) -> LeafRevocation:
    """Parse an event LeafRevoked. Raise FormatError for any other."""
    parsers = {"recordId": parse_word, "root": parse_word, "contentDigest": parse_word, "summary": parse_number}
    return LeafRevocation(*parse_arguments(log.args, parsers, where))


def parse_epoch_start(log: Log, where: str) -> EpochStart:
    """Parse an event EpochStarted. Raise FormatError for any other."""
    parsers = {"epoch": parse_number, "oracles": _parse_oracles, "threshold": parse_number}
    return EpochStart(*parse_arguments(log.args, parsers | {"previousUntil": parse_number}, where))


def parse_set_announcement(log: Log, where: str) -> SetAnnouncement:
    """Parse an event OracleSetScheduled. Raise FormatError for any other."""
    return SetAnnouncement(*parse_arguments(log.args, {"setDigest": parse_word, "activeFrom": parse_number}, where))


def parse_pause(log: Log, where: str) -> bool:
    """Parse an event WritesPaused: whether writes stand still from here on. Raise FormatError for any other."""
    (is_paused,) = parse_arguments(log.args, {"paused": parse_flag}, where)
    return bool(is_paused)


def parse_guardian(log: Log, where: str) -> bytes:
    """Parse an event GuardianAppointed: the guardian's address, 20 bytes. Raise FormatError for any other."""
    (guardian,) = parse_arguments(log.args, {"guardian": parse_account}, where)
    return bytes(guardian)


def parse_oracle_revocation(log: Log, where: str) -> OracleChange:
    """Parse an event OracleRevoked. Raise FormatError for any other."""
    parsers = {"epoch": parse_number, "index": parse_number, "effectiveFrom": parse_number}
    epoch, index, valid_until = parse_arguments(log.args, parsers, where)
    return OracleChange(epoch, index, valid_until, None, log.place)


def parse_key_binding(log: Log, where: str) -> OracleChange:
    """Parse an event RoflKeyBound. Raise FormatError for any other."""
    parsers = {"epoch": parse_number, "index": parse_number, "key": parse_account}
    epoch, index, key = parse_arguments(log.args, parsers, where)
    return OracleChange(epoch, index, None, key, log.place)


def parse_policy_number(log: Log, where: str) -> PolicyNumber:
    """Parse an event PolicyNumbered. Raise FormatError for any other."""
    return PolicyNumber(*parse_arguments(log.args, {"policyDigest": parse_word, "policyId": parse_number}, where))


def parse_namespace_claim(log: Log, where: str) -> NamespaceClaim:
    """Parse an event NamespaceClaimed. Raise FormatError for any other."""
    parsers = {"namespace": parse_text, "owner": parse_account, "identityLimit": parse_number}
    return NamespaceClaim(*parse_arguments(log.args, parsers, where))


def parse_stated_parent(log: Log, where: str) -> StatedParent:
    """Parse an event ParentStated or ParentWithdrawn. Raise FormatError for any other."""
    return StatedParent(*parse_arguments(log.args, {"recordId": parse_word, "parent": parse_word}, where))


def _parse_oracles(answer: object, where: str) -> tuple[OracleKey, ...]:
    return tuple(parse_oracle_key(item, where) for item in parse_items(answer, where))
