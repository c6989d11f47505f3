"""Tests of `provenance signature`: places of the bundle, trust, coverage and output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from provenance_oracle.verifier.strict import release_folder
from tests.support.model_signatures import FILES, SIGNING_KEY, key_bundle, pem_of, write_files
from tests.support.signing_chains import CA, LEAF, ROOT, certificate_bundle, certified, spki_hex

IDENTITY = parse_publisher_key(pem_of(SIGNING_KEY), "key").identity


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_files(tmp_path, {f"model/{name}": data for name, data in FILES.items()})
    write_files(tmp_path, {"key.pem": pem_of(SIGNING_KEY), "model/model.sig": json.dumps(key_bundle()).encode()})
    return tmp_path / "model"


def signature(*words: object) -> Result:
    result = CliRunner().invoke(main, ["signature", *map(str, words)])
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    return result


def test_the_answer_names_the_signer_and_the_files(model: Path) -> None:
    result = signature(model, "--publisher-key", model.parent / "key.pem")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"accepted: {model} is signed by {IDENTITY.line}\n")
    assert "covered          2 of 3 files; not covered, and need not be: model.sig" in result.stdout


def test_the_document_has_the_same(model: Path) -> None:
    result = signature(model, "--publisher-key", model.parent / "key.pem", "--json")
    document = json.loads(result.stdout)
    assert (document["schema"], document["accepted"]) == ("provenance-oracle/signature/v1", True)
    assert document["publisher"] == {
        "identity": IDENTITY.line,
        "digest": IDENTITY.digest.hex(),
        "method": "key",
        "signed_at": None,
        "log_index": None,
    }
    assert (document["files"], document["covered"], document["not_covered"]) == (3, 2, ["model.sig"])


def test_a_release_may_hold_the_key_of_the_identity_that_is_expected(model: Path) -> None:
    write_files(model, {"provenance/publisher-key.pem": pem_of(SIGNING_KEY)})
    (model / "model.sig").rename(model / "provenance" / "model.sig")
    assert signature(model, "--identity", IDENTITY.line).exit_code == 0
    assert signature(model, "--identity", f"key {'00' * 32}").exit_code == 5
    assert signature(model).exit_code == 2  # the key in the folder proves nothing by itself


def test_an_identity_can_name_the_ca(model: Path) -> None:
    chain = certified(LEAF, CA, ROOT)
    (model / "model.sig").write_text(json.dumps(certificate_bundle(chain)))
    expected = f"certificate {spki_hex(chain[2])} email:me@example.org"
    assert signature(model, "--identity", expected, "--at", "2026-01-01").exit_code == 0
    assert signature(model, "--identity", expected, "--at", "2036-01-01").exit_code == 4
    assert signature(model, "--identity", expected.replace("me@", "you@"), "--at", "2026-01-01").exit_code == 5


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), "--publisher-key FILE"),
        (("--identity", "somebody"), "--identity"),
        (("--publisher-key", "absent.pem"), "absent.pem"),
        (("--signature", "absent.sig"), "absent.sig"),
        (("--at", "soon"), "2026-11-21"),
    ],
)
def test_options_that_are_wrong_or_missing_are_usage_errors(model: Path, words: tuple[str, ...], wanted: str) -> None:
    result = signature(model, *words)
    assert result.exit_code == 2
    assert wanted in result.stderr


def test_a_folder_without_a_signature_says_where_it_looked(model: Path) -> None:
    (model / "model.sig").unlink()
    result = signature(model)
    assert result.exit_code == 2
    assert "no provenance/model.sig and no model.sig" in result.stderr


def test_a_file_that_is_not_covered_can_be_left_out_by_the_user_alone(model: Path) -> None:
    write_files(model, {"notes/a.txt": b"x"})
    key = ("--publisher-key", model.parent / "key.pem")
    refused = signature(model, *key)
    assert refused.exit_code == 5
    assert "2 of 4 files; not covered: notes/a.txt" in refused.stderr
    assert signature(model, *key, "--ignore", "notes").exit_code == 0
    assert signature(model, *key, "--ignore", "config.json").exit_code == 4  # it is signed, and then missing


def test_every_file_is_opened_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = release_folder.open_file

    def counting(parent: int, path: str, *rest: object) -> object:
        opened.append(path)
        return real(parent, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(release_folder, "open_file", counting)
    assert signature(model, "--publisher-key", model.parent / "key.pem").exit_code == 0
    assert sorted(opened) == sorted([*FILES, "model.sig"])


def test_no_link_in_the_folder_is_followed(model: Path) -> None:
    (model / "model.sig").rename(model.parent / "elsewhere.sig")
    (model / "model.sig").symlink_to(model.parent / "elsewhere.sig")
    assert signature(model, "--publisher-key", model.parent / "key.pem").exit_code == 3


def test_a_missing_extra_is_a_usage_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    chain = certified(LEAF, CA, ROOT)
    (model / "model.sig").write_text(json.dumps(certificate_bundle(chain)))
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    result = signature(model, "--identity", f"authority {spki_hex(chain[2])}", "--at", "2026-01-01")
    assert result.exit_code == 2
    assert "pip install 'provenance-oracle[identity]'" in result.stderr
