"""Writing files into a folder: order, folders above them, links, and a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.strict import write_file
from provenance_oracle.verifier.strict.write_folder import write_files


def files_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_files_are_written_with_the_folders_above_them(tmp_path: Path) -> None:
    contents = {"a": b"1", "b/c": b"2", "b/d/e": b"3"}
    write_files(tmp_path, contents)
    write_files(tmp_path, contents)
    assert files_of(tmp_path) == contents


def test_what_is_removed_is_gone_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"b/old": b"1", "b/.old.partial": b"2", "kept": b"3"})
    monkeypatch.setattr(write_file.os, "replace", _full)
    with pytest.raises(TemporaryError, match="No space left"):
        write_files(tmp_path, {"new": b"4"}, remove=["b/old", "nowhere/at/all", "b/neither"])
    assert files_of(tmp_path) == {"kept": b"3", ".new.partial": b"4"}
    assert not (tmp_path / "nowhere").exists()


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("is_written", [True, False])
def test_no_link_is_followed(tmp_path: Path, is_written: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"mine")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "b").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError):
        write_files(
            tmp_path / "root", {"b/file": b"other"} if is_written else {}, remove=[] if is_written else ["b/file"]
        )
    assert (tmp_path / "elsewhere" / "file").read_bytes() == b"mine"


def test_a_link_in_place_of_a_file_is_replaced_itself(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").symlink_to(tmp_path / "mine")
    write_files(tmp_path / "root", {"file": b"new"})
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not os.path.islink(tmp_path / "root" / "file")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_files(tmp_path / "nowhere", {"file": b""})
