"""Build the entries of releases and FAILED verdicts from the events of the index, as `RegistryReader` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from provenance_oracle.oracle.index.event_kinds import KEY_ENDED, Emitter, KeyRole, event_kind, parsed
from provenance_oracle.oracle.index.folding import (
    MissingEventError,
    OracleSet,
    fold_batch,
    fold_judgement,
    fold_oracles,
    fold_recounts,
    fold_release,
    fold_revocations,
)
from provenance_oracle.oracle.index.gates import gate_is_open, publisher_gate_is_open
from provenance_oracle.oracle.index.places import block_of, event_of, leaf_of
from provenance_oracle.oracle.index.rows import IndexedRecord
from provenance_oracle.oracle.index.shelf import Key, Shelf, StoredEvent
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.record.codec import decode_record, namespace_id, record_id, release_id
from provenance_oracle.verifier.record.fields import BatchPlace, Entry, WrittenRecord
from provenance_oracle.verifier.record.standing import (
    Standing,
    standing_of_summary,
)
from provenance_oracle.verifier.registry.batch_proofs import standing_in_batch
from provenance_oracle.verifier.registry.events import (
    AppliedRevocation,
    Publication,
    Recount,
    Revocation,
    parse_applied_revocation,
    parse_closure,
    parse_model_revocation,
    parse_publication,
    parse_recount,
    parse_revocation,
)
from provenance_oracle.verifier.registry.namespaces import Kind, NamespaceEntry, parse_namespace_entry
from provenance_oracle.verifier.registry.publications import latest_judgement
from provenance_oracle.verifier.registry.raw_logs import RawLog
from provenance_oracle.verifier.registry.registry_events import (
    RecordedBatch,
    parse_epoch_start,
    parse_key_binding,
    parse_leaf_revocation,
    parse_oracle_revocation,
    parse_recorded_batch,
)
from provenance_oracle.verifier.registry.structs import BatchState

_WORD = 32
# Events that were parsed and are kept, by their whole content: what is asked for often is parsed once.
_PARSED_MAX, _SETS_MAX = 4096, 256
_TAKEN_IN = (Kind.RECORDED, Kind.HELD, Kind.ADOPTED)


@dataclass(frozen=True)
class FoundBatch:
    """A batch at its event: what was recorded, and its state after all events."""

    event: StoredEvent
    recorded: RecordedBatch
    state: BatchState


class EntryMaker:
    """Makes entries from one moment of the index.

    Args:
        now: the moment for which gates are told, with a time zone.

    Raises (every method):
        TemporaryError: the database fails, or lacks an event that must be there.
    """

    def __init__(self, shelf: Shelf, now: datetime) -> None:
        self._shelf = shelf
        self._now = now
        self._sets: dict[int, OracleSet] = {}

    def records(self, places: Iterable[int]) -> list[IndexedRecord]:
        """Return what stands at places: each release once, at the first of its places, and each FAILED verdict.

        A release in a batch that has a record of its own stands where that record does.
        """
        found: dict[bytes, IndexedRecord] = {}
        for place in places:
            one = self.record(place)
            entry = one.entry
            key = release_id(entry.model_digest, entry.manifest_digest) if entry.passed else entry.record_id
            found.setdefault(key, one)
        return list(found.values())

    def record(self, place: int) -> IndexedRecord:
        """Return the release or FAILED verdict with a judgement at a place, for its latest judgement."""
        if leaf_of(place) is not None:
            return self._of_leaf(place)
        event = self._shelf.event(place)
        judgement = self.publication(event)
        self._read_ahead(judgement)
        if not judgement.record.passed:
            standing = self.standing_of_judgement(judgement)
            return self._indexed(judgement.record, judgement.record_id, standing, event, place)
        release = release_id(judgement.record.model_digest, judgement.record.manifest_digest)
        return self._of_release(release, place)

    def publication(self, event: StoredEvent) -> Publication:
        """Return an event RecordPublished, parsed."""
        return _parsed_publication(event.log, self._shelf.where)

    def judgements(self, release: bytes) -> list[tuple[StoredEvent, Publication]]:
        """Return the judgements of a release that have records of their own, oldest first."""
        found = self._shelf.events([(release, KeyRole.JUDGEMENT)])[KeyRole.JUDGEMENT]
        return [(event, self.publication(event)) for event in found]

    def standing_of_judgement(self, one: Publication) -> Standing:
        """Return the standing of one judgement or FAILED verdict; the revocation is not in it."""
        entries = self.namespace_entries(one.content_digest)
        return fold_judgement(one.first, self.recounts(one.record_id), entries)

    def standing_of_first(self, first: Publication, revisions: int) -> Standing:
        """Return the standing of a release's first judgement, as `standingById` gives it.

        Args:
            revisions: the number of its later judgements.
        """
        standing = fold_revocations(self.standing_of_judgement(first), self.revocations(first.record_id))
        return fold_release(standing, standing, revisions)

    def kept_record(self, key: bytes) -> tuple[bytes, Standing] | None:
        """Return the content digest and the standing that the registry keeps under an id; None if it keeps nothing.

        The standing is that of one judgement (`standingById`), not of the release.
        """
        own = self._shelf.events([(key, KeyRole.RECORD)])[KeyRole.RECORD]
        if own:
            found = self.publication(own[0])
            if not found.record.passed or found.record.revision:
                return found.content_digest, self.standing_of_judgement(found)
            revisions = max(one.record.revision for _, one in self.judgements(key))
            return found.content_digest, self.standing_of_first(found, revisions)
        revoked = self._shelf.events([(key, KeyRole.LEAF_REVOKED)])[KeyRole.LEAF_REVOKED]
        return self._kept_leaf(revoked[0]) if revoked else None

    def records_of_content(self, content: bytes) -> list[bytes]:
        """Return the ids of the records of their own with a content digest."""
        found = self._shelf.events([(content, KeyRole.CONTENT)])[KeyRole.CONTENT]
        return [self.publication(event).record_id for event in found]

    def noted_publisher(self, key: bytes) -> bytes:
        """Return the publisher's identity that gates by publisher know for a record: zeros if nobody noted it."""
        noted = self._shelf.events([(key, KeyRole.PUBLISHER_NOTED)])[KeyRole.PUBLISHER_NOTED]
        return noted[-1].log.topics[2] if noted else bytes(_WORD)

    def recounts(self, key: bytes) -> list[Recount]:
        """Return the recounts of a record or batch, oldest first."""
        found = self._shelf.events([(key, KeyRole.RECOUNTED)])[KeyRole.RECOUNTED]
        return [parsed(one.emitter, one.log, parse_recount, self._shelf.where) for one in found]

    def revocations(self, release: bytes) -> list[Revocation | AppliedRevocation]:
        """Return the revocations of a release, oldest first."""
        found = self._shelf.events([(release, KeyRole.REVOKED), (release, KeyRole.REVOCATION_APPLIED)])
        where = self._shelf.where
        events: list[Revocation | AppliedRevocation] = [
            *(parsed(one.emitter, one.log, parse_revocation, where) for one in found[KeyRole.REVOKED]),
            *(
                parsed(one.emitter, one.log, parse_applied_revocation, where)
                for one in found[KeyRole.REVOCATION_APPLIED]
            ),
        ]
        return sorted(events, key=lambda event: event.place)

    def namespace_entries(self, subject: bytes) -> list[NamespaceEntry]:
        """Return the entries of namespaces' histories that are about a record's content digest or an identity."""
        found = self._shelf.events([(subject, KeyRole.NAMESPACE_SUBJECT)])[KeyRole.NAMESPACE_SUBJECT]
        return [parsed(one.emitter, one.log, parse_namespace_entry, self._shelf.where) for one in found]

    def oracle_set(self, epoch: int) -> OracleSet:
        """Return an oracle set."""
        if epoch not in self._sets:
            found = self._shelf.events(_keys_of_set(epoch))
            starts, changes = found[KeyRole.EPOCH], [*found[KeyRole.ORACLE_REVOKED], *found[KeyRole.KEY_BOUND]]
            if len(starts) != 1:
                raise self.lacks(f"the event of epoch {epoch}")
            changes.sort(key=lambda one: one.place)
            timed = tuple((one.log, self._shelf.seconds_of(block_of(one.place))) for one in changes)
            self._sets[epoch] = _parsed_set(starts[0].log, timed, self._shelf.where)
        return self._sets[epoch]

    def batch(self, place: int, *, before: int | None = None) -> FoundBatch:
        """Return the batch whose event is at a place, after its events; with `before`, after those below that place."""
        event = self._shelf.event(place)
        recorded = parsed(event.emitter, event.log, parse_recorded_batch, self._shelf.where)
        found = self._shelf.events([(recorded.root, KeyRole.RECOUNTED), (recorded.root, KeyRole.ROOT_CLOSED)])
        kept = {role: [one for one in events if before is None or one.place < before] for role, events in found.items()}
        where = self._shelf.where
        recounts = [parsed(one.emitter, one.log, parse_recount, where) for one in kept[KeyRole.RECOUNTED]]
        closed = [parsed(one.emitter, one.log, parse_closure, where).index for one in kept[KeyRole.ROOT_CLOSED]]
        seconds = self._shelf.seconds_of(block_of(place))
        return FoundBatch(
            event, recorded, fold_batch(recorded, seconds, self.oracle_set(recorded.epoch), recounts, closed)
        )

    def model_revoked_at(self, model_digest: bytes) -> datetime | None:
        """Return the moment from which all releases of a model are revoked; None if it is not revoked."""
        found = self._shelf.events([(model_digest, KeyRole.MODEL_REVOKED)])[KeyRole.MODEL_REVOKED]
        if not found:
            return None
        return parsed(found[0].emitter, found[0].log, parse_model_revocation, self._shelf.where).revoked_at

    def lacks(self, what: str) -> MissingEventError:
        """Return the error for an event that the index must have."""
        wanted = "an index that was read to its end; `provenance index` may be reading"
        return MissingEventError(
            "the index lacks an event", check=Check.REGISTRY_RECORD, where=self._shelf.where, got=what, wanted=wanted
        )

    def _read_ahead(self, one: Publication) -> None:
        """Have the shelf read by one question what most records need. A release's other judgements need more."""
        record = one.record
        release = release_id(record.model_digest, record.manifest_digest)
        self._shelf.read_ahead(
            (
                (release, KeyRole.JUDGEMENT),
                (one.content_digest, KeyRole.NAMESPACE_SUBJECT),
                (one.record_id, KeyRole.RECOUNTED),
                (one.record_id, KeyRole.REVOKED),
                (one.record_id, KeyRole.REVOCATION_APPLIED),
                (one.record_id, KeyRole.PUBLISHER_NOTED),
                (record.model_digest, KeyRole.MODEL_REVOKED),
                (namespace_id(record.namespace), KeyRole.CLAIMED),
                *_keys_of_set(one.first.epoch),
            )
        )

    def _of_release(self, release: bytes, place: int) -> IndexedRecord:
        judgements = self.judgements(release)
        if not judgements:
            raise self.lacks(f"the judgements of release {release.hex()}")
        by_record = {one.record_id: (event, one) for event, one in judgements}
        if release not in by_record:
            raise self.lacks(f"the first judgement of release {release.hex()}")
        last = latest_judgement([one for _, one in judgements])
        first, event = by_record[release][1], by_record[last.record_id][0]
        standing = self.standing_of_first(first, last.record.revision)
        if last is not first:
            standing = fold_release(standing, self.standing_of_judgement(last), last.record.revision)
        contents = [one.content_digest for _, one in judgements]
        return self._indexed(last.record, last.record_id, standing, event, place, contents=contents)

    def _of_leaf(self, place: int) -> IndexedRecord:
        leaf = self._shelf.leaf(place)
        written = decode_record(leaf.data, self._shelf.where)
        release = release_id(written.model_digest, written.manifest_digest)
        if written.passed and self.judgements(release):
            return self._of_release(release, place)
        batch = self.batch(event_of(place))
        standing = self._standing_of_leaf(batch, written, release, is_named=leaf.is_named)
        leaf_place = BatchPlace(batch.recorded.root, leaf_of(place) or 0)
        return self._indexed(written, record_id(written), standing, batch.event, place, batch=leaf_place)

    def _standing_of_leaf(
        self, batch: FoundBatch, written: WrittenRecord, release: bytes, *, is_named: bool
    ) -> Standing:
        revoked = self._shelf.events([(release, KeyRole.LEAF_REVOKED)])[KeyRole.LEAF_REVOKED]
        if revoked:
            return self._kept_leaf(revoked[0])[1]
        standing = standing_in_batch(batch.state, written, is_named=is_named, where=self._shelf.where)
        return replace(standing, failed=not written.passed)

    def _kept_leaf(self, event: StoredEvent) -> tuple[bytes, Standing]:
        """Return what the registry keeps of a record that was revoked in its batch, as `Batches._closeAndKeep` does."""
        found = parsed(event.emitter, event.log, parse_leaf_revocation, self._shelf.where)
        places = self._shelf.places([(found.root, KeyRole.BATCH)], after=None, limit=1)
        if not places:
            raise self.lacks(f"batch {found.root.hex()}")
        then = self.batch(places[0], before=event.place).state
        standing = standing_of_summary(
            found.summary,
            self._shelf.where,
            recorded_at=then.recorded_at,
            signers=then.signers,
            weight=then.weight,
            epoch=then.epoch,
            doubtful=then.doubtful,
        )
        recounted = fold_recounts(standing, self.recounts(found.record_id))
        return found.content_digest, fold_revocations(recounted, self.revocations(found.record_id))

    def _indexed(
        self,
        written: WrittenRecord,
        key: bytes,
        standing: Standing,
        event: StoredEvent,
        place: int,
        *,
        batch: BatchPlace | None = None,
        contents: Sequence[bytes] = (),
    ) -> IndexedRecord:
        oracles = self.oracle_set(standing.epoch)
        entry = Entry(
            **vars(written),
            record_id=key,
            standing=standing,
            threshold=oracles.threshold,
            signers=oracles.signers(standing),
            model_revoked_at=self.model_revoked_at(written.model_digest),
            batch=batch,
        )
        return IndexedRecord(
            entry=entry,
            is_open=gate_is_open(entry, self._now),
            is_open_to_publisher=publisher_gate_is_open(entry, self.noted_publisher(entry.record_id), self._now),
            is_called=self._is_called(entry, contents),
            block=block_of(event.place),
            transaction=event.log.place.transaction_hash,
            gas_used=event.gas,
            place=place,
        )

    def _is_called(self, entry: Entry, contents: Sequence[bytes]) -> bool:
        if not entry.passed:
            return False
        if not self._shelf.has(namespace_id(entry.namespace), KeyRole.CLAIMED):
            return True
        entries = (one for content in contents for one in self.namespace_entries(content))
        return any(one.kind in _TAKEN_IN for one in entries)


def _keys_of_set(epoch: int) -> tuple[Key, ...]:
    word = epoch.to_bytes(_WORD, "big")
    return (word, KeyRole.EPOCH), (word, KeyRole.ORACLE_REVOKED), (word, KeyRole.KEY_BOUND)


@lru_cache(maxsize=_PARSED_MAX)
def _parsed_publication(log: RawLog, where: str) -> Publication:
    return parsed(Emitter.REGISTRY, log, parse_publication, where)


@lru_cache(maxsize=_SETS_MAX)
def _parsed_set(start: RawLog, changes: tuple[tuple[RawLog, int], ...], where: str) -> OracleSet:
    """Return an oracle set from its events, the changes each with the time of its block in seconds."""
    told = []
    for log, seconds in changes:
        is_end = event_kind(Emitter.REGISTRY, log).name == KEY_ENDED
        parse = parse_oracle_revocation if is_end else parse_key_binding
        told.append((parsed(Emitter.REGISTRY, log, parse, where), seconds))
    return fold_oracles(parsed(Emitter.REGISTRY, start, parse_epoch_start, where), told)
