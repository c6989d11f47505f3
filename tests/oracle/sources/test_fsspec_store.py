"""Releases in other stores that fsspec reaches, with fsspec's own store in memory as the peer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.sources.object_store import ObjectStoreSource
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.whole_releases import AT, lay_out

pytest.importorskip("fsspec", reason="no fsspec: pip install 'provenance-oracle[s3]'")


@pytest.fixture
def memory() -> Iterator[Any]:
    from fsspec.implementations.memory import MemoryFileSystem

    yield MemoryFileSystem()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def folder(memory: Any, tmp_path: Path) -> Path:
    laid = lay_out(tmp_path / "r")
    memory.put(str(laid), "/models/org/r", recursive=True)
    return laid


def source() -> ObjectStoreSource:
    from provenance_oracle.oracle.sources.fsspec_store import FsspecStore

    return ObjectStoreSource("memory://models", FsspecStore("memory://models"), releases_max=10)


def test_a_release_is_judged_from_it_as_from_a_folder(folder: Path) -> None:
    found = source()
    (handle,) = found.releases()
    assert handle.id == "org/r"
    with found.open(handle) as files:
        judgement = judge(read_release(files), load_policy("demo"), at=AT)
    assert judgement.verdict.digest == judge(read_release(folder), load_policy("demo"), at=AT).verdict.digest


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_object_replaced_before_or_after_its_bytes_are_read_is_a_change(
    folder: Path, memory: Any, moment: str
) -> None:
    found = source()
    (handle,) = found.releases()
    with found.open(handle) as files:
        listing = list_files(files)
        replace = lambda *_: memory.pipe_file("/models/org/r/model.safetensors", b"\1" * listing.files[1].size)  # noqa: E731
        if moment == "before":
            replace()
        with pytest.raises(ChangedError):
            digest_files(files, listing, progress=replace if moment == "after" else None)


def test_a_change_is_in_the_fingerprint(folder: Path, memory: Any) -> None:
    found = source()
    before = [next(found.releases()).fingerprint for _ in range(2)]
    memory.pipe_file("/models/org/r/config.json", b"[]\n")
    assert before[0] == before[1] != next(found.releases()).fingerprint


def test_a_failing_store_is_temporary_and_its_words_are_not_told(
    folder: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the password is s3cret")

    found = source()
    monkeypatch.setattr(type(memory), "ls", fail)
    with pytest.raises(TemporaryError, match="does not answer: got RuntimeError") as refused:
        list(found.releases())
    assert "s3cret" not in str(refused.value)
