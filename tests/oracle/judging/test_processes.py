"""Tests of judge processes: they judge as threads do, and what ends or hangs one costs a try of its release only."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from provenance_oracle.oracle.backoff import LongWaitError
from provenance_oracle.oracle.bell import Stopped
from provenance_oracle.oracle.judging import pool as pool_module
from provenance_oracle.oracle.judging import process as process_module
from provenance_oracle.oracle.judging.answers import JudgeBugError
from provenance_oracle.oracle.judging.judges import Case, ThreadJudge
from provenance_oracle.oracle.judging.messages import JudgeQuestion, Setup
from provenance_oracle.oracle.judging.pool import JudgePool
from provenance_oracle.oracle.judging.process import ProcessLostError
from provenance_oracle.oracle.judging.process_judge import ProcessJudge
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.judgement.judge_any import judge_any
from provenance_oracle.verifier.judgement.release import CRL_PATH
from provenance_oracle.verifier.judgement.verdict import make_failed_verdict
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.strict.release_files import FolderFiles
from tests.support.deadly_files import DeadlyFiles
from tests.support.releases import CASES, make_release
from tests.support.releases import Case as Fault
from tests.support.whole_releases import AT, Deviation, guest, lay_out

POLICY = load_policy("demo")
HERE = ThreadJudge(judge_any, POLICY)


class Figures(Meter):
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.bytes = 0

    def took(self, name: str, seconds: float) -> None:
        self.steps.append(name)

    def hashed(self, count_bytes: int) -> None:
        self.bytes += count_bytes


class Amd:
    """AMD's service as far as a test needs it."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if self.answer is None:
            raise TemporaryError("AMD is down", where=url)
        return self.answer


@pytest.fixture(scope="module")
def pool() -> Iterator[JudgePool]:
    with closing(JudgePool(2, Setup(POLICY, Limits(), False))) as made:
        yield made


@pytest.fixture
def release(tmp_path: Path) -> FolderFiles:
    return FolderFiles(lay_out(tmp_path / "release"))


def read(pool: JudgePool, files: FolderFiles, meter: Meter = SILENT, **more: object) -> Case | None:
    options = {"now": AT, "is_quick": True, "progress": lambda _done, _all: None} | more
    return ProcessJudge(pool, NoJudge(), meter).read(files, "release", **options)  # type: ignore[arg-type]


class NoJudge(ThreadJudge):
    """Fails the test: nothing may be judged in this process."""

    def __init__(self) -> None:
        pass

    def read(self, *_: object, **__: object) -> Case | None:
        raise AssertionError("judged in the oracle's own process")


def judged(case: Case | None) -> object:
    """Return what the judge made of a release, or the failure that it raised."""
    assert case is not None
    try:
        return case.judge(AT, AT, lambda _done, _all: None)
    except (ProvenanceError, JudgeBugError) as error:
        return error


def has_ended(pid: int) -> bool:
    """Return whether a process ends within ten seconds. One that its parent did not wait for has ended too."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_a_process_gives_the_bytes_that_a_thread_gives(pool: JudgePool, release: FolderFiles) -> None:
    figures = Figures()
    there, here = read(pool, release, figures), HERE.read(release, "release", now=AT)
    assert there is not None and here is not None
    assert there.content == here.content
    assert judged(there) == judged(here)
    assert there.look() == here.look()
    assert figures.steps == ["look", "appraise", "hash"]
    assert figures.bytes > 0


@pytest.mark.parametrize("fault", [case for case in CASES if not case.guest], ids=lambda fault: fault.name)
def test_a_process_refuses_what_a_thread_refuses(pool: JudgePool, tmp_path: Path, fault: Fault) -> None:
    folder = tmp_path / "drop" / "release"
    make_release(folder, at=AT)
    fault.damage(folder)
    files = FolderFiles(folder)
    there, here = read(pool, files), HERE.read(files, "release", now=AT)
    if here is None:
        assert there is None
        return
    assert there is not None and there.content == here.content
    verdicts = []
    for case in (there, here):
        refusal, look = judged(case), case.look()
        assert isinstance(refusal, ProvenanceError)
        verdicts.append((type(refusal), make_failed_verdict(look.envelope, look.release, POLICY, AT, refusal)))
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("kill", "killed by SIGKILL"),
        ("crash", "killed by SIGSEGV, last words: Fatal Python error: Segmentation fault"),
        ("leave", "ended with status 3"),
        ("babble", "malformed: the message is too large"),
        ("flood", "malformed: the message is too large"),
        ("lie", "its answer is malformed"),
        ("fetch-elsewhere", "it asked for what it may not have"),
    ],
)
def test_a_release_that_ends_or_takes_over_its_process_waits(
    pool: JudgePool, release: FolderFiles, deed: str, reason: str
) -> None:
    deadly = DeadlyFiles(release.path, deed=deed, home=os.getpid())
    error = judged(read(pool, deadly))
    assert isinstance(error, ProcessLostError)
    assert error.retry
    assert reason in str(error)
    assert judged(read(pool, release)) == judged(HERE.read(release, "release", now=AT)), "others go on"


def test_a_process_is_told_its_socket_where_many_files_are_open(release: FolderFiles) -> None:
    with ExitStack() as opened:
        for _ in range(200):
            opened.callback(os.close, os.dup(0))
        pool = opened.enter_context(closing(JudgePool(1, Setup(POLICY, Limits(), False))))
        assert judged(read(pool, release)) == judged(HERE.read(release, "release", now=AT))
        error = judged(read(pool, DeadlyFiles(release.path, deed="babble", home=os.getpid())))
        assert isinstance(error, ProcessLostError)


def test_a_release_that_is_lost_is_told_from_others(pool: JudgePool, tmp_path: Path) -> None:
    for name in "ab":
        make_release(tmp_path / name, at=AT)
    one, two = (read(pool, DeadlyFiles(tmp_path / name, home=os.getpid())) for name in "ab")
    assert one is not None and two is not None
    assert one.content != two.content
    assert one.look().envelope == (tmp_path / "a" / "provenance/manifest.dsse.json").read_bytes()


def test_a_release_that_hangs_costs_its_deadline_and_its_process(pool: JudgePool, release: FolderFiles) -> None:
    ticks = iter(range(5))

    def progress(_done: int, _all: int) -> None:
        if next(ticks, None) is None:
            raise LongWaitError("too long", wait_seconds=1.0, where="deadline", got="more", wanted="less")

    judged(read(pool, release))  # a process is idle now
    before = set(pool.pids)
    hanging = DeadlyFiles(release.path, deed="hang", home=os.getpid())
    assert isinstance(judged(read(pool, hanging, progress=progress)), LongWaitError)
    (ended,) = before - set(pool.pids)
    assert has_ended(ended)


def test_a_stop_ends_a_judgement_that_hangs(pool: JudgePool, release: FolderFiles) -> None:
    ticks = iter(range(5))

    def progress(_done: int, _all: int) -> None:
        if next(ticks, None) is None:
            raise Stopped

    with pytest.raises(Stopped):
        read(pool, DeadlyFiles(release.path, deed="hang", home=os.getpid()), progress=progress)


def test_a_bug_concerns_its_release_only(pool: JudgePool, release: FolderFiles) -> None:
    before = judged(read(pool, release)) and set(pool.pids)
    error = judged(read(pool, DeadlyFiles(release.path, deed="bug", home=os.getpid())))
    assert isinstance(error, JudgeBugError)
    assert str(error) == "ZeroDivisionError: a bug of ours"
    assert set(pool.pids) == before, "the process goes on"


def test_what_a_process_logs_is_in_the_oracles_log(
    pool: JudgePool, release: FolderFiles, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "provenance_oracle"):
        assert read(pool, DeadlyFiles(release.path, deed="cannot-read", home=os.getpid())) is None
    assert "release: release cannot be read now: disk: the disk fails" in caplog.text


def test_a_large_release_and_one_elsewhere_are_judged_in_a_thread(pool: JudgePool, release: FolderFiles) -> None:
    both = ProcessJudge(pool, HERE)
    assert judged(both.read(release, "r", now=AT, is_quick=False, progress=lambda _done, _all: None))


@pytest.mark.parametrize("is_up", [True, False])
def test_the_oracle_fetches_a_revocation_list_for_a_process(tmp_path: Path, is_up: bool) -> None:
    folder = lay_out(tmp_path / "listless", Deviation(damage=lambda folder: (folder / CRL_PATH).unlink()))
    crl = guest().crl() if is_up else None
    files, amd, another = FolderFiles(folder), Amd(crl), Amd(crl)
    with closing(JudgePool(1, Setup(POLICY, Limits(), True), amd)) as pool:
        there = judged(read(pool, files))
    here = judged(ThreadJudge(partial(judge_any, fetcher=another), POLICY).read(files, "release", now=AT))
    assert amd.asked == another.asked != []
    assert (there == here) if is_up else (str(there), type(there)) == (str(here), type(here))


def test_there_are_no_more_processes_than_asked_for(release: FolderFiles) -> None:
    with closing(JudgePool(2, Setup(POLICY, Limits(), False))) as pool:
        threads = [threading.Thread(target=lambda: judged(read(pool, release))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        pids = pool.pids
    assert 1 <= len(pids) <= 2
    assert all(map(has_ended, pids))


@pytest.mark.parametrize("program", [("/nonexistent",), ("/bin/false",)], ids=["missing", "fails"])
def test_the_oracle_judges_by_itself_where_no_process_starts(
    release: FolderFiles, program: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process_module, "_PYTHON", program)
    pool = JudgePool(1, Setup(POLICY, Limits(), False))
    both = ProcessJudge(pool, HERE)
    for _ in range(3):
        assert judged(both.read(release, "r", now=AT, is_quick=True, progress=lambda _done, _all: None))
    assert caplog.text.count("a judge process cannot be started") == 1
    monkeypatch.undo()
    pool._rests_until = 0.0
    assert judged(read(pool, release)), "later it tries again"
    pool.close()


def test_a_process_that_is_not_ready_in_time_is_killed(
    release: FolderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process_module, "_PYTHON", (wrapper(tmp_path / "python", "exec sleep 3600"),))
    monkeypatch.setattr(pool_module, "_START_SECONDS", 0.3)
    with closing(JudgePool(1, Setup(POLICY, Limits(), False))) as pool:
        assert pool.ask(JudgeQuestion(release, "r", AT), lambda: None) is None
    assert "it was not ready within 0 s" in caplog.text


def wrapper(path: Path, lines: str) -> str:
    """Write a shell script that stands in for Python, and return its path."""
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_no_secret_reaches_a_process(release: FolderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"
    tell = f'env > {told}; ls -l /proc/self/fd >> {told}; echo "$@" >> {told}; exec {sys.executable} "$@"'
    monkeypatch.setattr(process_module, "_PYTHON", (wrapper(tmp_path / "python", tell), "-I"))
    monkeypatch.setenv("PROVENANCE_KEY", "hush-hush")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "hush-hush")
    with (tmp_path / "hush-hush").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        with closing(JudgePool(1, Setup(POLICY, Limits(), False))) as pool:
            assert judged(read(pool, release))
    text = told.read_text()
    assert "PATH=" in text
    assert "hush-hush" not in text
    assert "PROVENANCE" not in text


def test_a_process_leaves_no_core_and_writes_no_file(pool: JudgePool, release: FolderFiles) -> None:
    judged(read(pool, release))
    limits = Path(f"/proc/{pool.pids[0]}/limits").read_text()
    values = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()}
    assert values["Max core file size"] == ["0", "0"]
    assert values["Max file size"] == ["65536", "65536"]


def test_a_signal_to_all_leaves_it_to_the_oracle_to_end_its_processes(pool: JudgePool, release: FolderFiles) -> None:
    judged(read(pool, release))
    (pid, *_) = pids = pool.pids
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    judged(read(pool, release))
    assert pool.pids == pids


_PARENT = """
import sys, threading, time
from pathlib import Path
from provenance_oracle.oracle.judging.messages import JudgeQuestion, Setup
from provenance_oracle.oracle.judging.pool import JudgePool
from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.policy import load_policy
from tests.support.deadly_files import DeadlyFiles
from tests.support.whole_releases import AT
pool = JudgePool(2, Setup(load_policy("demo"), Limits(), False))
for deed in ("hang", "none"):
    question = JudgeQuestion(DeadlyFiles(Path(sys.argv[1]), deed=deed), "r", AT)
    threading.Thread(target=pool.ask, args=(question, lambda: None), daemon=True).start()
while len(pool.pids) < 2:
    time.sleep(0.02)
time.sleep(0.2)
print(*pool.pids, flush=True)
time.sleep(3600)
"""


def test_no_process_outlives_an_oracle_that_is_killed(release: FolderFiles) -> None:
    """One that hangs in a release does not look whether the oracle is there. The kernel ends it."""
    command = [sys.executable, "-c", _PARENT, str(release.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    assert all(map(has_ended, pids))
