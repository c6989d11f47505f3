"""The options that name a publisher and a signer: which go together, and what is told where they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.model import make_tiny_model
from tests.support.publisher_files import write_chain, write_key

EXCLUSIVE = [
    (("--sign-key", "KEY", "--sign-sigstore"), "two ways to sign"),
    (("--sign-key", "KEY", "--sign-certificate", "KEY", "--chain", "CHAIN"), "two ways to sign"),
    (("--sign-certificate", "KEY"), "--chain FILE"),
    (("--sign-key", "KEY", "--chain", "CHAIN"), "--sign-certificate KEY"),
    (("--sign-key", "KEY", "--identity-token", "x"), "--sign-sigstore"),
    (("--sign-sigstore", "--sign-password-file", "PASSWORD"), "--sign-key or --sign-certificate KEY"),
    (("--sigstore-config", "PASSWORD"), "--sign-sigstore"),
]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with a model, evidence, a key with a password, and a chain."""
    make_tiny_model(tmp_path / "model")
    words = ["attest", "--key", tmp_path / "cvm.key", "--simulator", "genoa", "--out", tmp_path / "evidence"]
    assert CliRunner().invoke(main, [*map(str, words)]).exit_code == 0
    write_key(tmp_path / "KEY", password=b"words")
    write_chain(tmp_path / "CHAIN")
    (tmp_path / "PASSWORD").write_bytes(b"words\n")
    (tmp_path / "PASSWORD").chmod(0o600)
    return tmp_path


def pack(desk: Path, *options: str) -> tuple[int, dict[str, object]]:
    words = ["pack", desk / "model", "--evidence", desk / "evidence", "--key", desk / "cvm.key"]
    words += ["--name", "acme/tiny", "--version", "1.0"]
    given = [str(desk / option) if option.isupper() else option for option in options]
    result = CliRunner().invoke(main, [*map(str, words), *given, "--json"])
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize(("options", "wanted"), EXCLUSIVE)
def test_options_that_do_not_go_together_are_refused(desk: Path, options: tuple[str, ...], wanted: str) -> None:
    code, document = pack(desk, *options)
    assert code == 2
    assert wanted in str(document["error"])
    assert not (desk / "model" / "provenance").exists()


def test_the_password_comes_from_a_file(desk: Path) -> None:
    code, document = pack(desk, "--sign-key", "KEY")
    assert (code, "no password" in str(document["error"])) == (2, True)
    code, document = pack(desk, "--sign-key", "KEY", "--sign-password-file", "PASSWORD")
    assert (code, document["signed"]) == (0, True)


def test_sign_wants_a_way_to_sign(desk: Path) -> None:
    result = CliRunner().invoke(main, ["sign", str(desk / "model")])
    assert result.exit_code == 2
    assert "--sign-key KEY, --sign-certificate KEY --chain FILE, or --sign-sigstore" in result.stderr


def test_sign_takes_the_key_by_a_short_name_too(desk: Path) -> None:
    line = "key 21af110aa3ea3b9705cc6374830ce5bda521d901c5215f88604cc78385845dc0"
    assert pack(desk, "--publisher", line)[0] == 0
    words = ["sign", desk / "model", "--key", desk / "KEY", "--sign-password-file", desk / "PASSWORD"]
    assert CliRunner().invoke(main, [*map(str, words)]).exit_code == 0


def test_the_words_for_people_lead_on(desk: Path) -> None:
    line = "key 21af110aa3ea3b9705cc6374830ce5bda521d901c5215f88604cc78385845dc0"
    words = ["pack", desk / "model", "--evidence", desk / "evidence", "--key", desk / "cvm.key", "--publisher", line]
    words += ["--name", "acme/tiny", "--version", "1.0"]
    packed = CliRunner().invoke(main, [*map(str, words)]).stdout
    assert f"publisher        {line}" in packed
    assert f"next             provenance sign {desk / 'model'} --sign-key KEY" in packed
    words = ["sign", desk / "model", "--key", desk / "KEY", "--sign-password-file", desk / "PASSWORD"]
    signed = CliRunner().invoke(main, [*map(str, words)]).stdout
    assert f"publisher        {line}" in signed
    assert f"next             provenance check {desk / 'model'} --policy demo --offline" in signed
