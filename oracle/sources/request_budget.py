"""Keep to a server's rate limits: the headers RateLimit, RateLimit-Policy and Retry-After, and status 429.

Source: draft-ietf-httpapi-ratelimit-headers-09, and huggingface.co/docs/hub/rate-limits. The hub counts two groups of
requests in fixed windows of 5 minutes, `api` and `resolvers`:

    RateLimit: "api";r=489;t=55                             489 requests left, the window ends in 55 s
    RateLimit-Policy: "fixed window";"api";q=500;w=300      500 requests in 300 s
"""

from __future__ import annotations

import http
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provenance_oracle.oracle.backoff import LongWaitError

# A tenth of each window is left to other programs behind the same address or token.
_RESERVE = 10
_WAIT_MAX_SECONDS = 600.0
_UNNAMED_SECONDS = 30.0  # after a status 429 that names no time
_LEFT = re.compile(r'"(?P<group>[a-z]{1,32})"\s*;\s*r\s*=\s*(?P<left>\d{1,9})\s*;\s*t\s*=\s*(?P<seconds>\d{1,9})')
_POLICY = re.compile(r"q\s*=\s*(?P<most>\d{1,9})")
_SECONDS = re.compile(r"\d{1,9}")


@dataclass
class _Window:
    left: int
    reserve: int
    ends_at: float


class RequestBudget:
    """The requests that a server still allows. Several threads may use it at once.

    Args:
        who: the server, for messages.
        clock: returns monotonic seconds.
        sleep: sleeps for some seconds. What it raises ends the wait.
    """

    def __init__(self, who: str, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._who = who
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def take(self, group: str) -> None:
        """Wait until the server allows one more request of a group, and count it.

        Raises:
            LongWaitError: the server asks for a wait of more than ten minutes.
            Errors of `sleep`.
        """
        while seconds := self._wait_seconds(group):
            if seconds > _WAIT_MAX_SECONDS:
                raise LongWaitError(
                    "the server allows no more requests for a long time",
                    wait_seconds=seconds,
                    where=self._who,
                    got=f"a wait of {seconds:.0f} s",
                    wanted=f"at most {_WAIT_MAX_SECONDS:.0f} s",
                )
            self._sleep(seconds)

    def note(self, group: str, status: int, headers: Mapping[str, str]) -> None:
        """Take over the limits that an answer to a request of `group` states. Names of headers are in lower case."""
        found = _LEFT.search(headers.get("ratelimit", ""))
        policy = _POLICY.search(headers.get("ratelimit-policy", ""))
        now = self._clock()
        with self._lock:
            if found:
                reserve = int(policy["most"]) // _RESERVE if policy else 0
                self._windows[group] = _Window(int(found["left"]), reserve, now + int(found["seconds"]) + 1)
            if status == http.HTTPStatus.TOO_MANY_REQUESTS:
                named = _SECONDS.fullmatch(headers.get("retry-after", ""))
                seconds = int(named[0]) if named else int(found["seconds"]) + 1 if found else _UNNAMED_SECONDS
                self._windows[group] = _Window(0, 0, now + max(1, seconds))

    def _wait_seconds(self, group: str) -> float:
        """Count a request and return 0, or return the seconds until the next window."""
        with self._lock:
            window, now = self._windows.get(group), self._clock()
            if window is None or now >= window.ends_at:
                self._windows.pop(group, None)
                return 0.0
            if window.left > window.reserve:
                window.left -= 1
                return 0.0
            return window.ends_at - now
