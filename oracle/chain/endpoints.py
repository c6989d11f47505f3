"""The endpoints of one chain: which of them serve now, and which are set aside, for how long and why.

One wrong answer ends nothing. An endpoint that fails, lags behind, or shows another chain or contract is set aside and
tried again later. Only if all endpoints say again and again that it is another chain or contract must a person act.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from provenance_oracle.oracle.chain.finality import LAG_BLOCKS, Endpoint
from provenance_oracle.oracle.chain.rpc import ChainIdentity, NewestBlock
from provenance_oracle.oracle.signers.base import LOCAL_CHAIN_IDS
from provenance_oracle.verifier.errors import TemporaryError, UsageError

_log = logging.getLogger(__name__)
_R_co = TypeVar("_R_co", covariant=True)
_IDENTITY_AGE_MAX = timedelta(minutes=10)
_FIRST_WAIT = timedelta(seconds=15)
_WAIT_MAX = timedelta(minutes=10)
# How often all endpoints must say that it is another chain, before the first survey that worked, and after it.
_FOREIGN_AT_START = 2
_FOREIGN_LATER = 6


@dataclass(frozen=True)
class EndpointPlace(Generic[_R_co]):
    """An endpoint that may not be open yet. `where` names it in messages.

    `open` connects. It raises UsageError if the node has another chain or contract, and TemporaryError if it fails.
    """

    where: str
    open: Callable[[], Endpoint[_R_co]]


@dataclass
class _Watched(Generic[_R_co]):
    """The present knowledge about one endpoint."""

    place: EndpointPlace[_R_co]
    endpoint: Endpoint[_R_co] | None = None
    identity: ChainIdentity | None = None
    identified_at: datetime | None = None
    look: NewestBlock | None = None
    problem: str = ""
    until: datetime | None = None
    failures: int = 0
    foreign: list[str] = field(default_factory=list)


class Endpoints(Generic[_R_co]):
    """Finds the endpoints that serve now.

    Args:
        places: one or more, best first.
        contract: address of the registry, 0x and 40 hex digits.
        pinned: returns the facts of `ChainIdentity.pins` that must hold, by name; empty at the first start.
        head_age_max_seconds: age of the newest block from which an endpoint counts as lagging, except on local chains.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self,
        places: Sequence[EndpointPlace[_R_co]],
        *,
        contract: str,
        pinned: Callable[[], Mapping[str, str]],
        head_age_max_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._watched = [_Watched(place) for place in places]
        self._contract = contract
        self._pinned = pinned
        self._age_max = timedelta(seconds=head_age_max_seconds)
        self._clock = clock
        self._has_worked = False

    @property
    def problems(self) -> Mapping[str, str]:
        """Why each endpoint that is set aside does not serve, by its name."""
        return {one.place.where: one.problem for one in self._watched if one.problem}

    @property
    def newest_time(self) -> datetime | None:
        """The time of the newest block that the first serving endpoint showed at the last survey; None before it."""
        return next((one.look.head_time for one in self._watched if one.look is not None), None)

    def survey(self) -> tuple[tuple[Endpoint[_R_co], ...], ChainIdentity]:
        """Take a look at the newest block through each endpoint, and return those that serve, best first.

        Returns:
            The endpoints, at least one, and the facts about chain and contract in which they agree.

        Raises:
            UsageError: all endpoints said again and again that it is another chain or contract.
            TemporaryError: none serves now, or they show different chains and the journal knows none yet.
        """
        now, pinned = self._clock(), self._pinned()
        asked = [one for one in self._watched if one.until is None or not now < one.until <= now + _WAIT_MAX]
        for one in asked or self._watched:
            self._ask(one, pinned, now)
        self._set_laggards_aside(now)
        serving = [one for one in self._watched if one.look is not None]
        if not serving:
            self._refuse_if_foreign()
            told = "; ".join(f"{one.place.where}: {one.problem}" for one in self._watched)
            raise TemporaryError("no endpoint of the chain serves now", where="rpc_urls", got=told, wanted="one")
        identities = {one.identity: one.place.where for one in reversed(serving)}
        if len(identities) > 1:
            where = " and ".join(sorted(identities.values()))
            raise TemporaryError(
                "the nodes disagree; nothing is decided until they agree",
                where=where,
                got="different chains or contracts",
                wanted="the same chain; see rpc_urls",
            )
        self._has_worked = True
        identity = serving[0].identity
        assert identity is not None
        return tuple(one.endpoint for one in serving if one.endpoint is not None), identity

    def _ask(self, one: _Watched[_R_co], pinned: Mapping[str, str], now: datetime) -> None:
        for _ in range(2):  # a node that is about to update, or one of several behind one URL, answers better next time
            known = len(one.foreign)
            self._ask_once(one, pinned, now)
            if len(one.foreign) <= known:
                return

    def _ask_once(self, one: _Watched[_R_co], pinned: Mapping[str, str], now: datetime) -> None:
        one.look = None
        try:
            if one.endpoint is None:
                one.endpoint = one.place.open()
            is_old = one.identified_at is None or not timedelta() <= now - one.identified_at < _IDENTITY_AGE_MAX
            look = one.endpoint.chain.look()
            if one.identity is None or is_old or one.problem:
                one.identity = one.endpoint.chain.identity(self._contract)
                match_pins(one.identity, pinned, one.place.where)
                if not pinned:
                    look = self._look_again(one)
                one.identified_at = now
        except UsageError as error:
            one.foreign.append(f"{error.problem}: {error.got}")
            self._set_aside(one, str(error), now)
        except TemporaryError as error:
            self._set_aside(one, str(error), now)
        else:
            if one.problem:
                _log.info("%s serves again", one.place.where)
            one.look, one.problem, one.until, one.failures, one.foreign = look, "", None, 0, []

    def _look_again(self, one: _Watched[_R_co]) -> NewestBlock:
        """Ask again for the facts that the journal is about to begin with: one wrong answer must not decide them.

        Raises:
            TemporaryError: the second answer is another one.
        """
        assert one.endpoint is not None
        assert one.identity is not None
        look, again = one.endpoint.chain.look(), one.endpoint.chain.identity(self._contract)
        if again != one.identity:
            got, wanted = f"chain {again.chain_id} after chain {one.identity.chain_id}", "the same facts twice"
            raise TemporaryError("a node changes its answer", where=one.place.where, got=got, wanted=wanted)
        return look

    def _set_aside(self, one: _Watched[_R_co], problem: str, now: datetime) -> None:
        if problem != one.problem:
            _log.warning("%s is set aside: %s", one.place.where, problem)
        one.look, one.problem, one.identity = None, problem, None
        one.until = now + min(_FIRST_WAIT * 2 ** min(one.failures, 10), _WAIT_MAX)
        one.failures += 1

    def _set_laggards_aside(self, now: datetime) -> None:
        heads = [one.look.head for one in self._watched if one.look]
        for one in self._watched:
            look = one.look
            if look is None or one.identity is None:
                continue
            if look.head < max(heads) - LAG_BLOCKS:
                problem = f"lags behind: got block {look.head}, wanted about {max(heads)}"
                self._set_aside(one, problem, now)
            elif now - look.head_time > self._age_max and one.identity.chain_id not in LOCAL_CHAIN_IDS:
                age = int((now - look.head_time).total_seconds())
                limit = int(self._age_max.total_seconds())
                problem = f"lags behind: its newest block is {age} s old, wanted at most {limit} s"
                self._set_aside(one, f"{problem} (head_age_max_seconds)", now)

    def _refuse_if_foreign(self) -> None:
        needed = _FOREIGN_LATER if self._has_worked else _FOREIGN_AT_START
        lasts = [one.foreign[-needed:] for one in self._watched]
        if all(len(last) == needed for last in lasts) and len({told for last in lasts for told in last}) == 1:
            raise UsageError(
                lasts[0][0],
                where=", ".join(one.place.where for one in self._watched),
                got="the same from all endpoints, more than once",
                wanted="the chain and the contract of this journal; see rpc_urls and registry",
            )


def match_pins(identity: ChainIdentity, pinned: Mapping[str, str], where: str) -> None:
    """Raise UsageError if a fact about the chain differs from the one that the journal keeps."""
    for name, got in identity.pins().items():
        wanted = pinned.get(name, got)
        if got != wanted:
            problem = f"{name} is not the one that this journal began with"
            raise UsageError(problem, where=where, got=got, wanted=wanted)
