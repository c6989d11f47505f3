"""The figures of the index for Prometheus, in the form of `oracle.metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.index.rows import IndexStatus
from provenance_oracle.verifier.errors import naming_extras

if TYPE_CHECKING:
    from prometheus_client.core import Metric

INDEX_PREFIX = "provenance_index_"


class IndexFigures:
    """The figures of one index, read anew at each scrape.

    Args:
        status: returns how far the index is; `RecordIndex.status`.

    Raises:
        UsageError: the package prometheus_client is not installed.
    """

    def __init__(self, status: Callable[[], IndexStatus]) -> None:
        with naming_extras():
            from prometheus_client import CollectorRegistry
        self._status = status
        self._registry: Any = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format, version 0.0.4.

        Raises:
            TemporaryError: the index cannot be read, or is empty.
        """
        from prometheus_client.exposition import generate_latest

        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; see prometheus_client's `Collector`."""
        from prometheus_client.core import GaugeMetricFamily

        found = self._status()
        read_at = found.until_time.timestamp() if found.until_time else 0.0
        for name, text, value in (
            ("block", "Last block that the index has read", found.until),
            ("block_timestamp_seconds", "Time of that block", read_at),
            ("head_block", "Newest block when the node was last asked", found.head),
            ("lag_blocks", "Blocks that the index has not read yet", found.lag_blocks),
            ("unchecked_events", "Events that are not compared with the contract's state yet", found.unchecked),
            ("records", "Releases and FAILED verdicts in the index", found.records),
            ("batches", "Batches in the index", found.batches),
            ("unread_batches", "Batches whose records no server gave yet", found.unread_batches),
        ):
            yield GaugeMetricFamily(INDEX_PREFIX + name, text, value)

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering reads no index."""
        return []
