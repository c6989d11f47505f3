"""The events of a record, and their parsers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import Standing, parse_moment, unpack_standing
from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.raw_logs import Place
from provenance_oracle.verifier.strict.abi_values import (
    parse_account,
    parse_arguments,
    parse_bytes,
    parse_flag,
    parse_number,
    parse_text,
    parse_word,
)


@dataclass(frozen=True)
class Publication:
    """A record was written.

    `record_id` has 32 bytes. `content_digest` is keccak256 of the record's bytes. `first` is the record's standing at
    that moment.
    """

    record: WrittenRecord
    record_id: bytes
    content_digest: bytes
    first: Standing
    place: Place


@dataclass(frozen=True)
class LeafClosure:
    """Leaf `index` of a batch no longer counts. The written record counts instead, often from the same transaction."""

    record_id: bytes
    root: bytes
    index: int
    place: Place


@dataclass(frozen=True)
class Admission:
    """The namespace admitted a record that was held, or adopted one that was recorded before the claim."""

    content_digest: bytes
    admitted_at: datetime
    is_adoption: bool
    place: Place


@dataclass(frozen=True)
class Recount:
    """Signatures of revoked keys were removed, or more signers joined.

    `signers` (bit n for oracle n) and `weight` count from here on.
    """

    record_id: bytes
    signers: int
    weight: int
    is_doubtful: bool
    place: Place


@dataclass(frozen=True)
class Revocation:
    """The release was revoked by `guardian` (an address, 20 bytes), with effect from `revoked_at`."""

    record_id: bytes
    guardian: bytes
    revoked_at: datetime
    reason: str
    place: Place


@dataclass(frozen=True)
class ModelRevocation:
    """The model was revoked by `guardian` (an address, 20 bytes), with all its releases, from `revoked_at` on."""

    model_digest: bytes
    guardian: bytes
    revoked_at: datetime
    reason: str
    place: Place


@dataclass(frozen=True)
class AppliedRevocation:
    """The revocation of a model, in force from `revoked_at` on, reached the record of one of its releases."""

    record_id: bytes
    revoked_at: datetime
    place: Place


HistoryEvent = Publication | LeafClosure | Admission | Recount | Revocation | ModelRevocation | AppliedRevocation


def parse_publication(log: Log, where: str) -> Publication:
    """Parse an event RecordPublished.

    Raises:
        FormatError: the event has another form, or contradicts the record in it (check `registry-record`).
    """
    parsers = {"modelDigest": parse_word, "manifestDigest": parse_word, "reportDigest": parse_word}
    indexed = parse_arguments(log.args, parsers, where)
    word, data = parse_arguments(log.args, {"standing": parse_number, "record": parse_bytes}, where)
    record, first = decode_record(data, where), unpack_standing(word, where)
    facts = (record.judged_at, record.policy_id, record.grade, record.product_line, not record.passed)
    fits = (
        indexed == (record.model_digest, record.manifest_digest, record.snp_report_digest)
        and facts == (first.judged_at, first.policy_id, first.grade, first.product_line, first.failed)
        and first.revoked_at is None
    )
    if not fits:
        raise FormatError(
            "an event contradicts the record in it",
            check=Check.REGISTRY_RECORD,
            where=where,
            got="other digests or facts than in its record",
            wanted="the same",
        )
    return Publication(record, record_id(record), keccak256(data), first, log.place)


def parse_closure(log: Log, where: str) -> LeafClosure:
    """Parse an event LeafClosed. Raise FormatError for any other."""
    parsers = {"recordId": parse_word, "root": parse_word, "index": parse_number}
    key, root, index = parse_arguments(log.args, parsers, where)
    return LeafClosure(key, root, index, log.place)


def parse_recount(log: Log, where: str) -> Recount:
    """Parse an event Recounted. Raise FormatError for any other."""
    parsers = {"idOrRoot": parse_word, "signers": parse_number, "weight": parse_number, "doubtful": parse_flag}
    key, signers, weight, is_doubtful = parse_arguments(log.args, parsers, where)
    return Recount(key, signers, weight, is_doubtful, log.place)


def parse_revocation(log: Log, where: str) -> Revocation:
    """Parse an event RecordRevoked. Raise FormatError for any other."""
    return Revocation(*_revoked(log, where, "recordId", "effectiveFrom"), log.place)


def parse_model_revocation(log: Log, where: str) -> ModelRevocation:
    """Parse an event ModelRevoked. Raise FormatError for any other."""
    return ModelRevocation(*_revoked(log, where, "modelDigest", "revokedAt"), log.place)


def _revoked(log: Log, where: str, key: str, moment: str) -> tuple[bytes, bytes, datetime, str]:
    """Return what was revoked, by whom, from when on and why. `key` and `moment` name two of the arguments."""
    parsers = {key: parse_word, "guardian": parse_account, moment: parse_moment, "reason": parse_text}
    revoked, guardian, revoked_at, reason = parse_arguments(log.args, parsers, where)
    return revoked, guardian, revoked_at, reason


def parse_applied_revocation(log: Log, where: str) -> AppliedRevocation:
    """Parse an event ModelRevocationApplied. Raise FormatError for any other."""
    key, revoked_at = parse_arguments(log.args, {"recordId": parse_word, "revokedAt": parse_moment}, where)
    return AppliedRevocation(key, revoked_at, log.place)
