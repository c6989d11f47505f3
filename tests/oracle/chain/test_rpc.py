"""Tests of a node whose answers make no sense: they cost time, and never cause a wrong decision or end the process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from provenance_oracle.oracle.chain.rpc import Call, RevertedError, Web3Chain
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.node import open_node

CALL = Call("0x" + "11" * 20, "0x" + "22" * 20, b"\x01")
ADDRESS = "0x" + "22" * 20


@contextmanager
def node(answer: Callable[[str], object], status: int = 200) -> Iterator[str]:
    """Serve JSON-RPC on loopback. `answer` gets the method and returns a result, bytes, or {"error": ...}."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            given = answer(request["method"])
            if not isinstance(given, bytes):
                body = given if isinstance(given, dict) and "error" in given else {"result": given}
                given = json.dumps({"jsonrpc": "2.0", "id": request["id"], **body}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(given)))
            self.end_headers()
            self.wfile.write(given)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/secret-key-in-path"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


ASKING: dict[str, Callable[[Web3Chain], Any]] = {
    "identity": lambda chain: chain.identity(ADDRESS),
    "head": lambda chain: chain.head(),
    "nonce": lambda chain: chain.nonce(ADDRESS, 1),
    "prices": lambda chain: chain.prices(),
    "estimate_gas": lambda chain: chain.estimate_gas(CALL),
}
NONSENSE = [b"", b"not json", b"[]", b"{}", b"null", "x", "0xzz", [], {"error": {"code": 1}}, None, {"error": "text"}]


@pytest.mark.parametrize("method", ASKING)
@pytest.mark.parametrize("answer", NONSENSE, ids=repr)
def test_nonsense_is_temporary(method: str, answer: object) -> None:
    with node(lambda _: answer) as url:
        with pytest.raises(TemporaryError) as caught:
            ASKING[method](Web3Chain(open_node(url, 5)))
        assert "secret-key-in-path" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 404, 429, 500, 503])
def test_a_failing_server_is_asked_once(status: int) -> None:
    asked: list[str] = []
    with node(lambda method: asked.append(method) or b"", status) as url:
        chain = Web3Chain(open_node(url, 5))
        for ask in (chain.head, lambda: chain.send(b"\x02")):
            with pytest.raises(TemporaryError):
                ask()
    assert asked == ["eth_blockNumber", "eth_sendRawTransaction"]


@pytest.mark.parametrize("words", ["already known", "nonce too low", "insufficient funds", "\x1b[31mred\nline"])
def test_what_a_node_says_to_a_sent_transaction_is_words(words: str) -> None:
    with node(lambda _: {"error": {"code": -32000, "message": words}}) as url:
        said = Web3Chain(open_node(url, 5)).send(b"\x02")
    assert said
    assert "\x1b" not in said
    assert "\n" not in said


@pytest.mark.parametrize(("data", "reason"), [("0x82b42900", b"\x82\xb4\x29\x00"), ("odd", b""), (None, b"")])
def test_a_revert_comes_with_its_reason(data: object, reason: bytes) -> None:
    def answer(method: str) -> object:
        reverted = {"error": {"code": 3, "message": "execution reverted", "data": data}}
        return reverted if method == "eth_call" else "0x7a69"

    with node(answer) as url:
        with pytest.raises(RevertedError) as caught:
            Web3Chain(open_node(url, 5)).simulate(CALL)
        assert caught.value.data == reason


@pytest.mark.parametrize(
    ("told", "gas", "fee_wei"),
    [
        ({"gasUsed": "0x5208", "effectiveGasPrice": "0x2"}, 21_000, 42_000),
        ({"gasUsed": "0x5208"}, 21_000, 0),
        ({"gasUsed": "0x1" + "0" * 24, "effectiveGasPrice": "0x1"}, 0, 0),
    ],
)
def test_a_receipt_says_the_cost_if_the_node_does(told: dict[str, str], gas: int, fee_wei: int) -> None:
    with node(lambda _: {"status": "0x1", **told}) as url:
        found = Web3Chain(open_node(url, 5)).receipt(bytes(32))
    assert found is not None
    assert (found.gas, found.fee_wei) == (gas, fee_wei)


@pytest.mark.parametrize(
    ("receipt", "succeeded"), [(None, None), ({"status": "0x1"}, True), ({"status": "0x0"}, False)]
)
def test_a_receipt_says_yes_no_or_not_yet(receipt: object, succeeded: bool | None) -> None:
    with node(lambda _: receipt) as url:
        found = Web3Chain(open_node(url, 5)).receipt(bytes(32))
    assert (found and found.succeeded) is succeeded


def test_an_address_without_code_is_no_registry() -> None:
    with node(lambda _: "0x") as url, pytest.raises(UsageError, match="no contract"):
        Web3Chain(open_node(url, 5)).identity(ADDRESS)


def test_a_deeply_nested_answer_does_not_end_the_process() -> None:
    code = (
        "import sys; from provenance_oracle.oracle.chain.rpc import Web3Chain\n"
        "from provenance_oracle.verifier.registry.node import open_node\n"
        "from provenance_oracle.oracle.signers.environment import EnvironmentSigner\n"
        "from provenance_oracle.verifier.errors import TemporaryError\n"
        "EnvironmentSigner('K', {'K': '11' * 32})\n"
        "try: Web3Chain(open_node(sys.argv[1], 5)).head()\n"
        "except TemporaryError: print('temporary')"
    )
    with node(lambda _: b"[" * 200_000) as url:
        found = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "temporary\n"), found.stderr


def test_questions_that_fail_together_are_asked_in_smaller_groups() -> None:
    sizes: list[int] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            several = asked if isinstance(asked, list) else [asked]
            sizes.append(len(several))
            told = [{"jsonrpc": "2.0", "id": one["id"], "result": one["params"][0]} for one in several]
            body = json.dumps(told if isinstance(asked, list) else told[0]).encode()
            self.send_response(200 if len(several) <= 4 else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        client = open_node(f"http://127.0.0.1:{server.server_port}").client
        answers = client.ask_together([("echo", [number]) for number in range(12)])
        server.shutdown()
        thread.join()
    assert [answer["result"] for answer in answers] == list(range(12))
    assert sizes == [12, 6, 3, 4, 5, 2, 3]
