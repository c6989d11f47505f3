"""Nodes on the loopback that give wrong, slow or malformed answers."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from tests.support.chain_fixtures import DeployedRegistry

Answer = Callable[[str, list[Any], Any], Any]
Refusal = Callable[[str, list[Any]], tuple[int, dict[str, str], str] | None]


# As anvil answers: any page may ask.
_OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type"}


class QuietHandler(BaseHTTPRequestHandler):
    """A request handler that logs nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run an HTTP server on the loopback, with a context an encrypted one; yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}" if context else f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def node(respond: Callable[[bytes], tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    """Run an HTTP server on the loopback; yield its URL and the list of request bodies that it received."""
    seen: list[bytes] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(body)
            status, headers, answer = respond(body)
            self.send_response(status)
            for name, value in (headers | _OPEN | {"Content-Length": str(len(answer))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def do_OPTIONS(self) -> None:
            self.send_response(204)
            for name, value in _OPEN.items():
                self.send_header(name, value)
            self.end_headers()

    with serving(Handler) as url:
        yield url, seen


def babbling(status: int, answer: bytes, **headers: str) -> Any:
    """Run a node that gives the same answer to every request."""
    return node(lambda _body: (status, headers, answer))


def lying(registry: DeployedRegistry, answer: Answer, refuse: Refusal = lambda _method, _params: None) -> Any:
    """Run a node that forwards to the registry's node and replaces results, also those of requests that come together.

    Args:
        answer: `answer(method, params, true result)` returns the result to send, a dictionary to merge into the
            JSON-RPC answer, or None to keep the true result.
        refuse: `refuse(method, params)` returns the HTTP status, headers and message of a refusal, or None to forward
            the request. It may change `params`. A status other than 200 refuses all requests that come together.
    """

    def told(request: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(request).encode()
        asked = urllib.request.Request(registry.chain.rpc_url, body, {"Content-Type": "application/json"})
        truth: dict[str, Any] = json.loads(urllib.request.urlopen(asked, timeout=10).read())
        said = answer(request["method"], request["params"], truth.get("result"))
        if said is None:
            return truth
        return {"jsonrpc": "2.0", "id": request["id"], **(said if isinstance(said, dict) else {"result": said})}

    def respond(body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = json.loads(body)
        answers = []
        for request in asked if isinstance(asked, list) else [asked]:
            if refused := refuse(request["method"], request["params"]):
                status, headers, message = refused
                error = {"code": -32000, "message": message}
                answers.append({"jsonrpc": "2.0", "id": request["id"], "error": error})
                if status != HTTPStatus.OK:
                    return status, headers, json.dumps(answers[-1]).encode()
            else:
                answers.append(told(request))
        sent = answers if isinstance(asked, list) else answers[0]
        return 200, {"Content-Type": "application/json"}, json.dumps(sent).encode()

    return node(respond)


def topic(event: str, contract: str = "ProvenanceRegistry") -> str:
    """Return the first topic of an event, which identifies its logs."""
    from eth_utils.abi import abi_to_signature

    (item,) = (item for item in load_artifact(contract).abi if item["type"] == "event" and item["name"] == event)
    return f"0x{keccak256(abi_to_signature(item).encode()).hex()}"  # type: ignore[arg-type]


def selector(function: str, contract: str = "ProvenanceRegistry") -> str:
    """Return the first four bytes of the data of a function's calls, in hex."""
    from eth_utils.abi import abi_to_signature

    (item,) = (item for item in load_artifact(contract).abi if item["type"] == "function" and item["name"] == function)
    return f"0x{keccak256(abi_to_signature(item).encode())[:4].hex()}"  # type: ignore[arg-type]


def telling_logs(event: str, change: Callable[[list[Any]], list[Any]], contract: str = "ProvenanceRegistry") -> Answer:
    """Return an `Answer` that applies `change` to the logs of one event and keeps all other results."""

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        if method != "eth_getLogs" or params[0]["topics"][0] != topic(event, contract):
            return None
        return change(truth)

    return answer


def telling_calls(function: str, change: Callable[[str], str], contract: str = "ProvenanceRegistry") -> Answer:
    """Return an `Answer` that applies `change` to the results of one function and keeps all other results."""

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        if method != "eth_call" or not params[0]["data"].startswith(selector(function, contract)):
            return None
        return change(truth)

    return answer


def with_word(data: str, word: int, value: int) -> str:
    """Return the hex data of an answer or a log with one 32-byte word replaced."""
    start = 2 + 64 * word
    return data[:start] + f"{value:064x}" + data[start + 64 :]


@contextmanager
def dripping(piece: bytes, pause_seconds: float) -> Iterator[str]:
    """Run a node that sends the same piece again and again without end; yield its URL."""
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


@contextmanager
def far_node(
    registry: DeployedRegistry, more_blocks: int, span: int, salt: Callable[[], str] = lambda: ""
) -> Iterator[tuple[str, list[tuple[str, list[Any]]]]]:
    """Run a node whose chain goes on with empty blocks, and that gives the events of at most `span` blocks at once.

    The chain grows by a block with each look at its head. Yield the node's URL, and the method and parameters of each
    request. The hashes of the empty blocks depend on `salt()`.
    """
    seen: list[tuple[str, list[Any]]] = []

    def ask(method: str, params: list[Any]) -> Any:
        return registry.contract.w3.provider.make_request(method, params).get("result")  # type: ignore[arg-type]

    def answer(method: str, params: list[Any]) -> dict[str, Any]:
        real = int(ask("eth_blockNumber", []), 16)
        if method == "eth_blockNumber":
            return {"result": hex(real + more_blocks + sum(asked == method for asked, _ in seen))}
        if method == "eth_getLogs":
            first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
            if last - first + 1 > span:
                return {"error": {"code": -32600, "message": f"at most {span} blocks"}}
            return {"result": [] if first > real else ask(method, [params[0] | {"toBlock": hex(min(last, real))}])}
        if method == "eth_getBlockByNumber" and int(params[0], 16) > real:
            return {"result": {"hash": f"0x{keccak256((salt() + params[0]).encode()).hex()}"}}
        if method == "eth_call" and int(params[-1], 16) > real:
            params = [*params[:-1], "latest"]
        return {"result": ask(method, params)}

    def respond(body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = json.loads(body)
        seen.append((request["method"], request["params"]))
        told = {"jsonrpc": "2.0", "id": request["id"], **answer(request["method"], request["params"])}
        return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()

    with node(respond) as (url, _):
        yield url, seen
