"""Find records by what a person has at hand: a model digest, a manifest digest, or a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.checks import Check
from verifier.errors import RecordError
from verifier.record import Entry
from verifier.registry import Publication, RegistryReader, Revocation
from verifier.timestamps import format_time

_DIGEST = re.compile("(?:0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a record, as a line and as JSON."""

    line: str
    json: dict[str, object]


def find_entries(registry: RegistryReader, what: str) -> tuple[Entry, ...]:
    """Return the entries that a digest or a name (namespace/model) leads to, newest first, revoked ones included.

    Raises:
        RecordError: there is none.
    """
    if not _DIGEST.fullmatch(what):
        entries = tuple(entry for _, entry in registry.entries_of_name(what))
    else:
        digest = bytes.fromhex(what.lower().removeprefix("0x"))
        entries = registry.entries_of_model(digest) or _entry_of_manifest(registry, digest)
    if entries:
        return entries
    raise RecordError(
        "no record",
        check=Check.REGISTRY_RECORD,
        where=what,
        got="nothing",
        wanted="a model digest, manifest digest or name that was recorded",
    )


def events_of(registry: RegistryReader, entry: Entry) -> tuple[Event, ...]:
    """Return what happened to a record, oldest first."""
    return tuple(
        _published(event) if isinstance(event, Publication) else _revoked(event)
        for event in registry.history(entry.manifest_digest)
    )


def _entry_of_manifest(registry: RegistryReader, digest: bytes) -> tuple[Entry, ...]:
    try:
        return (registry.entry(digest),)
    except RecordError:
        return ()


def _published(event: Publication) -> Event:
    when, oracle = format_time(event.entry.recorded_at), f"0x{event.entry.oracle.hex()}"
    transaction = f"0x{event.transaction_hash.hex()}"
    return Event(
        f"  {when}  published  {event.name} {event.version} by {oracle}, block {event.block_number}, {transaction}",
        {
            "event": "published",
            "time": when,
            "name": event.name,
            "version": event.version,
            "oracle": oracle,
            "block": event.block_number,
            "transaction": transaction,
        },
    )


def _revoked(event: Revocation) -> Event:
    when, guardian = format_time(event.revoked_at), f"0x{event.guardian.hex()}"
    transaction = f"0x{event.transaction_hash.hex()}"
    return Event(
        f"  {when}  REVOKED    {event.reason} by {guardian}, block {event.block_number}, {transaction}",
        {
            "event": "revoked",
            "time": when,
            "reason": event.reason,
            "guardian": guardian,
            "block": event.block_number,
            "transaction": transaction,
        },
    )
