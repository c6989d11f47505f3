"""The history of a record and of a namespace, from the index."""

from __future__ import annotations

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import KeyRole, parsed
from provenance_oracle.oracle.index.rows import IndexedNamespace
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.standing import parse_moment
from provenance_oracle.verifier.registry.events import (
    Admission,
    HistoryEvent,
    Publication,
    parse_closure,
    parse_model_revocation,
)
from provenance_oracle.verifier.registry.namespaces import (
    Kind,
    Namespace,
    NamespaceEntry,
    next_head,
    parse_namespace_entry,
    trusted_identities,
)
from provenance_oracle.verifier.registry.registry_events import parse_namespace_claim

_ADDRESS = slice(12, 32)


def history_of(maker: EntryMaker, shelf: Shelf, entry: Entry) -> tuple[HistoryEvent, ...]:
    """Return the events of a release with all its judgements, or of a FAILED verdict, oldest first."""
    if entry.batch is not None:
        return ()
    release = release_id(entry.model_digest, entry.manifest_digest)
    if entry.passed:
        judgements = [one for _, one in maker.judgements(release)]
    else:
        place = shelf.places([(entry.record_id, KeyRole.RECORD)], after=None, limit=1)[0]
        judgements = [maker.publication(shelf.event(place))]
    events: list[HistoryEvent] = list(judgements)
    for one in judgements:
        events += _events_of(maker, shelf, one)
    return tuple(sorted(events, key=lambda event: event.place))


def _events_of(maker: EntryMaker, shelf: Shelf, one: Publication) -> list[HistoryEvent]:
    where = shelf.where
    closed = shelf.events([(one.record_id, KeyRole.LEAF_CLOSED)])[KeyRole.LEAF_CLOSED]
    events: list[HistoryEvent] = [parsed(event.emitter, event.log, parse_closure, where) for event in closed]
    events += maker.recounts(one.record_id)
    events += [
        Admission(entry.subject, entry.at, entry.kind is Kind.ADOPTED, entry.place)
        for entry in maker.namespace_entries(one.content_digest)
        if entry.kind in (Kind.RELEASED, Kind.ADOPTED)
    ]
    if one.record.passed and one.record.revision == 0:
        events += maker.revocations(one.record_id)
        models = shelf.events([(one.record.model_digest, KeyRole.MODEL_REVOKED)])[KeyRole.MODEL_REVOKED]
        events += [parsed(event.emitter, event.log, parse_model_revocation, where) for event in models]
    return events


def find_namespace(maker: EntryMaker, shelf: Shelf, key: bytes) -> IndexedNamespace | None:
    """Return the namespace with an id (32 bytes), after replaying its history; None if nobody claimed it.

    Raises:
        TemporaryError: the index lacks an entry.
    """
    found = shelf.events([(key, KeyRole.CLAIMED), (key, KeyRole.NAMESPACE_ENTRY)])
    if not found[KeyRole.CLAIMED]:
        return None
    claimed = found[KeyRole.CLAIMED][0]
    claim = parsed(claimed.emitter, claimed.log, parse_namespace_claim, shelf.where)
    events = found[KeyRole.NAMESPACE_ENTRY]
    entries = tuple(parsed(one.emitter, one.log, parse_namespace_entry, shelf.where) for one in events)
    match_heads(entries, 0, maker)
    owners = [entry.subject[_ADDRESS] for entry in entries if entry.kind is Kind.HANDED_OVER]
    namespace = Namespace(
        name=claim.name,
        owner=owners[-1] if owners else claim.owner,
        claimed_at=parse_moment(shelf.seconds_of(claimed.log.place.block_number), shelf.where),
        identity_limit=claim.identity_limit,
        first_uses=_first_uses(entries, claim.identity_limit),
        identities=trusted_identities(entries),
        entries=len(entries),
    )
    return IndexedNamespace(namespace, entries)


def match_heads(entries: tuple[NamespaceEntry, ...], head: int, maker: EntryMaker) -> int:
    """Replay entries after the head of those before, and return the last one's head.

    Raises:
        TemporaryError: an entry is missing, altered or added.
    """
    for entry in entries:
        head = next_head(head, entry.kind, entry.subject, int(entry.at.timestamp()))
        if head != entry.head or entry.number != head >> 208:
            raise maker.lacks(f"a namespace's entry before {entry.number}")
    return head


def _first_uses(entries: tuple[NamespaceEntry, ...], limit: int) -> int:
    """Return how many identities were trusted on first use: by the claim or a record, not by an accepted proposal."""
    uses, proposed = 0, set[bytes]()
    for entry, after in zip(entries, (*entries[1:], None), strict=True):
        if entry.kind is Kind.IDENTITY_PROPOSED:
            proposed.add(entry.subject)
        elif entry.kind is Kind.IDENTITY_TRUSTED:
            by_record = after is not None and after.kind is Kind.RECORDED
            is_same = after is not None and after.place.transaction_hash == entry.place.transaction_hash
            uses += entry.subject not in proposed or (by_record and is_same)
            proposed.discard(entry.subject)
        elif entry.kind is Kind.IDENTITY_DROPPED:
            if entry.subject in proposed:
                proposed.discard(entry.subject)
            else:
                uses = limit  # a dropped publisher must not be trusted on first use again
    return uses
