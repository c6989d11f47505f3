"""Tests of the oracle set in force: a key's place in it, and nodes that lie about it."""

from __future__ import annotations

import pytest

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    checksummed,
    deploy_registry,
    oracle_tuple,
)
from tests.support.fake_nodes import lying, telling_calls, with_word

pytestmark = pytest.mark.chain


def test_a_key_of_the_set_has_a_seat_and_no_other_key_has_one(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=3, threshold=4, weights=(1, 2, 3))
    reader = registry.reader()
    for index, oracle in enumerate(registry.oracles):
        for text in (oracle.address, checksummed(oracle)):
            assert reader.seat(text) == Seat(epoch=1, index=index, weight=index + 1, threshold=4)
    assert reader.seat(registry.stranger.address) is None
    with pytest.raises(UsageError, match="the text is not an address"):
        reader.seat("nobody")


def test_a_seat_is_that_of_a_block(registry: DeployedRegistry) -> None:
    reader, block = registry.reader(), registry.contract.w3.eth.block_number
    newcomer = registry.chain.accounts[30]
    oracles = [oracle_tuple(newcomer, weight=5)]
    registry.send(registry.contract.functions.scheduleOracles(oracles, 5), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(registry.contract.functions.activateOracles(oracles, 5), registry.stranger)
    assert reader.seat(newcomer.address) == Seat(epoch=2, index=0, weight=5, threshold=5)
    assert reader.seat(registry.oracle.address) is None
    assert reader.seat(newcomer.address, block=block) is None
    assert reader.seat(registry.oracle.address, block=block) == Seat(epoch=1, index=0, weight=1, threshold=1)


def test_a_policy_s_number_is_that_of_a_block(registry: DeployedRegistry) -> None:
    reader, block = registry.reader(), registry.contract.w3.eth.block_number
    number = registry.policy_id(b"\x05" * 32)
    assert (reader.policy_id(b"\x05" * 32), reader.policy_id(b"\x05" * 32, block=block)) == (number, 0)


@pytest.mark.parametrize(
    ("function", "word", "value"),
    [
        ("currentEpoch", 0, 2**16),
        ("epochOf", 0, 2**16),
        ("epochOf", 1, 2**8),
        ("epochOf", 2, 2**40),
        ("oracleAt", 0, 2**160),
        ("oracleAt", 1, 2**16),
        ("oracleAt", 4, 1),
    ],
)
def test_impossible_answers_are_temporary(registry: DeployedRegistry, function: str, word: int, value: int) -> None:
    with lying(registry, telling_calls(function, lambda data: with_word(data, word, value))) as (url, _):
        reader = RegistryReader(url, registry.address)
        with pytest.raises(TemporaryError):
            reader.seat(registry.oracle.address)


@pytest.mark.parametrize("function", ["currentEpoch", "epochOf", "oracleAt", "policyIdOf"])
@pytest.mark.parametrize("answer", ["0x", "0x" + "00" * 31])
def test_short_answers_are_temporary(registry: DeployedRegistry, function: str, answer: str) -> None:
    with lying(registry, telling_calls(function, lambda _data: answer)) as (url, _):
        reader = RegistryReader(url, registry.address)
        with pytest.raises(TemporaryError):
            (reader.seat(registry.oracle.address), reader.policy_id(b"\x05" * 32))
