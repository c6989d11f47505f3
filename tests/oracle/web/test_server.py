"""Tests of the server: half-open and slow clients starve no others, and it stops at once."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from contextlib import ExitStack

import pytest
from starlette.types import Message, Receive, Scope, Send

from provenance_oracle.oracle.web import server
from provenance_oracle.oracle.web.bounds import Bounded
from provenance_oracle.oracle.web.problems import problem_answer
from provenance_oracle.oracle.web.server import CONNECTIONS_MAX, serving
from provenance_oracle.verifier.errors import UsageError


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await problem_answer(200)(scope, receive, send)


def status(address: tuple[str, int]) -> int:
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def is_closed(connection: socket.socket) -> bool:
    """Return whether the server has closed a connection. Bytes that it had not read make that a reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def open_to(address: tuple[str, int], sent: bytes) -> socket.socket:
    connection = socket.create_connection(address, timeout=20)
    connection.sendall(sent)
    return connection


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_half_open_clients_starve_no_others(sent: bytes) -> None:
    with serving(app, "127.0.0.1:0") as address, ExitStack() as stack:
        held = [stack.enter_context(open_to(address, sent)) for _ in range(CONNECTIONS_MAX + 20)]
        assert status(address) == 200
        assert is_closed(held[0])  # the oldest made room


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_that_brings_no_request_in_time_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.05)
    with serving(app, "127.0.0.1:0") as address, open_to(address, sent) as held:
        assert is_closed(held)


def test_a_connection_stays_open_for_the_next_request() -> None:
    with serving(app, "127.0.0.1:0") as address:
        connection = http.client.HTTPConnection(*address, timeout=20)
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read()
            assert connection.sock is not None
        connection.close()


def test_bytes_that_are_not_http_get_a_problem() -> None:
    with serving(app, "127.0.0.1:0") as address, open_to(address, b"\x16\x03\x01 hello\r\n\r\n") as held:
        answer = held.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_head_has_a_bound() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000
    with serving(app, "127.0.0.1:0") as address, open_to(address, head) as held:
        assert held.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_it_stops_while_clients_hold_connections() -> None:
    before = set(threading.enumerate())
    with serving(app, "127.0.0.1:0") as address:
        held = open_to(address, b"GET / HTTP/1.1\r\n")
    held.close()
    assert not any(thread.name == "web" for thread in set(threading.enumerate()) - before)
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=1)


@pytest.mark.parametrize("listen", ["", "8080", "host:", ":8080", "127.0.0.1:x", "127.0.0.1:70000", "no.invalid:80"])
def test_a_wrong_address_is_refused_before_the_start(listen: str) -> None:
    with pytest.raises(UsageError), serving(app, listen):
        pass


def test_an_address_in_use_is_refused_before_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match="cannot be listened on"), serving(app, f"127.0.0.1:{port}"):
            pass


def test_an_address_that_others_reach_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    with serving(app, "0.0.0.0:0"):
        pass
    assert "put a proxy with TLS" in caplog.text


def run(bounded: Bounded, *messages: Message) -> list[Message]:
    """Answer one request whose body comes in these messages; after them nothing comes."""
    left, sent = list(messages), list[Message]()

    async def receive() -> Message:
        if not left:
            await asyncio.sleep(3600)
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(bounded({"type": "http", "headers": [], "raw_path": b"/", "query_string": b""}, receive, send))
    return sent


def test_a_body_that_does_not_come_gets_an_answer_in_time() -> None:
    bounded = Bounded(app, body_max_bytes=10, answer_seconds=0.01, answers_max=1)
    assert run(bounded, {"type": "http.request", "body": b"a", "more_body": True})[0]["status"] == 408


def test_so_many_requests_are_answered_at_once_and_no_more() -> None:
    bounded = Bounded(app, body_max_bytes=10, answer_seconds=10, answers_max=0)
    assert run(bounded)[0]["status"] == 503
