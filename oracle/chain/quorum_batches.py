"""Take batches that several oracles sign into the registry.

    open_sealed_batch -> offered, signatures counted -> send -> ... -> batchOf(root) in a final block -> FINAL

The oracle stores its signature with the rows before anybody sees it. The rows stay in this batch until it is final or
dropped. A batch that found too few signatures in time is dropped. One that has enough never is, unless the registry
takes it no more: each oracle that signed has it recorded sooner or later, so a second batch would say the same again.

An oracle that lies may keep the signatures of a dropped batch, and have it recorded later. That does no harm: its
leaves are the records on which the oracles agree, so they say the same twice, at the liar's cost.

Whoever has enough signatures submits: the proposer first, then the others that signed, by their numbers. The registry
takes the same batch twice without a change.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from provenance_oracle.oracle.chain.batches import INCLUSION, BatchPublisher, JudgedLeaves
from provenance_oracle.oracle.chain.calls import Quorum, record_batch_call
from provenance_oracle.oracle.chain.reports import Council
from provenance_oracle.oracle.chain.rpc import Call
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.journal.publications import Member, PartialSignature, StoredPublication
from provenance_oracle.oracle.journal.quorum_book import Seal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.quorum.ballot import Agreement, Ballot
from provenance_oracle.oracle.quorum.batch_proposal import BatchProposal, SignedBatch
from provenance_oracle.oracle.quorum.collector import TURN
from provenance_oracle.oracle.quorum.exchange import BATCHES_OFFERED_MAX
from provenance_oracle.oracle.quorum.refusals import Refusals
from provenance_oracle.oracle.quorum.turns import is_gathering, proposer_at, submission_rank
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX, Record
from provenance_oracle.verifier.registry.oracle_sets import Seat

_log = logging.getLogger(__name__)


class QuorumReports(Protocol):
    """The part of `oracle.chain.reports.Reporter` that batches of several oracles need."""

    @property
    def own_address(self) -> str:
        """The address of our key in checksum form."""

    @property
    def place(self) -> tuple[int, bytes]:
        """Chain and address (20 bytes) of the registry."""

    def seats(self, block: int) -> Mapping[str, Seat]:
        """Return the oracle set in force at a block, by address in checksum form."""

    def seat(self, seats: Mapping[str, Seat]) -> Seat:
        """Return our own place. Raise TroubleUsageError if we have none."""

    def signature(self, digest: bytes) -> bytes:
        """Return our signature of a digest (32 bytes)."""

    def ballot(self, record: Record, data: bytes, *, head: int) -> Ballot | Publishing:
        """Offer our signature of a record to the others, and return those that it has, if they are enough."""


class QuorumBatches(BatchPublisher):
    """Publishes batches in one registry, together with other oracles.

    Args:
        council: the signatures and the batches of the others. Other arguments as for `BatchPublisher`.

    Attributes:
        table: the batches that the oracles propose.
        refusals: why batches of others were not signed.
    """

    def __init__(self, reports: Any, *others: Any, council: Council, **options: Any) -> None:
        super().__init__(reports, *others, **options)
        self._signing: QuorumReports = reports
        self._collector = council.collector
        self._enough_since: dict[int, datetime] = {}
        self._passes = 0
        self.table = council.table
        self.refusals = Refusals(self._note_refusal)

    @property
    def own_address(self) -> str:
        """The address of our key in checksum form."""
        return self._signing.own_address

    def agreement(self, record: Record, data: bytes) -> Agreement | Publishing:
        """Offer our signature of a record, and return who agrees; a `Publishing` if they are not enough yet."""
        ballot = self._signing.ballot(record, data, head=self._head())
        return ballot if isinstance(ballot, Publishing) else self._collector.agreement(record_id(record), ballot)

    def take_turn(self, record: Record) -> None:
        """Have a record submitted by itself in this pass, whoever signed it."""
        self._collector.take_turn(record_id(record))

    def is_our_turn(self) -> bool:
        """Return whether it is our turn to propose a batch."""
        seats = self._signing.seats(self._head())
        return bool(seats) and proposer_at(self._clock(), seats) == self._signing.own_address

    def uri_of(self, root: bytes) -> str:
        """Return where users find the records of a batch."""
        return f"{self._uri}{root.hex()}.json"

    def propose(self, rows: Mapping[int, bytes]) -> StoredPublication:
        """Seal and sign a batch, and store it. The next exchange offers it to the others.

        Args:
            rows: the bytes of the record by the id of a free row, in the order of the records' ids.

        Raises:
            UsageError: a row is not free. TroubleUsageError: our key is not an oracle.
        """
        seat = self._signing.seat(self._signing.seats(self._head()))
        records = tuple(rows.values())
        root, sealed_at = seal_batch(records).root, int(self._clock().timestamp())
        proposal = BatchProposal(*self._signing.place, seat.epoch, sealed_at, self.uri_of(root), root, records, ())
        return self._open(proposal, {}, list(rows))

    def sign(self, batch: SignedBatch, row_ids: Sequence[int]) -> StoredPublication:
        """Sign a batch that another oracle proposes, and store it with the signatures that it has.

        Args:
            row_ids: free rows with exactly these records, in the order of the leaves. The caller compared them.

        Raises: as `propose`.
        """
        return self._open(batch.proposal, batch.signatures, row_ids)

    def is_on_chain(self, sealed: Seal) -> bool:
        """Return whether the newest block has a batch with this root and so many leaves."""
        return self._finality.first.registry.batch(sealed.root, block=self._head()).count == sealed.count

    def has_enough(self, batch: SignedBatch) -> bool:
        """Return whether a batch has the signatures that the registry needs, as far as we know them."""
        seats = self._signing.seats(self._head())
        weight = sum(seats[who].weight for who in batch.signatures if who in seats)
        return any(weight >= seat.threshold for seat in seats.values())

    def some_of(self, waiting: Sequence[Row], most: int) -> Sequence[Row]:
        """Return `most` rows at most, in each pass others, if there are more."""
        if len(waiting) <= most:
            return waiting
        self._passes += 1
        first = self._passes * most % len(waiting)
        return [*waiting[first:], *waiting[:first]][:most]

    def follow(self, publication: StoredPublication, records: JudgedLeaves) -> StoredPublication:
        """See `BatchPublisher`. While the batch is not final, it is offered to the others."""
        self._offer(publication)
        now = super().follow(publication, records)
        if now.state.closed:
            self._enough_since.pop(now.id, None)
        return now

    def recall(self) -> None:
        """Offer final batches again that have releases which another oracle proposes.

        It was away when they were recorded. A batch in the registry is only a root, so the others must show it.
        """
        for one in self._journal.final_batches(self._collector.asked_for(), most=BATCHES_OFFERED_MAX):
            self._offer(one)

    def _prepare(self, publication: StoredPublication, records: JudgedLeaves, head: int) -> Call | Publishing:
        """Count the signatures of a batch, and return the call if they are enough and it is our turn to submit it."""
        # (1) give it up if its signatures count no more
        seats, now = self._signing.seats(head), self._clock()
        seat = self._signing.seat(seats)
        unsigned = self._unsigned(publication)
        if (
            unsigned is None
            or publication.epoch != seat.epoch
            or now - _sealed(unsigned) > JUDGED_BEFORE_MAX - INCLUSION
        ):
            return Publishing(State.SEEN, "the signatures of its batch count no more; it goes into another one")
        # (2) store what others signed meanwhile, and count
        digest, sealed_at = unsigned.digest, _sealed(unsigned)
        self._journal.keep_signatures(self.partials(self.table.signatures(digest), digest))
        signatures = {one.oracle_index: one.signature for one in self._journal.signatures(digest)}
        weights = {place.index: place.weight for place in seats.values()}
        weight = sum(weights.get(index, 0) for index in signatures)
        if weight < seat.threshold or seat.index not in signatures:
            if not is_gathering(sealed_at, now):
                words = f"weight {weight} of {seat.threshold}"
                return Publishing(State.SEEN, f"too few oracles signed its batch ({words}); it goes into another one")
            return Publishing(State.JUDGED, f"its batch waits for other oracles: weight {weight} of {seat.threshold}")
        # (3) submit it in turns
        since = self._enough_since.setdefault(publication.id, now)
        proposer = seats[proposer_at(sealed_at, seats)].index
        if now - since < TURN * submission_rank(seat.index, proposer, frozenset(signatures)):
            return Publishing(State.JUDGED, "its batch has its signatures; another oracle submits it first")
        counted = sorted(index for index in signatures if index in weights)
        bitmap, joined = sum(1 << index for index in counted), b"".join(signatures[index] for index in counted)
        quorum = Quorum(seat.epoch, bitmap, joined)
        facts: dict[str, Any] = {"count": len(unsigned.records), "uri": unsigned.uri, "quorum": quorum}
        data = record_batch_call(unsigned.root, sealed_at=unsigned.sealed_at, **facts)
        return Call(self._sender.address, self._address, data)

    def _open(self, proposal: BatchProposal, known: Mapping[str, bytes], row_ids: Sequence[int]) -> StoredPublication:
        digest = proposal.digest
        own = {self._signing.own_address: self._signing.signature(digest)}
        pairs = zip(row_ids, proposal.records, strict=True)
        members = {place: Member(row_id, record) for place, (row_id, record) in enumerate(pairs)}
        signatures = self.partials({**known, **own}, digest)
        made = self._journal.open_sealed_batch(members, seal_of(proposal), signatures, at=self._clock())
        self._meter.batch(len(members))
        return made

    def _offer(self, publication: StoredPublication) -> None:
        """Offer a stored batch to the others, with the proposer's signature first. It must be whole."""
        seats, unsigned = self._signing.seats(self._head()), self._unsigned(publication)
        epoch = next((seat.epoch for seat in seats.values()), 0)
        if unsigned is None or unsigned.epoch != epoch or len(unsigned.records) != publication.count:
            return
        proposer = seats[proposer_at(_sealed(unsigned), seats)].index
        kept = self._journal.signatures(unsigned.digest)
        ordered = sorted(kept, key=lambda one: (one.oracle_index != proposer, one.oracle_index))
        if ordered:
            self.table.offer(replace(unsigned, signatures=tuple(one.signature for one in ordered)))

    def partials(self, found: Mapping[str, bytes], digest: bytes) -> list[PartialSignature]:
        """Return signatures by their signers' addresses as the journal keeps them."""
        seats, own, at = self._signing.seats(self._head()), self._signing.own_address, self._clock()
        return [
            PartialSignature(digest, seats[who].epoch, seats[who].index, data, "" if who == own else who, at)
            for who, data in found.items()
            if who in seats
        ]

    def _unsigned(self, publication: StoredPublication) -> BatchProposal | None:
        """Return a stored batch without its signatures; None if this oracle began it alone."""
        if publication.root is None or publication.sealed_at is None or publication.epoch is None:
            return None
        records = tuple(member.record or b"" for member in self._journal.members(publication.id))
        chain_id, registry = self._signing.place
        sealed_at, root = int(publication.sealed_at.timestamp()), publication.root
        return BatchProposal(chain_id, registry, publication.epoch, sealed_at, publication.uri, root, records, ())

    def _note_refusal(self, reason: str) -> None:
        _log.warning("not signed: %s", reason)
        self._journal.note_refusal(reason, at=self._clock())

    def _head(self) -> int:
        return self._finality.first.chain.head()


def stored_seal(publication: StoredPublication) -> Seal:
    """Return the seal of a stored batch, which has one."""
    sealed_at = publication.sealed_at
    assert publication.root is not None
    assert publication.count is not None
    assert sealed_at is not None
    return Seal(publication.root, publication.count, publication.epoch or 0, publication.uri, sealed_at)


def seal_of(proposal: BatchProposal) -> Seal:
    """Return the seal of a proposal."""
    return Seal(proposal.root, len(proposal.records), proposal.epoch, proposal.uri, _sealed(proposal))


def _sealed(proposal: BatchProposal) -> datetime:
    return datetime.fromtimestamp(proposal.sealed_at, UTC)
