"""Tests of which endpoints serve, which are set aside, and when a person must act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from provenance_oracle.oracle.chain.endpoints import EndpointPlace, Endpoints
from provenance_oracle.oracle.chain.finality import Endpoint
from provenance_oracle.oracle.chain.rpc import NewestBlock
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from tests.support.fakes import REGISTRY, START, Clock, FakeChain

PUBLIC_CHAIN = 10


@dataclass
class Nodes:
    """Nodes by name, each with its own chain, and a survey over them."""

    names: tuple[str, ...] = ("a", "b")
    clock: Clock = field(default_factory=Clock)
    pins: dict[str, str] = field(default_factory=dict)
    opening: dict[str, Callable[[], object]] = field(default_factory=dict)
    age_max: int = 1_000_000

    def __post_init__(self) -> None:
        self.chains = {name: FakeChain() for name in self.names}
        for chain in self.chains.values():
            chain.facts = replace(chain.facts, chain_id=PUBLIC_CHAIN)
        places = [EndpointPlace(name, partial(self._open, name)) for name in self.names]
        facts: Any = {"head_age_max_seconds": self.age_max, "clock": self.clock}
        self.endpoints: Endpoints[None] = Endpoints(places, contract=REGISTRY, pinned=lambda: self.pins, **facts)

    def _open(self, name: str) -> Endpoint[None]:
        self.opening.get(name, lambda: None)()
        return Endpoint(self.chains[name], None, name)

    def serving(self) -> list[str]:
        return [one.where for one in self.endpoints.survey()[0]]

    def fail(self, name: str, error: Exception | None) -> None:
        chain = FakeChain()

        def look() -> NewestBlock:
            if error is not None:
                raise error
            return chain.look()

        self.chains[name].look = look  # type: ignore[method-assign]


def raising(error: Exception) -> Callable[[], object]:
    def step() -> object:
        raise error

    return step


def test_the_first_endpoint_that_serves_comes_first_and_one_that_fails_is_tried_again_later() -> None:
    nodes = Nodes()
    nodes.fail("a", TemporaryError("down"))
    assert nodes.serving() == ["b"]
    assert nodes.endpoints.problems == {"a": "down"}
    nodes.fail("a", None)
    assert nodes.serving() == ["b"]
    nodes.clock.advance(15)
    assert nodes.serving() == ["a", "b"]
    assert nodes.endpoints.problems == {}


def test_an_endpoint_that_cannot_be_opened_is_set_aside() -> None:
    nodes = Nodes(opening={"a": raising(TemporaryError("refused"))})
    assert nodes.serving() == ["b"]


def test_an_endpoint_behind_the_others_is_set_aside() -> None:
    nodes = Nodes()
    nodes.chains["b"].blocks += [[]] * 64
    assert nodes.serving() == ["a", "b"]
    nodes.chains["b"].blocks += [[]]
    assert nodes.serving() == ["b"]
    assert "lags behind: got block 1, wanted about 66" in nodes.endpoints.problems["a"]


def test_an_endpoint_with_an_old_block_is_set_aside_except_on_a_local_chain() -> None:
    nodes = Nodes(names=("a",), age_max=60)
    nodes.clock.now = START + timedelta(seconds=60)
    assert nodes.serving() == ["a"]
    nodes.clock.advance(1)
    with pytest.raises(TemporaryError, match="its newest block is 61 s old, wanted at most 60 s"):
        nodes.serving()
    nodes.chains["a"].facts = replace(nodes.chains["a"].facts, chain_id=31337)
    assert nodes.serving() == ["a"]


def test_if_none_serves_all_are_tried_at_the_next_survey() -> None:
    nodes = Nodes()
    for name in nodes.names:
        nodes.fail(name, TemporaryError(f"{name} down"))
    with pytest.raises(TemporaryError, match="no endpoint of the chain serves now: got a: a down; b: b down"):
        nodes.serving()
    for name in nodes.names:
        nodes.fail(name, None)
    assert nodes.serving() == ["a", "b"]


def test_endpoints_of_different_chains_decide_nothing_while_the_journal_knows_no_chain() -> None:
    nodes = Nodes()
    nodes.chains["b"].facts = replace(nodes.chains["b"].facts, genesis_block=b"\x09" * 32)
    with pytest.raises(TemporaryError, match="a and b: the nodes disagree"):
        nodes.serving()
    nodes.pins = nodes.chains["a"].facts.pins()
    nodes.clock.advance(600)
    assert nodes.serving() == ["a"]
    assert "genesis block is not the one" in nodes.endpoints.problems["b"]


@pytest.mark.parametrize("wrong", [0, 1])
@pytest.mark.parametrize("fact", [{"chain_id": 1}, {"genesis_block": b"\x09"}, {"registry_code_sha256": b"\x09"}])
def test_a_journal_begins_with_no_chain_that_a_node_named_only_once(fact: dict[str, Any], wrong: int) -> None:
    nodes = Nodes(names=("a",))
    true = nodes.chains["a"].facts
    answers = [true, true]
    answers[wrong] = replace(true, **fact)
    nodes.chains["a"].identity = lambda _contract: answers.pop(0) if answers else true  # type: ignore[method-assign]
    with pytest.raises(TemporaryError, match="a: a node changes its answer"):
        nodes.endpoints.survey()
    nodes.clock.advance(15)
    assert nodes.endpoints.survey()[1] == true


def test_the_identity_is_asked_once_and_again_after_a_failure_or_ten_minutes() -> None:
    nodes, asked = Nodes(names=("a",)), []
    identity, nodes.pins = nodes.chains["a"].identity, nodes.chains["a"].facts.pins()
    nodes.chains["a"].identity = lambda contract: asked.append(contract) or identity(contract)  # type: ignore
    for _ in range(3):
        nodes.serving()
    assert len(asked) == 1
    nodes.fail("a", TemporaryError("down"))
    with pytest.raises(TemporaryError):
        nodes.serving()
    nodes.fail("a", None)
    nodes.serving()
    assert len(asked) == 2
    nodes.clock.advance(600)
    nodes.serving()
    assert len(asked) == 3


def test_a_wrong_setting_at_the_start_is_told_at_once() -> None:
    wrong = UsageError("the node has another chain", got="5")
    nodes = Nodes(opening={"a": raising(wrong), "b": raising(wrong)})
    with pytest.raises(UsageError, match="the node has another chain: 5: got the same from all endpoints"):
        nodes.serving()


def test_one_endpoint_of_another_chain_ends_nothing() -> None:
    nodes = Nodes(opening={"a": raising(UsageError("the node has another chain", got="5"))})
    for _ in range(9):
        assert nodes.serving() == ["b"]
        nodes.clock.advance(600)


def test_endpoints_that_differ_about_the_other_chain_end_nothing() -> None:
    answers = {"a": raising(UsageError("another", got="5")), "b": raising(UsageError("another", got="6"))}
    nodes = Nodes(opening=answers)
    for _ in range(9):
        with pytest.raises(TemporaryError):
            nodes.serving()


def test_false_answers_while_the_service_runs_end_it_only_if_they_last() -> None:
    nodes = Nodes(names=("a",))
    nodes.serving()
    nodes.fail("a", UsageError("another", got="5"))
    for _ in range(2):
        with pytest.raises(TemporaryError):
            nodes.serving()
    nodes.fail("a", None)
    nodes.serving()
    nodes.fail("a", UsageError("another", got="5"))
    for _ in range(2):
        with pytest.raises(TemporaryError):
            nodes.serving()
    with pytest.raises(UsageError):
        nodes.serving()


def looks(nodes: Nodes, name: str) -> list[int]:
    """Return the list that gets an entry for each look through an endpoint."""
    made: list[int] = []
    look = nodes.chains[name].look
    nodes.chains[name].look = lambda: made.append(1) or look()  # type: ignore
    return made


def test_the_waits_of_an_endpoint_that_fails_double_up_to_ten_minutes() -> None:
    nodes = Nodes()
    nodes.fail("a", TemporaryError("down"))
    made, waits = looks(nodes, "a"), []
    nodes.serving()
    for _ in range(8):
        seconds = 0
        while len(made) == len(waits) + 1:
            nodes.clock.advance(15)
            seconds += 15
            nodes.serving()
        waits.append(seconds)
    assert waits == [15, 30, 60, 120, 240, 480, 600, 600]


def test_a_clock_that_was_set_back_makes_no_endpoint_wait_longer() -> None:
    nodes = Nodes()
    nodes.fail("a", TemporaryError("down"))
    nodes.serving()
    nodes.fail("a", None)
    nodes.clock.advance(-3600)
    assert nodes.serving() == ["a", "b"]


def test_an_identity_from_the_future_is_asked_again() -> None:
    nodes, asked = Nodes(names=("a",)), []
    identity, nodes.pins = nodes.chains["a"].identity, nodes.chains["a"].facts.pins()
    nodes.chains["a"].identity = lambda contract: asked.append(contract) or identity(contract)  # type: ignore
    nodes.serving()
    nodes.clock.advance(-1)
    nodes.serving()
    assert len(asked) == 2
