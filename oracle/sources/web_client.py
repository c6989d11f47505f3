"""GET requests to one site that sends its readers on to other servers, such as a hub to its store.

The authorization goes to the site itself only. A redirect leads to HTTPS and to a public address, unless the operator
chose a site that has neither, such as a mirror in the own network. The number of redirects is bounded.
"""

from __future__ import annotations

import http
import ipaddress
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urljoin, urlsplit

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.exchange import (
    HttpClient,
    OpenAnswer,
    Server,
    default_port,
    environment_proxy,
)
from provenance_oracle.verifier.strict.patient_socket import is_public
from provenance_oracle.verifier.text import printable

EXCHANGE_SECONDS = 60.0  # for head and body of a small answer, and for every 4 MiB of a large one
_REDIRECTS_MAX = 5
_IDLE_MAX = 16  # kept connections of one server
_SERVERS_MAX = 32
_DRAIN_BYTES, _DRAIN_MAX = 16 * 1024, 8
_URL_MAX_CHARS = 16_384
_URL = re.compile(r"[!-~]+")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

OnAnswer = Callable[[OpenAnswer], object]
_Place = tuple[str, str, int]


class WebClient:
    """A client of one site and of the servers to which it redirects. Several threads may use it at once.

    Args:
        site: the site's URL, with nothing but scheme, host and port.
        authorization: returns the header Authorization for the site; "" for none.
        on_wait: called at least twice a second while a request waits. What it raises ends the request.
        clock: returns monotonic seconds.
        private_redirects: whether a redirect may lead to HTTP and into a private network; None: if the site is there.

    Raises:
        UsageError: `site` is no such URL.
    """

    def __init__(
        self,
        site: str,
        authorization: Callable[[], str] = lambda: "",
        on_wait: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        *,
        private_redirects: bool | None = None,
    ) -> None:
        parts = _split(site)
        if parts is None or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
            raise UsageError("not the URL of a site", where="site", wanted="https://HOST or https://HOST:PORT")
        self._site = _place(parts)
        self.url = site.rstrip("/")
        self._authorization = authorization
        self._on_wait = on_wait
        self._clock = clock
        is_private = parts.scheme == "http" or _is_private_address(self._site[1])
        self._private_redirects = is_private if private_redirects is None else private_redirects
        self._context = ssl.create_default_context()
        self._lock = threading.Lock()
        self._idle: dict[_Place, list[HttpClient]] = {}

    @contextmanager
    def get(
        self, url: str, headers: Mapping[str, str], on_answer: OnAnswer = lambda _answer: None
    ) -> Iterator[OpenAnswer]:
        """Send a GET request, follow redirects, and yield the last answer, whatever its status.

        Args:
            url: an address of the site.
            on_answer: called with each answer of the site itself, before a redirect is followed.

        Raises:
            TemporaryError: a server cannot be reached or is slow, or a redirect leads where none may.
        """
        for _ in range(_REDIRECTS_MAX + 1):
            parts = self._checked(url)
            place = _place(parts)
            is_site = place == self._site
            sent = dict(headers)
            if is_site and (authorization := self._authorization()):
                sent["Authorization"] = authorization
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            with self._client(place) as client, client.opened("GET", target, sent) as answer:
                if is_site:
                    on_answer(answer)
                location = answer.headers.get("location", "")
                if answer.status not in _REDIRECTS or not location:
                    yield answer
                    return
                _drain(answer)
            url = urljoin(url, location)
        problem, got = "the site redirects without end", f"more than {_REDIRECTS_MAX} redirects"
        raise TemporaryError(problem, where=self.url, got=got, wanted=f"at most {_REDIRECTS_MAX}")

    def _checked(self, url: str) -> SplitResult:
        parts = _split(url)
        if parts is None:
            problem, wanted = "the site redirects to no address", "http:// or https:// and a host"
            raise TemporaryError(problem, where=self.url, got=printable(url[:60]), wanted=wanted)
        if _place(parts) == self._site or self._private_redirects:
            return parts
        if parts.scheme != "https" or _is_private_address(parts.hostname or ""):
            raise TemporaryError(
                "the site redirects to a place that is not public",
                where=self.url,
                got=printable(f"{parts.scheme}://{parts.hostname}"),
                wanted="https:// and a public address",
            )
        return parts

    @contextmanager
    def _client(self, place: _Place) -> Iterator[HttpClient]:
        """Yield a client of a server that no other thread uses, and keep it after a use without an error."""
        with self._lock:
            idle = self._idle.get(place)
            client = idle.pop() if idle else None
        if client is None:
            client = HttpClient(self._server(place), self._on_wait, self._clock)
        yield client
        with self._lock:
            if place not in self._idle and len(self._idle) >= _SERVERS_MAX:
                del self._idle[next(iter(self._idle))]
            clients = self._idle.setdefault(place, [])
            if len(clients) < _IDLE_MAX:
                clients.append(client)

    def _server(self, place: _Place) -> Server:
        scheme, host, port = place
        return Server(
            scheme,
            host,
            port,
            f"{scheme}://{host}:{port}",
            EXCHANGE_SECONDS,
            environment_proxy(scheme, host),
            self._context,
            only_public=place != self._site and not self._private_redirects,
        )


def status_error(answer: OpenAnswer, where: str) -> TemporaryError:
    """Return the error for an answer with an unexpected status."""
    words = {401: "; does the token hold?", 403: "; may the token read it?", 404: "; does it exist?"}
    got = f"status {answer.status}{words.get(answer.status, '')}"
    return TemporaryError(
        "the server gives no usable answer", where=where, got=got, wanted=f"status {http.HTTPStatus.OK}"
    )


def _drain(answer: OpenAnswer) -> None:
    """Read the short body of a redirect, so that the connection can be used again."""
    for _ in range(_DRAIN_MAX):
        if not answer.read(_DRAIN_BYTES):
            return


def _split(url: str) -> SplitResult | None:
    with suppress(ValueError):
        parts = urlsplit(url)
        is_url = len(url) <= _URL_MAX_CHARS and _URL.fullmatch(url) is not None
        if is_url and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    return None


def _place(parts: SplitResult) -> _Place:
    return parts.scheme, parts.hostname or "", parts.port or default_port(parts.scheme)


def _is_private_address(host: str) -> bool:
    """Return whether a host is an IP address that is not public, or the name of this machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return not is_public(host)
