"""Tests of the troubles that a look at a real registry and account finds. /readyz shows each, see test_conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import DevAccount
from provenance_oracle.oracle.chain.ledger import Peers
from provenance_oracle.oracle.conditions import BLOCKING, Trouble
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals
from provenance_oracle.oracle.quorum.moments import Moments
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.world import LIMITS, World

pytestmark = pytest.mark.chain


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[World]:
    made = World(registry, tmp_path)
    yield made
    made.journal.close()


def test_an_oracle_that_can_record_has_no_trouble(world: World) -> None:
    assert world.writer.troubles() == {}


def test_a_key_that_is_not_in_the_oracle_set_is_a_trouble(world: World) -> None:
    world.registry = replace(world.registry, oracles=(world.registry.stranger,))
    found = world.connected().troubles()
    assert set(found) == {Trouble.KEY} <= BLOCKING
    assert world.registry.stranger.address.lower() in found[Trouble.KEY].lower()


def test_a_threshold_of_two_is_a_trouble_without_peers_only(world: World) -> None:
    world.journal.close()
    world.journal = Journal(world.path.with_name("other.db"))
    world.registry = deploy_registry(world.registry.chain, oracles=2, threshold=2)
    found = world.connected().troubles()
    assert set(found) == {Trouble.QUORUM} <= BLOCKING
    assert "weight is 1, the threshold 2" in found[Trouble.QUORUM]
    assert world.connected(peers=Peers((), Moments(), OwnProposals())).troubles() == {}


def test_paused_writes_are_a_trouble_until_they_go_on(world: World) -> None:
    registry = world.registry
    registry.send(registry.contract.functions.pauseWrites(), registry.guardian)
    assert set(world.looking().troubles()) == {Trouble.PAUSED} <= BLOCKING
    registry.send(registry.contract.functions.resumeWrites(), registry.owner)
    assert world.looking().troubles() == {}


def test_an_account_without_money_is_a_trouble_and_too_high_fees_are_another(world: World) -> None:
    dear = replace(LIMITS, max_fee_wei=1)
    assert set(world.connected(limits=dear).troubles()) == {Trouble.FEES}
    world.payer = DevAccount("0x" + "00" * 20, b"\x01" * 32)
    found = world.connected().troubles()
    assert set(found) == {Trouble.FUNDS} <= BLOCKING
    assert "holds 0 wei" in found[Trouble.FUNDS]
