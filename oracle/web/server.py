"""Run an application on uvicorn in a thread of the oracle, so that slow and half-open clients starve no others.

Every connection must bring a whole request within _REQUEST_SECONDS. If too many connections are open, the oldest one
that has brought no whole request makes room for a new one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from provenance_oracle.oracle.web.problems import MEDIA_TYPE
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

CONNECTIONS_MAX = 100
_REQUEST_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 5
_STOP_SECONDS = 1
_HEAD_MAX_BYTES = 16 * 1024
_BACKLOG = 128
_BAD_REQUEST = b'{"type": "about:blank", "title": "Bad Request", "status": 400}'

_log = logging.getLogger(__name__)


@contextmanager
def serving(app: ASGIApp, listen: str) -> Iterator[tuple[str, int]]:
    """Serve an application within the block, and yield the address: host and port.

    Args:
        listen: HOST:PORT; port 0 takes any free one.

    Raises:
        UsageError: the text is no address, or it cannot be listened on.
    """
    listener = _open_listener(listen)
    host, port = listener.getsockname()[:2]
    config = Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_HEAD_MAX_BYTES,
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    _log.info("the oracle answers at http://%s:%d", f"[{host}]" if ":" in host else host, port)
    if not ipaddress.ip_address(host).is_loopback:
        _log.warning("%s is not a loopback address; put a proxy with TLS and access control before it", host)
    try:
        yield host, port
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS * 3)
        listener.close()


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol with a deadline for each whole request and a bound on open connections."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()
        self._made_at = self.loop.time()
        if len(self.connections) > CONNECTIONS_MAX:
            waiting = [one for one in self.connections if isinstance(one, BoundedProtocol) and one.is_waiting]
            min(waiting, key=lambda one: one._made_at).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._arm()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP with a problem document, and close the connection."""
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(_BAD_REQUEST)}\r\n"
        self.transport.write(head.encode() + b"Connection: close\r\n\r\n" + _BAD_REQUEST)
        self.transport.close()

    @property
    def is_waiting(self) -> bool:
        """Whether the client has to act: it has sent no whole request, or takes no answer."""
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.transport.is_closing()

    def _arm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(_REQUEST_SECONDS, self._end)

    def _end(self) -> None:
        if self.is_waiting:
            self.transport.abort()


def _open_listener(listen: str) -> socket.socket:
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise UsageError(
            "the setting listen has a wrong value", where="listen", got=printable(repr(listen)), wanted="HOST:PORT"
        )
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"the address cannot be listened on: {error.strerror or error}",
            where="listen",
            got=printable(listen),
            wanted="a free port of this machine",
        ) from None
    return listener
