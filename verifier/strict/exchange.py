"""One HTTP exchange with a server that may be slow, wrong or hostile.

One deadline covers name look-up, connection, TLS, head and body. Head and body have a limit in bytes, and the head's
covers all interim answers such as `100 Continue`. No redirect is followed and nothing is sent twice.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.patient_socket import Allowance, PatientSocket, TooMuchError, open_connection

HEAD_MAX_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
_RENEWAL_BYTES = 4 << 20
_IDLE_MAX_SECONDS = 4.0  # servers close a connection that is idle for 5 seconds or more
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Server:
    """A server: `scheme` is http or https.

    `who` names it in messages. `seconds` is the time for one exchange. `proxy` is the URL of a proxy, or empty. With
    `only_public`, no address of a private network is connected to; a proxy looks names up itself.
    """

    scheme: str
    host: str
    port: int
    who: str
    seconds: float
    proxy: str = ""
    context: ssl.SSLContext | None = field(default=None, compare=False)
    only_public: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer that arrived whole. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OpenAnswer:
    """An answer whose body is read in pieces. Names of headers are in lower case.

    The time for the exchange begins anew with every 4 MiB, so a large body may take long, and a slow server may not.
    """

    def __init__(self, response: http.client.HTTPResponse, allowance: Allowance) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self._response = response
        self._allowance = allowance
        self._since_renewal = 0

    def read(self, most: int) -> bytes:
        """Return the next bytes of the body, at most `most`; nothing after the last one.

        Raises:
            TemporaryError: the body is cut short, slow or malformed.
        """
        allowance = self._allowance
        allowance.doing = "reading the body of the answer"
        allowance.allow(most + HEAD_MAX_BYTES)
        try:
            piece = self._response.read1(most)
        except (OSError, http.client.HTTPException) as error:
            raise _cannot_reach(allowance, error) from error
        if not piece and self._response.length:
            got = f"{self._response.length} bytes less"
            raise TemporaryError("the answer was cut short", where=allowance.who, got=got)
        self._since_renewal += len(piece)
        if self._since_renewal >= _RENEWAL_BYTES:
            self._since_renewal = 0
            allowance.renew()
        return piece

    @property
    def is_whole(self) -> bool:
        """Whether the body was read to its end, so that the connection can be used again."""
        response = self._response
        return (response.length == 0 or response.isclosed()) and not response.will_close


class HttpClient:
    """A client of one server. It keeps the connection between exchanges and is not for several threads at once.

    Args:
        on_wait: called at least twice a second while an exchange waits. What it raises ends the exchange.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        server: Server,
        on_wait: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._on_wait = on_wait
        self._clock = clock
        self._kept: PatientSocket | None = None
        self._kept_at = 0.0

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None, *, body_max_bytes: int
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises:
            TooMuchError: head or body have too many bytes.
            TemporaryError: the server cannot be reached, the time is up, or the answer is malformed or cut short.
        """
        allowance = Allowance(self._server.who, self._server.seconds, self._on_wait, self._clock)
        connection: PatientSocket | None = None
        try:
            connection = self._take(allowance) or self._connect(allowance)
            answer, is_reusable = self._ask(connection, method, target, headers, body, body_max_bytes)
            if is_reusable:
                self._kept, self._kept_at, connection = connection, self._clock(), None
            return answer
        except (OSError, http.client.HTTPException) as error:
            raise _cannot_reach(allowance, error) from error
        finally:
            if connection is not None:
                connection.hang_up()

    @contextmanager
    def opened(self, method: str, target: str, headers: Mapping[str, str]) -> Iterator[OpenAnswer]:
        """Send one request and yield the answer, whatever its status, before its body arrives.

        Raises:
            TemporaryError: the server cannot be reached, the time is up, or the head is malformed.
        """
        allowance = Allowance(self._server.who, self._server.seconds, self._on_wait, self._clock)
        connection: PatientSocket | None = None
        try:
            try:
                connection = self._take(allowance) or self._connect(allowance)
                answer = OpenAnswer(self._head(connection, method, target, headers, None), allowance)
            except (OSError, http.client.HTTPException) as error:
                raise _cannot_reach(allowance, error) from error
            yield answer
            if answer.is_whole:
                self._kept, self._kept_at, connection = connection, self._clock(), None
        finally:
            if connection is not None:
                connection.hang_up()

    def _take(self, allowance: Allowance) -> PatientSocket | None:
        """Return the connection of the last exchange if it is still open."""
        kept, self._kept = self._kept, None
        if kept is None:
            return None
        if self._clock() - self._kept_at > _IDLE_MAX_SECONDS or kept.is_readable():
            kept.hang_up()
            return None
        kept.allowance = allowance
        return kept

    def _connect(self, allowance: Allowance) -> PatientSocket:
        server, proxy = self._server, urlsplit(self._server.proxy)
        first = (proxy.hostname, proxy.port or 80) if proxy.hostname else (server.host, server.port)
        connection = open_connection(*first, allowance, only_public=server.only_public and not proxy.hostname)
        try:
            if server.scheme == "https":
                if proxy.hostname:
                    _ask_for_tunnel(connection, server, proxy)
                allowance.doing = "agreeing on encryption"
                connection.start_tls(server.context or ssl.create_default_context(), server.host)
        except BaseException:
            connection.hang_up()
            raise
        return connection

    def _ask(
        self,
        connection: PatientSocket,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        body_max_bytes: int,
    ) -> tuple[Answer, bool]:
        allowance = connection.allowance
        with self._head(connection, method, target, headers, body) as response:
            allowance.doing = "reading the body of the answer"
            allowance.allow(2 * body_max_bytes + HEAD_MAX_BYTES)  # a body in chunks has more bytes than its content
            received = _read(response, body_max_bytes, self._server.who)
            names = {name.lower(): value for name, value in response.getheaders()}
            is_whole = response.length == 0 or response.isclosed()
            return Answer(response.status, names, received), is_whole and not response.will_close

    def _head(
        self,
        connection: PatientSocket,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> http.client.HTTPResponse:
        """Send a request and return the answer as soon as its head is here."""
        server, allowance = self._server, connection.allowance
        sent = {"Accept-Encoding": "identity", **headers}
        if server.proxy and server.scheme == "http":
            target = f"http://{_host_words(server)}{target}"
            sent |= _proxy_headers(urlsplit(server.proxy))
        allowance.doing = "sending the request"
        request = _open_request(connection, server)
        request.request(method, target, body, sent)
        allowance.doing = "waiting for the head of the answer"
        allowance.allow(HEAD_MAX_BYTES)
        return request.getresponse()


def environment_proxy(scheme: str, host: str) -> str:
    """Return the URL of the proxy that the environment names for a host (HTTPS_PROXY, NO_PROXY, ...); empty for none.

    This machine's loopback has no proxy.

    Raises:
        UsageError: the proxy is of another kind than http.
    """
    from urllib.request import getproxies, proxy_bypass

    proxies = {} if host in _LOOPBACK or proxy_bypass(host) else getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    if proxy and not proxy.startswith("http://"):
        raise UsageError(
            "this kind of proxy is not supported", where="proxy", got=proxy.partition(":")[0], wanted="http://HOST:PORT"
        )
    return proxy


def default_port(scheme: str) -> int:
    """Return the port of `http` or `https`."""
    return _PORTS[scheme]


def basic_authorization(parts: SplitResult) -> str:
    """Return the value of an Authorization header for the user in a URL; empty if it names none."""
    if parts.username is None:
        return ""
    words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(words.encode()).decode()


def _open_request(connection: PatientSocket, server: Server) -> http.client.HTTPConnection:
    request = http.client.HTTPConnection(server.host, server.port)
    request.default_port = _PORTS[server.scheme]  # left out of the header Host
    request.sock = connection  # all that http.client uses of a socket
    request.auto_open = 0
    return request


def _ask_for_tunnel(connection: PatientSocket, server: Server, proxy: SplitResult) -> None:
    connection.allowance.doing = "asking the proxy for a connection"
    request = _open_request(connection, server)
    request.request("CONNECT", _host_words(server), headers=_proxy_headers(proxy))
    connection.allowance.allow(HEAD_MAX_BYTES)
    status = request.getresponse().status
    if status != http.HTTPStatus.OK:
        raise TemporaryError("the proxy refuses", where=server.who, got=f"status {status}", wanted="status 200")


def _read(response: http.client.HTTPResponse, most: int, who: str) -> bytes:
    body = bytearray()
    while piece := response.read1(_PIECE_BYTES):
        body += piece
        if len(body) > most:
            raise TooMuchError("the answer is too large", where=who, got="more", wanted=f"at most {most} bytes")
    if response.length:  # the connection closed before all announced bytes arrived
        raise TemporaryError("the answer was cut short", where=who, got=f"{response.length} bytes less")
    return bytes(body)


def _host_words(server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}"


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    authorization = basic_authorization(proxy)
    return {"Proxy-Authorization": authorization} if authorization else {}


def _cannot_reach(allowance: Allowance, error: Exception) -> TemporaryError:
    got = f"{_words(error)}, {allowance.doing}"
    return TemporaryError("the server cannot be reached", where=allowance.who, got=got, wanted="an answer")


def _words(error: Exception) -> str:
    """Return the kind of an error, and its cause if it is short. Other messages may quote what the server sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error.verify_message}"
    return type(error).__name__
