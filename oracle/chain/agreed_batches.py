"""Decide, together with other oracles, which judged rows share a batch.

An oracle proposes only records that enough oracles signed singly, each over exactly the same bytes. So a release on
which they do not agree is in no honest proposal, and the batch goes on without it. A proposal of another oracle is
signed only if each of its records is, byte for byte, one of ours. A batch that fails delays its releases, and cannot
stop them: after a few failures, or a while, each is recorded by itself with the signatures that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from provenance_oracle.oracle.chain.batch_recording import BatchRecording, releases_of
from provenance_oracle.oracle.chain.quorum_batches import QuorumBatches, seal_of, stored_seal
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import TroubleError, TroubleUsageError
from provenance_oracle.oracle.journal.publications import (
    Member,
    PartialSignature,
    PublicationKind,
    StoredPublication,
)
from provenance_oracle.oracle.journal.quorum_book import Seal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.logs import log_about
from provenance_oracle.oracle.outcomes import log_id_of
from provenance_oracle.oracle.quorum.ballot import FROM_THE_MOMENT, Agreement, difference_words, differing_fields
from provenance_oracle.oracle.quorum.batch_proposal import SignedBatch
from provenance_oracle.oracle.quorum.turns import is_gathering, may_sign
from provenance_oracle.verifier.record.batch import LEAVES_MAX
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import Record, WrittenRecord, match_entry

# Rows that one pass looks at. If more wait, they take turns, so that some on which nobody agrees hold up no others.
_ROWS_MAX = 512
# Batches that may gather signatures or be on their way at once. All of them must fit into what is offered.
_OPEN_MAX = 16
# A release whose batches failed so often, or that waits so long, is recorded by itself.
_FAILURES_MAX = 3
_ALONE_AFTER = timedelta(minutes=10)
_WAITS = "has its signatures, and waits for a batch"


@dataclass(frozen=True)
class _Free:
    """A row that is in no batch, its record, and the record's bytes. `failures` are its batches that were dropped."""

    row: Row
    record: Record
    data: bytes
    failures: tuple[StoredPublication, ...]


class AgreedBatches(BatchRecording):
    """Publishes rows in batches that several oracles sign. Arguments as for `BatchRecording`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        assert isinstance(self._publisher, QuorumBatches)
        self._together: QuorumBatches = self._publisher
        self._free: dict[bytes, _Free] = {}  # by the record's id, in the order of their turns

    def begin(self, waiting: Sequence[Row]) -> list[Row]:
        """Sign the batches of others, propose one if it is our turn, and return the rows to record singly.

        Args:
            waiting: judged rows in the order of their turns.
        """
        singles: list[Row] = []
        try:
            # (1) the rows that could be in a batch
            self._read(self._together.some_of(waiting, _ROWS_MAX), singles)
            # (2) releases that are in a batch on chain already: we were away, or had given it up
            self._adopt()
            # (3) batches of others
            self._sign()
            # (4) sign the other records one by one, so that all see on which we agree
            agreed = self._agreed()
            self._leave_to_others(agreed)
            # (5) our own batch, and the releases for which there is none
            self._leave_alone(agreed, singles)
            if self._together.is_our_turn():
                self._propose(agreed, singles)
            for free, _ in agreed.values():
                with log_about(log_id_of(free.row)):
                    self._steps.moved(free.row, Publishing(State.JUDGED, _WAITS, is_alone=True))
            # (6) batches that an oracle missed
            self._together.recall()
        except (TroubleError, TroubleUsageError) as error:
            self.troubles[error.trouble] = str(error)
        return singles

    def _read(self, waiting: Sequence[Row], singles: list[Row]) -> None:
        self._free, self._must_wait = {}, False
        for start in range(0, len(waiting), LEAVES_MAX):
            rows = waiting[start : start + LEAVES_MAX]
            self._kept = self._journal.dossiers(rows)
            self._writer.read_ahead((), releases_of(rows))
            failed = self._journal.failed_batches([row.id for row in rows])
            for row in rows:
                for record, data in self._leaf_of(row):
                    if data is None:
                        singles.append(row)
                    else:  # the same release of another source follows this one
                        self._free.setdefault(record_id(record), _Free(row, record, data, failed.get(row.id, ())))
                if self._must_wait:
                    return

    def _adopt(self) -> None:
        for batch in self._together.table.batches():
            sealed = seal_of(batch.proposal)
            if self._free.keys() & batch.leaves.keys() and self._together.is_on_chain(sealed):
                self._together.refusals.forget(batch)
                self._take_over(batch.proposal.records, sealed, self._together.partials(batch.signatures, batch.digest))
        for failure in {one.id: one for free in self._free.values() for one in free.failures}.values():
            sealed = stored_seal(failure)
            if self._together.is_on_chain(sealed):  # another oracle had enough signatures; ours are stored already
                self._take_over([member.record or b"" for member in self._journal.members(failure.id)], sealed, ())

    def _take_over(self, records: Sequence[bytes], sealed: Seal, signatures: Sequence[PartialSignature]) -> None:
        """Follow a batch that is on chain already, as far as it has releases of ours. Nothing is signed."""
        members: dict[int, Member] = {}
        for place, data in enumerate(records):
            written = decode_record(data, f"leaf {place}")
            free = self._free.pop(record_id(written), None)
            if free is None:
                continue
            with log_about(log_id_of(free.row)):
                if self._outcomes.of_step(free.row, partial(_matched, free, written)) is free.row:
                    members[place] = Member(free.row.id, data)
        if members:
            self._begin_with(self._journal.open_sealed_batch(members, sealed, signatures, at=self._clock()))

    def _sign(self) -> None:
        now, refusals = self._clock(), self._together.refusals
        refusals.expire(now)
        for batch in self._together.table.batches():
            if not may_sign(batch.sealed_at, now) or refusals.is_refused(batch) or self._is_known(batch):
                continue
            problem, is_final = self._problem_of(batch)
            if is_final:
                refusals.refuse(batch, problem)
            elif problem:
                refusals.wait(batch, problem)
            elif self._open_batches() < _OPEN_MAX:
                refusals.forget(batch)
                rows = [self._free.pop(key).row.id for key in batch.leaves]
                self._begin_with(self._together.sign(batch, rows))

    def _problem_of(self, batch: SignedBatch) -> tuple[str, bool]:
        """Return why a batch cannot be signed, and whether that is so for good; no words if it can."""
        proposal, wanted = batch.proposal, self._together.uri_of(batch.proposal.root)
        if proposal.uri != wanted:
            return f"its uri is {proposal.uri} not {wanted}; all oracles of a quorum need the same batch_uri", True
        if len(batch.leaves) < 2:
            return "it has one record, which is recorded by itself", True
        waits = ""
        for number, ((key, theirs), data) in enumerate(zip(batch.leaves.items(), proposal.records, strict=True)):
            free = self._free.get(key)
            if free is None:
                waits = (
                    f"leaf {number}, manifest {theirs.manifest_digest.hex()}, is not among the releases that wait here"
                )
            elif free.data != data:
                ours = decode_record(free.data, "our record")
                differing = differing_fields(ours, theirs)
                words = f"leaf {number}, manifest {theirs.manifest_digest.hex()}: "
                words += difference_words(ours, theirs, differing)
                if not set(differing) <= FROM_THE_MOMENT:
                    return words, True
                waits = words
        return waits, False

    def _agreed(self) -> dict[bytes, tuple[_Free, Agreement]]:
        """Offer our signature of each free record, and return those that enough oracles signed."""
        found: dict[bytes, tuple[_Free, Agreement]] = {}
        for key, free in self._free.items():

            def count(free: _Free = free, key: bytes = key) -> Row:
                agreement = self._together.agreement(free.record, free.data)
                if isinstance(agreement, Publishing):
                    return self._steps.moved(free.row, agreement)
                found[key] = free, agreement
                return free.row

            with log_about(log_id_of(free.row)):
                self._outcomes.of_step(free.row, count)
        return found

    def _leave_to_others(self, agreed: dict[bytes, tuple[_Free, Agreement]]) -> None:
        """Take out the releases in batches of others that have their signatures: one of them submits it."""
        now = self._clock()
        for batch in self._together.table.batches():
            if now - batch.sealed_at >= _ALONE_AFTER or not self._together.has_enough(batch):
                continue
            for key in batch.leaves.keys() & agreed.keys():
                free, _ = agreed.pop(key)
                note = f"is in batch {batch.proposal.root.hex()} of other oracles, which has its signatures"
                with log_about(log_id_of(free.row)):
                    self._steps.moved(free.row, Publishing(State.JUDGED, note, is_alone=True))

    def _leave_alone(self, agreed: dict[bytes, tuple[_Free, Agreement]], singles: list[Row]) -> None:
        """Move the releases for which batches failed or took too long to those that are recorded singly."""
        now = self._clock()
        for key, (free, agreement) in list(agreed.items()):
            if len(free.failures) >= _FAILURES_MAX or now - agreement.since >= _ALONE_AFTER:
                del agreed[key]
                singles.append(free.row)

    def _propose(self, agreed: dict[bytes, tuple[_Free, Agreement]], singles: list[Row]) -> None:
        """Propose batches, each of records that the same oracles signed. A record without others is recorded singly."""
        now, covered = self._clock(), self._covered()
        while agreed and self._open_batches() < _OPEN_MAX:
            keys = largest_group({key: one.signers for key, (_, one) in agreed.items()})[: self._batching.most]
            oldest = min(agreed[key][1].since for key in keys)
            if len(keys) < self._batching.most and abs((now - oldest).total_seconds()) < self._batching.after_seconds:
                return
            chosen = {key: agreed.pop(key)[0] for key in keys}
            if len(chosen) > 1:
                rows = {chosen[key].row.id: chosen[key].data for key in sorted(chosen)}
                self._begin_with(self._together.propose(rows))
                continue
            for key, free in chosen.items():
                if key not in covered:  # another oracle's batch may still be recorded with it
                    self._together.take_turn(free.record)
                    singles.append(free.row)

    def _begin_with(self, opened: StoredPublication) -> None:
        rows = [self._journal.row(member.release_id) for member in self._journal.members(opened.id)]
        self._announce(opened, rows)
        self._followed(opened, lambda: None)

    def _covered(self) -> frozenset[bytes]:
        """Return the ids of the records in batches of others that still gather signatures."""
        now = self._clock()
        batches = (one for one in self._together.table.batches() if is_gathering(one.sealed_at, now))
        return frozenset(key for one in batches for key in one.leaves)

    def _is_known(self, batch: SignedBatch) -> bool:
        """Return whether a batch is ours, or was signed or adopted here."""
        return batch.proposer == self._together.own_address or self._journal.has_batch(batch.proposal.root)

    def _open_batches(self) -> int:
        return sum(one.kind is PublicationKind.BATCH for one in self._journal.open_publications())


def _matched(free: _Free, written: WrittenRecord) -> Row:
    """Raise VerificationError if the record on chain has facts that the release cannot have."""
    match_entry(free.record, written)
    return free.row


def largest_group(signers: Mapping[bytes, frozenset[int]]) -> list[bytes]:
    """Return the most records (their ids) that some oracles signed all of, in their order."""
    sets = sorted(set(signers.values()), key=lambda one: (len(one), sorted(one)))
    return max(([key for key, found in signers.items() if one <= found] for one in sets), key=len)
