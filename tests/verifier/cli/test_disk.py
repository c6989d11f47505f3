"""Tests of `provenance disk`. Tests beside the code that computes the values check the values themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from tests.verifier.disk.test_sizes import OPT_125M

OPT_125M_OFFSET = 753115136
HELLO_ROOTS = {
    "erofs-1.9": "c2783825d439ca85146169b8d00203579cb7634fb5c06a6234fd288a4e3c3d55",
    "erofs-1.8.6+": "d0677b1b485a83e00c9033cf30d3f55790f660219f2ab294b3b7c923307fb70d",
}


def _disk(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(main, ["disk", "--recipe", "privatemode", *arguments, "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "a").write_text("hello\n")
    (folder / "a").chmod(0o644)
    return folder


def _models_yaml(tmp_path: Path, **changes: str) -> Path:
    """Write a list of published disks with one entry, `hello`, as release 1.9 of erofs-utils makes it."""
    entry = {
        "model_source": "https://hub.example/test/hello",
        "commit_hash": "0" * 40,
        "excluded_files": "",
        "root_hash": HELLO_ROOTS["erofs-1.9"],
        "hash_offset": "4096",
        "erofs_version": "1.9",
        "veritysetup_version": "2.8.4",
        "file_hash_sha256": "0f569c218a314a74be9e9f1977c9ef95a3f11d01d0080fecddf15da876d3a2fd",
        **changes,
    }
    path = tmp_path / "models.yaml"
    text = json.dumps(json.dumps(entry))
    path.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: models\ndata:\n  test-hello: {text}\n")
    return path


def test_the_offset_of_a_published_disk_follows_from_names_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "sizes").write_bytes(OPT_125M)
    exit_code, document = _disk("--sizes", str(tmp_path / "sizes"))
    assert (exit_code, document["hash_offset"], document["files"]) == (0, OPT_125M_OFFSET, 12)


def test_all_layouts_come_out_of_one_pass(hello: Path) -> None:
    exit_code, document = _disk(str(hello))
    assert exit_code == 0
    assert {disk["layout"]: disk["root_hash"] for disk in document["disks"]} == HELLO_ROOTS
    assert all({"salt", "uuid", "algorithm", "data_blocks", "hash_offset"} <= disk.keys() for disk in document["disks"])


def test_a_published_disk_is_matched_and_the_layout_named(hello: Path, tmp_path: Path) -> None:
    exit_code, document = _disk(str(hello), "--models-yaml", str(_models_yaml(tmp_path)), "--id", "test-hello")
    assert (exit_code, document["matched"]) == (0, "erofs-1.9")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"root_hash": "00" * 32}, "root_hash"),
        ({"hash_offset": "8192"}, "hash_offset"),
        ({"file_hash_sha256": "00" * 32}, "file_hash_sha256"),
    ],
)
def test_another_disk_is_refused_by_the_first_field_that_differs(
    hello: Path, tmp_path: Path, changes: dict[str, str], field: str
) -> None:
    models = _models_yaml(tmp_path, **changes)
    exit_code, document = _disk(str(hello), "--models-yaml", str(models), "--id", "test-hello")
    assert (exit_code, document["accepted"]) == (4, False)
    assert field in document["error"]["message"]


def test_an_image_is_written_on_request_only(hello: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    assert _disk(str(hello))[0] == 0
    assert set(tmp_path.iterdir()) == before
    assert _disk(str(hello), "--write-image", str(tmp_path / "image"))[0] == 0
    assert (tmp_path / "image").stat().st_size == 2 * 4096  # one block of data, one superblock, no level above one leaf


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("folder", "--sizes", "file"),
        ("folder", "--id", "x"),
        ("folder", "--model", "a/b@" + "0" * 40),
        ("folder", "--erofs-utils", "1.5"),
        ("no-such-folder",),
        ("--sizes", "file", "--file-hash"),
        ("--sizes", "file", "--write-image", "image"),
        ("folder", "--models-yaml", "file", "--id", "x", "--exclude", "a"),
    ],
)
def test_unclear_requests_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert _disk(*arguments)[0] == 2


def test_tinfoil_names_uuid_and_salt_by_model_and_revision(hello: Path) -> None:
    """The published reference of tinfoilsh/modelwrap's small model holds this uuid; the salt is SHA-256 of the name."""
    model = "hf-internal-testing/tiny-random-GPT2Model@d6694b0d8fe17978761c9305dc151780506b192e"
    arguments = ["disk", str(hello), "--recipe", "tinfoil", "--model", model, "--json"]
    roots = set()
    for release in ("1.5", "1.8.6+"):
        result = CliRunner().invoke(main, [*arguments, "--erofs-utils", release])
        disk = json.loads(result.stdout)["disks"][0]
        assert disk["uuid"] == "905785b4-b198-5ed6-b97d-e7c36a0be1df"
        assert disk["salt"] == "0cfd0d8eafe96c10db5ec4ac930c38ac372cc50144a20975feec5d2a6ee9641d"
        roots.add(disk["root_hash"])
    assert len(roots) == 2
