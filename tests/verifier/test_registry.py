"""Reading records from a real node, and from nodes that lie, stall and babble."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chain_fixtures import DeployedRegistry, make_record
from verifier.checks import Check
from verifier.errors import ProvenanceError, RecordError, TemporaryError, UsageError, VerificationError
from verifier.node import connect, shown_url
from verifier.registry import ENTRIES_MAX, Publication, RegistryReader, Revocation
from verifier.text import printable

pytestmark = pytest.mark.chain

Answer = Callable[[str, list[Any], Any], Any]
ADDRESS = "0x" + "12" * 20


class QuietHandler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """An HTTP server on the loopback; yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def node(respond: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP server on the loopback; yields its URL and the list of request bodies it has seen."""
    seen: list[bytes] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(body)
            status, headers, answer = respond(body)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(answer))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

    with serving(Handler) as url:
        yield url, seen


def babbling(status: int, answer: bytes, **headers: str) -> Any:
    return node(lambda _body: (status, headers, answer))


def lying(registry: DeployedRegistry, answer: Answer) -> Any:
    """The registry's own node, with `answer(method, params, true result)` put in place of every result."""

    def respond(body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = json.loads(body)
        asked = urllib.request.Request(registry.chain.rpc_url, body, {"Content-Type": "application/json"})
        truth = json.loads(urllib.request.urlopen(asked, timeout=10).read())
        told = answer(request["method"], request["params"], truth.get("result"))
        if told is not None:
            truth = {"jsonrpc": "2.0", "id": request["id"], **(told if isinstance(told, dict) else {"result": told})}
        return 200, {"Content-Type": "application/json"}, json.dumps(truth).encode()

    return node(respond)


# Reading


def test_reads_what_was_published(registry: DeployedRegistry) -> None:
    record = make_record()
    registry.publish(record)
    reader = registry.reader()
    entry = reader.active_entry(record.manifest_digest)
    assert reader.match_record(record) == entry
    assert entry.model_digest == record.model_digest
    assert f"0x{entry.oracle.hex()}" == registry.oracle.address
    assert reader.manifest_of_report(record.report_digest) == record.manifest_digest
    assert reader.manifest_of_report(b"\x77" * 32) is None


def test_no_record_is_a_record_error(registry: DeployedRegistry) -> None:
    for read in (registry.reader().entry, registry.reader().active_entry):
        with pytest.raises(RecordError) as caught:
            read(b"\x09" * 32)
        assert caught.value.check is Check.REGISTRY_RECORD
    assert registry.reader().entries_of_model(b"\x09" * 32) == ()
    for name in ("nobody/nothing", "", "\udcff"):
        assert registry.reader().entries_of_name(name) == ()
    assert registry.reader().history(b"\x09" * 32) == ()


def test_a_revoked_record_is_shown_and_never_passed(registry: DeployedRegistry) -> None:
    record = make_record()
    registry.publish(record)
    registry.revoke(record.manifest_digest)
    reader = registry.reader()
    assert reader.entry(record.manifest_digest).revoked_at is not None
    with pytest.raises(RecordError, match="revoked"):
        reader.active_entry(record.manifest_digest)
    with pytest.raises(RecordError, match="revoked"):
        reader.match_record(record)


@pytest.mark.parametrize(
    "change", [{"name": "example/other"}, {"version": "9"}, {"name": "example/model1.", "version": "0"}]
)
def test_the_name_and_version_of_a_record_must_match(registry: DeployedRegistry, change: dict[str, str]) -> None:
    registry.publish(make_record())
    with pytest.raises(VerificationError, match="name or version"):
        registry.reader().match_record(make_record(**change))


def test_a_record_is_read_as_of_a_block(registry: DeployedRegistry) -> None:
    record = make_record()
    block = registry.publish(record)["blockNumber"]
    reader = registry.reader()
    assert reader.entry(record.manifest_digest, block=block)
    with pytest.raises(RecordError):
        reader.entry(record.manifest_digest, block=block - 1)


def test_lists_by_model_and_by_name_newest_first(registry: DeployedRegistry) -> None:
    records = [
        make_record(manifest_digest=bytes([number]) * 32, name="example/one" if number < 3 else "example/two")
        for number in (1, 2, 3)
    ]
    for record in records:
        registry.publish(record)
    registry.revoke(records[0].manifest_digest)
    reader = registry.reader()
    of_model = reader.entries_of_model(records[0].model_digest)
    assert [entry.manifest_digest[0] for entry in of_model] == [3, 2, 1]
    of_name = reader.entries_of_name("example/one")
    assert [(found.name, entry.manifest_digest[0], entry.revoked_at is None) for found, entry in of_name] == [
        ("example/one", 2, True),
        ("example/one", 1, False),
    ]


def test_history_tells_publication_and_revocation(registry: DeployedRegistry) -> None:
    record = make_record(name="exämple/model")
    published = registry.publish(record)
    revoked = registry.revoke(record.manifest_digest, "weights were stolen")
    registry.publish(make_record(manifest_digest=b"\x22" * 32))
    first, second = registry.reader().history(record.manifest_digest)
    assert isinstance(first, Publication)
    assert (first.name, first.version, first.block_number) == (record.name, record.version, published["blockNumber"])
    assert first.transaction_hash == bytes(published["transactionHash"])
    assert first.entry.revoked_at is None
    assert isinstance(second, Revocation)
    assert (second.reason, second.block_number) == ("weights were stolen", revoked["blockNumber"])
    assert f"0x{second.guardian.hex()}" == registry.guardian.address
    assert second.revoked_at == registry.reader().entry(record.manifest_digest).revoked_at


def test_a_node_that_allows_few_blocks_at_once_is_asked_in_pieces(registry: DeployedRegistry) -> None:
    records = [make_record(manifest_digest=bytes([number]) * 32) for number in (1, 2, 3)]
    for record in records:
        registry.publish(record)
    refused = {"error": {"code": -32005, "message": "range too large"}}

    def answer(method: str, params: list[Any], _truth: Any) -> Any:
        too_many = method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= 2
        return refused if too_many else None

    with lying(registry, answer) as (url, _):
        found = RegistryReader(url, registry.address).entries_of_name(records[0].name)
    assert [publication.entry.manifest_digest[0] for publication, _ in found] == [3, 2, 1]


# Usage


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org", "localhost:8545", "http://", "http://[::1", "http://h:99999", "http://h:0"]
)
def test_refuses_what_is_no_endpoint(url: str) -> None:
    with pytest.raises(UsageError, match="not an endpoint"):
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
    with pytest.raises(UsageError, match="not an address"):
        RegistryReader("http://127.0.0.1:1", address)


def test_refuses_another_chain_an_empty_address_and_another_contract(registry: DeployedRegistry) -> None:
    url, web3 = registry.chain.rpc_url, registry.contract.w3
    with pytest.raises(UsageError, match="another chain: got 31337, wanted 1"):
        RegistryReader(url, registry.address, chain_id=1)
    with pytest.raises(UsageError, match="no contract"):
        RegistryReader(url, "0x" + "77" * 20)
    code = bytearray(web3.eth.get_code(registry.address))
    code[-1] ^= 1
    web3.provider.make_request("anvil_setCode", ["0x" + "78" * 20, "0x" + code.hex()])
    with pytest.raises(UsageError, match=f"a contract of {len(code)} bytes"):
        RegistryReader(url, "0x" + "78" * 20)


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


@contextmanager
def dripping(piece: bytes, pause_seconds: float) -> Iterator[str]:
    """A node that goes on sending the same piece for ever."""
    ended = threading.Event()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 40))
            self.end_headers()
            with suppress(OSError):
                while not ended.wait(pause_seconds):
                    self.wfile.write(piece)

    with serving(Handler) as url:
        try:
            yield url
        finally:
            ended.set()


@pytest.mark.parametrize(("piece", "pause_seconds"), [(b" ", 0.01), (b" " * (1 << 20), 0.0)])
def test_an_answer_without_end_is_cut_off(piece: bytes, pause_seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.node.ANSWER_MAX_BYTES", 8 << 20)
    started = time.monotonic()
    with dripping(piece, pause_seconds) as url, pytest.raises(TemporaryError, match="without end"):
        RegistryReader(url, ADDRESS, timeout_seconds=0.5)
    assert time.monotonic() - started < 5


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
    # ERC-3668: a node could otherwise send web3 wherever it likes.
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


# Nodes that lie


def _with_word(data: str, word: int, value: int) -> str:
    """Answer of entryOf, hex, with one 32-byte word replaced."""
    start = 2 + 64 * word
    return data[:start] + f"{value:064x}" + data[start + 64 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda _data: "0x",
        lambda data: data[:-2],
        lambda data: _with_word(data, 4, 2**64 - 1),
        lambda data: _with_word(data, 4, 2**64),
        lambda data: _with_word(data, 7, 3),
        lambda data: _with_word(data, 10, 2**160),
        lambda data: _with_word(data, 11, 0),
        lambda data: _with_word(data, 12, 2**48 - 1),
    ],
)
def test_an_impossible_entry_is_temporary(registry: DeployedRegistry, change: Callable[[str], str]) -> None:
    record = make_record()
    registry.publish(record)

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        return change(truth) if method == "eth_call" else None

    with lying(registry, answer) as (url, _), pytest.raises(TemporaryError):
        RegistryReader(url, registry.address).entry(record.manifest_digest)


@pytest.mark.parametrize("lie", [b"example/modem", b"example/m\x1b[2m", b"\xff" * 13])
def test_an_event_whose_texts_do_not_fit_its_digest_is_temporary(registry: DeployedRegistry, lie: bytes) -> None:
    record = make_record()
    registry.publish(record)

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        if method != "eth_getLogs":
            return None
        return [log | {"data": log["data"].replace(record.name.encode().hex(), lie.hex())} for log in truth]

    with lying(registry, answer) as (url, _), pytest.raises(TemporaryError) as caught:
        RegistryReader(url, registry.address).history(record.manifest_digest)
    assert printable(str(caught.value), 5000) == str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.one_of(
        st.binary(max_size=600).map(lambda data: "0x" + data.hex()),
        st.text(max_size=20),
        st.integers(),
        st.lists(st.integers(), max_size=3),
        st.fixed_dictionaries(
            {"error": st.dictionaries(st.sampled_from(["code", "message", "data"]), st.text(max_size=9))}
        ),
    )
)
def test_no_answer_escapes_the_failure_tree(told_by: tuple[RegistryReader, dict[str, Any]], told: Any) -> None:
    reader, telling = told_by
    telling["answer"] = told
    for read in (reader.entry, reader.entries_of_model, reader.manifest_of_report, reader.history):
        try:
            read(b"\x01" * 32)
        except ProvenanceError as error:
            assert isinstance(error, TemporaryError | RecordError)


@pytest.fixture
def told_by(registry: DeployedRegistry) -> Iterator[tuple[RegistryReader, dict[str, Any]]]:
    """A reader of a node that answers with whatever the dictionary holds, once something is in it."""
    registry.publish(make_record())
    telling: dict[str, Any] = {}
    with lying(registry, lambda _method, _params, _truth: telling.get("answer")) as (url, _):
        yield RegistryReader(url, registry.address), telling


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


def test_a_long_list_is_cut(registry: DeployedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ENTRIES_MAX == 100
    monkeypatch.setattr("verifier.registry.ENTRIES_MAX", 2)
    for number in (1, 2, 3):
        registry.publish(make_record(manifest_digest=bytes([number]) * 32))
    entries = registry.reader().entries_of_model(make_record().model_digest)
    assert [entry.manifest_digest[0] for entry in entries] == [3, 2]
