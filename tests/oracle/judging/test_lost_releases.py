"""A release that ends its judge process every time waits in its row, and the releases of others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.judging.judges import ThreadJudge
from provenance_oracle.oracle.judging.messages import Setup
from provenance_oracle.oracle.judging.pool import JudgePool
from provenance_oracle.oracle.judging.process_judge import ProcessJudge
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Pipeline
from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.judgement.judge_any import judge_any
from provenance_oracle.verifier.policy import load_policy
from tests.support.deadly_files import DeadlySource
from tests.support.fakes import Clock
from tests.support.releases import make_release
from tests.support.whole_releases import AT

POLICY = load_policy("demo")
PATIENCE = Patience(Backoff(10, 1000, lambda: 0.0), internal_errors_max=3, recordings_per_day_max=3)


class Oracle:
    """The part of an oracle that judges the releases in a folder."""

    def __init__(self, folder: Path, journal: Journal, pool: JudgePool) -> None:
        self.clock = Clock(AT)
        self.journal = journal
        self.source = DeadlySource(folder, releases_max=100)
        outcomes = Outcomes(journal, POLICY, PATIENCE, self.clock)
        self.pipeline = Pipeline(
            self.source,
            journal,
            POLICY,
            outcomes,
            patience=PATIENCE,
            clock=self.clock,
            deadline=lambda: Deadline(None),
        )
        self.judge = ProcessJudge(pool, ThreadJudge(judge_any, POLICY))

    def scan(self) -> dict[str, Row]:
        """Judge what is due, and return all rows by the release's name."""
        for handle in self.pipeline.due(list(self.source.releases())):
            self.pipeline.process(handle, self.judge)
        return {row.key.release: row for row in self.journal.rows()}


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    drop = tmp_path / "drop"
    drop.mkdir()
    with (
        Journal(tmp_path / "journal.db") as journal,
        closing(JudgePool(1, Setup(POLICY, Limits(), False))) as pool,
    ):
        yield Oracle(drop, journal, pool)


def test_a_release_that_kills_every_process_waits_longer_each_time(oracle: Oracle) -> None:
    for name in ("a-good", "kill-b", "z-good"):
        make_release(oracle.source.root / name, at=AT)
    rows = oracle.scan()
    assert [rows[name].state for name in ("a-good", "z-good")] == [State.JUDGED] * 2
    waits = []
    for _ in range(4):
        row = oracle.scan()["kill-b"]
        assert row.state is State.SEEN
        assert "the process that judged this release was lost" in row.problem
        assert row.exit_code == 7
        assert row.retry_at is not None
        waits.append((row.retry_at - oracle.clock.now).total_seconds())
        oracle.clock.now = row.retry_at
    assert waits == sorted(set(waits)), "each wait is longer than the one before"
    assert len(oracle.journal.rows()) == 3, "every try has the same row"


def test_a_release_that_killed_a_process_by_chance_is_judged_later(oracle: Oracle) -> None:
    """The kernel kills a process where memory is short, whatever release it judges."""
    make_release(oracle.source.root / "kill-a", at=AT)
    lost = oracle.scan()["kill-a"]
    oracle.source._files = lambda handle: super(DeadlySource, oracle.source)._files(handle)  # type: ignore[method-assign]
    assert lost.retry_at is not None
    oracle.clock.now = lost.retry_at
    oracle.scan()
    states = {row.key.content: row.state for row in oracle.journal.rows()}
    assert sorted(states.values()) == [State.JUDGED, State.SUPERSEDED]
    assert states[lost.key.content] is State.SUPERSEDED


def test_a_bug_in_a_process_makes_its_release_stuck_in_the_end(oracle: Oracle) -> None:
    make_release(oracle.source.root / "bug-a", at=AT)
    for _ in range(PATIENCE.internal_errors_max):
        (row,) = oracle.scan().values()
        oracle.clock.now = row.retry_at or oracle.clock.now
    assert row.state is State.STUCK
    assert "internal error, please report it: JudgeBugError: ZeroDivisionError: a bug of ours" in row.problem
