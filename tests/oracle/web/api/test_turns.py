"""Slow answers take turns: more of them than turns wait, and those that wait too long are told to come again."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from provenance_oracle.oracle.web.api import endpoint
from provenance_oracle.oracle.web.api.endpoint import SLOW_AT_ONCE, starlette_routes
from provenance_oracle.oracle.web.api.rate import RateLimit
from provenance_oracle.oracle.web.api.table import API_PREFIX, ApiRoute, Body
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.server import serving


@contextmanager
def asking_slow(answer: Callable[[], Body]) -> Iterator[Callable[[], int]]:
    """Serve a slow route, and yield a function that asks it and returns the status."""
    table = [ApiRoute("/slow", "A slow answer.", answer, is_slow=True)]
    app = make_app(Views(blocking=tuple, metrics=bytes, status=dict), routes=starlette_routes(table, RateLimit(0)))
    with serving(app, "127.0.0.1:0") as (host, port):

        def ask() -> int:
            try:
                with urllib.request.urlopen(f"http://{host}:{port}{API_PREFIX}/slow", timeout=20) as found:
                    return int(found.status)
            except urllib.error.HTTPError as error:
                return error.code

        yield ask


def test_more_requests_than_turns_wait_for_theirs() -> None:
    begun, go_on, most = threading.Semaphore(0), threading.Event(), 3 * SLOW_AT_ONCE

    def answer() -> Body:
        begun.release()
        assert go_on.wait(10)
        return Body(b"{}")

    with asking_slow(answer) as ask, ThreadPoolExecutor(most) as pool:
        asked = [pool.submit(ask) for _ in range(most)]
        for _ in range(SLOW_AT_ONCE):
            assert begun.acquire(timeout=10)
        assert not begun.acquire(timeout=0.2)
        go_on.set()
        assert [one.result(20) for one in asked] == [200] * most


def test_a_request_that_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "WAIT_SECONDS", 0.2)
    begun, go_on = threading.Semaphore(0), threading.Event()

    def answer() -> Body:
        begun.release()
        assert go_on.wait(10)
        return Body(b"{}")

    with asking_slow(answer) as ask, ThreadPoolExecutor(SLOW_AT_ONCE) as pool:
        asked = [pool.submit(ask) for _ in range(SLOW_AT_ONCE)]
        for _ in asked:
            assert begun.acquire(timeout=10)
        assert ask() == 503
        go_on.set()
        assert [one.result(20) for one in asked] == [200] * SLOW_AT_ONCE
        assert ask() == 200
