"""Tests of `provenance identity`, and of the identities that `claim` takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.claim import _identity_digest
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from tests.support.model_signatures import SIGNING_KEY, pem_of
from tests.support.publisher_files import write_chain, write_key
from tests.support.signing_chains import CA, LEAF, ROOT, certified, spki_hex
from tests.support.terminals import on_terminal

CHAIN = certified(LEAF, CA, ROOT)
KEY = parse_publisher_key(pem_of(SIGNING_KEY), "key").identity
# Known answers of the format of identities.
LINE = "sigstore https://sigstore.verify.ibm.com/oauth2 email:stefanb@us.ibm.com"
DIGEST = "82b937a5812fdc56"


def identity(*words: object) -> Result:
    result = CliRunner().invoke(main, ["identity", *map(str, words)])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


def lines(*words: object) -> list[str]:
    result = identity(*words, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["schema"] == "provenance-oracle/identity/v1"
    return [one["identity"] for one in document["identities"]]


def test_a_line_has_its_digest() -> None:
    result = identity(LINE)
    assert result.stdout.startswith(f"{LINE}\n  digest  {DIGEST}")


def test_a_key_is_known_by_its_public_and_its_private_half(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem_of(SIGNING_KEY))
    password = tmp_path / "password"
    password.write_bytes(b"words\n")
    password.chmod(0o600)
    locked = write_key(tmp_path / "locked.key", password=b"words")
    assert lines(tmp_path / "key.pem") == [KEY.line]
    assert lines(write_key(tmp_path / "secret.key")) == [KEY.line]
    assert lines(locked, "--password-file", password) == [KEY.line]
    refused = identity(locked)
    assert refused.exit_code == 2
    assert "no password" in refused.stderr


def test_a_password_is_asked_for_on_a_terminal_and_not_shown(tmp_path: Path) -> None:
    locked = write_key(tmp_path / "locked.key", password=b"secret words")
    shown = on_terminal("identity", locked, columns=200, typed=b"secret words\n")
    assert shown.exit_code == 0
    assert f"Password of {locked}:" in shown.text
    assert KEY.line in shown.text
    wrong = on_terminal("identity", locked, columns=200, typed=b"other\n")
    assert wrong.exit_code == 2
    assert "wrong password" in wrong.text


def test_a_certificate_has_an_identity_for_its_name_and_one_for_the_ca(tmp_path: Path) -> None:
    root = spki_hex(CHAIN[2])
    expected = [f"certificate {root} email:me@example.org", f"authority {root}"]
    assert lines(write_chain(tmp_path / "chain.pem")) == expected
    leaf, authorities = write_chain(tmp_path / "leaf.pem", CHAIN[:1]), write_chain(tmp_path / "cas.pem", CHAIN[1:])
    assert lines(leaf, "--chain", authorities) == expected
    assert lines(write_chain(tmp_path / "root.pem", CHAIN[2:])) == [f"authority {root}"]
    refused = identity(leaf)
    assert refused.exit_code == 2
    assert "--chain FILE" in refused.stderr
    own = certified(LEAF)
    expected = [f"certificate {spki_hex(own[0])} email:me@example.org", f"authority {spki_hex(own[0])}"]
    assert lines(write_chain(tmp_path / "own.pem", own)) == expected


@pytest.mark.parametrize(("word", "code"), [("key 00", 2), ("nowhere.pem", 2), ("/", 2), ("mail me@example.org", 2)])
def test_what_is_no_identity_is_refused(word: str, code: int) -> None:
    assert identity(word).exit_code == code


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    assert identity(tmp_path / "notes.txt").exit_code == 3


def test_claim_takes_the_line_of_an_identity_and_its_digest() -> None:
    assert _identity_digest(LINE).hex().startswith(DIGEST)
    assert _identity_digest("0x" + "ab" * 32).hex() == "ab" * 32
    for text in ("acme", "key 00", "ab" * 31):
        with pytest.raises(UsageError):
            _identity_digest(text)
