"""Tests of the limits that are for one address, and of the proxies that stand for many."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from provenance_oracle.oracle.web.bounds import TARGET_MAX_BYTES, Bounded
from provenance_oracle.oracle.web.server import CONNECTIONS_OF_ONE_MAX, serving


def scope_of(address: str, path: bytes = b"/") -> dict[str, Any]:
    return {"type": "http", "headers": [], "raw_path": path, "query_string": b"", "client": (address, 1)}


async def status_of(bounded: Bounded, scope: dict[str, Any]) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await bounded(scope, receive, send)
    return int(sent[0]["status"])


def test_one_address_has_a_part_of_the_answers_and_others_the_rest() -> None:
    async def run() -> list[int]:
        free = asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await free.wait()
            await PlainTextResponse("")(scope, receive, send)

        bounded = Bounded(slow, body_max_bytes=1, answer_seconds=30, answers_max=9, answers_of_one_max=2)
        held = [asyncio.create_task(status_of(bounded, scope_of("a"))) for _ in range(2)]
        await asyncio.sleep(0)
        refused = await status_of(bounded, scope_of("a"))
        other = asyncio.create_task(status_of(bounded, scope_of("b")))
        await asyncio.sleep(0)
        free.set()
        found = [refused, await other, *[await one for one in held]]
        return [*found, await status_of(bounded, scope_of("a"))]

    assert asyncio.run(run()) == [503, 200, 200, 200, 200]


def test_a_long_address_reaches_no_route() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("")(scope, receive, send)

    bounded = Bounded(app, body_max_bytes=1, answer_seconds=30, answers_max=1)
    paths = [b"/" * TARGET_MAX_BYTES, b"/" * (TARGET_MAX_BYTES + 1)]
    assert [asyncio.run(status_of(bounded, scope_of("a", path))) for path in paths] == [200, 414]


def client_app() -> Starlette:
    async def name(request: Request) -> Response:
        assert request.client is not None
        return PlainTextResponse(f"{request.url.scheme} {request.client.host}")

    return Starlette(routes=[Route("/", name)])


_FORWARDED = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"


def asked(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(_FORWARDED + b"Connection: close\r\n\r\n")
        return connection.makefile("rb").read().rpartition(b"\r\n\r\n")[2]


def test_only_a_proxy_that_is_named_may_name_the_client() -> None:
    with serving(client_app(), "127.0.0.1:0") as address:
        assert asked(address) == b"http 127.0.0.1"
    with serving(client_app(), "127.0.0.1:0", ["127.0.0.1"]) as address:
        assert asked(address) == b"https 192.0.2.7"


def test_a_proxy_may_hold_more_connections_than_a_client() -> None:
    with serving(client_app(), "127.0.0.1:0", ["127.0.0.1"]) as address, ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(address, 20)) for _ in range(CONNECTIONS_OF_ONE_MAX + 8)]
        held[-1].sendall(_FORWARDED + b"\r\n")
        held[0].sendall(_FORWARDED + b"\r\n")
        assert held[-1].recv(15) == held[0].recv(15) == b"HTTP/1.1 200 OK"


def test_a_large_answer_reaches_a_reader_in_full() -> None:
    async def large(_request: Request) -> Response:
        return Response(bytes(1 << 23))

    with (
        serving(Starlette(routes=[Route("/", large)]), "127.0.0.1:0") as address,
        socket.create_connection(address, timeout=30) as reader,
    ):
        reader.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert len(reader.makefile("rb").read()) > 1 << 23
