"""Tests of `provenance hash`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main

# the output of `fsverity digest` for files of the letter a
GOLDEN = {
    0: "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
    4097: "18b155c0b6e054f3f7d22488ed15340e74dc161ce2d123e13eb685c3ce565f70",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    (root / "sub").mkdir(parents=True)
    (root / "empty").write_bytes(b"")
    (root / "sub" / "some").write_bytes(b"a" * 4097)
    return root


def test_files_print_as_the_stock_tool_does(folder: Path) -> None:
    result = CliRunner().invoke(main, ["hash", str(folder / "empty"), str(folder / "sub" / "some")])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(GOLDEN.values())


def test_a_folder_has_a_model_digest_of_names_sizes_and_digests(folder: Path) -> None:
    result = CliRunner().invoke(main, ["hash", str(folder), "--sha256", "--json"])
    document = json.loads(result.stdout)
    text = f"provenance-model-v1\n{GOLDEN[0]} 0 empty\n{GOLDEN[4097]} 4097 sub/some\n"
    assert document["models"][0]["provenance_model_v1"] == hashlib.sha256(text.encode()).hexdigest()
    assert [file["sha256"] for file in document["files"]] == [
        hashlib.sha256(b"").hexdigest(),
        hashlib.sha256(b"a" * 4097).hexdigest(),
    ]


def test_a_link_to_a_file_is_followed_when_the_user_names_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "empty")
    result = CliRunner().invoke(main, ["hash", str(tmp_path / "link")])
    assert result.stdout.startswith(GOLDEN[0])


def test_what_is_no_regular_file_is_a_usage_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe"):
        result = CliRunner().invoke(main, ["hash", str(tmp_path / name)])
        assert result.exit_code == 2
        assert "Traceback" not in result.output


def test_it_says_in_one_line_that_there_is_no_gpu(folder: Path) -> None:
    result = CliRunner().invoke(main, ["hash", str(folder / "empty"), "--device", "auto"])
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) <= 1
    if result.stderr:
        assert "without a GPU" in result.stderr


def test_a_gpu_that_is_not_there_cannot_be_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    result = CliRunner().invoke(main, ["hash", str(folder / "empty"), "--device", "cuda"])
    assert result.exit_code == 2
    result = CliRunner().invoke(main, ["hash", str(folder / "empty"), "--device", "tpu"])
    assert result.exit_code == 2


def test_the_document_says_which_path_ran(folder: Path) -> None:
    result = CliRunner().invoke(main, ["hash", str(folder), "--device", "cpu", "--json"])
    assert json.loads(result.stdout)["path_name"]
