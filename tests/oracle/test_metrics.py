"""Tests of the metrics: their names and labels, the journal's figures, and the table that explains them."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.conditions import Conditions, Trouble
from provenance_oracle.oracle.metrics import METRIC_PREFIX, STEPS, Meter, Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


@dataclass(frozen=True)
class Count:
    state: str
    count: int
    parked: int
    oldest_seen_at: datetime


class Journal:
    counts = (Count("judged", 3, 1, NOW - timedelta(hours=2)), Count("final", 7, 0, NOW - timedelta(days=9)))
    asked = 0

    def __call__(self) -> tuple[Count, ...]:
        self.asked += 1
        return self.counts


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def metrics(journal: Journal) -> Metrics:
    return Metrics(journal, lambda: NOW, "1.2.3")


def value(metrics: Metrics, sample: str) -> float:
    (found,) = re.findall(rf"^{re.escape(METRIC_PREFIX + sample)} (\S+)$", metrics.text().decode(), re.MULTILINE)
    return float(found)


def test_the_figures_of_the_journal_take_one_question_for_each_scrape(metrics: Metrics, journal: Journal) -> None:
    text = metrics.text().decode()
    assert journal.asked == 1
    assert f'{METRIC_PREFIX}releases{{state="final"}} 7.0' in text
    assert f'{METRIC_PREFIX}oldest_waiting_seconds{{state="judged"}} 7200.0' in text
    assert f'{METRIC_PREFIX}parked_releases{{state="judged"}} 1.0' in text
    assert 'oldest_waiting_seconds{state="final"}' not in text


def test_each_event_is_counted(metrics: Metrics) -> None:
    with metrics.step("look"):
        pass
    metrics.hashed(10)
    metrics.hashed(-1)
    metrics.decided("accepted")
    metrics.scanned("folder")
    metrics.balance(3)
    metrics.head(NOW)
    assert value(metrics, 'step_seconds_count{step="look"}') == 1
    assert value(metrics, "hashed_bytes_total") == 10
    assert value(metrics, 'decisions_total{outcome="accepted"}') == 1
    assert value(metrics, 'scan_timestamp_seconds{source="folder"}') == NOW.timestamp()
    assert value(metrics, "balance_wei") == 3
    assert value(metrics, "head_timestamp_seconds") == NOW.timestamp()
    assert value(metrics, 'build_info{version="1.2.3"}') == 1


def test_every_step_is_there_from_the_start(metrics: Metrics) -> None:
    assert [value(metrics, f'step_seconds_count{{step="{step}"}}') for step in STEPS] == [0] * len(STEPS)


def test_conditions_set_and_clear_their_gauge(metrics: Metrics) -> None:
    conditions = Conditions(lambda: NOW, metrics)
    assert value(metrics, 'condition{kind="funds"}') == 0
    conditions.begin(Trouble.FUNDS, "empty")
    assert value(metrics, 'condition{kind="funds"}') == 1
    conditions.end(Trouble.FUNDS)
    assert value(metrics, 'condition{kind="funds"}') == 0


def test_strangers_cannot_make_labels_without_end(metrics: Metrics) -> None:
    for number in range(1000):
        metrics.scanned(f"source {number}")
    assert len(metrics.text().splitlines()) < 400
    assert value(metrics, 'scan_timestamp_seconds{source="other"}') == NOW.timestamp()


def test_two_oracles_in_one_process_share_no_figure(metrics: Metrics, journal: Journal) -> None:
    metrics.hashed(10)
    assert value(Metrics(journal, lambda: NOW, "1.2.3"), "hashed_bytes_total") == 0


def test_every_metric_is_explained_and_no_other() -> None:
    metrics = Metrics(Journal(), lambda: NOW, "1.2.3")
    named = re.findall(rf"^\| `({METRIC_PREFIX}\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert named == sorted(named)
    assert set(named) == metrics.names()


def test_the_silent_meter_has_the_methods_of_the_loud_one() -> None:
    for name, method in inspect.getmembers(Meter, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(method) == inspect.signature(getattr(Metrics, name))
            assert name in vars(Metrics), f"{name} is never counted"


def test_the_oracle_s_code_counts_every_figure() -> None:
    """A figure that nobody counts stays 0 and misleads."""
    folder = PAGE.parents[1] / "oracle"
    code = "".join(path.read_text() for path in folder.rglob("*.py") if path.name != "metrics.py")
    methods = {name for name, _ in inspect.getmembers(Meter, inspect.isfunction) if not name.startswith("_")}
    methods -= {"took", "hashed"}  # called by `timed_judgement` beside them
    assert {name for name in methods if not re.search(rf"\b(_?meter|metrics)\.{name}\(", code)} == set()
