"""The metrics of an oracle as Prometheus sees them: names, types, labels and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from provenance_oracle.oracle.metrics import METRIC_PREFIX, QUEUE_LANES, STEPS, Metrics
from provenance_oracle.verifier.registry.rpc_client import RpcEvent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SUFFIXES = {"counter": "_total"}


@dataclass(frozen=True)
class StateFigure:
    """The number of rows in one state."""

    state: str = "judged"
    count: int = 1
    parked: int = 0
    oldest_seen_at: datetime = NOW


@dataclass(frozen=True)
class BatchFigure:
    """The batches that are not final."""

    count: int = 0
    records: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class Shape:
    """The type of a metric, and the names of its labels without the `le` of a histogram."""

    kind: str
    labels: frozenset[str]


def all_figures() -> Metrics:
    """Return metrics for which everything happened once, so that each has a value for each of its labels."""
    metrics = Metrics(lambda: (StateFigure(),), BatchFigure, lambda: NOW, "1.2.3")
    for step in STEPS:
        metrics.took(step, 1.0)
    for lane in QUEUE_LANES:
        metrics.queued(lane, 1)
    for event in RpcEvent:
        metrics.rpc("http://node", event)
    metrics.hashed(1)
    metrics.decided("accepted")
    metrics.scanned("folder")
    metrics.balance(1)
    metrics.head(NOW)
    metrics.condition("funds", stands=True)
    metrics.paid(1, 1, has_effect=True)
    metrics.batch(1)
    return metrics


def shapes(metrics: Metrics) -> Mapping[str, Shape]:
    """Return each metric by its name in a query; a histogram without `_bucket`, `_sum` and `_count`."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        if not family.name.endswith("_created"):
            names = {name for sample in family.samples for name in sample.labels} - {"le"}
            found[family.name + _SUFFIXES.get(family.type, "")] = Shape(family.type, frozenset(names))
    return found


def values(text: str) -> Mapping[str, float]:
    """Return the value of each sample without its prefix, named as in the text: `releases{state="final"}`."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name.removeprefix(METRIC_PREFIX): float(number) for name, _, number in lines}
