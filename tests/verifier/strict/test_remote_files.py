"""Releases in a store: listings become folders, every listing and stream is bounded, and no byte is read twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import Limits, digest_files, digest_some, list_files
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.strict.release_files import FolderFiles, ReleaseEntry, ReleaseFiles
from tests.support.remote_releases import MemoryStore, Stored, store_of
from tests.support.whole_releases import lay_out

MIB = 1024 * 1024
NO_OTHERS = Limits()
FILES = {
    "model.safetensors": bytes(range(256)) * 20_000,
    "b/c/deep.json": b"{}",
    "b-2": b"before b/ by bytes",
    "b/a": b"",
    "tiny": b"x" * 4096,
}


def make(files: dict[str, bytes] = FILES) -> MemoryStore:
    return MemoryStore([(path, Stored(data)) for path, data in files.items()])


def refused(store: MemoryStore, limits: Limits = NO_OTHERS) -> FormatError:
    with pytest.raises(FormatError) as caught:
        list_files(store.release(), limits)
    assert caught.value.check is Check.FILE_SET
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("hasher", [None, CpuHasher(1), CpuHasher(3)], ids=["reference", "one core", "three cores"])
@pytest.mark.parametrize("piece_bytes", [4097, 100_000, 8 * MIB])
def test_digests_of_a_store_equal_those_of_the_folder(folder: Path, piece_bytes: int, hasher: CpuHasher | None) -> None:
    store = store_of(folder)
    store.piece_bytes = piece_bytes
    for both in (frozenset(), frozenset(FILES)):
        here = digest_files(folder, list_files(folder), sha256_of=both, hasher=hasher)
        listing = list_files(store.release())
        assert digest_files(store.release(), listing, sha256_of=both, hasher=hasher) == here


def test_every_file_is_streamed_once_and_from_its_start(folder: Path) -> None:
    store = store_of(folder)
    digest_files(store.release(), list_files(store.release()), hasher=CpuHasher(2))
    streams = [entry[1:] for entry in store.log if entry[0] == "stream"]
    assert sorted(streams) == sorted((path, 0) for path in FILES)


def order_of(files: ReleaseFiles) -> list[tuple[str, int, bool]]:
    seen: list[tuple[str, int, bool]] = []

    def visit(entry: ReleaseEntry) -> bool:
        seen.append((entry.path, entry.depth, entry.is_folder))
        return entry.path != "skipped"

    with files.session() as opened:
        opened.visit_all(visit, most=9)
    return seen


def test_a_walk_visits_entries_in_the_order_of_a_folder(folder: Path) -> None:
    (folder / "skipped").mkdir()
    (folder / "skipped" / "file").write_bytes(b"")
    order = order_of(FolderFiles(folder))
    assert order == order_of(store_of(folder).release())
    assert ("b/c/deep.json", 2, False) in order
    assert ("skipped", 0, True) in order
    assert "skipped/file" not in [path for path, _, _ in order]


def test_some_files_are_found_by_name() -> None:
    found = digest_some(make().release(), ["b/a", "no such file", "tiny"])
    assert [file.path for file in found] == ["b/a", "tiny"]


# What a store may list. The folder's rules hold, and the source of the listing keeps none of them.
BAD_NAMES = ["../escape", "a/../../b", "/etc/passwd", "a//b", "./a", "a/.", "C:/x", "a\\b", "Provenance/x", ""]
BAD_NAMES += ["a\u202eb", "\ud800", "e\u0301", "x" * 256, "a/" * 33 + "deep", "a\nb"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_a_release_may_not_have_is_refused(name: str) -> None:
    assert refused(make({"config.json": b"{}", name: b"x"})).exit_code == 3


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("a", "a/b"), ("a/b", "A/c"), ("stra\u00dfe", "STRASSE")])
def test_names_that_collide_are_refused(names: tuple[str, str]) -> None:
    assert "collide" in str(refused(MemoryStore([(name, Stored(b"x")) for name in names])))


def test_too_many_files_end_the_listing_early() -> None:
    store = make({f"f{number}": b"" for number in range(500)})
    seen = 0

    def count(below: str, files=store.files):  # type: ignore[no-untyped-def]
        nonlocal seen
        for file in files(below):
            seen += 1
            yield file

    store.files = count  # type: ignore[method-assign]
    assert "too many files" in str(refused(store, Limits(files=10)))
    assert seen < 100


@pytest.mark.parametrize(("count", "accepted"), [(10, True), (11, False)])
def test_exactly_as_many_files_and_folders_as_the_limit(count: int, accepted: bool) -> None:
    store = make({f"folder/f{number}": b"" for number in range(count - 1)})
    if accepted:
        assert len(list_files(store.release(), Limits(files=10)).files) == count - 1
    else:
        assert "the release is too large" in str(refused(store, Limits(files=10)))


def test_too_many_folders_within_folders_and_too_many_bytes_are_refused() -> None:
    assert "folders within folders" in refused(make({"a/b/c/d": b""}), Limits(depth=2)).got
    assert "bytes" in refused(make({"a": bytes(11)}), Limits(total_bytes=10)).got


@pytest.mark.parametrize("size", [-1, 2**63])
def test_an_impossible_size_is_refused(size: int) -> None:
    assert "no possible size" in str(refused(MemoryStore([("a", Stored(b"", size=size))])))


def test_a_name_without_end_is_refused_before_it_is_kept() -> None:
    assert "too long" in str(refused(make({"a/" * 100_000: b"x"})))


def test_a_store_that_lists_other_names_than_asked_for_is_not_believed() -> None:
    store = make()
    store.files = lambda below, files=store.files: files("")  # type: ignore[method-assign, misc]
    with pytest.raises(TemporaryError, match="not asked for"):
        read_release(store.release())


def test_the_empty_object_that_stands_for_a_folder_is_one() -> None:
    store = make({**FILES, "empty/": b"", "b/": b""})
    assert list_files(store.release()).files == list_files(make().release()).files
    assert "empty" in refused(make({"empty/": b"bytes"})).got


# Streams.
@pytest.mark.parametrize("hasher", [None, CpuHasher(2)], ids=["reference", "cpu"])
@pytest.mark.parametrize("size", [10, 3 * MIB])
@pytest.mark.parametrize("difference", [-1, 1])
def test_a_stream_that_ends_early_or_goes_on_is_a_change(difference: int, size: int, hasher: CpuHasher | None) -> None:
    store = MemoryStore([("a", Stored(bytes(size + difference), size=size))])
    with pytest.raises(ChangedError, match="changed while it was read"):
        digest_files(store.release(), list_files(store.release()), hasher=hasher)


def test_a_file_replaced_after_the_listing_is_a_change() -> None:
    store = make()
    listing = list_files(store.release())
    store.replace("tiny", b"y" * 4096)
    with pytest.raises(ChangedError):
        digest_files(store.release(), listing)


def test_a_file_replaced_after_its_bytes_were_read_is_a_change() -> None:
    store = make()
    listing = list_files(store.release())
    store.on_stream = lambda path: path == "tiny" and store.replace("b/a", b"new")
    with pytest.raises(ChangedError):
        digest_files(store.release(), listing)


def test_a_file_that_came_after_the_listing_is_a_change() -> None:
    store = make()
    listing = list_files(store.release())
    store.on_stream = lambda path: path == "tiny" and store.listed.append(("late", Stored(b"")))
    with pytest.raises(ChangedError):
        digest_files(store.release(), listing)


@pytest.mark.parametrize("hasher", [None, CpuHasher(2)], ids=["reference", "cpu"])
def test_a_connection_that_breaks_goes_on_where_it_ended(folder: Path, hasher: CpuHasher | None) -> None:
    store = store_of(folder)
    store.breaks_after = 700_000
    found = digest_files(store.release(), list_files(store.release()), hasher=hasher)
    assert found == digest_files(folder, list_files(folder))
    offsets = [
        offset
        for kind, *rest in store.log
        if kind == "stream" and rest[0] == "model.safetensors"
        for offset in rest[1:]
    ]
    assert offsets == [700_000 * number for number in range(8)]


def test_a_connection_that_breaks_without_a_byte_is_not_tried_again_at_once() -> None:
    store = make()
    store.breaks_after = 0
    with pytest.raises(TemporaryError, match="the connection broke"):
        digest_files(store.release(), list_files(store.release()))
    assert len([entry for entry in store.log if entry[0] == "stream"]) == 1


def test_a_connection_that_breaks_again_and_again_ends_the_release() -> None:
    store = make({"a": bytes(100_000)})
    store.piece_bytes = store.breaks_after = 1000
    with pytest.raises(TemporaryError, match="the connection broke"):
        digest_files(store.release(), list_files(store.release()))
    assert len([entry for entry in store.log if entry[0] == "stream"]) == 17


def test_a_release_in_a_store_has_no_folder(tmp_path: Path) -> None:
    release = read_release(store_of(lay_out(tmp_path)).release())
    with pytest.raises(UsageError, match="not in a folder"):
        _ = release.path
