"""Servers on the loopback that never end their answer, each in its own way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Serve = Callable[[socket.socket, threading.Event], None]
DRIP_SECONDS = 0.01
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def stubborn(serve: Serve) -> Iterator[tuple[int, list[bytes]]]:
    """Run `serve` for each connection until the block ends; yield the port and the list of requests."""
    ended, requests = threading.Event(), []

    def each(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            requests.append(connection.recv(65536))
            serve(connection, ended)

    def accept() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=each, args=(connection,), daemon=True))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads.append(threading.Thread(target=accept, daemon=True))
        threads[0].start()
        try:
            yield listener.getsockname()[1], requests
        finally:
            ended.set()
            for thread in threads:
                thread.join(5)


def repeating(start: bytes, piece: bytes, pause_seconds: float = DRIP_SECONDS) -> Serve:
    """Send `start` once, then `piece` without end."""

    def serve(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(start)
        while not ended.wait(pause_seconds):
            connection.sendall(piece)

    return serve


def _silent(_connection: socket.socket, ended: threading.Event) -> None:
    ended.wait(60)


# What each server does, and the words for what the client was doing when it gave up.
ENDLESS: dict[str, tuple[Serve, str]] = {
    "never answers": (_silent, "waiting for the head"),
    "drips the status line": (repeating(b"HTTP/1.1 200 ", b"O"), "waiting for the head"),
    "drips one header": (repeating(HEAD + b"X: ", b"x"), "waiting for the head"),
    "drips many headers": (repeating(HEAD, b"X: x\r\n", 0.1), "waiting for the head"),
    "says 100 Continue": (repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "waiting for the head"),
    "says 102 Processing": (repeating(b"", b"HTTP/1.1 100 Continue\r\nX: x\r\n\r\n"), "waiting for the head"),
    "drips the body": (repeating(HEAD + b"Content-Length: 99999\r\n\r\n", b" "), "reading the body"),
    "drips a body of unknown length": (repeating(HEAD + b"Connection: close\r\n\r\n", b" "), "reading the body"),
    "drips chunks": (repeating(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), "reading the body"),
    "drips the size of a chunk": (repeating(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"), "reading the body"),
}
HUGE: dict[str, tuple[Serve, str]] = {
    "sends 100 Continue fast": (repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, 0), "the answer has no end"),
    "sends a huge header": (repeating(HEAD + b"X: ", b"x" * 50_000, 0), "the answer has no end"),
    "sends many headers": (repeating(HEAD, b"X: x\r\n" * 5000, 0), "got HTTPException"),
    "sends a few long headers": (repeating(HEAD, b"X: " + b"x" * 60_000 + b"\r\n", 0), "the answer has no end"),
    "sends a huge body": (repeating(HEAD + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536, 0), "too large"),
    "sends a huge body in chunks": (
        repeating(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n", 0),
        "too large",
    ),
    "sends tiny chunks": (
        repeating(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 1000 + b"\r\n \r\n", 0),
        "the answer has no end",
    ),
    "sends trailers": (
        repeating(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n" * 5000, 0),
        "the answer has no end",
    ),
}
