"""Tests of the queue's figures: its parts are counted whenever a release comes, is taken, or is done."""

from __future__ import annotations

from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.oracle.queue import SMALL_MAX_BYTES, Offered, ReleaseQueue
from provenance_oracle.oracle.sources.turns import Turns, Waiting


class Lengths(Meter):
    """The newest length of each part of the queue."""

    def __init__(self) -> None:
        self.now: dict[str, int] = {}

    def queued(self, lane: str, count: int) -> None:
        self.now[lane] = count


def offered(name: str, total_bytes: int = 1) -> Offered[str]:
    return Offered(Waiting(name, name, (name,), 0.0), total_bytes)


def test_each_part_of_the_queue_is_counted() -> None:
    lengths = Lengths()
    queue: ReleaseQueue[str] = ReleaseQueue(Turns(lambda: 0.0), lengths)
    queue.offer("folder", [offered("a"), offered("b"), offered("c", SMALL_MAX_BYTES + 1)])
    assert lengths.now == {"small": 2, "large": 1, "judging": 0}
    one = queue.take(small_only=True)
    assert one is not None
    assert lengths.now == {"small": 1, "large": 1, "judging": 1}
    queue.end(one)
    assert lengths.now == {"small": 1, "large": 1, "judging": 0}
    queue.offer("folder", [])
    assert lengths.now == {"small": 0, "large": 0, "judging": 0}
