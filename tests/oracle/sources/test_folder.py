"""Tests of the scan of a folder: the releases that it finds, and the entries that it ignores."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.bell import Stopped
from provenance_oracle.oracle.sources import folder as folder_module
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from tests.support.races import race


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def drop(folder: Path, *, complete: bool = True) -> Path:
    (folder / "provenance" / "snp").mkdir(parents=True)
    (folder / "sub").mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    (folder / "sub" / "config.json").write_bytes(b"{}")
    if complete:
        (folder / "provenance" / "manifest.dsse.json").write_bytes(b"{}")
    return folder


def scan(root: Path, releases_max: int = 100) -> list[Handle]:
    return list(FolderSource(root, releases_max=releases_max).releases())


def ids(root: Path, releases_max: int = 100) -> list[str]:
    return [handle.id for handle in scan(root, releases_max)]


def test_releases_lie_one_to_four_levels_down(root: Path) -> None:
    for path in ("a", "b/c", "d/e/f", "g/h/i/j", "k/l/m/n/o"):
        drop(root / path)
    assert ids(root) == ["a", "b/c", "d/e/f", "g/h/i/j"]


def test_a_release_without_its_manifest_is_left_alone(root: Path) -> None:
    release = drop(root / "a", complete=False)
    assert ids(root) == []
    (release / "provenance" / "manifest.tmp").write_bytes(b"{}")
    assert ids(root) == []
    (release / "provenance" / "manifest.tmp").rename(release / "provenance" / "manifest.dsse.json")
    assert ids(root) == ["a"]


def test_a_manifest_that_is_a_link_is_there_and_for_the_judgement_to_refuse(root: Path) -> None:
    release = drop(root / "a", complete=False)
    (release / "provenance" / "manifest.dsse.json").symlink_to("/nowhere")
    assert ids(root) == ["a"]


def test_nothing_inside_a_release_is_a_release(root: Path) -> None:
    drop(drop(root / "outer") / "inner")
    assert ids(root) == ["outer"]


def test_the_root_itself_is_no_release(root: Path) -> None:
    drop(root / "x").rename(root / "y")
    for path in (root / "y").iterdir():
        path.rename(root / path.name)
    assert ids(root) == []


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = drop(tmp_path / "outside")
    (root / "link").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "a").mkdir()
    (root / "a" / "provenance").symlink_to(outside / "provenance")
    assert ids(root) == []


def test_hidden_folders_files_and_strange_names_are_not_looked_at(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(root / ".hidden")
    drop(root / "line\nfeed")
    drop(root / "\u202ereversed")
    os.mkdir(os.fsencode(root) + b"/\xff\xfe")
    (root / "file").write_bytes(b"")
    os.mkfifo(root / "pipe")
    source = FolderSource(root, releases_max=100)
    with caplog.at_level(logging.WARNING):
        assert list(source.releases()) == list(source.releases()) == []
    assert len(caplog.messages) == 3  # one for each, although there were two scans
    assert not [text for text in caplog.messages if "\n" in text or "\u202e" in text]


def test_a_folder_renamed_in_is_seen_whole(root: Path, tmp_path: Path) -> None:
    drop(tmp_path / "made").rename(root / "a")
    assert ids(root) == ["a"]


def test_a_flood_of_releases_has_an_end(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        drop(root / f"r{number}")
    assert ids(root, releases_max=3) == ["r0", "r1", "r2"]
    assert "more than 3 releases" in caplog.text
    caplog.clear()
    assert len(ids(root, releases_max=5)) == 5
    assert caplog.text == ""


def test_a_root_that_cannot_be_read_is_temporary(root: Path) -> None:
    with pytest.raises(TemporaryError, match="missing"):
        scan(root / "missing")


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Let every attempt to open the entry `name` fail with the error `number`, as a damaged or remote disk does."""
    real = os.open

    def fail(path: str | bytes | os.PathLike[str], *arguments: Any, **options: Any) -> int:
        if Path(os.fsdecode(path)).name == name:
            raise OSError(number, os.strerror(number))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", fail)


@pytest.mark.parametrize("number", [errno.EACCES, errno.ESTALE, errno.EIO])
def test_a_folder_that_cannot_be_read_is_named_and_stops_no_other(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    for path in ("a", "lost+found/b", "team/z"):
        drop(root / path)
    drop(root / "team" / "lost+found")
    fail_at(monkeypatch, "lost+found", number)
    assert ids(root) == ["a", "team/z"]
    reason = f"passed over: cannot be read: {os.strerror(number)}"
    assert [text.partition(": ")[2] for text in caplog.messages] == [reason, reason]
    assert [text.partition(": ")[0] for text in caplog.messages] == ["folder:lost+found", "folder:team/lost+found"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_permissions_stops_no_other(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(root / "a")
    (root / "lost+found").mkdir(mode=0)
    assert ids(root) == ["a"]
    assert "folder:lost+found: passed over: cannot be read: Permission denied" in caplog.messages


def test_an_entry_without_a_state_stops_no_other(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drop(root / "a")
    drop(root / "stale")
    real = os.scandir

    class Stale:
        name = "stale"

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    @contextmanager
    def scandir(folder: int) -> Iterator[Iterator[object]]:
        with real(folder) as entries:
            yield iter([Stale() if entry.name == "stale" else entry for entry in entries])

    monkeypatch.setattr(os, "scandir", scandir)
    assert ids(root) == ["a"]
    assert caplog.messages == [f"folder:stale: passed over: cannot be read: {os.strerror(errno.ESTALE)}"]


def test_a_release_with_an_unreadable_folder_is_for_the_judgement_to_tell(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(root / "a")
    fail_at(monkeypatch, "sub", errno.EIO)
    assert ids(root) == ["a"]


def test_a_folder_deep_down_that_vanishes_is_no_failure(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    drop(root / "a")
    (root / "b").mkdir()
    fail_at(monkeypatch, "b", errno.ENOENT)
    assert ids(root) == ["a"]
    assert caplog.messages == []


def test_more_entries_than_a_scan_takes_are_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("provenance_oracle.oracle.sources.folder._FOLDER_MAX", 3)
    for number in range(5):
        (root / f"f{number}").write_bytes(b"")
    drop(root / "sub" / "a")
    scan(root)
    assert "folder:.: passed over: too many files: more than 3" in caplog.messages


def test_a_root_named_by_a_link_is_followed(root: Path, tmp_path: Path) -> None:
    release = drop(root / "a")
    (tmp_path / "link").symlink_to(root)
    source = FolderSource(tmp_path / "link", releases_max=10)
    (handle,) = source.releases()
    assert handle == scan(root)[0]
    with source.open(handle) as files, files.session() as folder:
        assert os.path.samestat(os.fstat(folder.descriptor), release.stat())


def test_no_swap_for_a_link_leads_the_scan_out_of_the_folder(tmp_path: Path) -> None:
    drop(tmp_path / "private" / "r")
    numbers = count()

    def make() -> Path:
        root = tmp_path / f"drop{next(numbers)}"
        drop(root / "team" / "r")
        return root

    def swap(root: Path) -> None:
        (root / "team").rename(tmp_path / f"moved{next(numbers)}")
        (root / "team").symlink_to(tmp_path / "private")

    def read(root: Path) -> list[Path]:
        source, read = FolderSource(root, releases_max=10), []
        for handle in source.releases():
            with source.open(handle) as files, files.session() as folder:
                read.append(Path(f"/proc/self/fd/{folder.descriptor}").readlink())
        return read

    for _, result in race(make, swap, read):
        places = [] if isinstance(result, ProvenanceError) else result
        assert not [place for place in places if place.is_relative_to(tmp_path / "private")]


CHANGES: list[Callable[[Path], object]] = [
    lambda release: (release / "model.bin").write_bytes(b"WEIGHTS"),
    lambda release: (release / "sub" / "new").write_bytes(b""),
    lambda release: (release / "sub" / "config.json").unlink(),
    lambda release: (release / "model.bin").rename(release / "renamed.bin"),
    lambda release: (release / "model.bin").chmod(0o600),
    lambda release: os.utime(release / "model.bin", ns=(1, 1)),
    lambda release: (release / "provenance" / "manifest.dsse.json").write_bytes(b"{ }"),
    lambda release: (release / "sub" / "link").symlink_to("nowhere"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_in_a_release_changes_its_fingerprint(root: Path, change: Callable[[Path], object]) -> None:
    release, other = drop(root / "a"), drop(root / "b")
    before = {handle.id: handle.fingerprint for handle in scan(root)}
    assert before == {handle.id: handle.fingerprint for handle in scan(root)}
    change(release)
    after = {handle.id: handle.fingerprint for handle in scan(root)}
    assert before["a"] != after["a"]
    assert before["b"] == after["b"]
    assert other.exists()


def test_a_tree_too_deep_to_walk_still_has_a_fingerprint(root: Path) -> None:
    release = drop(root / "a")
    (release / "/".join(["d"] * 900)).mkdir(parents=True)
    assert ids(root) == ["a"]


def test_a_handle_opens_and_names_its_release(root: Path) -> None:
    drop(root / "ns" / "model")
    source = FolderSource(root, releases_max=10)
    (handle,) = source.releases()
    with source.open(handle) as files:
        assert (files.path, files.reading.below) == (root / "ns" / "model", root)
    assert (source.name, handle.id) == ("folder", "ns/model")  # the journal and the log use these names


def test_releases_left_out_of_a_scan_come_first_in_the_next(root: Path) -> None:
    for number in range(8):
        drop(root / f"!{number}")
    drop(root / "honest")
    source = FolderSource(root, releases_max=3)
    scans = [[handle.id for handle in source.releases()] for _ in range(4)]
    assert all(len(scan) <= 3 for scan in scans)
    assert sorted(name for scan in scans[:3] for name in scan) == [*(f"!{number}" for number in range(8)), "honest"]
    assert scans[3] == scans[0]  # the next round


def test_sixty_junk_folders_push_no_release_out(root: Path) -> None:
    """All folders lie side by side, and the names of the junk come first in every order of names."""
    for number in range(30):
        drop(root / f"!{number}")
    drop(root / "honest")
    for number in range(30, 60):
        drop(root / f"!{number}")
    source = FolderSource(root, releases_max=10)
    scans = [[handle.id for handle in source.releases()] for _ in range(7)]
    assert "honest" in scans[3], "the 31st by age"
    assert {name for scan in scans for name in scan} == {"honest", *(f"!{number}" for number in range(60))}


def test_a_flood_of_new_releases_keeps_no_older_one_out(root: Path) -> None:
    for number in range(3):
        drop(root / f"!{number}")
    drop(root / "honest")
    source, seen = FolderSource(root, releases_max=3), set[str]()
    for scan_number in range(2):
        for number in range(3):
            drop(root / f"!new{scan_number}{number}")
        seen |= {handle.id for handle in source.releases()}
    assert "honest" in seen


def test_a_flood_of_new_releases_keeps_no_changed_one_out(root: Path) -> None:
    """Every scan finds more new releases than it takes. The honest one was taken before, and then it changes."""
    drop(root / "honest")
    source, seen = FolderSource(root, releases_max=3), list[set[str]]()
    for scan_number in range(6):
        for number in range(4):
            drop(root / f"!{scan_number}{number}")
        seen.append({handle.id for handle in source.releases()})
    assert "honest" in seen[0]
    assert any("honest" in scan for scan in seen[1:])


def test_what_a_flood_leaves_in_memory_goes_with_it(root: Path) -> None:
    source = FolderSource(root, releases_max=2)
    for number in range(30):
        release = drop(root / f"r{number}")
        list(source.releases())
        assert len(source._order._turn) <= 4
        if number >= 3:
            shutil.rmtree(root / f"r{number - 3}")
        assert release.exists()


def test_a_top_folder_with_too_much_in_it_costs_only_its_owner(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(folder_module, "_SHARE_MAX", 20)
    for number in range(50):
        (root / "!many" / f"{number:02}" / "x").mkdir(parents=True)
    drop(root / "!many" / "r")
    for number in range(10):
        drop(root / "!releases" / f"r{number}")
    drop(root / "honest" / "r")
    looks = [0]

    def look() -> None:
        looks[0] += 1

    source = FolderSource(root, releases_max=100, on_step=look)
    first, second, third = ([handle.id for handle in source.releases()] for _ in range(3))
    assert "honest/r" in first
    assert [name for name in first if name.startswith("!releases")] == [f"!releases/r{n}" for n in range(4)]
    assert "!releases/r4" in second, "those left out come first"
    assert "honest/r" in second
    assert "honest/r" in third
    assert looks[0] < 3 * (50 * 2 + 2 * 3 * 8 + 30)
    assert "folder:!many: passed over: it has more than 20 entries outside releases" in caplog.text
    assert "folder:!releases: more than 20 files in its releases" in caplog.text


def test_a_stop_ends_a_scan(root: Path) -> None:
    for number in range(30):
        (root / f"{number}").mkdir()
    looks = [0]

    def look() -> None:
        looks[0] += 1
        if looks[0] == 5:
            raise Stopped

    with pytest.raises(Stopped):
        list(FolderSource(root, releases_max=100, on_step=look).releases())
    assert looks[0] == 5


def test_lines_about_one_top_folder_leave_room_for_others(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(300):
        (root / "!many").mkdir(exist_ok=True)
        (root / "!many" / f"{number}").symlink_to("/nowhere")
    (root / "z").symlink_to("/nowhere")
    list(FolderSource(root, releases_max=100).releases())
    assert sum(line.startswith("folder:!many/") for line in caplog.messages) == 100
    assert any(line.startswith("folder:z: passed over") for line in caplog.messages)


def test_a_release_is_of_the_shares_of_its_top_folder_and_its_key(root: Path, tmp_path: Path) -> None:
    source = FolderSource(root, releases_max=10)
    for name, key in (("a/r", b"1"), ("a/s", b"2"), ("b/r", b"1"), ("c", b"")):
        (drop(root / name) / "provenance" / "cvm-key.pem").write_bytes(key)
    os.mkfifo(drop(root / "d") / "provenance" / "cvm-key.pem")
    (drop(root / "e") / "provenance" / "cvm-key.pem").symlink_to(root / "a/r/provenance/cvm-key.pem")
    shares = {handle.id: source.shares(handle) for handle in source.releases()}
    assert shares["a/r"][0] == shares["a/s"][0] != shares["b/r"][0]
    assert shares["a/r"][1] == shares["b/r"][1] != shares["a/s"][1]
    assert shares["c"][1] == shares["d"][1] == shares["e"][1], "a key that cannot be read is an empty one"


def test_top_folders_take_turns(root: Path) -> None:
    for number in range(5):
        drop(root / "many" / f"r{number}")
    drop(root / "one" / "r")
    assert ids(root, releases_max=3) == ["many/r0", "one/r", "many/r1"]


def passed_over(root: Path, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.INFO):
        assert ids(root) == []
    return caplog.messages


def test_a_linked_release_is_named(root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "a").symlink_to(drop(tmp_path / "store"))
    (root / "loop").symlink_to("loop")  # its state cannot be asked for
    lines = passed_over(root, caplog)
    assert any(line.startswith("folder:a: passed over: a symbolic link") for line in lines)
    assert any(line.startswith("folder:loop: passed over: a symbolic link") for line in lines)


def test_a_loop_of_links_hides_nothing_beside_it(root: Path) -> None:
    (root / "!loop").symlink_to("!loop")
    drop(root / "a")
    assert ids(root) == ["a"]


def test_a_watched_folder_that_is_a_release_is_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(root / "x").rename(root / "y")
    for path in (root / "y").iterdir():
        path.rename(root / path.name)
    assert any("folder:.: passed over: the watched folder is itself a release" in t for t in passed_over(root, caplog))


def test_a_release_five_levels_down_is_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(root / "a/b/c/d/r")
    assert "folder:a/b/c/d/r: passed over: it lies more than 4 levels down; move it up" in passed_over(root, caplog)


def test_hidden_and_incomplete_releases_are_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(root / ".hidden")
    drop(root / "a", complete=False)
    lines = passed_over(root, caplog)
    assert "folder:.hidden: passed over: a hidden folder is not entered" in lines
    assert "folder:a: incomplete, no signed manifest yet" in lines


def test_an_empty_folder_says_so(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert passed_over(root, caplog) == [f"folder: no complete release below {root} yet"]
