"""A JSON-RPC proxy on the loopback in front of a real node that fails and lies on request.

A fault is a function of a request and of `forward`, which asks the real node. The proxy takes single requests and
batches (JSON arrays, https://www.jsonrpc.org/specification#batch), and counts both. Its randomness is seeded.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from provenance_oracle.verifier.record.keccak import keccak256
from tests.support.fake_nodes import QuietHandler

Request = dict[str, Any]
Forward = Callable[[Request], dict[str, Any]]
Fault = Callable[[Request, Forward], dict[str, Any]]
_HEADERS = {"Content-Type": "application/json"}


class BrokenAnswerError(Exception):
    """Raised by a fault that concerns the whole HTTP answer. A status of 0 hangs up without an answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes = b"busy", *, cut: bool = False) -> None:
        super().__init__(status)
        self.status, self.headers, self.body, self.cut = status, headers, body, cut


@dataclass
class Rule:
    """A fault for requests of these methods (all, if none is named), for the next `times` of them after `after`."""

    fault: Fault
    methods: frozenset[str]
    times: float
    after: int = 0

    def takes(self, method: str) -> bool:
        """Return whether this request gets the fault, and count it."""
        if self.times <= 0 or (self.methods and method not in self.methods):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class FaultyNode:
    """A proxy in front of the node at `upstream`.

    Attributes:
        url: the endpoint of the proxy.
        calls: the number of requests of each method; each request in a batch counts. `exchanges` counts HTTP requests.
        hit: the number of requests of each method that got a fault.
        named: what the method `faulty`, which a client may call with a name, does to this node.
        exchanges_a_block: the number of HTTP requests after which the real node mines a block; 0 to leave it alone.
    """

    upstream: str
    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    _rules: list[Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)
    ended: threading.Event = field(default_factory=threading.Event)
    named: dict[str, Callable[[FaultyNode], object]] = field(default_factory=dict)
    exchanges_a_block: int = 0

    def inject(self, fault: Fault, *methods: str, times: float = float("inf"), after: int = 0) -> None:
        """Add a fault. Of several, the first that takes a request decides."""
        with self._lock:
            self._rules.append(Rule(fault, frozenset(methods), times, after))

    def heal(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._rules.clear()

    def ask(self, method: str, *params: object) -> Any:
        """Return the real node's result."""
        return self.forward({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})["result"]

    def answer(self, body: bytes) -> bytes:
        """Return the proxy's answer to an HTTP request's body. Raise BrokenAnswerError if a fault says so."""
        asked = json.loads(body)
        with self._lock:
            self.exchanges += 1
            is_block_due = self.exchanges_a_block and self.exchanges % self.exchanges_a_block == 0
        if is_block_due:
            self.ask("evm_mine")
        told = [self._one(one) for one in asked] if isinstance(asked, list) else self._one(asked)
        return json.dumps(told).encode()

    def forward(self, request: Request) -> dict[str, Any]:
        """Ask the real node, over a connection that this thread keeps."""
        place = urlsplit(self.upstream)
        for is_last in (False, True):
            kept = getattr(self._own, "connection", None)
            try:
                if kept is None:
                    kept = self._own.connection = http.client.HTTPConnection(place.hostname or "", place.port, 60)
                kept.request("POST", "/", json.dumps(request), _HEADERS)
                return dict(json.loads(kept.getresponse().read()))
            except (OSError, http.client.HTTPException):
                self.hang_up()
                if is_last:
                    raise
        raise AssertionError

    def hang_up(self) -> None:
        """Close this thread's connection to the real node."""
        kept = getattr(self._own, "connection", None)
        if kept is not None:
            kept.close()
            self._own.connection = None

    def _one(self, request: Request) -> dict[str, Any]:
        method = request["method"]
        if method == "faulty":
            self.named[request["params"][0]](self)
            return _result(request, True)
        with self._lock:
            self.calls[method] += 1
            rule = next((rule for rule in self._rules if rule.takes(method)), None)
            self.hit[method] += rule is not None
        return rule.fault(request, self.forward) if rule else self.forward(request)


@contextmanager
def faulty_node(upstream: str) -> Iterator[FaultyNode]:
    """Run a proxy in front of a node, which is honest until a fault is injected."""
    node = FaultyNode(upstream)

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self._send(200, _HEADERS, node.answer(body))
            except BrokenAnswerError as broken:
                self.close_connection = True
                if broken.status:
                    self._send(broken.status, broken.headers | {"Connection": "close"}, broken.body, cut=broken.cut)

        def finish(self) -> None:
            node.hang_up()
            super().finish()

        def _send(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            with suppress(OSError):
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of clients that hang up or are killed."""

        def finish_request(self, request: Any, client_address: Any) -> None:
            with suppress(ConnectionError, socket.timeout):
                super().finish_request(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    node.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield node
    finally:
        node.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
        node.hang_up()


# Faults of the transport


def status(number: int, **headers: str) -> Fault:
    """Refuse with an HTTP status. Headers are given as `retry_after="1"`."""

    def refuse(_request: Request, _forward: Forward) -> dict[str, Any]:
        raise BrokenAnswerError(number, {name.replace("_", "-"): value for name, value in headers.items()})

    return refuse


def lost_request(_request: Request, _forward: Forward) -> dict[str, Any]:
    """Hang up; the node never hears of the request."""
    raise BrokenAnswerError(0, {})


def lost_reply(request: Request, forward: Forward) -> dict[str, Any]:
    """Let the node do as it is asked, and hang up."""
    forward(request)
    raise BrokenAnswerError(0, {})


def half_body(request: Request, forward: Forward) -> dict[str, Any]:
    """Send the first half of the true answer."""
    raise BrokenAnswerError(200, _HEADERS, json.dumps(forward(request)).encode(), cut=True)


def hanging(node: FaultyNode) -> Fault:
    """Never answer, for as long as the proxy runs."""

    def wait(_request: Request, _forward: Forward) -> dict[str, Any]:
        node.ended.wait(600)
        raise BrokenAnswerError(0, {})

    return wait


def slow(node: FaultyNode, seconds: float) -> Fault:
    """Answer truly, but late."""

    def wait(request: Request, forward: Forward) -> dict[str, Any]:
        node.ended.wait(seconds)
        return forward(request)

    return wait


def failing(percent: float, seed: int, *kinds: Fault) -> Fault:
    """Give this share of the requests one of the faults, by a seeded choice; the others get the true answer."""
    chance, lock = random.Random(seed), threading.Lock()
    choices = kinds or (status(429), status(503), lost_request, lost_reply, half_body)

    def maybe(request: Request, forward: Forward) -> dict[str, Any]:
        with lock:
            fault = chance.choice(choices) if chance.random() * 100 < percent else None
        return fault(request, forward) if fault else forward(request)

    return maybe


# Lies


def saying(result: Any) -> Fault:
    """Give one result to everything."""
    return lambda request, _forward: _result(request, result)


def objecting(words: str, *, taking: bool) -> Fault:
    """Refuse a transaction with these words; with `taking`, the node takes it all the same."""

    def refuse(request: Request, forward: Forward) -> dict[str, Any]:
        if taking:
            forward(request)
        return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": words}}

    return refuse


def swallowed(request: Request, _forward: Forward) -> dict[str, Any]:
    """Say that a transaction was taken, and lose it."""
    return _result(request, "0x" + keccak256(bytes.fromhex(request["params"][0][2:])).hex())


def shifted(by: int) -> Fault:
    """Add a number to a result: a stale or future head, a wrong nonce."""

    def shift(request: Request, forward: Forward) -> dict[str, Any]:
        return _result(request, hex(max(0, int(forward(request)["result"], 16) + by)))

    return shift


def stale_blocks(by: int) -> Fault:
    """Give an older block in place of a newest one that is asked for by name."""

    def answer(request: Request, forward: Forward) -> dict[str, Any]:
        if request["params"][0] not in ("latest", "safe", "finalized", "pending"):
            return forward(request)
        head = int(forward({**request, "method": "eth_blockNumber", "params": []})["result"], 16)
        return forward({**request, "params": [hex(max(0, head - by)), *request["params"][1:]]})

    return answer


def other_genesis(request: Request, forward: Forward) -> dict[str, Any]:
    """Give block 0 another hash."""
    told = forward(request)
    if request["params"][0] == "0x0" and told.get("result"):
        told["result"]["hash"] = "0x" + "11" * 32
    return told


def fake_receipt(request: Request, forward: Forward) -> dict[str, Any]:
    """Give a receipt of success for every transaction, mined or not."""
    told = forward(request)
    if told.get("result"):
        return told
    head = forward({**request, "method": "eth_getBlockByNumber", "params": ["latest", False]})["result"]
    receipt = {
        "transactionHash": request["params"][0],
        "transactionIndex": "0x0",
        "blockHash": head["hash"],
        "blockNumber": head["number"],
        "from": "0x" + "00" * 20,
        "to": "0x" + "00" * 20,
        "cumulativeGasUsed": "0x5208",
        "gasUsed": "0x5208",
        "effectiveGasPrice": "0x1",
        "contractAddress": None,
        "logs": [],
        "logsBloom": "0x" + "00" * 256,
        "status": "0x1",
        "type": "0x2",
    }
    return _result(request, receipt)


def _result(request: Request, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": result}
