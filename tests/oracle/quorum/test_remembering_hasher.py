"""Tests of digests that are remembered: equal to those of the hasher, and never those of bytes that changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provenance_oracle.oracle.quorum.remembering_hasher import RememberedDigests, RememberingHasher
from provenance_oracle.verifier.digest.files import FileSet, ReferenceHasher, digest_files, list_files
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest


class Counting(ReferenceHasher):
    """A hasher that counts the files that it reads."""

    read = 0

    def __call__(self, *args: object, **kwargs: object) -> FileDigest:
        self.read += 1
        return super().__call__(*args, **kwargs)  # type: ignore[arg-type]


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.hasher = Counting()
        self.remembered = RememberedDigests()
        for name in ("a", "b"):
            (path / name).write_bytes(name.encode() * 5000)

    def digests(self, *sha256_of: str) -> FileSet:
        remembering = RememberingHasher(self.hasher, self.remembered)
        found = digest_files(self.path, list_files(self.path), sha256_of=sha256_of, hasher=remembering)
        assert found == digest_files(self.path, list_files(self.path), sha256_of=sha256_of)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_file_that_did_not_change_is_read_once(folder: Folder) -> None:
    assert folder.digests() == folder.digests()
    assert folder.hasher.read == 2


def test_other_digests_of_the_same_file_are_computed(folder: Folder) -> None:
    folder.digests()
    assert folder.digests("a").files[0].sha256 is not None
    assert folder.hasher.read == 3


def test_those_who_take_the_bytes_get_them_although_the_digest_is_known(folder: Folder) -> None:
    folder.digests()
    taken: list[bytes] = []
    remembering = RememberingHasher(folder.hasher, folder.remembered)
    listing = list_files(folder.path)
    digest_files(folder.path, listing, also={"b": lambda data: taken.append(bytes(data))}, hasher=remembering)
    assert b"".join(taken) == b"b" * 5000


def test_a_file_that_was_moved_keeps_its_digest_and_gets_its_path(folder: Folder) -> None:
    folder.digests()
    os.link(folder.path / "a", folder.path.parent / "kept")  # a link and its removal change the time of change
    (folder.path.parent / "kept").unlink()
    (folder.path / "b").rename(folder.path / "c")
    assert [file.path for file in folder.digests().files] == ["a", "c"]


def test_a_file_with_its_old_times_and_other_bytes_is_read(folder: Folder) -> None:
    folder.digests()
    before = (folder.path / "a").stat()
    (folder.path / "a").write_bytes(b"x" * before.st_size)
    os.utime(folder.path / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    folder.digests()
    assert folder.hasher.read == 3


def test_memory_is_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provenance_oracle.oracle.quorum.remembering_hasher._KEPT_MAX", 1)
    folder.digests()
    folder.digests()
    assert folder.hasher.read == 4
