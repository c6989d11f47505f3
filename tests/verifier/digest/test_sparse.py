"""Files of holes: refused where they are most of a release, and not confused with honest files."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest import sparse
from provenance_oracle.verifier.digest.files import Listing, list_files
from provenance_oracle.verifier.digest.sparse import SMALL_BYTES, refuse_sparse
from provenance_oracle.verifier.errors import ChangedError, FormatError
from provenance_oracle.verifier.strict.release_folder import Reading

MIB = 1 << 20


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rule begin at 1 MiB, so that no test writes much."""
    monkeypatch.setattr(sparse, "SMALL_BYTES", MIB)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a release of 60 kB."""
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "config.json").write_bytes(b"{}")
    (tmp_path / "release" / "weights").write_bytes(os.urandom(60_000))
    return tmp_path / "release"


def put(path: Path, pieces: list[int]) -> None:
    """Write a file of data and holes in turn, data first, each of so many bytes."""
    with path.open("wb") as file:
        for number, size in enumerate(pieces):
            if number % 2:
                file.seek(size, os.SEEK_CUR)
            else:
                file.write(os.urandom(size))
        file.truncate()


def has_holes(path: Path) -> bool:
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 0, os.SEEK_HOLE) < path.stat().st_size


@pytest.fixture(autouse=True)
def needs_holes(tmp_path: Path) -> None:
    put(tmp_path / "probe", [0, 4 * MIB])
    if not has_holes(tmp_path / "probe") or (tmp_path / "probe").stat().st_blocks:
        pytest.skip("this file system has no holes")


def blind(listing: Listing) -> Listing:
    """Return a listing by a file system that states no disk space, as some mounts do."""
    files = [replace(file, found=replace(file.found, allocated_bytes=0)) for file in listing.files]
    return replace(listing, files=tuple(files))


@pytest.mark.parametrize("pieces", [[0, 3_700_000_000_000], [4096, 8 * MIB], [0, 8 * MIB, 4096], [4096, 65536] * 40])
def test_a_release_that_is_mostly_holes_is_refused(release: Path, pieces: list[int]) -> None:
    put(release / "weights", pieces)
    with pytest.raises(FormatError, match="cp --sparse=never") as refused:
        refuse_sparse(release, list_files(release))
    assert (refused.value.check, refused.value.where) == (Check.FILE_SET, "weights")
    refuse_sparse(release, list_files(release, reading=Reading(sparse=True)))


def test_many_small_files_of_holes_are_refused_too(release: Path) -> None:
    for number in range(40):
        put(release / f"part{number}", [0, 200_000])
    with pytest.raises(FormatError, match="holes"):
        refuse_sparse(release, list_files(release))


def test_more_pieces_than_are_counted_are_refused_by_what_is_on_disk(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "_SEEKS_MAX", 3)
    put(release / "weights", [4096, 65536] * 40)
    with pytest.raises(FormatError, match="holes"):
        refuse_sparse(release, list_files(release))


@pytest.mark.parametrize(
    "pieces",
    [[2 * MIB], [MIB, 65536, MIB, 65536], [MIB + 4096, MIB]],
    ids=["full", "some-pages", "just-less-than-half"],
)
def test_honest_files_pass_also_where_the_disk_space_is_not_stated(release: Path, pieces: list[int]) -> None:
    put(release / "weights", pieces)
    listing = list_files(release)
    refuse_sparse(release, listing)
    refuse_sparse(release, blind(listing))


def test_zeros_that_are_written_are_no_holes(release: Path) -> None:
    (release / "weights").write_bytes(bytes(2 * MIB))
    refuse_sparse(release, blind(list_files(release)))


def test_a_small_release_may_be_all_holes(release: Path) -> None:
    put(release / "weights", [0, MIB - 2])
    refuse_sparse(release, list_files(release))
    assert SMALL_BYTES == 64 * MIB


def test_a_file_system_that_names_no_holes_is_believed(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(release / "weights", [0, 8 * MIB])

    def lseek(*_: object) -> int:
        raise OSError(errno.EINVAL, "not supported")

    monkeypatch.setattr(os, "lseek", lseek)
    refuse_sparse(release, list_files(release))


def test_a_file_that_changed_is_not_judged_by_its_old_state(release: Path) -> None:
    put(release / "weights", [0, 8 * MIB])
    listing = list_files(release)
    put(release / "weights", [0, 9 * MIB])
    with pytest.raises(ChangedError):
        refuse_sparse(release, listing)
