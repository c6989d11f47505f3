"""Run an application on uvicorn in a thread of the oracle, so that slow and half-open clients starve no others.

Every connection must bring a whole request within _REQUEST_SECONDS, and take the rest of an answer at a pace. If too
many connections are open, of one address or of all, the oldest one that has brought no whole request makes room for a
new one. A proxy that the operator names may hold as many connections as it likes; its header X-Forwarded-For names the
client.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from provenance_oracle.oracle.web.problems import MEDIA_TYPE
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

CONNECTIONS_MAX = 200
CONNECTIONS_OF_ONE_MAX = 32
_REQUEST_SECONDS = 5.0
_PACE_BYTES = 64 * 1024  # of an answer, in _REQUEST_SECONDS
_KEEP_ALIVE_SECONDS = 5
_STOP_SECONDS = 1
_HEAD_MAX_BYTES = 16 * 1024
_BACKLOG = 128
_BAD_REQUEST = b'{"type": "about:blank", "title": "Bad Request", "status": 400}'

_log = logging.getLogger(__name__)


@contextmanager
def serving(app: ASGIApp, listen: str, proxies: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Serve an application within the block, and yield the address: host and port.

    Args:
        listen: HOST:PORT; port 0 takes any free one.
        proxies: IP addresses of proxies before this server, whose headers about the client are believed.

    Raises:
        UsageError: the text is no address, or it cannot be listened on.
    """
    listener = _open_listener(listen)
    host, port = listener.getsockname()[:2]
    config = Config(
        ProxyHeadersMiddleware(app, list(proxies)) if proxies else app,  # type: ignore[arg-type]
        http=type("Protocol", (BoundedProtocol,), {"proxies": frozenset(proxies)}),
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
    if not ipaddress.ip_address(host).is_loopback and not proxies:
        _log.warning("%s is not a loopback address; put a proxy with TLS and access control before it", host)
    try:
        yield host, port
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS * 3)
        listener.close()


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol with a deadline for each whole request and bounds on open connections.

    Attributes:
        proxies: IP addresses with no bound of their own.
    """

    proxies: frozenset[str] = frozenset()
    _deadline: asyncio.TimerHandle | None = None
    _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()
        self._made_at = self.loop.time()
        ours = [one for one in self.connections if isinstance(one, BoundedProtocol)]
        same = [one for one in ours if one._address == self._address and self._address not in self.proxies]
        if len(same) > CONNECTIONS_OF_ONE_MAX:
            _oldest_waiting(same).transport.abort()
        elif len(ours) > CONNECTIONS_MAX:
            _oldest_waiting(ours).transport.abort()

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

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _arm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._unsent = self.transport.get_write_buffer_size()
        self._deadline = self.loop.call_later(_REQUEST_SECONDS, self._end)

    def _end(self) -> None:
        if not self.is_waiting:
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent and self._unsent - unsent >= _PACE_BYTES:
            self._arm()  # a slow reader of a large answer
        else:
            self.transport.abort()


def _oldest_waiting(connections: Sequence[BoundedProtocol]) -> BoundedProtocol:
    """Return the oldest connection whose client has to act. The newest has brought nothing yet, so there is one."""
    return min((one for one in connections if one.is_waiting), key=lambda one: one._made_at)


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
