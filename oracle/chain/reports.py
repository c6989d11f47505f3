"""Sign reports. A report is a record for one registry, with its policy's number and its recorded parents."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provenance_oracle.oracle.chain.calls import Quorum, publish_call, record_batch_call
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import Trouble, TroubleUsageError
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.quorum.ballot import Ballot
from provenance_oracle.oracle.quorum.batch_table import BatchTable
from provenance_oracle.oracle.quorum.collector import Collector
from provenance_oracle.oracle.quorum.moments import Moments
from provenance_oracle.oracle.quorum.proposal import Proposal
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import encode_record, record_id, release_id
from provenance_oracle.verifier.record.fields import Entry, NamedParent, Record
from provenance_oracle.verifier.record.signing import batch_digest, publication_digest
from provenance_oracle.verifier.record.standing import UNBACKED_CODES
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_SIGNATURES_MAX = 10_000
_RELEASES_MAX = 100  # of one model, looked at for the only one in good standing


class ReportRegistry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that a report needs."""

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        """Return whether a release has a record at `block`, in good standing or not."""

    def standing_releases(self, model_digest: bytes, *, block: int) -> Iterator[Entry]:
        """Yield the releases of a model at `block` that are not revoked, newest first."""

    def seats(self, *, block: int, at: datetime) -> Mapping[str, Seat]:
        """Return the places of the oracle set in force whose keys count at a moment, by address in checksum form."""


@dataclass(frozen=True)
class Council:
    """The other oracles, as far as this one needs them.

    `collector` has their signatures of records, `moments` the moments that they propose, and `table` their batches.
    """

    collector: Collector
    moments: Moments
    table: BatchTable


class Reporter:
    """Signs reports for one registry with one key.

    Args:
        finality: the endpoints that must agree on a record's parents.
        address: address of the registry, 20 bytes.
        clock: returns the time now, with a time zone.
        council: the other oracles; None if our own signature must be enough.
        meter: times the signatures.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        finality: Finality[ReportRegistry],
        chain_id: int,
        address: bytes,
        clock: Callable[[], datetime],
        council: Council | None = None,
        meter: Meter = SILENT,
    ) -> None:
        self._signer = signer
        self._finality = finality
        self._chain_id = chain_id
        self._address = address
        self._clock = clock
        self._council = council
        self._meter = meter
        self._signatures: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def has_peers(self) -> bool:
        """Whether other oracles may need our signatures."""
        return self._council is not None

    def exchange(self, head: int) -> None:
        """Exchange proposals with the other oracles, once in a pass.

        Raises:
            TemporaryError: a node does not answer.
        """
        if self._council:
            seats = self.seats(head)
            self._council.collector.exchange(seats)
            self._council.table.exchange(seats)

    def publication(self, record: Record, *, policy_id: int, head: int) -> bytes | Publishing:
        """Return the encoded call that publishes a record with the signatures that it needs.

        Args:
            policy_id: the registry's number for the record's policy.
            head: the number of the newest block, whose oracle set signs.

        Returns:
            The call; or JUDGED if signatures of other oracles are missing, or it is the turn of another one to submit;
            or SEEN if the release must be judged again, at the moment of another oracle.

        Raises:
            TroubleUsageError: the key is not in the oracle set, or a record needs signatures of other oracles too, and
                none are configured.
            FormatError: the record does not fit the registry's format (check `registry-record`).
            TemporaryError: a node does not answer, the nodes disagree, or the record of a parent is not final yet.
        """
        seats = self.seats(head)
        seat = self.seat(seats)
        data = self.encoded(record, policy_id=policy_id, head=head)
        signature = self.signature(publication_digest(self._chain_id, self._address, seat.epoch, data))
        if seat.weight >= seat.threshold:
            return publish_call(data, Quorum(seat.epoch, 1 << seat.index, signature))
        ballot = self.ballot(record, data, head=head)
        if isinstance(ballot, Publishing):
            return ballot
        assert self._council is not None
        if not self._council.collector.is_our_turn(record_id(record), ballot, seat.index):
            return Publishing(State.JUDGED, "has its signatures; another oracle submits it first", is_alone=True)
        indices = sorted(ballot.signatures)
        bitmap = sum(1 << index for index in indices)
        signatures = b"".join(ballot.signatures[index] for index in indices)
        return publish_call(data, Quorum(seat.epoch, bitmap, signatures))

    def ballot(self, record: Record, data: bytes, *, head: int) -> Ballot | Publishing:
        """Offer our signature of a record to the others, and return those that it has, if they are enough.

        Args:
            data: the record's bytes, as `encoded` returned them.
            head: the number of the newest block, whose oracle set signs.

        Returns:
            JUDGED if signatures are missing, SEEN if the release must be judged again, at the moment of another oracle.

        Raises:
            TroubleUsageError, TemporaryError: as `publication`.
        """
        assert self._council is not None
        seats = self.seats(head)
        seat, council = self.seat(seats), self._council
        signature = self.signature(publication_digest(self._chain_id, self._address, seat.epoch, data))
        proposal = Proposal(self._chain_id, self._address, seat.epoch, data, signature)
        ballot = council.collector.ballot(proposal, seats)
        if ballot.is_enough:
            return ballot
        if ballot.earlier and council.moments.take(record.manifest_digest, ballot.earlier):
            moment = format_time(ballot.earlier)
            return Publishing(State.SEEN, f"is judged again at {moment}, the moment that another oracle proposed")
        return Publishing(State.JUDGED, ballot.words, is_alone=True)

    def encoded(self, record: Record, *, policy_id: int, head: int) -> bytes:
        """Return a record's bytes for the registry, with its recorded parents. Arguments and errors as above."""
        return encode_record(record, policy_id=policy_id, parents=self._recorded_parents(record, head))

    def batch(self, root: bytes, *, count: int, sealed_at: int, uri: str, head: int) -> tuple[int, bytes]:
        """Return the number of the oracle set in force, and the encoded call that records a batch, signed for it.

        Args:
            root: 32 bytes. count: the number of its records.
            sealed_at: when it was sealed, in seconds since 1970.
            uri: where its records' bytes can be found.
            head: the number of the newest block, whose oracle set signs.

        Raises:
            UsageError: the key is not in the oracle set, or the batch needs signatures of other oracles too.
        """
        seat = self.seat(self.seats(head))
        if seat.weight < seat.threshold:
            raise UsageError(
                "a batch needs signatures of other oracles, which sign one only with a batch_uri of their own",
                where=f"key {self._signer.address}",
                got=f"weight {seat.weight}",
                wanted=f"the threshold, {seat.threshold}",
            )
        place = (self._chain_id, self._address, seat.epoch)
        digest = batch_digest(*place, root, count=count, sealed_at=sealed_at, uri=uri)
        quorum = Quorum(seat.epoch, 1 << seat.index, self.signature(digest))
        return seat.epoch, record_batch_call(root, count=count, sealed_at=sealed_at, uri=uri, quorum=quorum)

    def signature(self, digest: bytes) -> bytes:
        """Return our signature of a digest (32 bytes). One that is asked for at every pass is made once."""
        if digest not in self._signatures:
            with self._meter.step("sign"):
                self._signatures[digest] = self._signer.sign_digest(digest)
            if len(self._signatures) > _SIGNATURES_MAX:
                self._signatures.popitem(last=False)
        return self._signatures[digest]

    @property
    def own_address(self) -> str:
        """The address of our key in checksum form."""
        return self._signer.address

    @property
    def place(self) -> tuple[int, bytes]:
        """Chain and address (20 bytes) of the registry."""
        return self._chain_id, self._address

    def seats(self, block: int) -> Mapping[str, Seat]:
        """Return the oracle set in force at a block, by address in checksum form."""
        return self._finality.first.registry.seats(block=block, at=self._clock())

    def seat(self, seats: Mapping[str, Seat]) -> Seat:
        """Return our own place.

        Raises:
            TroubleUsageError: we have none, or a record needs other oracles and none are configured.
        """
        seat = seats.get(self._signer.address)
        where = f"key {self._signer.address}"
        if seat is None:
            raise TroubleUsageError(
                Trouble.KEY,
                "the key is not an oracle of this registry",
                where=where,
                wanted="a key of the oracle set in force",
            )
        if seat.weight < seat.threshold and self._council is None:
            raise TroubleUsageError(
                Trouble.QUORUM,
                "a record needs signatures of other oracles; name them in the setting `peers`",
                where=where,
                got=f"weight {seat.weight}",
                wanted=f"the threshold, {seat.threshold}",
            )
        return seat

    def _recorded_parents(self, record: Record, head: int) -> tuple[bytes, ...]:
        """Return the ids of the recorded parent releases of a record, in the order of its manifest."""
        found: dict[bytes, None] = {}
        for named in record.named_parents:
            parent = self._parent(record, named, head)
            if parent is None:
                why = "it has no record"
                if named.manifest_digest is None:
                    why = "there is no release of it in good standing, or not only one, and the manifest names none"
                name = printable(f"{record.name} {record.version}")
                _log.warning("%s: parent model %s is left out, because %s", name, named.model_digest.hex(), why)
            elif parent != record_id(record):
                found[parent] = None
        return tuple(found)

    def _parent(self, record: Record, named: NamedParent, head: int) -> bytes | None:
        """Return the id of a parent release in a final block; None if the registry has none that is certain.

        A record cannot change its parents, so the oracle waits for a parent that one node hides or a fork may remove.
        """

        def find(registry: ReportRegistry, block: int) -> bytes | None:
            if named.manifest_digest is None:
                return _only_release(registry, record, named.model_digest, block)
            is_recorded = registry.is_recorded(named.model_digest, named.manifest_digest, block=block)
            return release_id(named.model_digest, named.manifest_digest) if is_recorded else None

        parent = self._finality.at_depth(lambda one, block: find(one.registry, block), head)
        if parent is None and self._finality.at_newest(lambda one, block: find(one.registry, block), head):
            where = f"model {named.model_digest.hex()}"
            raise TemporaryError("the record of a parent is not final yet", where=where)
        return parent


def _only_release(registry: ReportRegistry, record: Record, model_digest: bytes, block: int) -> bytes | None:
    """Return the id of the only release of a model in good standing; None if there is none or not only one.

    Anyone can have the same files recorded again. An oracle must not choose between such releases: a stranger's may be
    revoked later and shut the child's lineage gate. For the same reason a release made on real hardware has no parent
    that was simulated or has only a signature.
    """
    good: list[Entry] = []
    for looked_at, entry in enumerate(registry.standing_releases(model_digest, block=block)):
        if looked_at == _RELEASES_MAX:
            return None
        is_backed = entry.product_line not in UNBACKED_CODES or record.product_line in UNBACKED_CODES
        if entry.closure is None and is_backed:
            good.append(entry)
        if len(good) > 1:
            return None
    return release_id(good[0].model_digest, good[0].manifest_digest) if good else None
