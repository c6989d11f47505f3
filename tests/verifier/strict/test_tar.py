"""Tests of archives of evidence: one form for each set of files, and no other bytes are read."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.tar import ARCHIVED_MAX, files_of_tar, tar_of

FILES = {"provenance/b": b"2" * 600, "a": b"", "c d": bytes(range(256))}
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=ARCHIVED_MAX))
def test_the_files_come_out_as_they_went_in(files: dict[str, bytes]) -> None:
    assert files_of_tar(tar_of(files)) == {name: files[name] for name in sorted(files)}


def test_an_archive_names_no_time_and_no_owner() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_of({"b": b"2", "a": b"1"}))) as tar:
        entries = [(entry.name, entry.mtime, entry.uid, entry.uname) for entry in tar]
    assert entries == [("a", 0, 0, ""), ("b", 0, 0, "")]


def test_every_changed_byte_changes_a_file_or_is_refused() -> None:
    archived = tar_of(FILES)
    for place in range(0, len(archived), 7):
        changed = bytearray(archived)
        changed[place] ^= 1
        with contextlib.suppress(FormatError):
            assert files_of_tar(bytes(changed)) != FILES


@given(st.binary(max_size=3000))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        files_of_tar(data)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_only_files_are_read(kind: bytes) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("a")
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(FormatError, match="cannot be read"):
        files_of_tar(stream.getvalue())


def test_one_name_has_one_file() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for data in (b"1", b"2"):
            entry = tarfile.TarInfo("a")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(data))
    with pytest.raises(FormatError, match="cannot be read"):
        files_of_tar(stream.getvalue())


def test_an_archive_has_a_bounded_number_of_files() -> None:
    with pytest.raises(FormatError, match="too many"):
        files_of_tar(tar_of({f"{number:02}": b"" for number in range(ARCHIVED_MAX + 1)}))
