"""Tests of file events: they wake the scan early, and the scan does not depend on them."""

from __future__ import annotations

import builtins
import os
import threading
import time
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver, EventQueue

from provenance_oracle.oracle.sources import watch as module
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.watch import WatchMode, chosen_mode, is_ignored, watching
from provenance_oracle.verifier.errors import UsageError

_BURST_FILES = int(os.environ.get("PROVENANCE_BURST_FILES", "20000"))
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/models rw - nfs4 server:/models rw
31 22 0:41 / /mnt/my\\040share rw - cifs //server/share rw
32 22 0:42 / /data rw - fuse.sshfs host:/ rw
33 32 8:2 / /data/local rw - xfs /dev/sdb1 rw
odd line
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("folder", "mode"),
    [
        ("/", WatchMode.INOTIFY),
        ("/mnt/modelsX", WatchMode.INOTIFY),
        ("/mnt/models/a", WatchMode.POLL),
        ("/mnt/my share/a", WatchMode.POLL),
        ("/data/a", WatchMode.POLL),
        ("/data/local/a", WatchMode.INOTIFY),
    ],
)
def test_auto_goes_by_the_type_of_the_file_system(mounts: Path, folder: str, mode: WatchMode) -> None:
    assert chosen_mode(Path(folder), WatchMode.AUTO, mounts) is mode


def test_auto_without_a_list_of_mounts_is_inotify(tmp_path: Path) -> None:
    assert chosen_mode(tmp_path, WatchMode.AUTO, tmp_path / "none") is WatchMode.INOTIFY


def test_a_mode_that_was_named_is_kept(mounts: Path) -> None:
    assert chosen_mode(Path("/mnt/models"), WatchMode.INOTIFY, mounts) is WatchMode.INOTIFY


@pytest.mark.parametrize("name", [".x", "a.tmp", "a.part", "a.incomplete", "a~", "dir/.hidden"])
def test_names_of_unfinished_files_are_ignored(name: str) -> None:
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["a", "manifest.dsse.json", "a.tmp.bin", "part", ".x/a"])
def test_other_names_are_not(name: str) -> None:
    assert not is_ignored(name)


@pytest.fixture(params=[WatchMode.INOTIFY, WatchMode.POLL])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WatchMode:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.05)
    return WatchMode(request.param)


def test_a_renamed_manifest_wakes(tmp_path: Path, mode: WatchMode) -> None:
    woken = threading.Event()
    (tmp_path / "a.tmp").write_bytes(b"{}")
    with watching(tmp_path, mode, woken.set):
        (tmp_path / "a.tmp").rename(tmp_path / "manifest.dsse.json")
        assert woken.wait(10)


def test_a_folder_renamed_in_wakes(tmp_path: Path, mode: WatchMode) -> None:
    woken = threading.Event()
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    (outside / "provenance").mkdir(parents=True)
    with watching(root, mode, woken.set):
        outside.rename(root / "a")
        assert woken.wait(10)


def test_unfinished_files_do_not_wake(tmp_path: Path) -> None:
    woken = threading.Event()
    with watching(tmp_path, WatchMode.INOTIFY, woken.set):
        for number in range(100):
            (tmp_path / f"{number}.part").write_bytes(b"x")
        assert not woken.wait(0.3)
        (tmp_path / "0.part").rename(tmp_path / "0")
        assert woken.wait(10)


def test_scan_only_starts_nothing(tmp_path: Path) -> None:
    before = threading.active_count()
    with watching(tmp_path, WatchMode.SCAN_ONLY, lambda: None):
        assert threading.active_count() == before


def test_watching_ends_its_threads(tmp_path: Path, mode: WatchMode) -> None:
    before = threading.active_count()
    with pytest.raises(RuntimeError), watching(tmp_path, mode, lambda: None):
        assert threading.active_count() > before
        raise RuntimeError
    assert threading.active_count() == before


def test_no_inotify_left_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from watchdog.observers import Observer

    def start(self: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "start", start)
    with watching(tmp_path, WatchMode.INOTIFY, lambda: None):
        assert "inotify watch limit reached" in caplog.text


def test_a_missing_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_watchdog(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("watchdog"):
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_watchdog)
    with pytest.raises(UsageError, match="scan-only"), watching(tmp_path, WatchMode.POLL, lambda: None):
        pass


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return the list of all events that reach watchdog's own queue."""
    seen: list[object] = []
    real = BaseObserver.dispatch_events

    def dispatch(observer: BaseObserver, queue: EventQueue) -> None:
        real(observer, queue)
        seen.append(None)

    monkeypatch.setattr(BaseObserver, "dispatch_events", dispatch)
    return seen


def test_reading_is_no_event(tmp_path: Path, dispatched: list[object]) -> None:
    """The kernel can tell of every folder that is opened. What a scan or watchdog itself reads must not count."""
    woken = threading.Event()
    for number in range(200):
        (tmp_path / f"{number}" / "provenance").mkdir(parents=True)
        (tmp_path / f"{number}" / "provenance" / "manifest.dsse.json").write_bytes(b"{}")
    with watching(tmp_path, WatchMode.INOTIFY, woken.set):
        for path in tmp_path.rglob("*"):
            os.listdir(path) if path.is_dir() else path.read_bytes()
        (tmp_path / "last").mkdir()
        assert woken.wait(10)
    assert len(dispatched) <= 3, "the folder that was made, and nothing that was read"


def test_a_burst_of_releases_wakes_no_scan_once_it_is_over(tmp_path: Path, dispatched: list[object]) -> None:
    """The folders are more than the kernel's queue holds events, so watchdog walks them itself, once."""
    woken: list[None] = []
    with watching(tmp_path, WatchMode.INOTIFY, lambda: woken.append(None)):
        for number in range(2000):
            (tmp_path / f"{number}" / "provenance" / "snp").mkdir(parents=True)
        _until_quiet(dispatched)
        before = len(dispatched), len(woken)
        assert before[1]
        for path in tmp_path.rglob("*"):
            os.listdir(path)
        _until_quiet(dispatched)
        assert (len(dispatched), len(woken)) == before


def _until_quiet(seen: list[object]) -> None:
    """Wait until the list has stopped growing."""
    for _ in range(100):
        before = len(seen)
        time.sleep(0.3)
        if seen and len(seen) == before:
            return
    pytest.fail("the events do not end")


def test_a_burst_of_files_wakes_the_scan_and_the_scan_misses_none(tmp_path: Path) -> None:
    """The kernel's queue holds 16,384 events. What it drops is not lost, because only the scan finds releases.

    `make prove` makes 60,000 files.
    """
    woken = threading.Event()
    with watching(tmp_path, WatchMode.INOTIFY, woken.set):
        for number in range(_BURST_FILES // 200):
            release = tmp_path / f"{number % 10}" / f"{number}"
            (release / "provenance").mkdir(parents=True)
            for file in range(199):
                (release / f"{file}").touch()
            (release / "provenance" / "manifest.dsse.json").touch()
        assert woken.wait(10)
        found = {handle.id for handle in FolderSource(tmp_path, releases_max=1000).releases()}
    assert found == {f"{number % 10}/{number}" for number in range(_BURST_FILES // 200)}
