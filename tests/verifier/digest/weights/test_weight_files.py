"""The choice of the weight files, and the comparison of small files with the manifest when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.weights.tensor_table import parse_table
from provenance_oracle.verifier.digest.weights.weight_files import choose_weights, find_weights, read_named, read_table
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.manifest.statement import Manifest, ManifestFile
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder, open_release_folder
from tests.verifier.digest.weights.test_safetensors_header import entry, pack_header

INDEX = json.dumps({"metadata": {}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}).encode()


def manifest_of(folder: Path, files: dict[str, bytes], *, fsverity: bool = True, sha256: bool = False) -> Manifest:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    named = tuple(
        ManifestFile(
            path,
            len(data),
            fsverity_digest(data) if fsverity else None,
            hashlib.sha256(data).digest() if sha256 else None,
        )
        for path, data in files.items()
    )
    return Manifest("org/model", "1", named, (), None, "", "", "", None, None, bytes(32))


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        (["a.safetensors", "config.json"], "a.safetensors"),
        (["a.safetensors", "a.safetensors.index.json"], "a.safetensors"),
        (["sub/a.safetensors"], "sub/a.safetensors"),
        (["a.safetensors", "b.safetensors", "m.safetensors.index.json"], "m.safetensors.index.json"),
    ],
)
def test_the_one_file_or_the_one_index(paths: list[str], wanted: str) -> None:
    assert find_weights(paths) == (wanted,)


@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["model.bin"],
        ["a.safetensors", "b.safetensors"],
        ["a.safetensors", "b.safetensors", "a.safetensors.index.json", "b.safetensors.index.json"],
    ],
)
def test_whatever_is_not_clear_is_asked(paths: list[str]) -> None:
    with pytest.raises(UsageError, match="which files hold the weights"):
        find_weights(paths)


@pytest.fixture
def release(tmp_path: Path) -> Iterator[ReleaseFolder]:
    with open_release_folder(tmp_path) as folder:
        yield folder


def test_an_index_names_files_of_the_manifest(release: ReleaseFolder, tmp_path: Path) -> None:
    files = {"a.safetensors": b"a", "b.safetensors": b"b", "c.safetensors": b"c", "m.safetensors.index.json": INDEX}
    chosen = choose_weights(release, manifest_of(tmp_path, files))
    assert [(file.path, file.fsverity) for file in chosen] == [
        ("a.safetensors", fsverity_digest(b"a")),
        ("b.safetensors", fsverity_digest(b"b")),
    ]
    del files["b.safetensors"]
    with pytest.raises(FormatError, match="names a file that the manifest lacks: got b"):
        choose_weights(release, manifest_of(tmp_path, files))


def test_a_file_without_an_fs_verity_digest_is_refused(release: ReleaseFolder, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, {"a.safetensors": b"a"}, fsverity=False, sha256=True)
    with pytest.raises(VerificationError, match="no digest that weights in memory can be compared with"):
        choose_weights(release, manifest)


@pytest.mark.parametrize("algorithm", ["fsverity", "sha256"])
def test_small_files_are_compared_by_whichever_digest_there_is(
    release: ReleaseFolder, tmp_path: Path, algorithm: str
) -> None:
    manifest = manifest_of(tmp_path, {"a.json": b"{}"}, fsverity=algorithm == "fsverity", sha256=algorithm == "sha256")
    assert read_named(release, manifest.files[0], 2) == b"{}"
    with pytest.raises(FormatError, match="too large"):
        read_named(release, manifest.files[0], 1)
    for data, problem in ((b"[]", f"{algorithm}.* differs"), (b"{} ", "another size"), (b"", "another size")):
        (tmp_path / "a.json").write_bytes(data)
        with pytest.raises(VerificationError, match=problem) as caught:
            read_named(release, manifest.files[0], 2)
        assert (caught.value.check, caught.value.where) == (Check.FILE_DIGESTS, "a.json")
    (tmp_path / "a.json").unlink()
    with pytest.raises(UsageError, match="no such file"):
        read_named(release, manifest.files[0], 2)


def test_a_release_without_a_table_has_none(release: ReleaseFolder, tmp_path: Path) -> None:
    assert read_table(release, manifest_of(tmp_path, {"a": b""})) is None


def test_a_publisher_asks_for_the_table_on_the_command_line(tmp_path: Path) -> None:
    weights = pack_header({"x": entry("U8", [3], 0, 3)}) + b"abc"
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(weights)
    key, evidence = str(tmp_path / "key"), str(tmp_path / "evidence")
    named = ["--evidence", evidence, "--key", key, "--name", "org/model", "--version", "1"]
    for arguments in (
        ["attest", "--key", key, "--simulator", "genoa", "--out", evidence],
        ["pack", str(model), *named, "--tensor-table"],
    ):
        found = CliRunner().invoke(main, arguments)
        assert found.exit_code == 0, found.output
    assert parse_table((model / "tensors.json").read_bytes())["x"].fsverity == fsverity_digest(b"abc")
