"""Tests of the addresses at which users find verdicts with their signatures and evidence."""

from __future__ import annotations

import hashlib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.oracle.web.verdicts import VERDICTS_AT_ONCE, verdict_route

KEPT = KeptVerdict(b"{}", b"tar", b"envelope")
DIGEST = hashlib.sha256(KEPT.statement).digest()
NAME = f"{DIGEST.hex()[:2]}/{DIGEST.hex()}"
VIEWS = Views(blocking=tuple, metrics=bytes, status=dict)


def get(find: Callable[[bytes], KeptVerdict | None], *names: str) -> list[tuple[int, bytes, str]]:
    answers = []
    with serving(make_app(VIEWS, routes=[verdict_route(find)]), "127.0.0.1:0") as (host, port):
        for name in names:
            try:
                with urllib.request.urlopen(f"http://{host}:{port}/verdicts/{name}", timeout=10) as answer:
                    answers.append((answer.status, answer.read(), answer.headers["content-type"]))
            except urllib.error.HTTPError as error:
                answers.append((error.code, b"", error.headers["content-type"]))
    return answers


def test_the_files_of_a_kept_verdict_are_served() -> None:
    found = get({DIGEST: KEPT}.get, f"{NAME}.json", f"{NAME}.dsse.json", f"{NAME}.evidence.tar")
    assert found == [
        (200, b"{}", "application/json"),
        (200, b"envelope", "application/json"),
        (200, b"tar", "application/x-tar"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        f"{'00' * 32}.json",
        f"00/{'00' * 32}.json",
        f"00/{DIGEST.hex()}.json",
        f"{NAME.upper()}.json",
        f"{NAME}.yaml",
        f"{NAME}.json/more",
        f"../{NAME}.json",
        "",
    ],
)
def test_nothing_else_is_served(name: str) -> None:
    ((status, _, kind),) = get({DIGEST: KEPT}.get, name)
    assert (status, kind) == (404, "application/problem+json")


def test_what_is_not_kept_is_not_found() -> None:
    found = get({DIGEST: KeptVerdict(b"{}", None)}.get, f"{NAME}.json", f"{NAME}.dsse.json", f"{NAME}.evidence.tar")
    assert [status for status, *_ in found] == [200, 404, 404]


def test_few_are_answered_at_once() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(_digest: bytes) -> KeptVerdict:
        begun.release()
        assert go_on.wait(10)
        return KEPT

    statuses: list[int] = []
    with serving(make_app(VIEWS, routes=[verdict_route(slow)]), "127.0.0.1:0") as (host, port):
        url = f"http://{host}:{port}/verdicts/{NAME}.json"

        def ask() -> None:
            with urllib.request.urlopen(url, timeout=20) as answer:
                statuses.append(answer.status)

        threads = [threading.Thread(target=ask) for _ in range(VERDICTS_AT_ONCE)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert begun.acquire(timeout=10)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(url, timeout=10)
        go_on.set()
        for thread in threads:
            thread.join(10)
        ask()
    assert statuses == [200] * (VERDICTS_AT_ONCE + 1)
