"""What can happen to a record, as the registry's events tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import Standing, parse_moment, unpack_standing
from provenance_oracle.verifier.registry.contract import Log, Place


@dataclass(frozen=True)
class Publication:
    """A record was written. `first` is its standing as first written, `content_digest` keccak256 of its bytes."""

    record: WrittenRecord
    record_id: bytes
    content_digest: bytes
    first: Standing
    place: Place


@dataclass(frozen=True)
class LeafClosure:
    """From here on leaf `index` of a batch counts no more, but the record that is kept, often written just then."""

    record_id: bytes
    root: bytes
    index: int
    place: Place


@dataclass(frozen=True)
class Admission:
    """The record was held, and its namespace took it in."""

    content_digest: bytes
    admitted_at: datetime
    place: Place


@dataclass(frozen=True)
class Recount:
    """Signatures of revoked keys were taken off, or more signers joined; `signers` and `weight` count from here on."""

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


HistoryEvent = Publication | LeafClosure | Admission | Recount | Revocation


def parse_publication(log: Log, where: str) -> Publication:
    """Raises FormatError for an event that no registry emits (check `registry-record`)."""
    data = bytes(log.args["record"])
    record = decode_record(data, where)
    first = unpack_standing(log.args["standing"], where)
    indexed = tuple(bytes(log.args[name]) for name in ("modelDigest", "manifestDigest", "reportDigest"))
    facts = (record.judged_at, record.policy_id, record.grade, record.product_line, not record.passed)
    fits = (
        indexed == (record.model_digest, record.manifest_digest, record.snp_report_digest)
        and facts == (first.judged_at, first.policy_id, first.grade, first.product_line, first.failed)
        and first.revoked_at is None
    )
    if not fits:
        raise FormatError(
            "an event that contradicts itself",
            check=Check.REGISTRY_RECORD,
            where=where,
            got="other digests or facts than in its record",
            wanted="the same",
        )
    return Publication(record, record_id(record), keccak256(data), first, log.place)


def parse_closure(log: Log) -> LeafClosure:
    return LeafClosure(bytes(log.args["recordId"]), bytes(log.args["root"]), log.args["index"], log.place)


def parse_recount(log: Log) -> Recount:
    args = log.args
    return Recount(bytes(args["idOrRoot"]), args["signers"], args["weight"], args["doubtful"], log.place)


def parse_revocation(log: Log, where: str) -> Revocation:
    args = log.args
    guardian = bytes.fromhex(args["guardian"].removeprefix("0x"))
    return Revocation(
        bytes(args["recordId"]), guardian, parse_moment(args["effectiveFrom"], where), args["reason"], log.place
    )
