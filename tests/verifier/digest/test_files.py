"""List, compare and hash a hostile folder, and a folder that changes meanwhile."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest import files as files_module
from provenance_oracle.verifier.digest.files import (
    FileSet,
    Limits,
    ReferenceHasher,
    digest_files,
    list_files,
)
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest, model_digest
from provenance_oracle.verifier.errors import (
    ChangedError,
    FormatError,
    ProvenanceError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.manifest.statement import Manifest, ManifestFile
from provenance_oracle.verifier.strict.files import PIECE_BYTES, OpenBytes, OpenFile

CONTENT = {"a.txt": b"alpha", "empty": b"", "sub/b.bin": os.urandom(10_000), "sub/deep/c": b"c" * 5000}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    root = tmp_path / "release"
    for path, data in CONTENT.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    (root / "provenance" / "snp").mkdir(parents=True)
    (root / "provenance" / "anything").write_bytes(b"not looked at here")
    return root


def manifest_of(*files: ManifestFile) -> Manifest:
    return Manifest("o/m", "1", files, (), None, "", "b", "", None, None, bytes(32))


def named(path: str, data: bytes) -> ManifestFile:
    return ManifestFile(path, len(data), fsverity_digest(data), hashlib.sha256(data).digest())


WHOLE = manifest_of(*(named(path, data) for path, data in CONTENT.items()))


def test_lists_names_and_sizes_sorted_without_provenance(release: Path) -> None:
    listing = list_files(release)
    assert [(file.path, file.size) for file in listing.files] == [(p, len(d)) for p, d in sorted(CONTENT.items())]
    assert listing.total_bytes == sum(map(len, CONTENT.values()))


def test_whole_path_on_an_honest_release(release: Path) -> None:
    listing = list_files(release)
    match_file_set(WHOLE, listing)
    seen: list[tuple[int, int]] = []
    files = digest_files(
        release, listing, sha256_of=WHOLE.sha256_paths, progress=lambda done, total: seen.append((done, total))
    )
    match_file_digests(WHOLE, files)
    expected = [
        FileDigest(p, len(d), fsverity_digest(d), hashlib.sha256(d).digest()) for p, d in sorted(CONTENT.items())
    ]
    assert list(files.files) == expected
    assert files.model_digest == model_digest(expected)
    assert seen[-1] == (listing.total_bytes, listing.total_bytes)


def test_sha256_only_where_it_is_asked_for(release: Path) -> None:
    files = digest_files(release, list_files(release), sha256_of={"a.txt"})
    assert {file.path for file in files.files if file.sha256} == {"a.txt"}


def test_sorts_by_bytes_not_by_folder(tmp_path: Path) -> None:
    for name in ("a/x", "a.x", "a0", "é", "Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [file.path for file in list_files(tmp_path).files] == ["Z", "a.x", "a/x", "a0", "é"]


# Files that a folder must not hold.


def refused(root: Path, limits: Limits | None = None) -> FormatError:
    with pytest.raises(FormatError) as raised:
        list_files(root, limits or Limits())
    assert raised.value.check is Check.FILE_SET
    return raised.value


def _hard_link(root: Path) -> None:
    os.link(root / "a.txt", root / "hard")


def _socket(root: Path) -> None:
    # The path of a socket has a short limit, so bind it elsewhere and move it in.
    with socket.socket(socket.AF_UNIX) as server:
        previous = Path.cwd()
        os.chdir(root)
        try:
            server.bind("sock")
        finally:
            os.chdir(previous)


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda root: (root / "link").symlink_to("a.txt"), "a symbolic link"),
        (lambda root: (root / "link").symlink_to("/etc/passwd"), "a symbolic link"),
        (lambda root: (root / "link").symlink_to("nowhere"), "a symbolic link"),
        (lambda root: (root / "link").symlink_to("sub"), "a symbolic link"),
        (lambda root: (root / "sub" / "link").symlink_to(".."), "a symbolic link"),
        (lambda root: os.mkfifo(root / "fifo"), "a FIFO"),
        (_socket, "a socket"),
        (_hard_link, "a.txt: a file with 2 hard links; hard: a file with 2 hard links"),
    ],
)
def test_refuses_links_and_special_files(release: Path, make: Callable[[Path], None], got: str) -> None:
    make(release)
    assert refused(release).got == got


def test_refuses_devices() -> None:
    # /dev/null as it is: making a device needs root.
    from provenance_oracle.verifier.strict.files import identify

    with pytest.raises(FormatError, match="a character device"):
        identify(os.stat("/dev/null"), "null", 0)


def test_refuses_a_file_on_another_file_system(release: Path) -> None:
    from provenance_oracle.verifier.strict.files import identify

    with pytest.raises(FormatError, match="another file system"):
        identify((release / "a.txt").stat(), "a.txt", device=-1)


@pytest.mark.parametrize("name", ["e\u0301", "a\nb", "a\u202eb", "back\\slash", "C:x", "x\x1b[0m", "nbsp\u00a0"])
def test_refuses_unacceptable_names(release: Path, name: str) -> None:
    (release / name).write_bytes(b"")
    refused(release)
    (release / name).unlink()
    (release / name).mkdir()
    refused(release)


def test_refuses_names_that_are_not_utf8(release: Path) -> None:
    Path(os.fsdecode(os.fsencode(release) + b"/\xff\xfe")).write_bytes(b"")
    refused(release)


@pytest.mark.parametrize("name", ["A.TXT", "Sub/other", "SUB"])
def test_refuses_names_that_differ_by_case(release: Path, name: str) -> None:
    (release / name).parent.mkdir(exist_ok=True)
    (release / name).write_bytes(b"")
    refused(release)


@pytest.mark.parametrize("name", ["Provenance/x", "PROVENANCE"])
def test_provenance_is_set_aside_by_its_exact_name_only(release: Path, name: str) -> None:
    (release / name).parent.mkdir(exist_ok=True)
    (release / name).write_bytes(b"")
    refused(release)


def test_provenance_further_down_is_a_folder_like_others(release: Path) -> None:
    (release / "sub" / "provenance").mkdir()
    (release / "sub" / "provenance" / "x").write_bytes(b"")
    assert "sub/provenance/x" in [file.path for file in list_files(release).files]


def test_provenance_must_be_a_folder_to_be_set_aside(tmp_path: Path) -> None:
    (tmp_path / "provenance").symlink_to("elsewhere")
    refused(tmp_path)


def test_git_and_hidden_files_are_files(release: Path) -> None:
    (release / ".git").mkdir()
    (release / ".git" / "config").write_bytes(b"")
    (release / ".hidden").write_bytes(b"")
    with pytest.raises(VerificationError, match=r"\.git/config, \.hidden"):
        match_file_set(WHOLE, list_files(release))


def test_limits(release: Path) -> None:
    entries = len(CONTENT) + 2
    total = sum(map(len, CONTENT.values()))
    assert list_files(release, Limits(files=entries, depth=2, total_bytes=total)).files
    assert "files" in refused(release, Limits(files=entries - 1)).got
    assert "folders" in refused(release, Limits(depth=1)).got
    assert "bytes" in refused(release, Limits(total_bytes=total - 1)).got
    many = release / "many"
    many.mkdir()
    for number in range(20):
        (many / f"folder{number}").mkdir()
    refused(release, Limits(files=15))
    assert refused(many, Limits(files=5)).problem == "too many files"


def test_a_sparse_terabyte_costs_nothing(release: Path) -> None:
    with open(release / "a.txt", "r+b") as stream:
        stream.truncate(2**40)
    start = time.monotonic()
    with pytest.raises(VerificationError, match=r"a.txt \(1099511627776 bytes, not 5\)"):
        match_file_set(WHOLE, list_files(release))
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_bytes(b"")])
def test_no_such_folder(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    with pytest.raises(UsageError):
        list_files(tmp_path / "x")


def test_a_link_to_a_folder_is_no_release(release: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(release)
    with pytest.raises(UsageError):
        list_files(tmp_path / "link")
    with pytest.raises(UsageError):
        list_files(tmp_path / "\0")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_is_temporary(release: Path) -> None:
    (release / "sub").chmod(0)
    try:
        with pytest.raises(TemporaryError):
            list_files(release)
    finally:
        (release / "sub").chmod(0o755)


# Comparison with a manifest.


def test_file_set_names_every_difference(release: Path) -> None:
    (release / "extra.py").write_bytes(b"")
    (release / "empty").unlink()
    (release / "a.txt").write_bytes(b"longer")
    with pytest.raises(VerificationError) as raised:
        match_file_set(WHOLE, list_files(release))
    assert raised.value.check is Check.FILE_SET
    expected = "not in the manifest: extra.py; missing: empty; of another size: a.txt (6 bytes, not 5)"
    assert raised.value.got == expected


def test_file_set_message_is_bounded(release: Path) -> None:
    for number in range(500):
        (release / ("x" * 200 + str(number))).write_bytes(b"")
    with pytest.raises(VerificationError) as raised:
        match_file_set(WHOLE, list_files(release))
    assert "and 490 more" in raised.value.got
    assert len(raised.value.got) < 3000


def test_a_renamed_file_is_one_missing_and_one_extra(release: Path) -> None:
    (release / "a.txt").rename(release / "b.txt")
    with pytest.raises(VerificationError, match=r"not in the manifest: b.txt; missing: a.txt"):
        match_file_set(WHOLE, list_files(release))


@pytest.mark.parametrize("path", CONTENT)
def test_one_flipped_byte_is_named(release: Path, path: str) -> None:
    data = bytearray(CONTENT[path] or b"\0")
    data[-1] ^= 1
    (release / path).write_bytes(bytes(data))
    listing = list_files(release)
    files = digest_files(release, listing, sha256_of=WHOLE.sha256_paths)
    with pytest.raises(VerificationError) as raised:
        match_file_digests(WHOLE, files)
    assert raised.value.where == path
    if CONTENT[path]:
        match_file_set(WHOLE, listing)
        assert raised.value.check is Check.FILE_DIGESTS


def test_each_stated_digest_is_compared(release: Path) -> None:
    data = CONTENT["a.txt"]
    (release / "only").mkdir()
    (release / "only" / "a.txt").write_bytes(data)
    folder = release / "only"
    right = named("a.txt", data)
    files = digest_files(folder, list_files(folder), sha256_of={"a.txt"})
    match_file_digests(manifest_of(right), files)
    match_file_digests(manifest_of(ManifestFile("a.txt", 5, None, right.sha256)), files)
    match_file_digests(manifest_of(ManifestFile("a.txt", 5, right.fsverity, None)), files)
    for wrong in (
        ManifestFile("a.txt", 5, right.fsverity, bytes(32)),
        ManifestFile("a.txt", 5, bytes(32), right.sha256),
        ManifestFile("a.txt", 5, None, bytes(32)),
    ):
        with pytest.raises(VerificationError) as raised:
            match_file_digests(manifest_of(wrong), files)
        assert raised.value.check is Check.FILE_DIGESTS
    # A digest that is in the manifest but was not computed never counts as equal.
    without = digest_files(folder, list_files(folder))
    with pytest.raises(VerificationError, match="not computed"):
        match_file_digests(manifest_of(right), without)


def test_digests_of_another_file_set_do_not_match(release: Path) -> None:
    files = digest_files(release, list_files(release), sha256_of=WHOLE.sha256_paths)
    one = files.files[0]
    for other in (
        FileSet(files.files[1:], files.model_digest),
        FileSet((*files.files[1:], FileDigest("z", one.size, one.fsverity, one.sha256)), files.model_digest),
        FileSet((FileDigest(one.path, 7, one.fsverity, one.sha256), *files.files[1:]), files.model_digest),
    ):
        with pytest.raises(VerificationError) as raised:
            match_file_digests(WHOLE, other)
        assert raised.value.check is Check.FILE_SET


# Races. The hasher itself makes every change, at a known moment.

BIG = os.urandom(5 * 1024 * 1024)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A release of two files that are a few clock ticks old, so that any change shows in their timestamps."""
    root = tmp_path / "big"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "big").write_bytes(BIG)
    (root / "z").write_bytes(b"last")
    time.sleep(0.02)
    return root


def _replace(path: Path) -> None:
    path.with_name("new").write_bytes(BIG)
    path.with_name("new").replace(path)


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"x")


def _rename(path: Path) -> None:
    path.rename(path.with_name("moved"))


def _symlink(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _swap_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("sub2"))
    path.parent.symlink_to("sub2")


def _overwrite(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"x")


CHANGES = {
    "replace": _replace,
    "truncate": lambda path: os.truncate(path, 100),
    "empty": lambda path: os.truncate(path, 0),
    "truncate and refill": lambda path: path.write_bytes(BIG),
    "append": _append,
    "overwrite": _overwrite,
    "rename": _rename,
    "delete": lambda path: path.unlink(),
    "symlink": _symlink,
    "symlinked folder": _swap_folder,
    "hard link": lambda path: os.link(path, path.with_name("second")),
    "extra file": lambda path: path.with_name("extra").write_bytes(b""),
    "touch": lambda path: os.utime(path),
}


class Interrupted:
    """A hasher that first calls a function of the test."""

    files_at_once = 1

    def __init__(self, hasher: Callable[..., FileDigest]) -> None:
        self._hasher = hasher

    def __call__(
        self, file: OpenBytes, *, sha256: bool, advance: Callable[[int], None], also: Sequence[Take] = ()
    ) -> FileDigest:
        return self._hasher(file, sha256=sha256, advance=advance)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_while_hashing(big: Path, name: str) -> None:
    listing = list_files(big)

    def hasher(file: OpenFile, *, sha256: bool, advance: Callable[[int], None]) -> FileDigest:
        if file.path == "sub/big":
            os.read(file.descriptor, 1000)
            os.lseek(file.descriptor, 0, os.SEEK_SET)
            CHANGES[name](big / file.path)
        return ReferenceHasher()(file, sha256=sha256, advance=advance)

    with pytest.raises((ChangedError, FormatError)):
        digest_files(big, listing, hasher=Interrupted(hasher))


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_between_listing_and_hashing(big: Path, name: str) -> None:
    listing = list_files(big)
    CHANGES[name](big / "sub" / "big")
    with pytest.raises((ChangedError, FormatError)):
        digest_files(big, listing)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_after_a_file_was_hashed(big: Path, name: str) -> None:
    listing = list_files(big)

    def hasher(file: OpenFile, *, sha256: bool, advance: Callable[[int], None]) -> FileDigest:
        if file.path == "z":
            CHANGES[name](big / "sub" / "big")
        return ReferenceHasher()(file, sha256=sha256, advance=advance)

    with pytest.raises((ChangedError, FormatError)):
        digest_files(big, listing, hasher=Interrupted(hasher))


def test_the_release_swapped_for_another(big: Path, release: Path) -> None:
    listing = list_files(big)
    big.rename(big.with_name("old"))
    release.rename(big)
    with pytest.raises(ChangedError):
        digest_files(big, listing)


def test_a_device_or_fifo_in_a_files_place_does_not_hang(big: Path) -> None:
    listing = list_files(big)
    (big / "z").unlink()
    os.mkfifo(big / "z")
    with pytest.raises(FormatError):
        digest_files(big, listing)


def test_a_disk_error_while_reading_is_temporary(release: Path) -> None:
    def hasher(file: OpenFile, *, sha256: bool, advance: Callable[[int], None]) -> FileDigest:
        raise OSError(5, "Input/output error")

    with pytest.raises(TemporaryError, match="Input/output error"):
        digest_files(release, list_files(release), hasher=Interrupted(hasher))


def test_no_descriptor_is_left_open(big: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for change in (_replace, _symlink, _append):
        listing = list_files(big)
        digest_files(big, listing)
        change(big / "z")
        with pytest.raises(ProvenanceError):
            digest_files(big, listing)
        (big / "z").unlink()
        (big / "z").write_bytes(b"last")
        (big / "moved").unlink(missing_ok=True)
    assert len(os.listdir("/proc/self/fd")) == before


def test_random_races_never_give_digests_of_bytes_that_are_not_there(tmp_path: Path) -> None:
    """A writer changes the files all the time. The result is an error, or matches one content exactly."""
    root = tmp_path / "race"
    root.mkdir()
    contents = [bytes([byte]) * 300_000 for byte in range(4)]
    known = {fsverity_digest(data) for data in contents}
    target = root / "f"
    target.write_bytes(contents[0])
    stop = threading.Event()

    def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            (tmp_path / "next").write_bytes(contents[turn % 4])
            (tmp_path / "next").replace(target)
            if turn % 3 == 0:
                time.sleep(0.001)
                os.truncate(target, 150_000)
            time.sleep(0.001 * (turn % 3))

    writer = threading.Thread(target=write)
    writer.start()
    accepted = 0
    try:
        for _ in range(1000):
            try:
                listing = list_files(root)
                files = digest_files(root, listing)
            except (ChangedError, FormatError):
                continue
            if listing.files[0].size == 300_000:
                accepted += 1
                assert files.files[0].fsverity in known
    finally:
        stop.set()
        writer.join()
    assert accepted


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 300 * 1024 * 1024
    with open(tmp_path / "sparse", "wb") as stream:
        stream.truncate(size)
    listing = list_files(tmp_path)
    tracemalloc.start()
    try:
        monkeypatch.setattr(files_module, "FsVerityHasher", _Counting)
        digest_files(tmp_path, listing)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert _Counting.pieces == size // PIECE_BYTES
    assert peak < 10 * 1024 * 1024


class _Counting(files_module.FsVerityHasher):
    """Takes one piece in ten, because the test is about memory, not time."""

    pieces = 0

    def update(self, data: bytes) -> None:
        type(self).pieces += 1
        if self.pieces % 10 == 0:
            super().update(data)


@settings(max_examples=50)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.binary(max_size=9000), max_size=5))
def test_any_folder_is_listed_and_hashed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("any")
    for name, data in contents.items():
        if "/" in name:  # pathlib drops it at the end of a name
            return
        try:
            (root / name).write_bytes(data)
        except (OSError, ValueError):  # not a name on this file system
            return
    try:
        files = digest_files(root, list_files(root))
    except FormatError:
        return
    assert {file.path: file.fsverity for file in files.files} == {n: fsverity_digest(d) for n, d in contents.items()}
