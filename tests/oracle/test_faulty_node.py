"""Tests of the fault-injecting proxy itself, before anything is proved with it."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from tests.support.faulty_node import (
    FaultyNode,
    Request,
    failing,
    fake_receipt,
    faulty_node,
    half_body,
    lost_reply,
    lost_request,
    objecting,
    other_genesis,
    saying,
    shifted,
    stale_blocks,
    status,
    swallowed,
)

pytestmark = pytest.mark.chain


@pytest.fixture
def proxy(anvil: EmbeddedChain) -> Iterator[FaultyNode]:
    with faulty_node(anvil.rpc_url) as node:
        yield node


def post(node: FaultyNode, body: object) -> Any:
    asked = urllib.request.Request(node.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())


def request(method: str, *params: object, number: int = 1) -> Request:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def test_an_honest_proxy_forwards_single_requests_and_batches_and_counts_both(proxy: FaultyNode) -> None:
    assert post(proxy, request("eth_chainId"))["result"] == hex(31337)
    told = post(proxy, [request("eth_chainId", number=7), request("eth_getBlockByNumber", "0x0", False, number=8)])
    assert [one["id"] for one in told] == [7, 8]
    assert (proxy.calls["eth_chainId"], proxy.calls["eth_getBlockByNumber"], proxy.exchanges) == (2, 1, 2)
    assert not +proxy.hit


def test_a_fault_takes_only_its_methods_and_so_many_of_them(proxy: FaultyNode) -> None:
    proxy.inject(saying("0x1"), "eth_chainId", times=1, after=1)
    answers = [post(proxy, request("eth_chainId"))["result"] for _ in range(3)]
    assert answers == [hex(31337), "0x1", hex(31337)]
    assert proxy.hit == {"eth_chainId": 1}
    proxy.inject(saying("0x2"))
    proxy.heal()
    assert post(proxy, request("eth_chainId"))["result"] == hex(31337)


def test_a_status_stands_for_a_whole_batch(proxy: FaultyNode) -> None:
    proxy.inject(status(429, retry_after="3"), "eth_blockNumber")
    with pytest.raises(urllib.error.HTTPError) as error:
        post(proxy, [request("eth_chainId"), request("eth_blockNumber")])
    with error.value as told:
        assert (told.code, told.headers["Retry-After"]) == (429, "3")


def test_broken_connections(proxy: FaultyNode) -> None:
    proxy.inject(lost_request, times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        post(proxy, request("eth_chainId"))
    proxy.inject(half_body, times=1)
    with pytest.raises(http.client.IncompleteRead):
        post(proxy, request("eth_chainId"))
    before = int(proxy.ask("eth_blockNumber"), 16)
    proxy.inject(lost_reply, "evm_mine", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        post(proxy, request("evm_mine"))
    assert int(proxy.ask("eth_blockNumber"), 16) == before + 1


def test_lies(proxy: FaultyNode) -> None:
    proxy.ask("evm_mine")
    head = int(proxy.ask("eth_blockNumber"), 16)
    proxy.inject(shifted(-1), "eth_blockNumber")
    proxy.inject(stale_blocks(1), "eth_getBlockByNumber", times=1)
    proxy.inject(other_genesis, "eth_getBlockByNumber")
    proxy.inject(fake_receipt, "eth_getTransactionReceipt")
    proxy.inject(swallowed, "eth_sendRawTransaction", times=1)
    proxy.inject(objecting("already known", taking=False), "eth_sendRawTransaction")
    assert int(post(proxy, request("eth_blockNumber"))["result"], 16) == head - 1
    assert int(post(proxy, request("eth_getBlockByNumber", "latest", False))["result"]["number"], 16) == head - 1
    assert post(proxy, request("eth_getBlockByNumber", "0x0", False))["result"]["hash"] == "0x" + "11" * 32
    assert post(proxy, request("eth_getTransactionReceipt", "0x" + "ab" * 32))["result"]["status"] == "0x1"
    assert len(post(proxy, request("eth_sendRawTransaction", "0x02"))["result"]) == 66
    assert post(proxy, request("eth_sendRawTransaction", "0x02"))["error"]["message"] == "already known"


def test_random_failures_are_seeded_and_have_their_share(anvil: EmbeddedChain) -> None:
    def run(seed: int) -> list[bool]:
        with faulty_node(anvil.rpc_url) as node:
            node.inject(failing(20, seed, saying("0x1")))
            return [post(node, request("eth_chainId"))["result"] == "0x1" for _ in range(200)]

    assert run(1) == run(1) != run(2)
    assert 20 < sum(run(1)) < 60
