"""Tests of global troubles: each has one beginning and one end, and the right ones make the oracle not ready."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.conditions import (
    BLOCKING,
    NEXT_STEPS,
    Conditions,
    Trouble,
    TroubleError,
    TroubleUsageError,
    trouble_of,
)
from provenance_oracle.verifier.errors import TemporaryError

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def conditions(clock: Clock) -> Conditions:
    return Conditions(clock)


def test_a_trouble_has_one_line_at_its_beginning_and_one_at_its_end(
    conditions: Conditions, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(1000):
        conditions.begin(Trouble.FUNDS, "0 wei \x1b[2J")
    clock.now += timedelta(seconds=90)
    conditions.end(Trouble.FUNDS)
    conditions.end(Trouble.FUNDS)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "send money" in caplog.messages[0]
    assert "\x1b" not in caplog.text
    assert "after 90 s" in caplog.messages[1]


def test_a_trouble_that_goes_on_keeps_its_beginning_and_shows_its_newest_reason(
    conditions: Conditions, clock: Clock
) -> None:
    first = conditions.begin(Trouble.NODE, "refused")
    clock.now += timedelta(hours=1)
    assert conditions.begin(Trouble.NODE, "timeout") == replace(first, reason="timeout")


def test_one_source_that_is_down_leaves_the_oracle_ready_and_all_of_them_do_not(conditions: Conditions) -> None:
    conditions.begin(Trouble.SOURCE, "gone", "folder")
    assert conditions.blocking(sources=2) == ()
    conditions.begin(Trouble.SOURCE, "429", "hf://org")
    assert [one.name for one in conditions.blocking(sources=2)] == ["source folder", "source hf://org"]
    conditions.end(Trouble.SOURCE, "folder")
    assert conditions.blocking(sources=2) == ()
    assert [one.subject for one in conditions.standing()] == ["hf://org"]


@pytest.mark.parametrize("kind", [kind for kind in Trouble if kind is not Trouble.SOURCE])
def test_a_trouble_blocks_if_nothing_can_be_recorded(conditions: Conditions, kind: Trouble) -> None:
    conditions.begin(kind, "reason")
    assert bool(conditions.blocking(sources=1)) == (kind in BLOCKING)
    assert (kind in BLOCKING) == (kind is not Trouble.FEES)


def test_every_trouble_has_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(Trouble)


def test_the_class_of_an_error_tells_whether_it_is_a_global_trouble() -> None:
    assert trouble_of(TroubleError(Trouble.FEES, "fees are above the limit", where="chain")) is Trouble.FEES
    assert trouble_of(TroubleUsageError(Trouble.KEY, "not an oracle", where="key")) is Trouble.KEY
    assert trouble_of(TemporaryError("no CRL")) is None
