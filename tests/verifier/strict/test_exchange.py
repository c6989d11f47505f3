"""Tests of one HTTP exchange with servers that never end, in every part of it. The clock is the tests' own."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict import patient_socket
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, OpenAnswer, Server
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from tests.support.server_certificates import server_certificate
from tests.support.slow_servers import ENDLESS, HEAD, HUGE, repeating, stubborn

BODY_MAX = 200_000


@pytest.fixture(autouse=True)
def _short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_socket, "STEP_SECONDS", 0.01)


class Interrupted(BaseException):
    """What a signal's handler would raise."""


class Clock:
    """A clock on which a second passes at each look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(self.looks)


def client(port: int, seconds: float = 60, **options: object) -> HttpClient:
    return HttpClient(Server("http", "127.0.0.1", port, "the node", seconds), **options)  # type: ignore[arg-type]


def ask(asked: HttpClient) -> Answer:
    return asked.exchange("POST", "/x", {"A": "b"}, b"question", body_max_bytes=BODY_MAX)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_server_that_never_ends_is_given_up(name: str) -> None:
    serve, doing = ENDLESS[name]
    clock = Clock()
    with stubborn(serve) as (port, requests), pytest.raises(TemporaryError, match=f"takes too long.*{doing}") as caught:
        ask(client(port, clock=clock))
    assert caught.value.wanted == "at most 60 s for the whole exchange"
    assert caught.value.where == "the node"
    assert clock.looks <= 62
    assert len(requests) == 1


@pytest.mark.parametrize("name", HUGE)
def test_a_server_that_sends_too_much_is_cut_off(name: str) -> None:
    serve, words = HUGE[name]
    with stubborn(serve) as (port, _), pytest.raises(TemporaryError, match=words):
        ask(client(port))


@pytest.mark.parametrize("name", ENDLESS)
def test_a_wait_can_be_interrupted(name: str) -> None:
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise Interrupted

    serve, _ = ENDLESS[name]
    with stubborn(serve) as (port, _), pytest.raises(Interrupted):
        ask(client(port, on_wait=stop))


def test_the_log_says_what_waits_for_whom_and_since_when(caplog: pytest.LogCaptureFixture) -> None:
    serve, _ = ENDLESS["drips the body"]
    with stubborn(serve) as (port, _), caplog.at_level(logging.WARNING), pytest.raises(TemporaryError):
        ask(client(port, clock=Clock()))
    assert 2 <= len(caplog.messages) <= 5
    words = r"the node: waiting for 4\d s, reading the body of the answer; at most 60 s"
    assert re.fullmatch(words, caplog.messages[-1])


def test_a_name_look_up_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(60))
    with pytest.raises(TemporaryError, match="takes too long: got more, connecting"):
        ask(client(1, clock=Clock()))
    ended.set()


def test_a_server_that_never_encrypts_is_given_up() -> None:
    with stubborn(ENDLESS["drips the body"][0]) as (port, _), pytest.raises(TemporaryError):
        HttpClient(Server("https", "127.0.0.1", port, "x", 60), clock=Clock()).exchange(
            "GET", "/", {}, body_max_bytes=1
        )
    silent = ENDLESS["never answers"][0]
    with stubborn(silent) as (port, _), pytest.raises(TemporaryError, match="agreeing on encryption"):
        HttpClient(Server("https", "127.0.0.1", port, "x", 60), clock=Clock()).exchange(
            "GET", "/", {}, body_max_bytes=1
        )


def test_an_address_that_never_answers_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        stubborn(repeating(_whole(b"yes"), b"")) as (port, _),
    ):
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", p)) for p in (full.getsockname()[1], port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert ask(client(port, clock=Clock())).body == b"yes"
        for filler in fillers:
            filler.close()


def test_a_connection_is_kept_until_the_server_hangs_up() -> None:
    ports = []

    class Handler(Echo):
        def do_POST(self) -> None:
            ports.append(self.client_address[1])
            super().do_POST()

    with _serving(Handler) as port:
        asked = client(port)
        for path in ("/", "/", "/last", "/"):
            assert asked.exchange("POST", path, {}, b"question", body_max_bytes=8).body == b"question"
            if path == "/last":
                while not asked._kept.is_readable():  # type: ignore[union-attr]
                    pass
    assert ports[0] == ports[1] == ports[2] != ports[3]


def test_what_is_larger_than_asked_for_is_too_much() -> None:
    with (
        stubborn(repeating(_whole(b"x" * 101), b"")) as (port, _),
        pytest.raises(TooMuchError, match="at most 100 bytes"),
    ):
        client(port).exchange("GET", "/", {}, body_max_bytes=100)


def test_an_encrypted_exchange_checks_the_certificate(tmp_path: Path) -> None:
    with _encrypted(tmp_path) as (port, trusting):
        server = Server("https", "localhost", port, "x", 60, context=trusting)
        assert HttpClient(server).exchange("POST", "/", {}, b"question", body_max_bytes=8).body == b"question"
        with pytest.raises(TemporaryError, match="SSLCertVerificationError: self-signed certificate"):
            HttpClient(replace(server, context=None)).exchange("POST", "/", {}, b"x", body_max_bytes=8)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_asked_for_the_server(scheme: str, tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    class Proxy(Echo):
        def do_CONNECT(self) -> None:
            asked.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("localhost", int(self.path.rpartition(":")[2]))) as onward:
                relays = [
                    threading.Thread(target=_relay, args=ends)
                    for ends in ((onward, self.connection), (self.connection, onward))
                ]
                for relay in relays:
                    relay.start()
                for relay in relays:
                    relay.join()
            self.close_connection = True

        def do_POST(self) -> None:
            asked.append((self.path, self.headers["Proxy-Authorization"]))
            super().do_POST()

    with _encrypted(tmp_path) as (port, trusting), _serving(Proxy) as proxy:
        server = Server(scheme, "localhost", port, "x", 60, f"http://me:pass@127.0.0.1:{proxy}", trusting)
        assert HttpClient(server).exchange("POST", "/a", {}, b"question", body_max_bytes=8).body == b"question"
    wanted = f"localhost:{port}" if scheme == "https" else f"http://localhost:{port}/a"
    assert asked == [(wanted, "Basic bWU6cGFzcw==")]


def test_a_proxy_that_refuses_is_named() -> None:
    with stubborn(repeating(b"HTTP/1.1 407 No\r\n\r\n", b"")) as (port, _):
        server = Server("https", "localhost", 443, "x", 60, f"http://127.0.0.1:{port}")
        with pytest.raises(TemporaryError, match="the proxy refuses: got status 407"):
            HttpClient(server).exchange("GET", "/", {}, body_max_bytes=8)


class Echo(BaseHTTPRequestHandler):
    """Answers with the body of the request. It hangs up after the path `/last`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = self.path == "/last"
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _encrypted(folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Run a server with a certificate of its own; yield its port and a context that trusts the certificate."""
    context, certificate = server_certificate(folder)
    with _serving(Echo, context) as port:
        yield port, ssl.create_default_context(cafile=certificate)


def _relay(start: socket.socket, end: socket.socket) -> None:
    with suppress(OSError):
        while data := start.recv(65536):
            end.sendall(data)
        end.shutdown(socket.SHUT_WR)


def _whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _read_all(answer: OpenAnswer) -> bytes:
    return b"".join(iter(lambda: answer.read(1 << 20), b""))


@pytest.mark.parametrize("name", ENDLESS)
def test_an_open_answer_that_never_ends_is_given_up(name: str) -> None:
    serve, _ = ENDLESS[name]
    clock = Clock()
    with (
        stubborn(serve) as (port, _),
        pytest.raises(TemporaryError, match="takes too long"),
        client(port, clock=clock).opened("GET", "/x", {}) as answer,
    ):
        _read_all(answer)
    assert clock.looks <= 62


def test_the_time_of_an_open_answer_begins_anew_with_every_4_mib() -> None:
    """Each piece takes seconds on the test's clock, and all of them more than an exchange may take."""
    body = bytes(40 << 20)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)

    def serve(connection: socket.socket, _ended: threading.Event) -> None:
        connection.sendall(head + body)

    clock = Clock()
    with stubborn(serve) as (port, _), client(port, 2000, clock=clock).opened("GET", "/x", {}) as answer:
        assert answer.status == 200
        received = 0
        while piece := answer.read(4096):
            received += len(piece)
    assert received == len(body)
    assert clock.looks > 2000


@pytest.mark.parametrize("length", [b"Content-Length: 50\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_open_answer_that_is_cut_short_is_an_error(length: bytes) -> None:
    def serve(connection: socket.socket, _ended: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n3\r\nabc")

    with (
        stubborn(serve) as (port, _),
        pytest.raises(TemporaryError),
        client(port).opened("GET", "/x", {}) as answer,
    ):
        _read_all(answer)
        _read_all(answer)


def test_an_open_answer_that_was_left_early_does_not_reach_the_next_exchange() -> None:
    def serve(connection: socket.socket, _ended: threading.Event) -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer")
            connection.recv(65536)

    with stubborn(serve) as (port, requests):
        asked = client(port)
        with asked.opened("GET", "/x", {}) as answer:
            assert answer.read(3) == b"ans"
        with asked.opened("GET", "/x", {}) as answer:
            assert _read_all(answer) == b"answer"
        assert len(requests) == 2
