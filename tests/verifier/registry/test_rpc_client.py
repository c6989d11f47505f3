"""Tests of how requests go to a node: together or one by one, how often, and after which pauses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry import rpc_client
from provenance_oracle.verifier.registry.node import open_node
from provenance_oracle.verifier.registry.rpc_client import ONCE, TOGETHER_MAX, Repeating, RpcClient
from tests.support.fake_nodes import node

THRICE = Repeating(tries=3, seconds=100)
OK, FAILED, BUSY, UNAVAILABLE = (
    HTTPStatus.OK,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
# What a node answers to a decoded request: status, headers, and the JSON.
Reply = Callable[[Any], tuple[int, dict[str, str], Any]]
QUESTIONS = [("name", [number]) for number in range(5)]


def result(request: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "result": request["params"]}


def failure(request: Any, code: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": "no"}}


def honest(request: Any) -> tuple[int, dict[str, str], Any]:
    return OK, {}, [result(one) for one in request] if isinstance(request, list) else result(request)


def in_turns(*replies: Reply) -> Reply:
    """Return a node that gives each reply once, and the last one from then on."""
    left = list(replies)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)


@contextmanager
def asked(reply: Reply, repeating: Repeating = ONCE) -> Iterator[tuple[RpcClient, list[Any]]]:
    """Run a node; yield a client of it, and the decoded requests that the node received."""
    seen: list[Any] = []

    def respond(body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(json.loads(body))
        status, headers, value = reply(seen[-1])
        return status, headers, json.dumps(value).encode()

    with node(respond) as (url, _):
        yield open_node(url, repeating=repeating).client, seen


def results(answers: list[Any]) -> list[Any]:
    return [answer["result"] for answer in answers]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of the pauses, which take no time."""
    made: list[float] = []
    monkeypatch.setattr(rpc_client, "_pause", lambda seconds, _on_wait: made.append(seconds))
    return made


def ask(client: RpcClient, method: str = "name") -> Any:
    request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": [7]}
    return client.ask(method, [7], json.dumps(request).encode())


# Together


def test_questions_share_a_request_and_the_answers_may_come_in_another_order() -> None:
    with asked(lambda request: (OK, {}, [result(one) for one in request[::-1]])) as (client, seen):
        assert results(client.ask_together(QUESTIONS)) == [[number] for number in range(5)]
    assert len(seen) == 1


def test_a_request_has_at_most_as_many_questions_as_providers_take() -> None:
    with asked(honest) as (client, seen):
        many = [("name", [number]) for number in range(TOGETHER_MAX + 2)]
        assert results(client.ask_together(many)) == [[number] for number in range(TOGETHER_MAX + 2)]
    assert [len(request) for request in seen] == [TOGETHER_MAX, 2]


def test_one_question_is_asked_as_any_other() -> None:
    with asked(honest) as (client, seen):
        assert results(client.ask_together(QUESTIONS[:1])) == [[0]]
    assert isinstance(seen[0], dict)


def test_a_node_that_says_it_takes_none_together_is_asked_one_by_one_from_then_on() -> None:
    refusal: Reply = lambda request: honest(request) if isinstance(request, dict) else (OK, {}, {"error": {"code": -1}})  # noqa: E731
    with asked(refusal) as (client, seen):
        for _ in range(2):
            assert results(client.ask_together(QUESTIONS)) == [[number] for number in range(5)]
    assert [isinstance(request, list) for request in seen] == [True, *[False] * 10]


def test_a_node_that_failed_over_a_shared_request_is_asked_fewer_together_and_then_more() -> None:
    failing = in_turns(lambda _request: (FAILED, {}, None), honest)
    with asked(failing) as (client, seen):
        for _ in range(2):
            assert results(client.ask_together(QUESTIONS)) == [[number] for number in range(5)]
    assert [len(request) if isinstance(request, list) else 1 for request in seen] == [5, 2, 3, 4, 1]


@pytest.mark.parametrize("spoilt", [None, 5, {"id": 3}, {"id": 3, "error": {"code": -1}}], ids=repr)
def test_a_question_without_a_result_in_a_shared_answer_is_asked_alone(spoilt: object) -> None:
    def reply(request: Any) -> tuple[int, dict[str, str], Any]:
        if isinstance(request, dict):
            return honest(request)
        return OK, {}, [spoilt if one["id"] == 3 else result(one) for one in request]

    with asked(reply) as (client, seen):
        assert results(client.ask_together(QUESTIONS)) == [[number] for number in range(5)]
    assert [request["params"] for request in seen[1:]] == [[3]]


def test_kept_answers_are_not_asked_for_again() -> None:
    with asked(honest) as (client, seen):
        client.answers.open()
        balances = [("eth_getBalance", [number, "0x5"]) for number in range(5)]
        client.ask_together(balances[:3])
        assert results(client.ask_together(balances)) == [[number, "0x5"] for number in range(5)]
    assert [[one["params"][0] for one in request] for request in seen] == [[0, 1, 2], [3, 4]]


# Again


def test_a_request_that_failed_is_sent_again_after_pauses_that_double(pauses: list[float]) -> None:
    failing: Reply = lambda _request: (FAILED, {}, None)  # noqa: E731
    with asked(in_turns(failing, failing, honest), THRICE) as (client, seen):
        assert ask(client)["result"] == [7]
    assert (len(seen), pauses) == (3, [0.1, 0.2])


def test_the_tries_are_counted(pauses: list[float]) -> None:
    with asked(lambda _request: (FAILED, {}, None), THRICE) as (client, seen), pytest.raises(TemporaryError):
        ask(client)
    assert (len(seen), pauses) == (3, [0.1, 0.2])


def test_no_try_comes_later_than_the_seconds_allow(pauses: list[float]) -> None:
    with (
        asked(lambda _request: (FAILED, {}, None), Repeating(9, 0.05)) as (client, seen),
        pytest.raises(TemporaryError),
    ):
        ask(client)
    assert (len(seen), pauses) == (1, [])


@pytest.mark.parametrize(("code", "requests"), [(-32603, 3), (-32005, 3), (-32000, 1)])
def test_an_error_that_may_pass_is_asked_about_again_and_then_returned(
    code: int, requests: int, pauses: list[float]
) -> None:
    with asked(lambda request: (OK, {}, failure(request, code)), THRICE) as (client, seen):
        assert ask(client)["error"]["code"] == code
    assert len(seen) == requests
    assert len(pauses) == requests - 1


def test_an_error_about_logs_may_be_a_limit_of_the_range_and_is_not_asked_about_again(pauses: list[float]) -> None:
    with asked(lambda request: (OK, {}, failure(request, -32005)), THRICE) as (client, seen):
        assert ask(client, "eth_getLogs")["error"]["code"] == -32005
    assert (len(seen), pauses) == (1, [])


@pytest.mark.parametrize(
    ("status", "repeating", "waited"),
    [(BUSY, ONCE, [3]), (BUSY, THRICE, [3]), (UNAVAILABLE, THRICE, [3]), (UNAVAILABLE, ONCE, None)],
)
def test_the_pause_that_a_node_asks_for_is_kept_to(
    status: int, repeating: Repeating, waited: list[float] | None, pauses: list[float]
) -> None:
    pausing = in_turns(lambda _request: (status, {"Retry-After": "3"}, None), honest)
    with asked(pausing, repeating) as (client, _):
        if waited is None:
            with pytest.raises(TemporaryError):
                ask(client)
        else:
            assert ask(client)["result"] == [7]
    assert pauses == (waited or [])


def test_an_answer_that_is_too_large_is_not_asked_for_again(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_client, "ANSWER_MAX_BYTES", 100)
    with asked(lambda request: (OK, {}, "x" * 1000), THRICE) as (client, seen), pytest.raises(rpc_client.TooMuchError):
        ask(client)
    assert (len(seen), pauses) == (1, [])
