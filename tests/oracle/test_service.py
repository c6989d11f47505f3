"""Tests of the loop: it recovers from every failure that needs no person, and stops on request."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell, Stopped, stopping_on_signals
from provenance_oracle.oracle.conditions import Conditions, Trouble, TroubleError
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.journal.store import TakenError
from provenance_oracle.oracle.judging.judges import Judge
from provenance_oracle.oracle.pipeline import Feed
from provenance_oracle.oracle.queue import SMALL_MAX_BYTES
from provenance_oracle.oracle.service import Service, Timing
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.turns import Turns
from provenance_oracle.oracle.sources.watch import WatchMode, watching
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.snp.kds import KDS_HOST, HttpsFetcher
from provenance_oracle.verifier.strict.exchange import Server
from tests.support.drops import drop
from tests.support.fakes import START
from tests.support.slow_servers import ENDLESS, stubborn


@dataclass
class FakeWork:
    """Pipeline and recorder in one. They record their calls, and raise the next of their exceptions at each call."""

    connects: list[Exception | None] = field(default_factory=list)
    settles: list[Exception | None] = field(default_factory=list)
    judgements: list[Exception | None] = field(default_factory=list)
    processed: list[str] = field(default_factory=list)
    on_process: Callable[[Handle], None] = lambda handle: None
    on_settle: Callable[[], None] = lambda: None
    passes: int = 0

    def connect(self) -> FakeWork:
        self.passes += 1
        _raise_next(self.connects)
        return self

    def process(self, handle: Handle, judge: Judge, *, more_follow: bool = False) -> Row | None:
        self.processed.append(handle.id)
        self.on_process(handle)
        _raise_next(self.judgements)
        return None

    def due(self, handles: Sequence[Handle]) -> list[Handle]:
        return [handle for handle in handles if handle.id not in self.processed]

    def settle(self) -> None:
        _raise_next(self.settles)
        self.on_settle()


def _raise_next(problems: list[Exception | None]) -> None:
    problem = problems.pop(0) if problems else None
    if problem is not None:
        raise problem


class BrokenSource:
    """A source that cannot be read until `works` is set."""

    name = "broken"
    works = False
    scans = 0

    def releases(self) -> Iterator[Handle]:
        self.scans += 1
        if not self.works:
            raise TemporaryError("the store is down", where="broken")
        yield from ()


class Process:
    """A service over fake work and a real folder and journal."""

    def __init__(self, folder: Path, scan_seconds: float = 60.0, judges: int = 1) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.journal = Journal(folder / "journal.db")
        self.work = FakeWork()
        self.bell = Bell()
        self.source = FolderSource(self.drop, releases_max=1000)
        self.feed = Feed(self.source, self.work, self.bell.new_ring())
        self.timing = Timing(scan_seconds, 0.01, 0.05, Backoff(0.01, 0.05, lambda: 0.0))
        self.judges = judges
        self.conditions = Conditions(lambda: START)
        self.service = self.make(self.feed)

    def make(self, *feeds: Feed) -> Service:
        judges: list[Any] = [None] * self.judges
        parts = (self.work.connect, judges, self.timing, self.bell, Turns(time.time))
        return Service(feeds, self.journal, *parts, small_judges=self.judges - 1, conditions=self.conditions)

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Run the loop in this thread. Another thread stops it once `condition` holds, or after 10 seconds."""

        def stop() -> None:
            deadline = time.monotonic() + 10
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.005)
            self.bell.stop()

        watcher = threading.Thread(target=stop)
        watcher.start()
        try:
            self.service.run()
        finally:
            self.bell.stop()
            watcher.join()
        assert condition()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.journal.close()


def waiting_row(journal: Journal) -> Row:
    row = journal.open(ReleaseKey("folder", "a", bytes(32)), "f", at=START)
    return journal.accept(row.id, b"s", b"r", b"d", at=START)


def test_a_node_that_is_down_at_the_start_is_waited_for(process: Process) -> None:
    drop(process.drop / "a", {})
    process.work.connects = [TemporaryError("connection refused")] * 3
    process.run_until(lambda: process.service.readiness.status.ready and process.work.processed == ["a"])
    assert process.work.connects == []
    assert process.service.readiness.status.problem == ""


def test_releases_are_judged_while_the_node_is_down(process: Process) -> None:
    drop(process.drop / "a", {})
    process.work.connects = [TemporaryError("connection refused")] * 1000
    process.run_until(lambda: process.work.processed == ["a"])
    assert not process.service.readiness.status.ready


def test_a_process_that_stands_by_is_ready_and_asks_again_without_a_growing_wait(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(process.bell, "sleep", lambda seconds: (slept.append(seconds), time.sleep(0.001)))
    process.timing = replace(process.timing, backoff=Backoff(3600, 3600, lambda: 0.0))
    process.service = process.make(process.feed)
    process.work.connects = [TakenError("another process does this work")] * 20_000
    process.run_until(lambda: process.service.readiness.status.ready and process.work.passes > 10)
    assert process.work.connects, "it records itself"
    assert max(slept) <= 2
    assert process.conditions.standing() == ()


def test_a_process_takes_the_records_over_and_says_so_once(
    process: Process, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(process.bell, "sleep", lambda seconds: None)
    process.work.connects = [TakenError("another process does this work")] * 3
    settled: list[bool] = []
    process.work.on_settle = lambda: settled.append(True)
    process.run_until(lambda: bool(settled))
    assert [line for line in caplog.messages if "process" in line and "folder" not in line] == [
        "another process does this work",
        "the other process has ended; this one records now",
    ]


def test_while_not_ready_it_says_why(process: Process) -> None:
    process.work.connects = [TemporaryError("connection refused", where="http://node")] * 1000
    process.run_until(lambda: process.work.passes > 3)
    assert process.service.readiness.status.problem == "http://node: connection refused"
    assert not process.service.readiness.status.ready


def test_a_pass_that_fails_by_a_bug_is_tried_again(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    process.work.settles = [RuntimeError("bug \x1b[2J")]
    process.run_until(lambda: process.service.readiness.status.ready)
    assert "internal error: RuntimeError: bug \\u001b" in caplog.text


def test_what_only_a_person_can_put_right_ends_it(process: Process) -> None:
    process.work.connects = [UsageError("another chain")]
    with pytest.raises(UsageError, match="another chain"):
        process.service.run()


def test_a_corrupt_journal_that_a_judge_meets_ends_it(process: Process) -> None:
    drop(process.drop / "a", {})
    process.work.judgements = [UsageError("the journal is corrupt")]
    with pytest.raises(UsageError, match="the journal is corrupt"):
        process.service.run()


def test_a_full_disk_that_a_judge_meets_is_waited_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    process = Process(tmp_path, scan_seconds=0.02)
    for name in "ab":
        drop(process.drop / name, {})
    process.work.judgements = [TemporaryError("the journal cannot be written: disk full")]
    process.run_until(lambda: len(process.work.processed) == 2)
    assert (
        "trouble begins (journal judgements): the journal cannot be written: disk full; next: make room" in caplog.text
    )
    process.journal.close()


def test_a_source_that_is_down_delays_no_other_and_comes_back(process: Process) -> None:
    broken = BrokenSource()
    process.service = process.make(
        Feed(broken, process.work, process.bell.new_ring()),
        process.feed,  # type: ignore[arg-type]
    )
    drop(process.drop / "a", {})
    process.run_until(lambda: process.work.processed == ["a"] and broken.scans > 3)
    assert process.service.readiness.status.ready, "one of two sources works"
    process.bell, broken.works = Bell(), True
    process.service = process.make(Feed(broken, process.work, process.bell.new_ring()))  # type: ignore[arg-type]
    process.run_until(lambda: process.service.readiness.status.ready)


def test_with_no_source_that_can_be_read_it_is_not_ready(process: Process) -> None:
    broken = BrokenSource()
    process.service = process.make(Feed(broken, process.work, process.bell.new_ring()))  # type: ignore[arg-type]
    process.run_until(lambda: broken.scans > 2 and process.work.passes > 0)
    assert process.service.readiness.status.problem == "broken: the store is down"


def test_a_large_release_delays_no_small_one_and_no_record(tmp_path: Path) -> None:
    """The judge of the large release ends only after the small ones are judged and the record is followed."""
    process = Process(tmp_path, judges=2)
    large = drop(process.drop / "large", {})
    with (large / "model.bin").open("r+b") as file:
        file.truncate(SMALL_MAX_BYTES + 1)
    small = {f"small{number}" for number in range(5)}
    for name in small:
        drop(process.drop / name, {})
    waiting_row(process.journal)
    others = threading.Event()

    def judge(handle: Handle) -> None:
        if handle.id == "large":
            assert others.wait(60)

    process.work.on_process = judge
    process.work.on_settle = lambda: (
        others.set() if small <= {*process.work.processed} and process.work.passes > 3 else None
    )
    process.run_until(lambda: others.is_set() and process.service.waiting == 0)
    assert {*process.work.processed} == {"large", *small}
    process.journal.close()


def test_two_large_releases_leave_a_judge_for_the_small_ones(tmp_path: Path) -> None:
    process = Process(tmp_path, judges=2)
    for name in ("large1", "large2"):
        with (drop(process.drop / name, {}) / "model.bin").open("r+b") as file:
            file.truncate(SMALL_MAX_BYTES + 1)
    drop(process.drop / "small", {})
    judged = threading.Event()

    def judge(handle: Handle) -> None:
        if handle.id == "small":
            judged.set()
        else:
            assert judged.wait(60)

    process.work.on_process = judge
    process.run_until(lambda: process.service.waiting == 0 and len(process.work.processed) == 3)
    process.journal.close()


def test_records_on_their_way_are_settled_between_scans(process: Process) -> None:
    row = waiting_row(process.journal)
    drop(process.drop / "a", {})
    settled: list[int] = []

    def settle() -> None:
        settled.append(1)
        if len(settled) == 4:
            process.journal.advance(row.id, State.FINAL, at=START)

    process.work.on_settle = settle
    process.run_until(lambda: len(settled) >= 4)
    assert process.work.processed == ["a"], "there was more than one scan"


def test_the_rescan_finds_what_no_event_told(tmp_path: Path) -> None:
    process = Process(tmp_path, scan_seconds=0.02)
    process.work.on_settle = lambda: None if (process.drop / "a").exists() else drop(process.drop / "a", {}) and None
    process.run_until(lambda: "a" in process.work.processed)
    process.journal.close()


def test_an_event_brings_the_scan_forward(process: Process) -> None:
    def drop_later() -> None:
        while process.work.passes == 0:
            time.sleep(0.005)
        drop(process.drop / "a", {})

    dropper = threading.Thread(target=drop_later)
    dropper.start()
    with watching(process.drop, WatchMode.INOTIFY, process.feed.ring.ring):
        process.run_until(lambda: "a" in process.work.processed)
    dropper.join()


def test_a_storm_of_events_is_a_few_scans_and_loses_nothing(process: Process) -> None:
    def storm() -> None:
        for number in range(300):
            drop(process.drop / f"r{number:03}", {})

    scans, real = [0], process.source.releases

    def count() -> Iterator[Handle]:
        scans[0] += 1
        return real()

    process.source.releases = count  # type: ignore[method-assign]
    thread = threading.Thread(target=storm)
    started = time.monotonic()
    with watching(process.drop, WatchMode.INOTIFY, process.feed.ring.ring):
        thread.start()
        process.run_until(lambda: len(set(process.work.processed)) == 300)
    thread.join()
    pauses = (time.monotonic() - started) / 0.05
    assert scans[0] <= pauses + 2


def test_once_takes_all_that_is_due(process: Process) -> None:
    for number in range(5):
        drop(process.drop / "many" / f"{number}", {})
    process.service.run_once(deadline_seconds=1)
    assert process.work.processed == [f"many/{number}" for number in range(5)]


@pytest.mark.parametrize("error", [TemporaryError("disk full"), UsageError("corrupt"), RuntimeError("bug")])
def test_once_ends_with_what_a_judge_raises(process: Process, error: Exception) -> None:
    drop(process.drop / "a", {})
    process.work.judgements = [error]
    with pytest.raises(type(error), match=str(error)):
        process.service.run_once(deadline_seconds=1)


def test_once_ends_if_a_source_cannot_be_read(process: Process) -> None:
    feed = Feed(BrokenSource(), process.work, process.bell.new_ring())  # type: ignore[arg-type]
    with pytest.raises(TemporaryError, match="the store is down"):
        process.make(feed).run_once(deadline_seconds=1)


def test_a_stop_ends_the_wait_and_the_scan(process: Process) -> None:
    for name in "abc":
        drop(process.drop / name, {})
    process.work.on_process = lambda handle: process.bell.stop()
    process.service.run()
    assert process.work.processed == ["a"]


def test_a_stop_reaches_into_hashing(process: Process) -> None:
    drop(process.drop / "a", {})

    def hash_for_ever(handle: Handle) -> None:
        while True:
            process.bell.check(1, 2)
            time.sleep(0.001)

    process.work.on_process = hash_for_ever
    process.run_until(lambda: process.work.processed == ["a"])
    assert process.journal.rows() == ()


def test_a_stop_ends_the_hashing_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x" * (32 << 20))
    bell, pieces = Bell(), list[int]()

    def stop_at_the_second(done_bytes: int, all_bytes: int) -> None:
        pieces.append(done_bytes)
        if len(pieces) == 2:
            bell.stop()
        bell.check(done_bytes, all_bytes)

    with pytest.raises(Stopped):
        digest_files(tmp_path, list_files(tmp_path), hasher=CpuHasher(), progress=stop_at_the_second)
    assert len(pieces) == 2
    assert pieces[-1] < 32 << 20


def test_a_stop_ends_the_wait_after_a_failed_pass(process: Process) -> None:
    """The wait would take an hour; the test would take as long if the stop did not end it."""
    process.timing = Timing(60, 0.01, 0.05, Backoff(3600, 3600, lambda: 0.0))
    process.work.connects = [TemporaryError("connection refused")] * 2
    process.service = process.make(process.feed)
    process.run_until(lambda: process.work.passes == 1 and not process.service.readiness.status.ready)
    assert process.work.passes == 1


def test_a_stop_ends_a_fetch_from_amd(process: Process) -> None:
    """The server sends a byte now and then, for ever; the fetch would wait for it for an hour."""
    drop(process.drop / "a", {})
    with stubborn(ENDLESS["drips the body"][0]) as (port, requests):
        server = Server("http", "127.0.0.1", port, "a stand-in for AMD", 3600.0)
        fetcher = HttpsFetcher(server, on_wait=process.bell.check)
        process.work.on_process = lambda handle: fetcher.fetch(f"https://{KDS_HOST}/vcek/v1/Milan/crl") and None
        process.run_until(lambda: bool(requests))
    assert process.work.processed == ["a"]


_BUSY = """
import sys
from pathlib import Path
from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell, stopping_on_signals
from provenance_oracle.oracle.conditions import Conditions
from tests.support.fakes import START
from provenance_oracle.oracle.service import Service, Timing
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.sources.turns import Turns

class Busy:
    def settle(self):
        print("busy", flush=True)
        while True:
            try:
                sum(range(1000))
            except Exception:
                pass

folder = Path(sys.argv[1])
bell = Bell()
with stopping_on_signals(bell), Journal(folder / "j") as journal:
    timing, conditions = Timing(60, 1, 1, Backoff(1, 1, lambda: 0.0)), Conditions(lambda: START)
    Service([], journal, Busy, [], timing, bell, Turns(lambda: 0.0), conditions=conditions).run()
print("ended")
"""


def test_sigterm_ends_a_step_that_never_looks_at_the_bell_within_five_seconds(tmp_path: Path) -> None:
    """The contract is a time, so this test has one. Every other test of a stop counts operations."""
    command = [sys.executable, "-c", _BUSY, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "busy\n"
        child.send_signal(signal.SIGTERM)
        try:
            words, _ = child.communicate(timeout=5)
        finally:
            child.kill()
    assert (child.returncode, words) == (0, "ended\n")
    Journal(tmp_path / "j").close()


def test_once_processes_and_follows_to_the_end(process: Process) -> None:
    drop(process.drop / "a", {})
    row = waiting_row(process.journal)
    process.work.on_settle = lambda: (
        process.journal.advance(row.id, State.FINAL, at=START) and None if process.work.passes > 2 else None
    )
    rows = process.service.run_once(deadline_seconds=10)
    assert [row.state for row in rows] == [State.FINAL]
    assert process.work.processed == ["a"]


def test_once_has_a_deadline_and_does_not_wait_for_what_is_parked(process: Process) -> None:
    row = waiting_row(process.journal)
    with pytest.raises(TemporaryError, match="not final yet"):
        process.service.run_once(deadline_seconds=0.05)
    process.journal.park(row.id, TemporaryError("node down"), retry_at=START, at=START)
    assert process.service.run_once(deadline_seconds=10)[0].parked


def test_once_waits_for_a_key_that_does_not_answer_until_its_deadline(process: Process) -> None:
    down = TroubleError(Trouble.SIGNER, "the token does not answer", where="token")
    process.work.connects = [down] * 3
    assert process.service.run_once(deadline_seconds=60) == ()
    assert process.work.connects == []
    process.work.connects = [down] * 100_000
    with pytest.raises(TroubleError, match="the token does not answer"):
        process.service.run_once(deadline_seconds=0.05)
    assert [one.kind for one in process.conditions.standing()] == [Trouble.SIGNER]


def test_once_says_when_it_was_stopped(process: Process) -> None:
    process.bell.stop()
    with pytest.raises(Stopped):
        process.service.run_once(deadline_seconds=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_and_the_second_one_is_the_system_s(process: Process, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopping_on_signals(process.bell):
        assert signal.getsignal(number) is not before
        timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
        timer.start()
        process.service.run()
        assert process.bell.stopping
        assert signal.getsignal(number) is before
    timer.join()
    assert signal.getsignal(number) is before
