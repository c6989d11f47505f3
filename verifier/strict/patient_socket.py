"""A connection whose every step ends by one deadline, and can be interrupted at any time.

The standard library has a timeout for each operation of a socket. A server that sends one byte now and then never
exceeds it. Here the name look-up, the connection, the TLS handshake and every byte count against one deadline.
"""

from __future__ import annotations

import io
import logging
import math
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from provenance_oracle.verifier.errors import TemporaryError

STEP_SECONDS = 0.5  # the most time between two calls of `on_wait`
_FIRST_WORDS_SECONDS = 5.0  # a shorter wait is not worth a line in the log
_ADDRESSES_MAX = 8

_EVENTS: dict[type[OSError], int] = {ssl.SSLWantReadError: select.POLLIN, ssl.SSLWantWriteError: select.POLLOUT}
_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Allowance:
    """How long one exchange may take, and how many bytes may arrive.

    Args:
        who: the server, for messages.
        seconds: the time for the whole exchange.
        on_wait: called at least twice a second while the exchange waits. What it raises ends the exchange.
        clock: returns monotonic seconds.
    """

    def __init__(
        self, who: str, seconds: float, on_wait: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.who = who
        self.doing = "connecting"
        self._seconds = seconds
        self._on_wait = on_wait
        self._clock = clock
        self._started = clock()
        self._words_at = _FIRST_WORDS_SECONDS
        self._received = 0
        self._most = 0

    def check(self) -> float:
        """Return the seconds that are left, and log a wait that is long.

        Raises:
            TemporaryError: none are left.
        """
        self._on_wait()
        waited = self._clock() - self._started
        if waited > self._words_at:
            self._words_at *= 2
            _log.warning("%s: waiting for %.0f s, %s; at most %g s", self.who, waited, self.doing, self._seconds)
        if waited >= self._seconds:
            got, wanted = f"more, {self.doing}", f"at most {self._seconds:g} s for the whole exchange"
            raise TemporaryError("the answer takes too long", where=self.who, got=got, wanted=wanted)
        return self._seconds - waited

    def wait(self, ready: Callable[[float], bool], at_most: float = math.inf) -> bool:
        """Wait until `ready`, which blocks for the seconds that it is given at most. Return False after `at_most`."""
        ends = self._clock() + at_most
        while not ready(min(STEP_SECONDS, self.check())):
            if self._clock() >= ends:
                return False
        return True

    def allow(self, more_bytes: int) -> None:
        """Let this many bytes more arrive than have arrived so far."""
        self._most = self._received + more_bytes

    def renew(self) -> None:
        """Give the whole time anew. The caller does so after so many bytes that a slow server cannot go on for ever."""
        self._started = self._clock()
        self._words_at = _FIRST_WORDS_SECONDS

    def count(self, received: int) -> None:
        """Count bytes that arrived. Raises TooMuchError if they are more than allowed."""
        self._received += received
        self.check()
        if self._received > self._most:
            raise TooMuchError(
                "the answer has no end", where=self.who, got=f"more, {self.doing}", wanted=f"at most {self._most} bytes"
            )


class TooMuchError(TemporaryError):
    """A server sent more bytes, or more values, than an answer may have. A request for less may succeed."""


class PatientSocket:
    """An open connection, as far as `http.client` uses one. `allowance` is that of the current exchange."""

    def __init__(self, connected: socket.socket, allowance: Allowance) -> None:
        self.allowance = allowance
        self._hold(connected)

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt the connection and check the server's certificate."""
        encrypted = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._hold(encrypted)
        self._repeat(encrypted.do_handshake, select.POLLIN)

    def sendall(self, data: Any) -> None:
        """Send all bytes."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self._repeat(partial(self._socket.send, left), select.POLLOUT) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file that reads what arrives."""
        return io.BufferedReader(_Arriving(self))

    def receive_into(self, buffer: Any) -> int:
        """Read some bytes; return how many, 0 at the end."""
        received = self._repeat(partial(self._socket.recv_into, buffer), select.POLLIN)
        self.allowance.count(received)
        return received

    def is_readable(self) -> bool:
        """Return whether bytes, or the end, have arrived. Between two exchanges that means that the server hung up."""
        return bool(_poll(self._socket, select.POLLIN, 0))

    def close(self) -> None:
        """Do nothing: `http.client` closes a socket when an answer begins, and the exchange decides what is kept."""

    def hang_up(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _hold(self, connected: socket.socket) -> None:
        self._socket = connected
        weakref.finalize(self, connected.close)  # not `__del__`, which may come after the socket's own

    def _repeat(self, operation: Callable[[], _T], event: int) -> _T:
        """Try an operation until it does not have to wait; `event` says what it waits for."""
        while True:
            try:
                return operation()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                awaited = _EVENTS.get(type(error), event)
            self.allowance.wait(partial(_poll, self._socket, awaited))


class _Arriving(io.RawIOBase):
    def __init__(self, source: PatientSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.receive_into(buffer)


def open_connection(host: str, port: int, allowance: Allowance, *, only_public: bool = False) -> PatientSocket:
    """Connect to the first address of a host that answers.

    Args:
        only_public: connect to no address of a private network, of this machine, or with a special meaning.

    Raises:
        OSError: the host has no address, or none answers.
        TemporaryError: the time is up, or `only_public` forbids all addresses.
    """
    addresses = _resolve(host, port, allowance)[:_ADDRESSES_MAX]
    if only_public:
        addresses = [one for one in addresses if is_public(one[4][0])]
        if not addresses:
            problem, wanted = "the name leads into a private network", "a public address"
            raise TemporaryError(problem, where=allowance.who, got="no public address", wanted=wanted)
    for left in range(len(addresses), 0, -1):
        family, kind, protocol, _, address = addresses[-left]
        try:
            return PatientSocket(_connected(family, kind, protocol, address, allowance, left), allowance)
        except OSError:
            if left == 1:
                raise
    raise OSError("no address")


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet. An IPv4 address within IPv6 counts as itself."""
    from ipaddress import IPv6Address, ip_address

    found = ip_address(address.partition("%")[0])
    inner = (found.ipv4_mapped or found.sixtofour) if isinstance(found, IPv6Address) else None
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


def _connected(
    family: int, kind: int, protocol: int, address: Any, allowance: Allowance, addresses_left: int
) -> socket.socket:
    found = socket.socket(family, kind, protocol)
    try:
        found.setblocking(False)
        found.connect_ex(address)
        share = allowance.check() / addresses_left  # an address that never answers leaves time for the others
        if not allowance.wait(partial(_poll, found, select.POLLOUT), share):
            raise TimeoutError("no answer")
        if code := found.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "cannot connect")
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        found.close()
        raise
    return found


def _resolve(host: str, port: int, allowance: Allowance) -> list[Any]:
    """Look up a name in a thread, because a look-up can be neither limited nor interrupted."""
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()

    def is_done(seconds: float) -> bool:
        thread.join(seconds)
        return not thread.is_alive()

    allowance.wait(is_done)
    if isinstance(found[0], Exception):
        raise OSError("no such host") from found[0]
    return list(found[0])


def _poll(connection: socket.socket, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, event)
    return bool(poll.poll(seconds * 1000))
