"""Tests of a server's rate limits: the clock and the sleep are the tests' own."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.backoff import LongWaitError
from provenance_oracle.oracle.sources.request_budget import RequestBudget

POLICY = '"fixed window";"api";q=500;w=300'


class Case:
    """A budget on a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.budget = RequestBudget("the hub", lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def take(self, times: int, group: str = "api") -> None:
        for _ in range(times):
            self.budget.take(group)


@pytest.fixture
def case() -> Case:
    return Case()


def test_nothing_is_known_before_the_first_answer(case: Case) -> None:
    case.take(1000)
    assert case.slept == []


def test_a_window_is_kept_to_but_for_a_tenth(case: Case) -> None:
    case.budget.note("api", 200, {"ratelimit": '"api";r=53;t=40', "ratelimit-policy": POLICY})
    case.take(3)
    assert case.slept == []
    case.take(2)
    assert case.slept == [41]


def test_without_a_policy_the_last_request_counts(case: Case) -> None:
    case.budget.note("api", 200, {"ratelimit": '"api"; r = 1; t = 9'})
    case.take(1)
    assert case.slept == []
    case.take(1)
    assert case.slept == [10]


def test_groups_have_windows_of_their_own(case: Case) -> None:
    case.budget.note("resolvers", 200, {"ratelimit": '"resolvers";r=0;t=40'})
    case.take(5, "api")
    assert case.slept == []
    case.take(1, "resolvers")
    assert case.slept == [41]


def test_a_window_that_has_ended_is_forgotten(case: Case) -> None:
    case.budget.note("api", 200, {"ratelimit": '"api";r=0;t=40'})
    case.now += 41
    case.take(3)
    assert case.slept == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"ratelimit": '"api";r=0;t=12'}, 13),
        ({"ratelimit": '"api";r=9;t=12', "retry-after": "5"}, 5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30),
        ({}, 30),
    ],
)
def test_status_429_stops_all_requests_of_its_group(case: Case, headers: dict[str, str], seconds: float) -> None:
    case.budget.note("api", 429, headers)
    case.take(2)
    assert case.slept == [seconds]


@pytest.mark.parametrize("headers", [{"retry-after": "601"}, {"ratelimit": '"api";r=0;t=999999999'}])
def test_a_wait_of_hours_is_an_error_with_its_length(case: Case, headers: dict[str, str]) -> None:
    case.budget.note("api", 429, headers)
    with pytest.raises(LongWaitError) as caught:
        case.take(1)
    assert caught.value.wait_seconds > 600
    assert case.slept == []


@pytest.mark.parametrize("text", ["", "api;r=1", '"api";r=-1;t=1', '"api";r=1', "x" * 10_000])
def test_headers_that_say_nothing_change_nothing(case: Case, text: str) -> None:
    case.budget.note("api", 200, {"ratelimit": text, "ratelimit-policy": text})
    case.take(10)
    assert case.slept == []


def test_an_error_of_the_sleep_ends_the_wait(case: Case) -> None:
    class Stop(BaseException):
        pass

    def stop(_seconds: float) -> None:
        raise Stop

    budget = RequestBudget("the hub", lambda: 0.0, stop)
    budget.note("api", 429, {})
    with pytest.raises(Stop):
        budget.take("api")
