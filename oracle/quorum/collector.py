"""Collect the other oracles' proposals, and decide with them when a record of ours has enough signatures.

Every oracle does this for itself and trusts no other collector: it counts only signatures over exactly the bytes that
it signs itself. An oracle that has enough submits the record. They take turns by their numbers in the set, so that
normally one transaction is sent; a second one changes nothing.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from provenance_oracle.oracle.quorum.ballot import Ballot, count_ballot
from provenance_oracle.oracle.quorum.exchange import OFFERED_MAX, Exchange
from provenance_oracle.oracle.quorum.proposal import (
    Proposal,
    SignedProposal,
    encode_proposal,
    parse_proposal,
    verify_proposal,
)
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# How long an oracle leaves the record to those with lower numbers that signed it too.
TURN = timedelta(seconds=60)
# A place that fails is left alone for a while, so that one that hangs does not hold up every pass.
_WAIT_FIRST = timedelta(seconds=10)
_WAIT_MAX = timedelta(minutes=5)
_DOUBLINGS_MAX = 10


class Collector:
    """The proposals of one registry's oracles.

    Args:
        exchanges: the places where proposals are read and offered.
        registry: its address, 20 bytes.
        clock: returns the time now, with a time zone.

    Attributes:
        problems: by the name of a place, why it could not be used at the last pass.
    """

    def __init__(
        self, exchanges: Sequence[Exchange], *, chain_id: int, registry: bytes, clock: Callable[[], datetime]
    ) -> None:
        self.problems: dict[str, str] = {}
        self._exchanges = exchanges
        self._chain_id = chain_id
        self._registry = registry
        self._clock = clock
        self._others: dict[str, OrderedDict[bytes, SignedProposal]] = {}  # by signer and record id
        self._failed: dict[str, tuple[int, datetime]] = {}  # by place: consecutive failures, and when to try again
        self._own: dict[bytes, bytes] = {}
        self._enough_since: dict[bytes, datetime] = {}
        self._verified: OrderedDict[bytes, SignedProposal] = OrderedDict()  # by bytes: most come again at every pass

    def exchange(self, seats: Mapping[str, Seat]) -> None:
        """Offer the proposals that `ballot` got since the last exchange, withdraw all others, and read anew.

        A place that fails is named in the log once.

        Args:
            seats: by address, the oracle set in force. Proposals of other keys are left out.
        """
        offered = dict(self._own)
        self._own.clear()
        self._enough_since = {key: at for key, at in self._enough_since.items() if key in offered}
        for place in self._exchanges:
            failures, retry_at = self._failed.get(place.where, (0, self._clock()))
            if self._clock() < retry_at:
                continue
            try:
                place.offer(offered)
                self._read(place, seats)
                self.problems.pop(place.where, None)
                self._failed.pop(place.where, None)
            except TemporaryError as error:
                self._note(place, printable(str(error)))
                wait = min(_WAIT_MAX, _WAIT_FIRST * 2 ** min(failures, _DOUBLINGS_MAX))
                self._failed[place.where] = failures + 1, self._clock() + wait

    def ballot(self, proposal: Proposal, seats: Mapping[str, Seat]) -> Ballot:
        """Offer our own proposal to the others, and count the signatures for it.

        Raises:
            VerificationError: it is not signed by us, or for another registry.
        """
        own = verify_proposal(proposal, chain_id=self._chain_id, registry=self._registry, where="our own proposal")
        if len(self._own) < OFFERED_MAX:
            self._own[own.record_id] = encode_proposal(proposal)
        others = [kept[own.record_id] for kept in self._others.values() if own.record_id in kept]
        ballot = count_ballot(own, others, seats, now=self._clock())
        if ballot.is_enough:
            self._enough_since.setdefault(own.record_id, self._clock())
        return ballot

    def is_our_turn(self, record_id: bytes, ballot: Ballot, index: int) -> bool:
        """Return whether to submit a record now. `index` is our number in the oracle set."""
        since = self._enough_since.get(record_id)
        rank = sorted(ballot.signatures).index(index)
        return since is not None and self._clock() - since >= rank * TURN

    def _read(self, exchange: Exchange, seats: Mapping[str, Seat]) -> None:
        for data in exchange.read():
            try:
                one = self._verify(data, exchange.where)
            except ProvenanceError as error:
                _log.debug("%s: a proposal is left out: %s", exchange.where, printable(str(error)))
                continue
            if one.signer in seats:  # a stranger's signature costs no memory
                kept = self._others.setdefault(one.signer, OrderedDict())
                kept[one.record_id] = one
                kept.move_to_end(one.record_id)
                if len(kept) > OFFERED_MAX:
                    kept.popitem(last=False)
        self._others = {signer: kept for signer, kept in self._others.items() if signer in seats}

    def _verify(self, data: bytes, where: str) -> SignedProposal:
        known = self._verified.get(data)
        if known is None:
            proposal = parse_proposal(data, where)
            known = verify_proposal(proposal, chain_id=self._chain_id, registry=self._registry, where=where)
            self._verified[data] = known
            if len(self._verified) > OFFERED_MAX * (1 + len(self._exchanges)):
                self._verified.popitem(last=False)
        return known

    def _note(self, place: Exchange, problem: str) -> None:
        if self.problems.get(place.where) != problem:
            _log.warning("other oracles' proposals: %s", problem)
        self.problems[place.where] = problem
