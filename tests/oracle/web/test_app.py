"""Tests of the routes: health, readiness, metrics, status and webhooks, over a real connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from provenance_oracle.oracle.conditions import Conditions, Trouble
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.hooks import HubHook, concerns
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.verifier.errors import TemporaryError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "correct horse"
PUSH = {"event": {"action": "update"}, "repo": {"type": "model", "name": "acme/model"}}


@dataclass
class Site:
    """A server with the routes of the oracle and some of a test."""

    conditions: Conditions = field(default_factory=lambda: Conditions(lambda: NOW))
    woken: list[str] = field(default_factory=list)
    scrapes: int = 0
    seconds: float = 0.0
    address: tuple[str, int] = ("", 0)

    def metrics(self) -> bytes:
        self.scrapes += 1
        return b"metric 1\n"

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        answer.text = answer.read()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def hook(self, body: bytes, **headers: str) -> http.client.HTTPResponse:
        return self.ask("/hooks/huggingface", "POST", body, **headers)


def document(answer: Any) -> Any:
    return json.loads(answer.text)


def temporary(_request: Request) -> Response:
    raise TemporaryError("the node does not answer", where="chain")


def broken(_request: Request) -> Response:
    raise RuntimeError("secret detail")


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    views = Views(lambda: made.conditions.blocking(sources=1), made.metrics, lambda: {"schema": "status"})
    hook = HubHook(
        SECRET.encode(), ["folder", "hf://acme", "hf://other/model"], made.woken.append, lambda: made.seconds
    )
    routes = [Route("/temporary", temporary), Route("/broken", broken), Route("/echo", echo, methods=["POST"])]
    with serving(make_app(views, hook, routes), "127.0.0.1:0") as made.address:
        yield made


def test_it_is_alive_and_ready(site: Site) -> None:
    assert site.ask("/healthz").status == site.ask("/readyz").status == 200


def test_it_is_not_ready_while_a_trouble_stands_says_which_and_is_ready_again(site: Site) -> None:
    site.conditions.begin(Trouble.FUNDS, "0 wei")
    answer = site.ask("/readyz")
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert document(answer)["detail"] == "funds"
    (condition,) = document(answer)["conditions"]
    assert (condition["kind"], condition["reason"], condition["since"]) == ("funds", "0 wei", "2026-01-01T00:00:00Z")
    assert site.ask("/healthz").status == 200
    site.conditions.end(Trouble.FUNDS)
    assert site.ask("/readyz").status == 200


def test_metrics_are_made_once_for_many_scrapes_within_a_second(site: Site) -> None:
    answers = [site.ask("/metrics") for _ in range(5)]
    assert {answer.text for answer in answers} == {b"metric 1\n"}  # type: ignore[attr-defined]
    assert answers[0].headers["content-type"].startswith("text/plain; version=0.0.4")
    assert site.scrapes < 5


def test_status_is_a_document(site: Site) -> None:
    assert document(site.ask("/status")) == {"schema": "status"}


def test_an_error_of_ours_has_the_status_of_its_class(site: Site) -> None:
    answer = site.ask("/temporary")
    assert answer.status == 503
    assert document(answer)["detail"] == "chain: the node does not answer"
    assert document(answer)["retry"] is True


def test_a_bug_is_logged_and_not_shown(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    answer = site.ask("/broken")
    assert (answer.status, document(answer)["title"]) == (500, "Internal Server Error")
    assert "secret detail" in caplog.text
    assert b"secret detail" not in answer.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(("path", "method", "status"), [("/nothing", "GET", 404), ("/healthz", "POST", 405)])
def test_other_requests_get_a_problem(site: Site, path: str, method: str, status: int) -> None:
    answer = site.ask(path, method)
    assert (answer.status, document(answer)["status"]) == (status, status)


def test_a_body_has_a_mebibyte_at_most(site: Site) -> None:
    assert site.ask("/echo", "POST", bytes(1 << 20)).text == b"1048576"  # type: ignore[attr-defined]
    answer = site.ask("/echo", "POST", bytes((1 << 20) + 1))
    assert (answer.status, document(answer)["title"]) == (413, "Request Entity Too Large")


def test_a_webhook_wakes_the_source_that_it_is_about(site: Site) -> None:
    assert site.hook(json.dumps(PUSH).encode(), X_Webhook_Secret=SECRET).status == 202
    assert site.woken == ["hf://acme"]
    other = {"repo": {"name": "other/model-2"}}
    assert site.hook(json.dumps(other).encode(), X_Webhook_Secret=SECRET).status == 202
    assert site.woken == ["hf://acme"]


@pytest.mark.parametrize(
    ("repository", "woken"),
    [
        ("acme/model", ["hf://acme"]),
        ("ACME/Model", ["hf://acme"]),
        ("acme-2/model", []),
        ("other/model", ["hf://other/model,lab/a@v1"]),
        ("lab/a", ["hf://other/model,lab/a@v1"]),
        ("lab/b", []),
        ("acme", ["hf://acme"]),
        ("", []),
    ],
)
def test_a_webhook_is_about_the_places_of_a_source(repository: str, woken: list[str]) -> None:
    sources = ("hf://acme", "hf://other/model,lab/a@v1")
    assert [source for source in sources if concerns(source, repository)] == woken


@pytest.mark.parametrize("headers", [{}, {"X_Webhook_Secret": "wrong"}, {"X_Webhook_Secret": SECRET + "x"}])
def test_a_webhook_without_the_secret_wakes_nothing(site: Site, headers: dict[str, str]) -> None:
    assert site.hook(json.dumps(PUSH).encode(), **headers).status == 401
    assert site.woken == []


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 100_000, b'{"repo": {"name": 1}}', b'{"repo": []}'])
def test_a_webhook_of_another_form_wakes_nothing(site: Site, body: bytes) -> None:
    assert site.hook(body, X_Webhook_Secret=SECRET).status == 422
    assert site.woken == []


def test_webhooks_are_limited_and_the_limit_passes(site: Site) -> None:
    body = json.dumps(PUSH).encode()
    answers = [site.hook(body, X_Webhook_Secret=SECRET) for _ in range(12)]
    assert [answer.status for answer in answers] == [202] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "2"
    assert len(site.woken) == 10
    site.seconds += 2.0
    assert site.hook(body, X_Webhook_Secret=SECRET).status == 202


def test_without_a_secret_there_is_no_webhook() -> None:
    views = Views(tuple, lambda: b"", dict)
    with serving(make_app(views), "127.0.0.1:0") as address:
        assert Site(address=address).hook(b"{}").status == 404
