"""Tests of nodes that cannot be reached, or whose answers are late, too large or make no sense."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.registry import json_rpc, rpc_client
from provenance_oracle.verifier.registry.node import connect, open_node, shown_url
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.registry.rpc_client import Repeating, RpcEvent
from provenance_oracle.verifier.strict import patient_socket
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.fake_nodes import QuietHandler, babbling, dripping, lying, node, serving
from tests.support.server_certificates import server_certificate
from tests.support.slow_servers import ENDLESS, HUGE, stubborn

pytestmark = pytest.mark.chain

ADDRESS = "0x" + "12" * 20


# Usage


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org", "localhost:8545", "http://", "http://[::1", "http://h:99999", "http://h:0"]
)
def test_refuses_what_is_no_endpoint(url: str) -> None:
    with pytest.raises(UsageError, match="the text is not an endpoint"):
        RegistryReader(url, ADDRESS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0x",
        "12" * 20,
        "0x" + "12" * 19,
        "0x" + "12" * 21,
        "0x" + "zz" * 20,
        "0x52908400098527886E0F7030069857D2E4169Ee7",
    ],
)
def test_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="the text is not an address"):
        RegistryReader("http://127.0.0.1:1", address)


# Nodes that fail


def test_nobody_listens_and_the_key_in_the_url_is_not_shown() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:hunter2@127.0.0.1:{taken.getsockname()[1]}/v3/secret?key=secret"
        with pytest.raises(TemporaryError) as caught:
            RegistryReader(url, ADDRESS)
    assert "secret" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"oops"),
        (503, b"{}"),
        (404, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff\xfe"),
        (200, b"[]"),
        (200, b"7"),
        (200, b"null"),
        (200, b"{}"),
        (200, b'{"jsonrpc":"2.0","id":0,"result":null}'),
        (200, b'{"jsonrpc":"2.0","id":0,"result":"0xzz"}'),
        (200, b'{"jsonrpc":"2.0","id":0,"result":{"a":[1]}}'),
        (200, b'{"jsonrpc":"2.0","id":0,"result":-1}'),
        (200, b'{"jsonrpc":"2.0","id":0,"error":"no"}'),
        (200, b'{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"busy"}}'),
        (200, b"[" * 5000),
    ],
)
def test_nonsense_is_temporary_and_asked_for_once(status: int, answer: bytes) -> None:
    with babbling(status, answer) as (url, seen):
        with pytest.raises(TemporaryError):
            RegistryReader(url, ADDRESS)
        methods = [json.loads(body)["method"] for body in seen]
        assert methods in (["eth_chainId"], ["eth_chainId", "eth_getCode"])


def test_a_node_that_stalls_is_given_up() -> None:
    def stall(_body: bytes) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.5)
        return 200, {}, b""

    with node(stall) as (url, seen):
        started = time.monotonic()
        with pytest.raises(TemporaryError):
            RegistryReader(url, ADDRESS, timeout_seconds=0.1)
        assert time.monotonic() - started < 5
        assert len(seen) == 1


@pytest.mark.parametrize(("piece", "pause_seconds"), [(b" ", 0.01), (b" " * (1 << 20), 0.0)])
def test_an_answer_without_end_is_cut_off(piece: bytes, pause_seconds: float) -> None:
    started = time.monotonic()
    with (
        dripping(piece, pause_seconds) as url,
        pytest.raises(TemporaryError, match=r"takes too long|too large"),
    ):
        RegistryReader(url, ADDRESS, timeout_seconds=0.5)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ENDLESS)
def test_no_part_of_an_answer_may_be_without_end(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_socket, "STEP_SECONDS", 0.01)
    serve, doing = ENDLESS[name]
    with stubborn(serve) as (port, requests), pytest.raises(TemporaryError, match=f"takes too long.*{doing}") as caught:
        RegistryReader(f"http://127.0.0.1:{port}/secret", ADDRESS, timeout_seconds=0.3)
    assert caught.value.where == f"http://127.0.0.1:{port}"
    assert len(requests) == 1


@pytest.mark.parametrize("name", HUGE)
def test_no_part_of_an_answer_may_be_huge(name: str) -> None:
    serve, words = HUGE[name]
    with stubborn(serve) as (port, _), pytest.raises(TemporaryError, match=words):
        RegistryReader(f"http://127.0.0.1:{port}", ADDRESS)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_wait_for_a_node_can_be_interrupted(name: str) -> None:
    calls = count()

    def stop() -> None:
        if next(calls) == 5:
            raise KeyboardInterrupt

    with stubborn(ENDLESS[name][0]) as (port, _), pytest.raises(KeyboardInterrupt):
        RegistryReader(open_node(f"http://127.0.0.1:{port}", on_wait=stop), ADDRESS)


@pytest.mark.parametrize(
    "value",
    [b"[]," * (1 << 20), b"{}," * (1 << 20), b"1," * (1 << 20), b'"",' * 150_000, b"[" * 33, b"[" * 500_000],
    ids=["lists", "objects", "numbers", "texts", "levels", "brackets"],
)
def test_an_answer_with_too_many_values_is_never_built(value: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    monkeypatch.setattr(json_rpc.json, "loads", built.append)
    answer = b'{"jsonrpc":"2.0","id":0,"result":[' + value + b"1]}"
    with babbling(200, answer) as (url, _), pytest.raises(TemporaryError, match=r"too many values|too large"):
        RegistryReader(url, ADDRESS)
    assert built == []


@pytest.mark.parametrize(
    ("status", "answer", "event"),
    [
        (200, b'{"jsonrpc":"2.0","id":0,"result":"0x1"}', None),
        (200, b'{"jsonrpc":"2.0","id":0,"error":{"code":3,"message":"execution reverted"}}', None),
        (200, b'{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"internal error"}}', RpcEvent.FAILED),
        (200, b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"too many"}}', RpcEvent.FAILED),
        (200, b"<html>", RpcEvent.MALFORMED),
        (200, b"[" * 5000, RpcEvent.TOO_LARGE),
        (200, b" " * (3 << 20), RpcEvent.TOO_LARGE),
        (413, b"<html>", RpcEvent.STATUS),
        (500, b'{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"internal error"}}', RpcEvent.STATUS),
        (429, b"", RpcEvent.BUSY),
        (503, b"", RpcEvent.BUSY),
    ],
)
def test_each_request_and_its_failure_are_told_once(status: int, answer: bytes, event: RpcEvent | None) -> None:
    told: list[RpcEvent] = []
    with babbling(status, answer) as (url, _):
        client = open_node(url, on_event=told.append).client
        with suppress(TemporaryError, ValueError):
            client.ask("eth_gasPrice", [], b"{}")
        once = [RpcEvent.SENT, *([event] if event else [])]
        assert told == once
        told.clear()
        with suppress(TemporaryError, ValueError):
            client.ask_together([("eth_gasPrice", []), ("eth_chainId", [])])
    assert told[: len(once) + 1] == [*once, RpcEvent.SENT], "of the shared request, before each is asked alone"


def test_a_node_that_is_silent_is_told_for_each_try() -> None:
    told: list[RpcEvent] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(TemporaryError):
            open_node(url, repeating=Repeating(2, 5), on_event=told.append).client.ask("eth_gasPrice", [], b"{}")
    assert told == [RpcEvent.SENT, RpcEvent.SILENT] * 2


@pytest.mark.parametrize("status", [400, 413, 500])
def test_an_error_in_json_rpc_counts_with_every_status(status: int) -> None:
    told = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"query exceeds max range"}}'
    with babbling(status, told) as (url, _), pytest.raises(TemporaryError, match="query exceeds max range"):
        RegistryReader(url, ADDRESS)


def test_a_failing_status_is_shown() -> None:
    with (
        babbling(502, b"<html>") as (url, _),
        pytest.raises(TemporaryError, match="got HTTP status 502, wanted status 200"),
    ):
        RegistryReader(url, ADDRESS)
    with babbling(413, b"<html>") as (url, _), pytest.raises(TooMuchError, match="HTTP status 413"):
        RegistryReader(url, ADDRESS)


_REFUSED = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"no such key: 0123456789ab"}}'


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "a key that the"),
        (403, "a key that may"),
        (404, "whole URL"),
        (429, "fewer requests"),
        (520, "status 200"),
    ],
)
def test_the_status_the_node_s_words_and_the_next_step_are_told(status: int, advice: str) -> None:
    words = (_REFUSED, b"<html><h1>no such key:</h1> <p>0123456789ab</html>", b"no such key: 0123456789ab")
    for body in words:
        with babbling(status, body) as (url, seen), pytest.raises(TemporaryError) as caught:
            RegistryReader(f"{url}/v3/0123456789ab", ADDRESS)
        assert f"HTTP status {status}" in str(caught.value)
        assert "no such key: …" in str(caught.value)
        assert advice in caught.value.wanted or (status, body) == (520, _REFUSED)
        assert len(seen) == 1


def test_only_the_words_of_an_error_are_told() -> None:
    told = b'{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"missing trie \x1b[31m node","data":"0x"}}'
    with babbling(200, told.replace(b"\x1b", b"\\u001b")) as (url, _), pytest.raises(TemporaryError) as caught:
        RegistryReader(url, ADDRESS)
    assert caught.value.got == r"Web3RPCError: missing trie \u001b[31m node (code -32000)"


def _asking_for_pauses(*pauses: str) -> Any:
    """Run a node that answers status 429 and these headers `Retry-After`, then the id of a chain."""
    left = list(pauses)

    def respond(_body: bytes) -> tuple[int, dict[str, str], bytes]:
        if left:
            return 429, {"Retry-After": left.pop(0)}, b"too many requests"
        return 200, {}, b'{"jsonrpc":"2.0","id":0,"result":"0x7a69"}'

    return node(respond)


def test_a_node_that_asks_for_a_pause_is_asked_again_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    interrupted = count()
    monkeypatch.setattr(rpc_client.time, "sleep", slept.append)
    with _asking_for_pauses("3", "0", "20") as (url, seen):
        assert connect(url, on_wait=lambda: next(interrupted)).eth.chain_id == 31337
    assert len(seen) == 4
    assert sum(slept) == 23
    assert next(interrupted) >= 46


@pytest.mark.parametrize("pauses", [("0",) * 4, ("21",), ("-1",), ("soon",), ("\N{SUPERSCRIPT TWO}",), ("9" * 5000,)])
def test_pauses_are_bounded(pauses: tuple[str, ...]) -> None:
    with _asking_for_pauses(*pauses) as (url, seen), pytest.raises(TemporaryError, match="HTTP status 429: too many"):
        RegistryReader(url, ADDRESS)
    assert len(seen) == len(pauses)


def test_path_query_and_user_of_an_endpoint_are_sent() -> None:
    seen: list[tuple[str, str | None]] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            seen.append((self.path, self.headers["Authorization"]))
            self.send_error(404)

    with serving(Handler) as url, pytest.raises(TemporaryError):
        RegistryReader(url.replace("//", "//me:p%40ss@") + "/v3/key?a=b", ADDRESS)
    assert seen == [("/v3/key?a=b", "Basic bWU6cEBzcw==")]


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_error(404)

    with serving(Handler) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(TemporaryError, match="HTTP status 404"):
            RegistryReader("http://node.example.org:8545/key", ADDRESS)
        monkeypatch.setenv("http_proxy", "socks5://user:pass@127.0.0.1:9")
        with pytest.raises(UsageError, match="kind of proxy is not supported: got socks5, wanted"):
            RegistryReader("http://node.example.org:8545/key", ADDRESS)
    assert seen == ["http://node.example.org:8545/key"]


def test_certificates_of_the_environment_are_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.send_error(501)

    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    context, certificate = server_certificate(tmp_path)
    with serving(Handler, context) as url:
        for name in names:
            with monkeypatch.context() as environment, pytest.raises(TemporaryError, match="HTTP status 501"):
                environment.setenv(name, str(certificate))
                RegistryReader(url, ADDRESS)
        for place in (None, tmp_path):  # a folder of certificates has names by their hashes
            if place:
                monkeypatch.setenv("CURL_CA_BUNDLE", str(place))
            with pytest.raises(TemporaryError, match="SSLCertVerificationError"):
                RegistryReader(url, ADDRESS)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="CURL_CA_BUNDLE: the certificates cannot be read: got No such file"):
        RegistryReader("https://localhost:1", ADDRESS)


def test_no_redirect_is_followed() -> None:
    with (
        babbling(200, b"{}") as (elsewhere, seen),
        babbling(307, b"", Location=elsewhere) as (url, _),
        pytest.raises(TemporaryError),
    ):
        RegistryReader(url, ADDRESS)
    assert seen == []


def test_no_address_is_fetched_because_a_contract_says_so(
    registry: DeployedRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ERC-3668. Otherwise a node could make web3 fetch any address.
    from eth_abi.abi import encode

    fetched: list[object] = []
    monkeypatch.setattr("web3.eth.eth.handle_offchain_lookup", lambda *what, **_: fetched.append(what))
    types = ["address", "string[]", "bytes", "bytes4", "bytes"]
    values = (registry.address, ["https://example.org/{sender}/{data}"], b"", bytes(4), b"")
    told = {"error": {"code": 3, "message": "execution reverted", "data": "0x556f1830" + encode(types, values).hex()}}

    def answer(method: str, _params: list[Any], _truth: Any) -> Any:
        return told if method == "eth_call" else None

    with lying(registry, answer) as (url, _), pytest.raises(ProvenanceError):
        RegistryReader(url, registry.address).entry(b"\x01" * 32)
    assert fetched == []


# Small things


def test_shows_only_where_an_endpoint_is() -> None:
    assert shown_url("https://user:key@example.org:8443/v3/key?key=key#key") == "https://example.org:8443"
    assert shown_url("http://[::1]:8545/") == "http://[::1]:8545"
    assert shown_url("https://example.org") == "https://example.org"


def test_asks_no_proxy_about_this_machine(monkeypatch: pytest.MonkeyPatch, registry: DeployedRegistry) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert connect(registry.chain.rpc_url).eth.chain_id == registry.chain.chain_id
