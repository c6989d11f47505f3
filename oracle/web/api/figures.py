"""Answers about the index itself: how far it is, and what it counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.web.api.asking import reading_index
from provenance_oracle.oracle.web.api.documents import days_json, firmware_json, index_status_json, oracles_json
from provenance_oracle.oracle.web.api.schemas import API_STATISTICS, API_STATUS
from provenance_oracle.oracle.web.api.table import Body, json_body

STATISTICS_SECONDS = 30.0
_STATUS_SECONDS = 1.0


class FigureAnswers:
    """Answers from an index. Counting reads every record, so an answer is kept for a while."""

    def __init__(self, slow_index: RecordIndex, clock: Callable[[], float] = time.monotonic) -> None:
        self._index = slow_index
        self.statistics = _Kept(self._statistics, STATISTICS_SECONDS, clock)
        self.status = _Kept(self._status, _STATUS_SECONDS, clock)

    def _statistics(self) -> Body:
        with reading_index():
            found = self._index.statistics()
        return json_body(
            {
                "schema": API_STATISTICS,
                "by_day": days_json(found.by_day),
                "oracles": oracles_json(found.oracles),
                "firmware": firmware_json(found.firmware),
            }
        )

    def _status(self) -> Body:
        with reading_index():
            return json_body({"schema": API_STATUS, **index_status_json(self._index.status())})


class _Kept:
    """Makes a body anew at most once in some seconds, however many threads ask."""

    def __init__(self, make: Callable[[], Body], seconds: float, clock: Callable[[], float]) -> None:
        self._make = make
        self._seconds = seconds
        self._clock = clock
        self._turn = threading.Lock()
        self._made: tuple[float, Body] | None = None

    def __call__(self) -> Body:
        with self._turn:
            if self._made is None or self._clock() - self._made[0] > self._seconds:
                self._made = (self._clock(), self._make())
            return self._made[1]
