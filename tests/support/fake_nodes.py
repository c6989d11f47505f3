"""Nodes that lie, stall and babble, on this machine's loopback."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from tests.support.chain_fixtures import DeployedRegistry

Answer = Callable[[str, list[Any], Any], Any]


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


def topic(event: str, contract: str = "ProvenanceRegistry") -> str:
    """The first topic of an event, by which logs are told apart."""
    from eth_utils.abi import abi_to_signature

    (item,) = (item for item in load_artifact(contract).abi if item["type"] == "event" and item["name"] == event)
    return f"0x{keccak256(abi_to_signature(item).encode()).hex()}"  # type: ignore[arg-type]


def selector(function: str, contract: str = "ProvenanceRegistry") -> str:
    """The first four bytes of a call."""
    from eth_utils.abi import abi_to_signature

    (item,) = (item for item in load_artifact(contract).abi if item["type"] == "function" and item["name"] == function)
    return f"0x{keccak256(abi_to_signature(item).encode())[:4].hex()}"  # type: ignore[arg-type]


def telling_logs(event: str, change: Callable[[list[Any]], list[Any]], contract: str = "ProvenanceRegistry") -> Answer:
    """Answers truly but for the logs of one event, of which it tells what `change` makes of them."""

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        if method != "eth_getLogs" or params[0]["topics"][0] != topic(event, contract):
            return None
        return change(truth)

    return answer


def telling_calls(function: str, change: Callable[[str], str], contract: str = "ProvenanceRegistry") -> Answer:
    """Answers truly but for calls of one function."""

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        if method != "eth_call" or not params[0]["data"].startswith(selector(function, contract)):
            return None
        return change(truth)

    return answer


def with_word(data: str, word: int, value: int) -> str:
    """Hex data of an answer or a log, with one 32-byte word replaced."""
    start = 2 + 64 * word
    return data[:start] + f"{value:064x}" + data[start + 64 :]


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
