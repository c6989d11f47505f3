"""Collect the other oracles' proposals, and decide with them when a record of ours has enough signatures.

Every oracle does this for itself and trusts no other collector: it counts only signatures over exactly the bytes that
it signs itself. An oracle that has enough submits the record. They take turns by their numbers in the set, so that
normally one transaction is sent; a second one changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from provenance_oracle.oracle.quorum.ballot import Agreement, Ballot, count_ballot
from provenance_oracle.oracle.quorum.exchange import OFFERED_MAX, Exchange
from provenance_oracle.oracle.quorum.places import Places
from provenance_oracle.oracle.quorum.proposal import (
    Proposal,
    SignedProposal,
    encode_proposal,
    parse_proposal,
    verify_proposal,
)
from provenance_oracle.verifier.registry.oracle_sets import Seat

# How long an oracle leaves the record to those with lower numbers that signed it too.
TURN = timedelta(seconds=60)


class Collector:
    """The proposals of one registry's oracles.

    Args:
        exchanges: the places where proposals are read and offered.
        registry: its address, 20 bytes.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], *, chain_id: int, registry: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._places = Places(exchanges, clock)
        self._chain_id = chain_id
        self._registry = registry
        self._clock = clock
        self._others: dict[str, OrderedDict[bytes, SignedProposal]] = {}  # by signer and record id
        self._own: dict[bytes, bytes] = {}
        self._ours: set[bytes] = set()  # ids of records that we submit in this pass, whatever our rank
        self._asked: set[bytes] = set()
        self._enough_since: dict[bytes, datetime] = {}
        self._verified: OrderedDict[bytes, SignedProposal] = OrderedDict()  # by bytes: most come again at every pass

    def exchange(self, seats: Mapping[str, Seat]) -> None:
        """Offer the proposals that `ballot` got since the last exchange, withdraw all others, and read anew.

        Args:
            seats: by address, the oracle set in force. Proposals of other keys are left out.
        """
        offered = dict(self._own)
        self._own.clear()
        self._ours.clear()
        self._asked.clear()
        self._enough_since = {key: at for key, at in self._enough_since.items() if key in offered}
        self._places.exchange(offered, lambda data, where: self._take(data, where, seats))
        self._others = {signer: kept for signer, kept in self._others.items() if signer in seats}

    def ballot(self, proposal: Proposal, seats: Mapping[str, Seat]) -> Ballot:
        """Offer our own proposal to the others, and count the signatures for it.

        Raises:
            VerificationError: it is not signed by us, or for another registry.
        """
        data = encode_proposal(proposal)
        own = self._verify(data, "our own proposal")
        if len(self._own) < OFFERED_MAX:
            self._own[own.record_id] = data
        others = [kept[own.record_id] for kept in self._others.values() if own.record_id in kept]
        ballot = count_ballot(own, others, seats, now=self._clock())
        if ballot.is_enough:
            self._enough_since.setdefault(own.record_id, self._clock())
        return ballot

    def agreement(self, record_id: bytes, ballot: Ballot) -> Agreement:
        """Return who agrees on a record (its id, 32 bytes) whose ballot is enough, and since when we know it."""
        return Agreement(frozenset(ballot.signatures), self._enough_since[record_id])

    def take_turn(self, record_id: bytes) -> None:
        """Submit a record (its id, 32 bytes) as soon as it has enough signatures: it is our turn, whoever signed it."""
        self._ours.add(record_id)

    def is_our_turn(self, record_id: bytes, ballot: Ballot, index: int) -> bool:
        """Return whether to submit a record now. `index` is our number in the oracle set."""
        since = self._enough_since.get(record_id)
        rank = 0 if record_id in self._ours else sorted(ballot.signatures).index(index)
        return since is not None and self._clock() - since >= rank * TURN

    def asked_for(self) -> frozenset[bytes]:
        """Return the releases (manifest digests, 32 bytes) that others proposed when we last read."""
        return frozenset(self._asked)

    def _take(self, data: bytes, where: str, seats: Mapping[str, Seat]) -> None:
        one = self._verify(data, where)
        if one.signer in seats:  # a stranger's signature costs no memory
            self._asked.add(one.fields.manifest_digest)
            kept = self._others.setdefault(one.signer, OrderedDict())
            kept[one.record_id] = one
            kept.move_to_end(one.record_id)
            if len(kept) > OFFERED_MAX:
                kept.popitem(last=False)

    def _verify(self, data: bytes, where: str) -> SignedProposal:
        known = self._verified.get(data)
        if known is None:
            proposal = parse_proposal(data, where)
            known = verify_proposal(proposal, chain_id=self._chain_id, registry=self._registry, where=where)
            self._verified[data] = known
            if len(self._verified) > OFFERED_MAX * (1 + self._places.count):
                self._verified.popitem(last=False)
        return known
