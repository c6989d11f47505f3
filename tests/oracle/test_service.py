"""Tests of the loop: it recovers from every failure that needs no person, and stops on request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.service import Bell, Service, Stopped, Timing, stopping_on_signals
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
class FakePipeline:
    """A pipeline that records its calls. Each call of `connect` or `settle` raises the next of its exceptions."""

    connects: list[Exception | None] = field(default_factory=list)
    settles: list[Exception | None] = field(default_factory=list)
    processed: list[str] = field(default_factory=list)
    on_process: Callable[[Handle], None] = lambda handle: None
    on_settle: Callable[[], None] = lambda: None
    passes: int = 0

    def connect(self) -> FakePipeline:
        self.passes += 1
        _raise_next(self.connects)
        return self

    def process(self, handle: Handle) -> Row | None:
        self.processed.append(handle.id)
        self.on_process(handle)
        return None

    def is_due(self, handle: Handle) -> bool:
        return True

    def settle(self) -> None:
        _raise_next(self.settles)
        self.on_settle()


def _raise_next(problems: list[Exception | None]) -> None:
    problem = problems.pop(0) if problems else None
    if problem is not None:
        raise problem


class Process:
    """A service over a fake pipeline and a real folder and journal."""

    def __init__(self, folder: Path, scan_seconds: float = 60.0) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.journal = Journal(folder / "journal.db")
        self.pipeline = FakePipeline()
        self.bell = Bell()
        self.source = FolderSource(self.drop, releases_max=1000)
        timing = Timing(scan_seconds, 0.01, 0.05, Backoff(0.01, 0.05, lambda: 0.0))
        self.service = Service(self.source, self.journal, self.pipeline.connect, timing, self.bell, Turns(time.time))

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
    process.pipeline.connects = [TemporaryError("connection refused")] * 3
    ready: list[bool] = []
    process.pipeline.on_process = lambda handle: ready.append(process.service.status.ready)
    process.run_until(lambda: process.service.status.ready)
    assert process.pipeline.processed == ["a"]
    assert ready == [False]
    assert process.service.status.problem == ""


def test_while_not_ready_it_says_why(process: Process) -> None:
    process.pipeline.connects = [TemporaryError("connection refused", where="http://node")] * 1000
    process.run_until(lambda: process.pipeline.passes > 3)
    assert process.service.status.problem == "http://node: connection refused"
    assert not process.service.status.ready


def test_a_pass_that_fails_by_a_bug_is_tried_again(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    process.pipeline.settles = [RuntimeError("bug \x1b[2J")]
    process.run_until(lambda: process.service.status.ready)
    assert "internal error: RuntimeError: bug \\u001b" in caplog.text


def test_what_only_a_person_can_put_right_ends_it(process: Process) -> None:
    process.pipeline.connects = [UsageError("another chain")]
    with pytest.raises(UsageError, match="another chain"):
        process.service.run()


def test_records_on_their_way_are_settled_between_scans(process: Process) -> None:
    row = waiting_row(process.journal)
    drop(process.drop / "a", {})
    settled: list[int] = []

    def settle() -> None:
        settled.append(1)
        if len(settled) == 4:
            process.journal.advance(row.id, State.FINAL, at=START)

    process.pipeline.on_settle = settle
    process.run_until(lambda: len(settled) >= 4)
    assert process.pipeline.processed == ["a"], "there was more than one scan"


def test_the_rescan_finds_what_no_event_told(tmp_path: Path) -> None:
    process = Process(tmp_path, scan_seconds=0.02)
    process.pipeline.on_settle = lambda: (
        None if (process.drop / "a").exists() else drop(process.drop / "a", {}) and None
    )
    process.run_until(lambda: "a" in process.pipeline.processed)
    process.journal.close()


def test_an_event_brings_the_scan_forward(process: Process) -> None:
    def drop_later() -> None:
        while process.pipeline.passes == 0:
            time.sleep(0.005)
        drop(process.drop / "a", {})

    dropper = threading.Thread(target=drop_later)
    dropper.start()
    with watching(process.drop, WatchMode.INOTIFY, process.bell.ring):
        process.run_until(lambda: "a" in process.pipeline.processed)
    dropper.join()


def test_a_storm_of_events_is_a_few_scans_and_loses_nothing(process: Process) -> None:
    def storm() -> None:
        for number in range(300):
            drop(process.drop / f"r{number:03}", {})

    thread = threading.Thread(target=storm)
    started = time.monotonic()
    with watching(process.drop, WatchMode.INOTIFY, process.bell.ring):
        thread.start()
        process.run_until(lambda: len(set(process.pipeline.processed)) == 300)
    thread.join()
    pauses = (time.monotonic() - started) / 0.05
    assert process.pipeline.passes <= pauses + 2


def slow_process(process: Process, seconds: float) -> None:
    """Make every release take this many seconds of the service's clock, and wait no longer afterwards."""
    now = [0.0]
    done: set[str] = set()
    turns = Turns(lambda: now[0])
    timing = Timing(30, 0.01, 0.0, Backoff(0.01, 0.05, lambda: 0.0))
    process.service = Service(
        process.source, process.journal, process.pipeline.connect, timing, process.bell, turns, lambda: now[0]
    )

    def take_long(handle: Handle) -> None:
        now[0] += seconds
        done.add(handle.id)

    process.pipeline.on_process = take_long
    process.pipeline.is_due = lambda handle: handle.id not in done  # type: ignore[method-assign]


def test_a_release_that_comes_during_a_scan_waits_for_one_slow_release_only(process: Process) -> None:
    for number in range(5):
        drop(process.drop / "many" / f"{number}", {})
    slow_process(process, 100)
    take_long = process.pipeline.on_process

    def drop_meanwhile(handle: Handle) -> None:
        take_long(handle)
        if len(process.pipeline.processed) == 2:
            drop(process.drop / "honest", {})

    process.pipeline.on_process = drop_meanwhile
    process.run_until(lambda: len(process.pipeline.processed) == 6)
    assert process.pipeline.processed == ["many/0", "many/1", "honest", "many/2", "many/3", "many/4"]
    assert process.pipeline.passes >= 6


def test_a_scan_that_is_quick_takes_all_that_is_due(process: Process) -> None:
    for number in range(5):
        drop(process.drop / "many" / f"{number}", {})
    slow_process(process, 1)
    process.run_until(lambda: len(process.pipeline.processed) == 5)
    assert process.pipeline.passes <= 2


def test_once_takes_all_that_is_due_however_long_it_takes(process: Process) -> None:
    for number in range(5):
        drop(process.drop / "many" / f"{number}", {})
    slow_process(process, 1000)
    process.service.run_once(deadline_seconds=1)
    assert process.pipeline.processed == [f"many/{number}" for number in range(5)]


def test_a_stop_ends_the_wait_and_the_scan(process: Process) -> None:
    for name in "abc":
        drop(process.drop / name, {})
    process.pipeline.on_process = lambda handle: process.bell.stop()
    process.service.run()
    assert process.pipeline.processed == ["a"]


def test_a_stop_reaches_into_hashing(process: Process) -> None:
    drop(process.drop / "a", {})

    def hash_for_ever(handle: Handle) -> None:
        while True:
            process.bell.check(1, 2)
            time.sleep(0.001)

    process.pipeline.on_process = hash_for_ever
    process.run_until(lambda: process.pipeline.processed == ["a"])
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
    timing = Timing(60, 0.01, 0.05, Backoff(3600, 3600, lambda: 0.0))
    process.pipeline.connects = [TemporaryError("connection refused")] * 2
    process.service = Service(
        process.source, process.journal, process.pipeline.connect, timing, process.bell, Turns(time.time)
    )
    process.run_until(lambda: process.pipeline.passes == 1 and not process.service.status.ready)
    assert process.pipeline.passes == 1


def test_a_stop_ends_a_fetch_from_amd(process: Process) -> None:
    """The server sends a byte now and then, for ever; the fetch would wait for it for an hour."""
    drop(process.drop / "a", {})
    with stubborn(ENDLESS["drips the body"][0]) as (port, requests):
        server = Server("http", "127.0.0.1", port, "a stand-in for AMD", 3600.0)
        fetcher = HttpsFetcher(server, on_wait=process.bell.check)
        process.pipeline.on_process = lambda handle: fetcher.fetch(f"https://{KDS_HOST}/vcek/v1/Milan/crl") and None
        process.run_until(lambda: bool(requests))
    assert process.pipeline.processed == ["a"]


_BUSY = """
import sys
from pathlib import Path
from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.service import Bell, Service, Stopped, Timing, stopping_on_signals
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.sources.folder import FolderSource
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
    source = FolderSource(folder, releases_max=10)
    Service(source, journal, Busy, Timing(60, 1, 1, Backoff(1, 1, lambda: 0.0)), bell, Turns(lambda: 0.0)).run()
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
    process.pipeline.on_settle = lambda: (
        process.journal.advance(row.id, State.FINAL, at=START) and None if process.pipeline.passes > 2 else None
    )
    rows = process.service.run_once(deadline_seconds=10)
    assert [row.state for row in rows] == [State.FINAL]
    assert process.pipeline.processed == ["a"]


def test_once_has_a_deadline_and_does_not_wait_for_what_is_parked(process: Process) -> None:
    row = waiting_row(process.journal)
    with pytest.raises(TemporaryError, match="not final yet"):
        process.service.run_once(deadline_seconds=0.05)
    process.journal.park(row.id, TemporaryError("node down"), retry_at=START, at=START)
    assert process.service.run_once(deadline_seconds=10)[0].parked


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
