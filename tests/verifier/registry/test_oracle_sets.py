"""Tests of the oracle set in force: a key's place in it, and nodes that lie about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.head import Block
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


def seats(reader: RegistryReader, *, block: Block = "latest") -> dict[str, Seat]:
    """Return the places of the set at the time of the newest block."""
    return reader.seats(block=block, at=datetime.fromtimestamp(reader.time(), UTC))


def test_every_key_of_the_set_has_its_place(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=3, threshold=4, weights=(1, 2, 3))
    assert seats(registry.reader()) == {
        checksummed(oracle): Seat(epoch=1, index=index, weight=index + 1, threshold=4)
        for index, oracle in enumerate(registry.oracles)
    }


def test_the_places_are_those_of_a_block(registry: DeployedRegistry) -> None:
    reader, block = registry.reader(), registry.contract.w3.eth.block_number
    newcomer = registry.chain.accounts[30]
    oracles = [oracle_tuple(newcomer, weight=5)]
    registry.send(registry.contract.functions.scheduleOracles(oracles, 5), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(registry.contract.functions.activateOracles(oracles, 5), registry.stranger)
    assert seats(reader) == {checksummed(newcomer): Seat(epoch=2, index=0, weight=5, threshold=5)}
    assert seats(reader, block=block) == {checksummed(registry.oracle): Seat(epoch=1, index=0, weight=1, threshold=1)}


def test_a_revoked_key_has_no_place(registry: DeployedRegistry) -> None:
    registry = deploy_registry(registry.chain, oracles=2, threshold=1)
    reader, first = registry.reader(), checksummed(registry.oracles[0])
    now = reader.time()
    revoke = registry.contract.functions.revokeKey(1, 1, now, "stolen")
    registry.send(revoke, registry.owner)
    assert list(reader.seats(at=datetime.fromtimestamp(now, UTC))) == [first]


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
            seats(reader)


@pytest.mark.parametrize("function", ["currentEpoch", "epochOf", "oracleAt", "policyIdOf"])
@pytest.mark.parametrize("answer", ["0x", "0x" + "00" * 31])
def test_short_answers_are_temporary(registry: DeployedRegistry, function: str, answer: str) -> None:
    with lying(registry, telling_calls(function, lambda _data: answer)) as (url, _):
        reader = RegistryReader(url, registry.address)
        with pytest.raises(TemporaryError):
            (seats(reader), reader.policy_id(b"\x05" * 32))
