"""The batches that the oracles of a registry propose, with the signatures that they gave so far.

Every oracle keeps such a table for itself. What it passes on has all signatures that it knows, so that each oracle can
have enough of them even if the proposer shows its proposal to one other oracle only, or dies.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from provenance_oracle.oracle.quorum.batch_proposal import (
    BatchProposal,
    SignedBatch,
    encode_batch_proposal,
    parse_batch_proposal,
    verify_batch_proposal,
)
from provenance_oracle.oracle.quorum.exchange import BATCHES_OFFERED_MAX, Exchange
from provenance_oracle.oracle.quorum.places import Places
from provenance_oracle.oracle.quorum.turns import PROPOSING
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


class BatchTable:
    """The batch proposals of one registry's oracles.

    Args:
        exchanges: the places where batch proposals are read and offered.
        registry: its address, 20 bytes.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], *, chain_id: int, registry: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._places = Places(exchanges, clock)
        self._chain_id = chain_id
        self._registry = registry
        self._own: dict[bytes, bytes] = {}
        self._known: dict[str, OrderedDict[bytes, SignedBatch]] = {}  # by proposer and digest
        # By the hash of a document: what it was worth. Most come again at every pass, and verifying one takes long.
        self._seen: OrderedDict[bytes, SignedBatch | None] = OrderedDict()
        self._epoch = 0
        self._clock = clock
        self._warned: dict[str, datetime] = {}  # by place

    def exchange(self, seats: Mapping[str, Seat]) -> None:
        """Offer the batches that `offer` got since the last exchange, withdraw all others, and read anew.

        Args:
            seats: by address, the oracle set in force. Without oracles in it, nothing is read.
        """
        epoch = next((seat.epoch for seat in seats.values()), 0)
        if epoch != self._epoch:  # what another set signed counts no more
            self._epoch, self._known, self._seen = epoch, {}, OrderedDict()
        offered, self._own = self._own, {}
        if seats:
            self._places.exchange(offered, lambda data, where: self._take(data, where, seats))

    def offer(self, proposal: BatchProposal) -> None:
        """Pass a batch on at the next exchange. Those that come last have no place if there are too many."""
        if len(self._own) < BATCHES_OFFERED_MAX:
            self._own[proposal.digest] = encode_batch_proposal(proposal)

    def batches(self) -> tuple[SignedBatch, ...]:
        """Return every batch that is known, the first sealed first."""
        found = (one for kept in self._known.values() for one in kept.values())
        return tuple(sorted(found, key=lambda one: (one.sealed_at, one.digest)))

    def signatures(self, digest: bytes) -> Mapping[str, bytes]:
        """Return the signatures of a batch's digest (32 bytes), by the signer's address in checksum form."""
        found = next((kept[digest] for kept in self._known.values() if digest in kept), None)
        return found.signatures if found else {}

    def _take(self, data: bytes, where: str, seats: Mapping[str, Seat]) -> None:
        key = hashlib.sha256(data).digest()
        if key not in self._seen:
            self._seen[key] = self._verified(data, where, seats)
            if len(self._seen) > 2 * BATCHES_OFFERED_MAX * (1 + self._places.count):
                self._seen.popitem(last=False)
        one = self._seen[key]
        if one is None:
            return
        kept = self._known.setdefault(one.proposer, OrderedDict())
        known = kept.get(one.digest)
        kept[one.digest] = replace(known, signatures={**known.signatures, **one.signatures}) if known else one
        kept.move_to_end(one.digest)
        if len(kept) > BATCHES_OFFERED_MAX:
            kept.popitem(last=False)

    def _verified(self, data: bytes, where: str, seats: Mapping[str, Seat]) -> SignedBatch | None:
        """Return what a document holds; None if it is refused. The log names one refusal of each place in each turn."""
        try:
            proposal, place = parse_batch_proposal(data, where), (self._chain_id, self._registry)
            return verify_batch_proposal(proposal, place, seats=seats, where=where)
        except ProvenanceError as error:
            warned = self._warned.get(where)
            if warned is None or self._clock() - warned >= PROPOSING:
                self._warned[where] = self._clock()
                _log.warning("%s: a batch proposal is refused: %s", where, printable(str(error)))
            return None
