"""Races for the folder that a disk is made from: no swap brings bytes from outside the folder into an image."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, plan_disk
from provenance_oracle.verifier.errors import ChangedError, FormatError, ProvenanceError
from tests.support.races import file_for_a_fifo, file_for_a_link, folder_for_a_link, race

PRIVATE = b"the private key of another user " * 300


def _model_for_a_link(model: Path, outside: Path) -> None:
    model.rename(model.with_suffix(".moved"))
    model.symlink_to(outside.parent)


def _folder_for_a_fifo(model: Path, outside: Path) -> None:
    (model / "tok").rename(model.with_suffix(".moved"))
    os.mkfifo(model / "tok")


def _file_for_another(model: Path, outside: Path) -> None:
    (model / "new").write_bytes(b"other" * 1000)
    (model / "new").replace(model / "tok" / "vocab")


SWAPS = [
    folder_for_a_link,
    file_for_a_link,
    _model_for_a_link,
    file_for_a_fifo,
    _folder_for_a_fifo,
    _file_for_another,
]


@pytest.mark.parametrize("swap", SWAPS)
def test_no_swap_brings_a_private_file_into_an_image(tmp_path: Path, swap: Callable[[Path, Path], None]) -> None:
    outside = tmp_path / "other" / "tok"
    outside.mkdir(parents=True)
    (outside / "vocab").write_bytes(PRIVATE)
    numbers = count()

    def make() -> Path:
        model = tmp_path / f"model{next(numbers)}"
        (model / "tok").mkdir(parents=True)
        (model / ".gitattributes").write_bytes(b"*.bin filter=lfs\n")
        (model / "tok" / "vocab").write_bytes(b"public words " * 700)
        return model

    def write(model: Path) -> None:
        digest_disk(plan_disk(model, PRIVATEMODE, excluded="*.bin"), image=model.with_suffix(".img"))

    for model, result in race(make, lambda model: swap(model, outside), write):
        image = model.with_suffix(".img")
        if isinstance(result, ProvenanceError):
            assert isinstance(result, ChangedError | FormatError) or swap is _model_for_a_link
            assert not image.exists()
        assert PRIVATE[:32] not in (image.read_bytes() if image.exists() else b"")


def test_a_folder_named_by_a_link_is_read(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_bytes(b"a")
    (tmp_path / "link").symlink_to("model")
    roots = [digest_disk(plan_disk(tmp_path / name, PRIVATEMODE)).digests for name in ("model", "link")]
    assert roots[0] == roots[1]
