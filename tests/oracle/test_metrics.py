"""Tests of the metrics: their names and labels, the journal's figures, and the table that explains them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.conditions import Conditions, Trouble
from provenance_oracle.oracle.metrics import METRIC_PREFIX, QUEUE_LANES, STEPS, Meter, Metrics, timed_judgement
from provenance_oracle.verifier.registry.rpc_client import RpcEvent
from tests.support.figures import NOW, BatchFigure, StateFigure, all_figures, shapes, values

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
NODE = "https://node.example:8545"


class Journal:
    found = (StateFigure("judged", 3, 1, NOW - timedelta(hours=2)), StateFigure("final", 7, 0, NOW - timedelta(days=9)))
    batches = BatchFigure(2, 130, NOW - timedelta(minutes=1))
    asked = 0

    def counts(self) -> tuple[StateFigure, ...]:
        self.asked += 1
        return self.found

    def open_batches(self) -> BatchFigure:
        self.asked += 1
        return self.batches


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def metrics(journal: Journal) -> Metrics:
    return Metrics(journal.counts, journal.open_batches, lambda: NOW, "1.2.3")


def value(metrics: Metrics, sample: str) -> float:
    return values(metrics.text().decode())[sample]


def test_the_figures_of_the_journal_take_two_questions_for_each_scrape(metrics: Metrics, journal: Journal) -> None:
    text = metrics.text().decode()
    assert journal.asked == 2
    assert f'{METRIC_PREFIX}releases{{state="final"}} 7.0' in text
    assert f'{METRIC_PREFIX}oldest_waiting_seconds{{state="judged"}} 7200.0' in text
    assert f'{METRIC_PREFIX}parked_releases{{state="judged"}} 1.0' in text
    assert 'oldest_waiting_seconds{state="final"}' not in text


def test_open_batches_have_a_number_a_size_and_an_age(metrics: Metrics, journal: Journal) -> None:
    names = ("open_batches", "open_batch_records", "oldest_open_batch_seconds")
    assert [value(metrics, name) for name in names] == [2, 130, 60]
    journal.batches = BatchFigure()
    assert [value(metrics, name) for name in names] == [0, 0, 0]


EVENTS: dict[str, tuple[Callable[[Metrics], object], float]] = {
    'step_seconds_count{step="look"}': (lambda metrics: metrics.took("look", 2.5), 1),
    'step_seconds_sum{step="sign"}': (lambda metrics: metrics.took("sign", 2.5), 2.5),
    "hashed_bytes_total": (lambda metrics: [metrics.hashed(10), metrics.hashed(-1)], 10),
    'decisions_total{outcome="accepted"}': (lambda metrics: metrics.decided("accepted"), 1),
    'scan_timestamp_seconds{source="folder"}': (lambda metrics: metrics.scanned("folder"), NOW.timestamp()),
    "balance_wei": (lambda metrics: metrics.balance(3), 3),
    "head_timestamp_seconds": (lambda metrics: metrics.head(NOW), NOW.timestamp()),
    'build_info{version="1.2.3"}': (lambda _: None, 1),
    f'rpc_requests_total{{endpoint="{NODE}"}}': (lambda metrics: metrics.rpc(NODE, RpcEvent.SENT), 1),
    f'rpc_errors_total{{endpoint="{NODE}",kind="busy"}}': (lambda metrics: metrics.rpc(NODE, RpcEvent.BUSY), 1),
    'transactions_total{effect="effect"}': (lambda metrics: metrics.paid(21_000, 5, has_effect=True), 1),
    'transactions_total{effect="none"}': (lambda metrics: metrics.paid(21_000, 5, has_effect=False), 1),
    "gas_total": (lambda metrics: metrics.paid(21_000, 5, has_effect=False), 21_000),
    'proofs_total{outcome="refused"}': (lambda metrics: metrics.proved("refused"), 1),
    "proof_gas_total": (lambda metrics: metrics.paid_for_proof(3_300_000), 3_300_000),
    "fees_wei_total": (lambda metrics: metrics.paid(21_000, 5, has_effect=True), 5),
    "batch_records_sum": (lambda metrics: metrics.batch(7), 7),
    'batch_records_bucket{le="8.0"}': (lambda metrics: metrics.batch(7), 1),
    'queued_releases{lane="large"}': (lambda metrics: metrics.queued("large", 4), 4),
}


@pytest.mark.parametrize("sample", EVENTS)
def test_each_event_is_counted(metrics: Metrics, sample: str) -> None:
    event, wanted = EVENTS[sample]
    event(metrics)
    assert value(metrics, sample) == wanted


def test_figures_with_known_labels_are_there_from_the_start(metrics: Metrics) -> None:
    names = [f'step_seconds_count{{step="{step}"}}' for step in STEPS]
    names += [f'queued_releases{{lane="{lane}"}}' for lane in QUEUE_LANES]
    names += [f'decisions_total{{outcome="{outcome}"}}' for outcome in ("accepted", "rejected", "parked")]
    names += [f'transactions_total{{effect="{effect}"}}' for effect in ("effect", "none")]
    names += [f'proofs_total{{outcome="{outcome}"}}' for outcome in ("proven", "found", "refused")]
    assert [value(metrics, name) for name in names] == [0] * len(names)


def test_the_first_request_to_a_node_shows_every_kind_of_error_as_0(metrics: Metrics) -> None:
    metrics.rpc(NODE, RpcEvent.SENT)
    kinds = [kind for kind in RpcEvent if kind is not RpcEvent.SENT]
    assert [value(metrics, f'rpc_errors_total{{endpoint="{NODE}",kind="{kind}"}}') for kind in kinds] == [0] * 6


def test_a_judgement_is_timed_up_to_the_first_byte_and_from_there_on(metrics: Metrics) -> None:
    seen: list[int] = []
    seconds = iter((0.0, 1.0, 5.0, 12.0))  # it begins, has read the evidence, begins to read files, ends
    with timed_judgement(metrics, lambda so_far, _in_all: seen.append(so_far), lambda: next(seconds)) as counted:
        counted(0, 0)
        counted(0, 0)
        counted(10, 30)
        counted(30, 30)
    assert seen == [0, 0, 10, 30]
    assert value(metrics, 'step_seconds_sum{step="appraise"}') == 5
    assert value(metrics, 'step_seconds_sum{step="hash"}') == 7
    assert value(metrics, "hashed_bytes_total") == 30


def test_a_judgement_that_ends_before_its_first_byte_hashed_nothing(metrics: Metrics) -> None:
    seconds = iter((0.0, 1.0, 4.0))
    with timed_judgement(metrics, lambda _so_far, _in_all: None, lambda: next(seconds)) as counted:
        counted(0, 0)
    assert value(metrics, 'step_seconds_sum{step="appraise"}') == 4
    assert value(metrics, 'step_seconds_count{step="hash"}') == 0


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
    other = Metrics(journal.counts, journal.open_batches, lambda: NOW, "1.2.3")
    assert value(other, "hashed_bytes_total") == 0


def test_every_metric_is_explained_with_its_type_and_labels_and_no_other() -> None:
    row = rf"^\| `({METRIC_PREFIX}\w+)` \| (\w+) \| ([^|]*)\|"
    rows = re.findall(row, PAGE.read_text(), re.MULTILINE)
    names = [name for name, _, _ in rows]
    assert names == sorted(names)
    explained = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert explained == {name: (shape.kind, shape.labels) for name, shape in shapes(all_figures()).items()}


@pytest.mark.parametrize(("label", "known"), [("step", STEPS), ("lane", QUEUE_LANES), ("kind", RpcEvent)])
def test_the_values_of_a_label_are_explained(label: str, known: tuple[str, ...]) -> None:
    (text,) = re.findall(rf"^- `{label}`[^:]*: (.*(?:\n  .*)*)", PAGE.read_text(), re.MULTILINE)
    assert re.findall(r"`([a-z-]+)`", text) == [str(one) for one in known if one != RpcEvent.SENT]


def test_the_silent_meter_has_the_methods_of_the_loud_one() -> None:
    for name, method in inspect.getmembers(Meter, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(method) == inspect.signature(getattr(Metrics, name))
            assert name in vars(Metrics) or name == "step", f"{name} is never counted"  # `step` calls `took`


def test_the_oracle_s_code_counts_every_figure() -> None:
    """A figure that nobody counts stays 0 and misleads."""
    folder = PAGE.parents[1] / "oracle"
    code = "".join(path.read_text() for path in folder.rglob("*.py") if path.name != "metrics.py")
    methods = {name for name, _ in inspect.getmembers(Meter, inspect.isfunction) if not name.startswith("_")}
    methods -= {"took", "hashed"}  # called by `timed_judgement` beside them
    assert {name for name in methods if not re.search(rf"\b(_?meter|metrics)\.{name}\b", code)} == set()
    steps = {step for step in STEPS if f'_meter.step("{step}")' not in code}
    assert steps == {"appraise", "hash"}, "those that `timed_judgement` does not time"
