"""Tests of `provenance key`."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.signers import open as opening
from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.keystore import make_keystore
from provenance_oracle.oracle.signers.open import open_signer
from provenance_oracle.verifier.errors import UsageError


def run(*arguments: str) -> tuple[int, dict[str, object], str]:
    result = CliRunner().invoke(main, ["key", *arguments, "--json"], env={"K": "11" * 32})
    return result.exit_code, json.loads(result.stdout), result.stderr


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "pw"
    file.write_text("a long password\n")
    file.chmod(0o600)
    return file


def test_a_new_keystore_opens_with_its_password_and_is_its_owner_s(tmp_path: Path, password: Path) -> None:
    keystore = tmp_path / "oracle.json"
    exit_code, document, _ = run("--new", str(keystore), "--password-file", str(password))
    assert exit_code == 0
    assert stat.filemode(keystore.stat().st_mode) == "-rw-------"
    assert json.loads(keystore.read_text())["crypto"]["kdf"] == "scrypt"
    assert open_signer(f"keystore:{keystore}", password_file=password).address == document["address"]
    again = run("--key", f"keystore:{keystore}", "--password-file", str(password))
    assert (again[0], again[1]["address"]) == (0, document["address"])


def test_a_file_is_never_replaced(tmp_path: Path, password: Path) -> None:
    keystore = tmp_path / "oracle.json"
    keystore.write_text("mine")
    exit_code, document, _ = run("--new", str(keystore), "--password-file", str(password))
    assert (exit_code, keystore.read_text()) == (2, "mine")
    assert "cannot be written" in str(document["error"])


@pytest.mark.parametrize("options", [(), ("--key", "env:K"), ("--key-variable", "K", "--password-file", "pw")])
def test_a_new_keystore_needs_a_password_and_no_other_key(tmp_path: Path, options: tuple[str, ...]) -> None:
    exit_code, document, _ = run("--new", str(tmp_path / "k"), *options)
    assert exit_code == 2
    assert "a new keystore has a new key" in str(document["error"])
    assert not (tmp_path / "k").exists()


def test_the_account_of_a_key_is_printed() -> None:
    assert run("--key", "env:K")[1]["address"] == open_signer("env:K", environ={"K": "11" * 32}).address
    assert run()[0] == 2


def test_random_bytes_that_are_no_key_are_drawn_again(tmp_path: Path) -> None:
    draws = [bytes(32), b"\xff" * 32, b"\x11" * 32]
    address = make_keystore(tmp_path / "k", Secret(b"x"), lambda _count: draws.pop(0))
    assert (address, draws) == (open_signer("env:K", environ={"K": "11" * 32}).address, [])


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is text"):
        make_keystore(tmp_path / "k", Secret(b"\xff"))


PAGE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()


def test_the_commands_of_the_page_make_a_keystore(tmp_path: Path) -> None:
    (commands,) = re.findall(r"### Make a keystore\n.*?```sh\n(.*?)```", PAGE, re.DOTALL)
    script = f'provenance() {{ "{sys.executable}" -m provenance_oracle.oracle.cli.main "$@"; }}\n{commands}'
    done = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    keystore, password = tmp_path / "oracle.json", tmp_path / "oracle.pw"
    assert open_signer(f"keystore:{keystore}", password_file=password).address in done.stdout
    assert {stat.filemode(path.stat().st_mode) for path in tmp_path.iterdir()} == {"-rw-------"}


def test_the_page_names_every_place_of_a_key() -> None:
    table = PAGE.partition("| URI |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z0-9]+):", table, re.MULTILINE)) == set(opening._FORMS)
