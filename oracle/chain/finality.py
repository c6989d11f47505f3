"""Decide when the chain's state is final: deep enough, and the same at every endpoint.

A node may answer falsely once, and a fork may take away a block that it showed. So the oracle closes a row of the
journal only over an answer about a block below the confirmation depth that each configured endpoint gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from provenance_oracle.oracle.chain.rpc import Chain
from provenance_oracle.verifier.errors import TemporaryError

_T = TypeVar("_T")
_R_co = TypeVar("_R_co", covariant=True)
LAG_BLOCKS = 64  # nodes of one chain rarely have the same newest block


@dataclass(frozen=True)
class Endpoint(Generic[_R_co]):
    """One node: the chain and the registry as it shows them. `where` names it in messages."""

    chain: Chain
    registry: _R_co
    where: str


class Finality(Generic[_R_co]):
    """The endpoints that must agree. The first one is asked for everything, the others only for what decides.

    Args:
        confirmations: number of blocks on top of a block that make it final; None if the chain's own tag `finalized`
            says it.
        needed: how many endpoints must answer what decides.
    """

    def __init__(self, endpoints: tuple[Endpoint[_R_co], ...], confirmations: int | None, needed: int = 1) -> None:
        self._first, *self._others = endpoints
        self._confirmations = confirmations
        self._needed = needed
        self._obstacle = ""
        self._set_aside: Mapping[str, str] = {}

    @property
    def first(self) -> Endpoint[_R_co]:
        """The endpoint that is asked for everything."""
        return self._first

    @property
    def all(self) -> tuple[Endpoint[_R_co], ...]:
        """All endpoints that serve now, the first one first."""
        return (self._first, *self._others)

    def use(self, endpoints: tuple[Endpoint[_R_co], ...], set_aside: Mapping[str, str]) -> None:
        """Ask these endpoints from now on, one or more.

        Args:
            set_aside: why each other endpoint does not serve, by its name, for messages.
        """
        self._first, *self._others = endpoints
        self._set_aside = set_aside

    def final_block(self, head: int) -> int:
        """Return the newest block that counts as final below `head` at each endpoint; negative if none does."""
        if self._confirmations is None:
            return min([head, *(one.chain.finalized() for one in self.all)])
        return self._common(head - self._confirmations)

    def broadcast(self, raw: bytes) -> str:
        """Send a signed transaction through every endpoint. Return the first one's objection, "" if it has none.

        Raises:
            TemporaryError: no endpoint answers.
        """
        said: list[str] = []
        failures: list[TemporaryError] = []
        for one in self.all:
            try:
                said.append(one.chain.send(raw))
            except TemporaryError as error:
                failures.append(error)
        if not said:
            raise failures[0]
        return said[0]

    @property
    def obstacle(self) -> str:
        """Why the first endpoint failed at the last question about a final block; empty if it answered."""
        return self._obstacle

    def agreed(self, ask: Callable[[Endpoint[_R_co]], _T]) -> _T:
        """Return the answer that all endpoints give.

        Raises:
            TemporaryError: two answers differ, or a node fails.
        """
        return self._confirmed(ask(self._first), ask)

    def at_newest(self, ask: Callable[[Endpoint[_R_co], int], _T], head: int) -> _T:
        """Return the answer that all endpoints give about the newest block that all of them have.

        Raises:
            TemporaryError: two answers differ, a node fails, or one lags far behind.
        """
        block = self._common(head)
        return self.agreed(lambda one: ask(one, block))

    def at_depth(self, ask: Callable[[Endpoint[_R_co], int], _T], head: int) -> _T | None:
        """Return the answer about the newest final block that all endpoints give.

        Args:
            ask: asks an endpoint about a block.
            head: the number of the newest block.

        Returns:
            None if the first endpoint has no answer: its answer is None, 0 or False, or it fails. It also fails for a
            block before the registry was deployed, where nothing is final.

        Raises:
            TemporaryError: another endpoint gives another answer, fails, or lags far behind.
        """
        block = self.final_block(head)
        self._obstacle = ""
        try:
            found = ask(self._first, block) if block >= 0 else None
        except TemporaryError as error:
            self._obstacle = f"no state of block {block}: {error}"
            return None
        return self._confirmed(found, lambda one: ask(one, block)) if found else None

    def used_nonces(self, address: str, head: int) -> int:
        """Return the number of nonces of an account that are used up in the final blocks of every endpoint."""
        block = self.final_block(head)
        self._require_enough()
        return min(one.chain.nonce(address, block) for one in self.all) if block >= 0 else 0

    def succeeded(self, transaction_hash: bytes) -> bool:
        """Return whether any endpoint shows that a transaction (hash of 32 bytes) took effect."""
        return any(found.succeeded for one in self.all if (found := one.chain.receipt(transaction_hash)))

    def _common(self, block: int) -> int:
        """Return the newest block up to `block` that every endpoint has."""
        newest = min([block, *(one.chain.head() for one in self._others)])
        if newest < block - LAG_BLOCKS:
            got, wanted = f"block {newest}", f"block {block}; see rpc_urls"
            raise TemporaryError("the second node lags behind", where=self._others[0].where, got=got, wanted=wanted)
        return newest

    def _require_enough(self) -> None:
        if len(self.all) < self._needed:
            raise TemporaryError(
                "too few endpoints serve now to decide anything",
                where=self._first.where,
                got="; ".join([f"{len(self.all)} of the endpoints in rpc_urls", *self._reasons()]),
                wanted=f"{self._needed} that answer the same",
            )

    def _reasons(self) -> Iterator[str]:
        for where, problem in self._set_aside.items():
            yield f"{where}: {problem}"

    def _confirmed(self, found: _T, ask: Callable[[Endpoint[_R_co]], _T]) -> _T:
        self._require_enough()
        for other in self._others:
            if ask(other) != found:
                raise TemporaryError(
                    "the nodes disagree; nothing is decided until they agree",
                    where=f"{self._first.where} and {other.where}",
                    got="two answers to one question",
                    wanted="the same answer; see rpc_urls",
                )
        return found
