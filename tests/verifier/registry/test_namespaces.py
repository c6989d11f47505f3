"""Tests of a namespace's history: the reader replays it to the contract's head, and refuses any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.namespaces import (
    Kind,
    Namespace,
    NamespaceEntry,
    NamespaceReader,
    next_head,
)
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    checksummed,
    deploy_registry,
    make_record,
)
from tests.support.fake_nodes import lying, telling_calls, telling_logs, with_word

pytestmark = pytest.mark.chain

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (0x61, 0x62, 0x63))
NAME = "example"


@pytest.fixture(scope="module")
def claimed(anvil: EmbeddedChain) -> DeployedRegistry:
    """Return a registry with many events in one namespace and a few in another. Tests only read it."""
    registry = deploy_registry(anvil)
    owner, functions, key = registry.stranger, registry.namespaces.functions, namespace_id(NAME)
    registry.claim(NAME, owner, identities=(FIRST,), limit=2)
    registry.claim("other", registry.guardian)
    registry.publish(make_record(publisher_identity=SECOND))
    registry.publish(make_record(publisher_identity=THIRD, version="2.0", manifest_digest=b"\x22" * 32))
    registry.trust(NAME, owner, THIRD)
    held = make_record(publisher_identity=THIRD, version="2.0", manifest_digest=b"\x22" * 32)
    registry.send(registry.contract.functions.releaseHeld(registry.encode(held)), registry.stranger)
    registry.send(functions.dropIdentity(key, FIRST), owner)
    registry.send(functions.proposeHandover(key, checksummed(registry.guardian)), owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.acceptHandover(key), registry.guardian)
    return registry


def told(registry: DeployedRegistry, change: Callable[[list[Any]], list[Any]]) -> Namespace | None:
    with lying(registry, telling_logs("NamespaceEntry", change, "Namespaces")) as (url, _):
        return RegistryReader(url, registry.address).namespace(NAME)


def history(registry: DeployedRegistry, name: str) -> tuple[NamespaceEntry, ...]:
    node, address = registry.reader().node, bytes.fromhex(registry.namespaces.address[2:])
    names = NamespaceReader(DeployedContract(node, "Namespaces", address, "names"), registry.block_number)
    return names.history(name, node.web3.eth.block_number)


def test_every_kind_of_entry_is_told_in_order(claimed: DeployedRegistry) -> None:
    entries = history(claimed, NAME)
    assert [entry.number for entry in entries] == list(range(1, 12))
    assert [entry.kind for entry in entries] == [
        Kind.CLAIMED,
        Kind.IDENTITY_TRUSTED,
        Kind.IDENTITY_TRUSTED,
        Kind.RECORDED,
        Kind.HELD,
        Kind.IDENTITY_PROPOSED,
        Kind.IDENTITY_TRUSTED,
        Kind.RELEASED,
        Kind.IDENTITY_DROPPED,
        Kind.HANDOVER_PROPOSED,
        Kind.HANDED_OVER,
    ]
    record = claimed.encode(make_record(publisher_identity=SECOND))
    assert entries[3].subject == keccak256(record)
    assert entries[0].subject[12:].hex() == claimed.stranger.address[2:]


def test_a_namespace_is_what_its_history_made_of_it(claimed: DeployedRegistry) -> None:
    space = claimed.reader().namespace(NAME)
    assert space is not None
    assert space.owner.hex() == claimed.guardian.address[2:]
    assert (space.identities, space.entries, space.identity_limit) == ((SECOND, THIRD), 11, 2)
    since = [
        claimed.namespaces.functions.trustedSince(namespace_id(NAME), one).call() for one in (FIRST, SECOND, THIRD)
    ]
    assert [bool(one) for one in since] == [False, True, True]


def test_nobody_s_namespace_is_none(registry: DeployedRegistry) -> None:
    reader = registry.reader()
    for name in (NAME, "", "\udcff"):
        assert reader.namespace(name) is None
        assert history(registry, name) == ()


# Completeness


@pytest.mark.parametrize("number", range(11))
def test_an_entry_kept_back_is_missed(claimed: DeployedRegistry, number: int) -> None:
    with pytest.raises(VerificationError, match="not complete") as caught:
        told(claimed, lambda logs: logs[:number] + logs[number + 1 :])
    assert (caught.value.check, caught.value.where) == (Check.PUBLISHER_IDENTITY, NAME)


def _topics(log: Any, place: int, value: str) -> dict[str, Any]:
    return {"topics": [*log["topics"][:place], value, *log["topics"][place + 1 :]]}


ALTERED: dict[str, Callable[[Any], dict[str, Any]]] = {
    "number": lambda log: _topics(log, 2, f"0x{int(log['topics'][2], 16) + 1:064x}"),
    "kind": lambda log: _topics(log, 3, f"0x{(int(log['topics'][3], 16) + 1) % 9:064x}"),
    "subject": lambda log: {"data": with_word(log["data"], 0, int(log["data"][2:66], 16) ^ 1)},
    "time": lambda log: {"data": with_word(log["data"], 1, int(log["data"][66:130], 16) + 1)},
    "head": lambda log: {"data": with_word(log["data"], 2, int(log["data"][130:194], 16) ^ 1)},
}


@pytest.mark.parametrize("what", ALTERED)
@pytest.mark.parametrize("number", [0, 4, 10])
def test_an_entry_altered_is_noticed(claimed: DeployedRegistry, what: str, number: int) -> None:
    def change(logs: list[Any]) -> list[Any]:
        return [log | ALTERED[what](log) if index == number else log for index, log in enumerate(logs)]

    with pytest.raises(VerificationError, match="not complete"):
        told(claimed, change)


def test_entries_added_twice_or_taken_from_elsewhere_are_noticed(claimed: DeployedRegistry) -> None:
    for change in (lambda logs: [*logs, logs[-1]], lambda logs: [logs[0], *logs], lambda _logs: []):
        with pytest.raises(VerificationError, match="not complete"):
            told(claimed, change)
    key = "0x" + namespace_id("other").hex()
    with pytest.raises(TemporaryError):
        told(claimed, lambda logs: [log | _topics(log, 1, key) for log in logs])


def test_a_kind_that_no_contract_knows_is_nonsense(claimed: DeployedRegistry) -> None:
    with pytest.raises(TemporaryError):
        told(claimed, lambda logs: [log | _topics(log, 3, f"0x{10:064x}") for log in logs])


@pytest.mark.parametrize(("word", "value"), [(4, 3), (4, 1), (1, 2**40 - 1), (0, 2**160)])
def test_a_state_that_contradicts_the_history_is_temporary(claimed: DeployedRegistry, word: int, value: int) -> None:
    change = telling_calls("namespaceOf", lambda data: with_word(data, word, value), "Namespaces")
    with lying(claimed, change) as (url, _), pytest.raises(ProvenanceError) as caught:
        RegistryReader(url, claimed.address).namespace(NAME)
    assert isinstance(caught.value, TemporaryError)


@given(
    entries=st.lists(
        st.tuples(st.integers(0, 9), st.binary(min_size=32, max_size=32), st.integers(1, 2**40 - 1)), max_size=8
    ),
    data=st.data(),
)
def test_two_histories_have_two_heads(entries: list[tuple[int, bytes, int]], data: st.DataObject) -> None:
    def head_of(history: list[tuple[int, bytes, int]]) -> int:
        head = 0
        for kind, subject, seconds in history:
            head = next_head(head, kind, subject, seconds)
        return head

    other = data.draw(st.one_of(st.permutations(entries), st.just(entries[:-1]), st.just(entries[1:])))
    assert (head_of(other) == head_of(entries)) == (other == entries)
    assert head_of(entries) >> 208 == len(entries)
