"""The oracle's figures for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).

`Meter` is the interface that the oracle's code calls; `Metrics` keeps the figures in a registry of its own. Counters
and histograms begin at 0 with every start of the process. docs/monitoring.md explains each metric.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.strict.files import OnBytes

if TYPE_CHECKING:
    from prometheus_client.core import Metric

METRIC_PREFIX = "provenance_oracle_"
# The steps of a release that are timed.
STEPS = ("look", "appraise", "hash", "publish")
_STEP_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
_LABELS_MAX = 64  # different values of one label, so that no stranger can grow the registry
_OTHER = "other"
_OPEN_STATES = ("seen", "judged", "signed", "sent", "mined")


class Census(Protocol):
    """The rows in one state; `oracle.journal.overview.StateCount` is one."""

    @property
    def state(self) -> str:
        """The state's name."""

    @property
    def count(self) -> int:
        """The number of rows."""

    @property
    def parked(self) -> int:
        """The number of rows that wait after a temporary failure."""

    @property
    def oldest_seen_at(self) -> datetime:
        """When the journal first saw the oldest row, with a time zone."""


class Meter:
    """Counts nothing. Code that measures takes a `Meter`, so that it runs without the package prometheus_client."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as one of STEPS."""
        yield

    def took(self, name: str, seconds: float) -> None:
        """Count one of STEPS that took `seconds`."""

    def hashed(self, count_bytes: int) -> None:
        """Count bytes of files that were hashed."""

    def decided(self, outcome: str) -> None:
        """Count a release that was `accepted`, `rejected`, or `parked` (it waits for another try)."""

    def scanned(self, source: str) -> None:
        """Note that a scan of a source went through just now."""

    def balance(self, wei: int) -> None:
        """Note the balance of the paying account."""

    def head(self, block_time: datetime) -> None:
        """Note the time of the newest block."""

    def condition(self, kind: str, stands: bool) -> None:
        """Note that a global trouble begins or ends; see `oracle.conditions`."""


SILENT = Meter()


@contextmanager
def timed_judgement(meter: Meter, progress: OnBytes) -> Iterator[OnBytes]:
    """Time a judgement in the block as `appraise` up to the first byte of its files, and as `hash` from there on.

    Args:
        progress: called as the function that is yielded.

    Yields:
        The function to call while files are read, with (bytes so far, bytes in all).
    """
    started, hashing, done = time.monotonic(), None, 0

    def counted(so_far: int, in_all: int) -> None:
        nonlocal hashing, done
        hashing = hashing or time.monotonic()
        meter.hashed(so_far - done)
        done = max(done, so_far)
        progress(so_far, in_all)

    try:
        yield counted
    finally:
        meter.took("appraise", (hashing or time.monotonic()) - started)
        if hashing:
            meter.took("hash", time.monotonic() - hashing)


class Metrics(Meter):
    """The figures of one oracle.

    Args:
        census: returns the rows by state. It is called once for each `text`.
        clock: returns the time now, with a time zone.
        version: the version of the program.

    Raises:
        UsageError: the package prometheus_client is not installed.
    """

    def __init__(self, census: Callable[[], Iterable[Census]], clock: Callable[[], datetime], version: str) -> None:
        with naming_extras():
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        self._census = census
        self._clock = clock
        self._registry: Any = CollectorRegistry()
        self._seen: dict[str, set[str]] = {}

        def counter(name: str, text: str, *labels: str) -> Any:
            return Counter(METRIC_PREFIX + name, text, labels, registry=self._registry)

        def gauge(name: str, text: str, *labels: str) -> Any:
            return Gauge(METRIC_PREFIX + name, text, labels, registry=self._registry)

        buckets, registry = _STEP_BUCKETS, self._registry
        text = "Time that a step of one release took"
        self._seconds = Histogram(METRIC_PREFIX + "step_seconds", text, ["step"], buckets=buckets, registry=registry)
        self._hashed = counter("hashed_bytes", "Bytes of files that were hashed")
        self._decided = counter("decisions", "Judgements that ended, by outcome", "outcome")
        self._balance = gauge("balance_wei", "Balance of the paying account when it was last read")
        self._head = gauge("head_timestamp_seconds", "Time of the newest block that the oracle read")
        self._scanned = gauge("scan_timestamp_seconds", "Time of the last scan that went through", "source")
        self._condition = gauge("condition", "1 while a global trouble stands", "kind")
        gauge("build_info", "The program's version, as a label", "version").labels(version).set(1)
        for step in STEPS:
            self._seconds.labels(step)
        self._registry.register(_Releases(self._census, self._clock))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.took(name, time.monotonic() - started)

    def took(self, name: str, seconds: float) -> None:
        self._seconds.labels(name).observe(seconds)

    def hashed(self, count_bytes: int) -> None:
        self._hashed.inc(max(0, count_bytes))

    def decided(self, outcome: str) -> None:
        self._decided.labels(outcome).inc()

    def scanned(self, source: str) -> None:
        self._scanned.labels(self._bounded("source", source)).set(self._clock().timestamp())

    def balance(self, wei: int) -> None:
        self._balance.set(wei)

    def head(self, block_time: datetime) -> None:
        self._head.set(block_time.timestamp())

    def condition(self, kind: str, stands: bool) -> None:
        self._condition.labels(self._bounded("condition", kind)).set(int(stands))

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format, version 0.0.4.

        Raises:
            TemporaryError, UsageError: the journal cannot be read.
        """
        from prometheus_client.exposition import generate_latest

        return bytes(generate_latest(self._registry))

    def names(self) -> set[str]:
        """Return the name of each metric as a query names it: a histogram without `_bucket`, `_sum` and `_count`."""
        suffixes = {"counter": "_total"}
        return {metric.name + suffixes.get(metric.type, "") for metric in self._registry.collect()}

    def _bounded(self, label: str, value: str) -> str:
        """Return a label's value, or `other` once there are too many."""
        seen = self._seen.setdefault(label, set())
        if value in seen or len(seen) < _LABELS_MAX:
            seen.add(value)
            return value
        return _OTHER


class _Releases:
    """The figures that come from the journal, read anew at each scrape."""

    def __init__(self, census: Callable[[], Iterable[Census]], clock: Callable[[], datetime]) -> None:
        self._census = census
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; see prometheus_client's `Collector`."""
        from prometheus_client.core import GaugeMetricFamily

        now = self._clock()
        releases = GaugeMetricFamily(METRIC_PREFIX + "releases", "Releases in the journal, by state", labels=["state"])
        parked = GaugeMetricFamily(
            METRIC_PREFIX + "parked_releases", "Releases that wait for another try", labels=["state"]
        )
        text = "Time since the journal first saw the oldest release that is not decided, by state"
        age = GaugeMetricFamily(METRIC_PREFIX + "oldest_waiting_seconds", text, labels=["state"])
        for one in self._census():
            releases.add_metric([str(one.state)], one.count)
            if str(one.state) in _OPEN_STATES:
                parked.add_metric([str(one.state)], one.parked)
                age.add_metric([str(one.state)], max(0.0, (now - one.oldest_seen_at).total_seconds()))
        yield from (releases, parked, age)

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering reads no journal."""
        return []
