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
from provenance_oracle.verifier.registry.rpc_client import RpcEvent
from provenance_oracle.verifier.strict.files import OnBytes

if TYPE_CHECKING:
    from prometheus_client.core import Metric

METRIC_PREFIX = "provenance_oracle_"
# The steps that are timed. `scan` and `pass` are about all releases: a scan of a source, and a look at the chain.
STEPS = ("scan", "look", "appraise", "hash", "keep", "pass", "publish", "batch", "prove", "sign")
# The parts of the queue: small and large releases that wait for a judge, and releases that are with one.
QUEUE_LANES = ("small", "large", "judging")
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)
_OUTCOMES = ("accepted", "rejected", "parked")
_PROOF_OUTCOMES = ("proven", "found", "refused")
_EFFECTS = {True: "effect", False: "none"}
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


class OpenBatchCount(Protocol):
    """The batches that are not final; `oracle.journal.overview.OpenBatches` is one."""

    @property
    def count(self) -> int:
        """The number of batches."""

    @property
    def records(self) -> int:
        """The number of records in them."""

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest one began, with a time zone; None if there is none."""


class Meter:
    """Counts nothing. Code that measures takes a `Meter`, so that it runs without the package prometheus_client."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as one of STEPS, also if it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.took(name, time.monotonic() - started)

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

    def rpc(self, endpoint: str, event: RpcEvent) -> None:
        """Count an event of an HTTP request to a node. `endpoint` is its URL without user, path and query."""

    def paid(self, gas: int, fee_wei: int, *, has_effect: bool) -> None:
        """Count a transaction in a final block, with its cost, and whether it took effect."""

    def batch(self, count_records: int) -> None:
        """Count a batch that begins."""

    def proved(self, outcome: str) -> None:
        """Count a release that we have `proven` on chain, that we `found` proven, or whose proof is `refused`."""

    def paid_for_proof(self, gas: int) -> None:
        """Count the gas of a proof's transaction in a final block, which `paid` counts too."""

    def queued(self, lane: str, count: int) -> None:
        """Note the number of releases in one of QUEUE_LANES."""


SILENT = Meter()


@contextmanager
def timed_judgement(meter: Meter, progress: OnBytes, clock: Callable[[], float] = time.monotonic) -> Iterator[OnBytes]:
    """Time a judgement in the block as `appraise` up to the first byte of its files, and as `hash` from there on.

    Args:
        progress: called as the function that is yielded.
        clock: returns monotonic seconds.

    Yields:
        The function to call while files are read, with (bytes so far, bytes in all), and with (0, 0) between the steps
            before.
    """
    started, hashing, done = clock(), None, 0
    step_began = started

    def counted(so_far: int, in_all: int) -> None:
        nonlocal hashing, done, step_began
        if not in_all:
            step_began = clock()
        elif hashing is None:
            hashing = step_began
        meter.hashed(so_far - done)
        done = max(done, so_far)
        progress(so_far, in_all)

    try:
        yield counted
    finally:
        ended = clock()
        meter.took("appraise", (ended if hashing is None else hashing) - started)
        if hashing is not None:
            meter.took("hash", ended - hashing)


class Metrics(Meter):
    """The figures of one oracle.

    Args:
        census: returns the rows by state. It is called once for each `text`.
        batches: returns the batches that are not final. It is called once for each `text`.
        clock: returns the time now, with a time zone.
        version: the version of the program.

    Raises:
        UsageError: the package prometheus_client is not installed.
    """

    def __init__(
        self,
        census: Callable[[], Iterable[Census]],
        batches: Callable[[], OpenBatchCount],
        clock: Callable[[], datetime],
        version: str,
    ) -> None:
        with naming_extras():
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        self._clock = clock
        self._registry: Any = CollectorRegistry()
        self._seen: dict[str, set[str]] = {}

        def counter(name: str, text: str, *labels: str) -> Any:
            return Counter(METRIC_PREFIX + name, text, labels, registry=self._registry)

        def gauge(name: str, text: str, *labels: str) -> Any:
            return Gauge(METRIC_PREFIX + name, text, labels, registry=self._registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Any:
            return Histogram(METRIC_PREFIX + name, text, labels, buckets=buckets, registry=self._registry)

        self._seconds = histogram("step_seconds", "Time that a step took", _STEP_BUCKETS, "step")
        self._batches = histogram("batch_records", "Records of each batch that began", _BATCH_BUCKETS)
        self._hashed = counter("hashed_bytes", "Bytes of files that were hashed")
        self._decided = counter("decisions", "Judgements that ended, by outcome", "outcome")
        self._balance = gauge("balance_wei", "Balance of the paying account when it was last read")
        self._head = gauge("head_timestamp_seconds", "Time of the newest block that the oracle read")
        self._scanned = gauge("scan_timestamp_seconds", "Time of the last scan that went through", "source")
        self._condition = gauge("condition", "1 while a global trouble stands", "kind")
        self._requests = counter("rpc_requests", "HTTP requests to nodes", "endpoint")
        self._failures = counter("rpc_errors", "HTTP requests to nodes that failed, by kind", "endpoint", "kind")
        self._paid = counter("transactions", "Transactions in final blocks, by effect", "effect")
        self._gas = counter("gas", "Gas of transactions in final blocks")
        self._fees = counter("fees_wei", "Fees of transactions in final blocks")
        self._proved = counter("proofs", "Proofs of releases on chain that ended, by outcome", "outcome")
        self._proof_gas = counter("proof_gas", "Gas of proofs in final blocks")
        self._queued = gauge("queued_releases", "Releases that wait for a judge or are with one", "lane")
        gauge("build_info", "The program's version, as a label", "version").labels(version).set(1)
        labelled = {
            self._seconds: STEPS,
            self._decided: _OUTCOMES,
            self._paid: _EFFECTS.values(),
            self._queued: QUEUE_LANES,
            self._proved: _PROOF_OUTCOMES,
        }
        for metric, values in labelled.items():
            for value in values:
                metric.labels(value)
        self._registry.register(_JournalFigures(census, batches, clock))

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

    def rpc(self, endpoint: str, event: RpcEvent) -> None:
        if endpoint not in self._seen.get("endpoint", ()):  # the first error of each kind is an increase then
            endpoint = self._bounded("endpoint", endpoint)
            for kind in RpcEvent:
                if kind is not RpcEvent.SENT:
                    self._failures.labels(endpoint, kind)
        if event is RpcEvent.SENT:
            self._requests.labels(endpoint).inc()
        else:
            self._failures.labels(endpoint, event).inc()

    def paid(self, gas: int, fee_wei: int, *, has_effect: bool) -> None:
        self._paid.labels(_EFFECTS[has_effect]).inc()
        self._gas.inc(gas)
        self._fees.inc(fee_wei)

    def batch(self, count_records: int) -> None:
        self._batches.observe(count_records)

    def proved(self, outcome: str) -> None:
        self._proved.labels(outcome).inc()

    def paid_for_proof(self, gas: int) -> None:
        self._proof_gas.inc(gas)

    def queued(self, lane: str, count: int) -> None:
        self._queued.labels(lane).set(count)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format, version 0.0.4.

        Raises:
            TemporaryError, UsageError: the journal cannot be read.
        """
        from prometheus_client.exposition import generate_latest

        return bytes(generate_latest(self._registry))

    def _bounded(self, label: str, value: str) -> str:
        """Return a label's value, or `other` once there are too many."""
        seen = self._seen.setdefault(label, set())
        if value in seen or len(seen) < _LABELS_MAX:
            seen.add(value)
            return value
        return _OTHER


class _JournalFigures:
    """The figures that come from the journal, read anew at each scrape."""

    def __init__(
        self,
        census: Callable[[], Iterable[Census]],
        batches: Callable[[], OpenBatchCount],
        clock: Callable[[], datetime],
    ) -> None:
        self._census = census
        self._batches = batches
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
        open_ones = self._batches()
        since = max(0.0, (now - open_ones.oldest_at).total_seconds()) if open_ones.oldest_at else 0.0
        yield GaugeMetricFamily(METRIC_PREFIX + "open_batches", "Batches that are not final", open_ones.count)
        text = "Records in batches that are not final"
        yield GaugeMetricFamily(METRIC_PREFIX + "open_batch_records", text, open_ones.records)
        text = "Time since the oldest batch that is not final began"
        yield GaugeMetricFamily(METRIC_PREFIX + "oldest_open_batch_seconds", text, since)

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering reads no journal."""
        return []
