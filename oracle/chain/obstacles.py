"""Look for the troubles for which this oracle can record nothing now: its key, its money, the registry's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from provenance_oracle.oracle.chain.fees import FeeLimits, first_offer
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.verifier.registry.oracle_sets import Seat

# What a node reserves for the transaction of one record. It needs less (docs/contracts.md).
RECORD_GAS = 300_000


class Watched(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that is looked at."""

    def seats(self, *, block: int, at: datetime) -> Mapping[str, Seat]:
        """Return the places of the oracle set in force whose keys count at a moment, by address in checksum form."""

    def is_paused(self, *, block: int) -> bool:
        """Return whether the guardian has stopped all writes."""


class Obstacles:
    """Finds troubles of one oracle at one registry.

    Args:
        payer: address of the account that pays. reporter: address of the key that signs reports.
        clock: returns the time now, with a time zone.
        is_alone: whether no other oracles' signatures are collected.
        meter: gets the balance.
    """

    def __init__(
        self,
        finality: Finality[Watched],
        limits: FeeLimits,
        *,
        payer: str,
        reporter: str,
        clock: Callable[[], datetime],
        is_alone: bool = True,
        meter: Meter = SILENT,
    ) -> None:
        self._finality = finality
        self._limits = limits
        self._payer = payer
        self._reporter = reporter
        self._clock = clock
        self._is_alone = is_alone
        self._meter = meter

    def find(self, block: int) -> dict[Trouble, str]:
        """Return the reason of each trouble that stands in the state at `block`.

        Raises:
            TemporaryError: the node fails.
        """
        return self._of_registry(block) | self._of_account(block)

    def _of_registry(self, block: int) -> dict[Trouble, str]:
        registry = self._finality.first.registry
        found: dict[Trouble, str] = {}
        seat = registry.seats(block=block, at=self._clock()).get(self._reporter)
        if seat is None:
            found[Trouble.KEY] = f"the key {self._reporter} is not in the registry's oracle set"
        elif seat.weight < seat.threshold and self._is_alone:
            weights = f"this oracle's weight is {seat.weight}, the threshold {seat.threshold}"
            found[Trouble.QUORUM] = f"a record needs signatures of other oracles: {weights}"
        if registry.is_paused(block=block):
            found[Trouble.PAUSED] = "the registry's guardian has stopped all writes"
        return found

    def _of_account(self, block: int) -> dict[Trouble, str]:
        chain = self._finality.first.chain
        balance = chain.balance(self._payer, block)
        self._meter.balance(balance)
        try:
            needed = first_offer(chain.prices(), self._limits).max_fee_wei * RECORD_GAS
        except TroubleError as error:
            return {error.trouble: str(error)}
        if balance >= needed:
            return {}
        return {Trouble.FUNDS: f"the account {self._payer} holds {balance} wei, and a record may need {needed}"}
