"""Races for the weight files of a release: no swap makes a reader take a file from outside the release."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.weights.loading import load_weights
from provenance_oracle.verifier.digest.weights.segment_hasher import AnyDevice
from provenance_oracle.verifier.digest.weights.weight_files import choose_weights, read_named, read_weights
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.manifest.statement import Manifest, ManifestFile
from provenance_oracle.verifier.strict.release_folder import open_release_folder
from tests.support.races import race
from tests.verifier.digest.weights.test_safetensors_header import entry, pack_header

WEIGHTS = pack_header({"public": entry("U8", [3], 0, 3)}) + b"abc"
PRIVATE = pack_header({"secret": entry("U8", [3], 0, 3)}) + b"xyz"
PATHS = ("sub/model.safetensors", "sub/config.json")


def _folder_for_a_link(release: Path, outside: Path) -> None:
    (release / "sub").rename(release / "moved")
    (release / "sub").symlink_to(outside)


def _files_for_links(release: Path, outside: Path) -> None:
    for path in PATHS:
        (release / path).unlink()
        (release / path).symlink_to(outside / Path(path).name)


def _files_for_fifos(release: Path, outside: Path) -> None:
    for path in PATHS:
        (release / path).unlink()
        os.mkfifo(release / path)


@pytest.mark.parametrize("swap", [_folder_for_a_link, _files_for_links, _files_for_fifos])
def test_no_swap_makes_a_reader_take_a_file_from_outside(tmp_path: Path, swap: Callable[[Path, Path], None]) -> None:
    pytest.importorskip("torch")
    outside, numbers = tmp_path / "private", count()
    for folder in (outside, tmp_path / "sub"):
        folder.mkdir()
    (outside / "model.safetensors").write_bytes(PRIVATE)
    (outside / "config.json").write_bytes(b"[]")
    named = tuple(
        ManifestFile(path, len(data), fsverity_digest(data), None)
        for path, data in zip(PATHS, (WEIGHTS, b"{}"), strict=True)
    )
    manifest = Manifest("org/model", "1", named, (), None, "", "", "", None, None, bytes(32))

    def make() -> Path:
        release = tmp_path / f"release{next(numbers)}"
        (release / "sub").mkdir(parents=True)
        (release / PATHS[0]).write_bytes(WEIGHTS)
        (release / PATHS[1]).write_bytes(b"{}")
        return release

    def read(release: Path) -> set[str]:
        with open_release_folder(release) as folder:
            chosen = choose_weights(folder, manifest)
            (weights,) = read_weights(folder, chosen)
            read_named(folder, named[1], 2)
            tensors, _ = load_weights(folder, chosen[0], None, AnyDevice())
        return {tensor.name for tensor in weights.header.tensors} | tensors.keys()

    for _, result in race(make, lambda release: swap(release, outside), read):
        if isinstance(result, ProvenanceError):
            assert "digest" not in result.problem  # nothing of another file was read and compared
            assert fsverity_digest(PRIVATE).hex() not in str(result)
        else:
            assert result == {"public"}
