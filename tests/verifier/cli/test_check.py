"""Tests of `provenance check`, and of exit codes and hostile text, which all commands treat alike."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.judgement.release import CRL_PATH
from tests.support.check_command import check, document
from tests.support.whole_releases import FILES, Deviation, guest, lay_out

# ANSI escape, line feed, bidi override, bytes that are not UTF-8
HOSTILE = ("\x1b[2Jx", "x\nok    vek-chain", "x\u202egnp", os.fsdecode(b"x\xff\x9b2J"))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "release")


def assert_shown_safely(result: Result, *hostile: str) -> None:
    for text in hostile:
        assert text not in result.output
    assert all(line.isprintable() for line in result.output.splitlines())


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_folder_cannot_act(release: Path, name: str) -> None:
    folder = release.rename(release.parent / name)
    found = check(folder)
    assert found.exit_code == 0
    assert_shown_safely(found, name)
    hashed = CliRunner().invoke(main, ["hash", str(folder), "--device", "cpu"])
    assert hashed.exit_code == 0
    assert len(hashed.output.splitlines()) == len(FILES) + 1
    assert_shown_safely(hashed, name)
    missing = check(release.parent / f"no{name}")
    assert missing.exit_code == 2
    assert_shown_safely(missing, name)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_file_in_a_release_cannot_act(release: Path, name: str) -> None:
    (release / name).write_bytes(b"")
    found = check(release)
    assert found.exit_code == 3
    assert_shown_safely(found, name)
    assert document(check(release, "--json"))["error"]["check"] == "file-set"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_list_of_any_name_can_be_given(tmp_path: Path, name: str) -> None:
    release = lay_out(tmp_path / "r", Deviation(damage=lambda folder: (folder / CRL_PATH).unlink()))
    assert check(release).exit_code == 7
    (tmp_path / name).write_bytes(guest().crl())
    assert check(release, "--crl", str(tmp_path / name)).exit_code == 0


def test_the_verdict_does_not_depend_on_where_a_list_lay(release: Path, tmp_path: Path) -> None:
    verdicts = set()
    for name in ("one", "two"):
        shutil.copy(release / CRL_PATH, tmp_path / name)
        verdicts.add(document(check(release, "--crl", str(tmp_path / name), "--json"))["verdict_digest"])
    assert len(verdicts) == 1


@pytest.mark.parametrize("name", ["missing", "x" * 300, "dangling", "circle", "file"])
def test_what_is_no_folder_is_a_usage_error(release: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "file").write_bytes(b"")
    assert check(tmp_path / name).exit_code == 2


def test_a_link_named_on_the_command_line_is_followed(release: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(release)
    assert check(tmp_path / "latest").exit_code == 0
    hashes = [
        CliRunner().invoke(main, ["hash", str(path), "--device", "cpu", "--json"]).stdout
        for path in (release, tmp_path / "latest")
    ]
    digests = [[model["provenance_model_v1"] for model in json.loads(text)["models"]] for text in hashes]
    assert digests[0] == digests[1] != []


def test_a_path_that_cannot_be_is_a_usage_error_for_every_command(release: Path) -> None:
    wrong = "x" * 300
    for arguments in (
        ["hash", wrong],
        ["check", wrong, "--offline"],
        ["check", str(release), "--offline", "--policy", wrong],
        ["check", str(release), "--offline", "--crl", wrong],
        ["report", wrong, "--vek", wrong, "--chain", wrong],
        ["disk", wrong, "--recipe", "privatemode"],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2, arguments
        assert "Traceback" not in result.output


def test_with_json_there_is_one_document_whatever_happens(release: Path) -> None:
    accepted = document(check(release, "--json"))
    assert accepted["accepted"] is True
    (release / "config.json").unlink()
    refused = document(check(release, "--json"))
    assert refused["accepted"] is False
    assert refused["error"]["exit_code"] == 4
    assert {finding["check"] for finding in refused["findings"]} == {
        finding["check"] for finding in accepted["findings"]
    }


def test_a_bug_of_ours_ends_in_exit_1_and_a_plea(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path) -> None:
        raise ZeroDivisionError("\x1b[2J")

    monkeypatch.setattr("provenance_oracle.verifier.judgement.release.read_release", broken)
    result = CliRunner().invoke(main, ["check", str(release), "--offline"])
    assert result.exit_code == 1
    assert "please report it" in result.output
    assert "\x1b[2J" not in result.output
