"""Tests of the troubles for which an oracle can record nothing: one test for each, in which only that one stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.obstacles import RECORD_GAS, Obstacles
from provenance_oracle.oracle.chain.rpc import Prices
from provenance_oracle.oracle.conditions import Trouble
from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.fakes import ADDRESS, GWEI, Clock, FakeChain

REPORTER = "0x00000000000000000000000000000000000000cc"
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)
BLOCK = 1


@dataclass
class Watched:
    """A registry with one oracle set."""

    set: dict[str, Seat] = field(default_factory=lambda: {REPORTER: Seat(1, 0, 1, 1)})
    paused: bool = False

    def seats(self, *, block: int, at: datetime) -> dict[str, Seat]:
        assert block == BLOCK
        return self.set

    def is_paused(self, *, block: int) -> bool:
        assert block == BLOCK
        return self.paused


@dataclass
class Place:
    """An oracle without a trouble, in which a test makes one."""

    chain: FakeChain = field(default_factory=FakeChain)
    registry: Watched = field(default_factory=Watched)
    balances: list[int] = field(default_factory=list)

    def find(self, *, is_alone: bool = True) -> dict[Trouble, str]:
        finality: Finality[Any] = Finality((Endpoint(self.chain, self.registry, "node"),), 0)
        meter = Meter()
        meter.balance = self.balances.append  # type: ignore[method-assign]
        names = {"payer": ADDRESS, "reporter": REPORTER}
        obstacles = Obstacles(finality, LIMITS, **names, clock=Clock(), is_alone=is_alone, meter=meter)
        return obstacles.find(BLOCK)


def test_an_oracle_that_can_record_has_no_trouble() -> None:
    place = Place()
    assert place.find() == {}
    assert place.balances == [place.chain.money]


def test_a_key_that_is_not_in_the_set_is_told_with_its_address() -> None:
    place = Place(registry=Watched(set={ADDRESS: Seat(1, 0, 1, 1)}))
    assert place.find() == {Trouble.KEY: f"the key {REPORTER} is not in the registry's oracle set"}


def test_a_weight_below_the_threshold_is_a_trouble_of_an_oracle_that_collects_no_signatures() -> None:
    place = Place(registry=Watched(set={REPORTER: Seat(1, 0, 2, 3)}))
    words = "a record needs signatures of other oracles: this oracle's weight is 2, the threshold 3"
    assert place.find() == {Trouble.QUORUM: words}
    assert place.find(is_alone=False) == {}


def test_a_weight_that_is_the_threshold_is_enough() -> None:
    assert Place(registry=Watched(set={REPORTER: Seat(1, 0, 3, 3)})).find() == {}


def test_a_registry_whose_writes_are_stopped_is_told() -> None:
    place = Place(registry=Watched(paused=True))
    assert place.find() == {Trouble.PAUSED: "the registry's guardian has stopped all writes"}


def test_an_account_must_hold_what_a_record_may_need() -> None:
    place = Place()
    needed = 3 * GWEI * RECORD_GAS  # twice the base fee, and the tip
    place.chain.money = needed
    assert place.find() == {}
    place.chain.money -= 1
    words = f"the account {ADDRESS} holds {needed - 1} wei, and a record may need {needed}"
    assert place.find() == {Trouble.FUNDS: words}


def test_fees_above_the_limit_are_told_with_the_setting() -> None:
    place = Place()
    place.chain.prices_now = Prices(LIMITS.max_fee_wei, GWEI)
    [(trouble, words)] = place.find().items()
    assert trouble is Trouble.FEES
    assert "raise the setting max_fee_gwei" in words


@pytest.mark.parametrize("money", [0, 10**18])
def test_troubles_of_registry_and_account_are_told_together(money: int) -> None:
    place = Place(registry=Watched(set={}, paused=True))
    place.chain.money = money
    assert place.find().keys() == {Trouble.KEY, Trouble.PAUSED} | ({Trouble.FUNDS} if money == 0 else set())
