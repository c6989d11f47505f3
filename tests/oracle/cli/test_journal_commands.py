"""Tests of `provenance backup`, `restore` and `verdict`."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.verdicts import VerdictSigning
from provenance_oracle.verifier.registry.signed_verdict import verify_signed_verdict
from tests.support.postgres_server import PASSWORD, PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
STATEMENT = b'{"a": "verdict"}'
DIGEST = hashlib.sha256(STATEMENT).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a journal with one accepted release."""
    path = tmp_path / "oracle.sqlite"
    with Journal(path) as book:
        row = book.open(ReleaseKey("folder", "a", bytes(32)), "f", at=AT)
        book.accept(row.id, STATEMENT, b"record", b"report", evidence=b"tar", at=AT)
    return path


def run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, Any]:
    result = CliRunner().invoke(main, [*arguments, "--json"], env=env)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def test_a_journal_is_copied_and_restored(path: Path, tmp_path: Path) -> None:
    file, restored = tmp_path / "backup", tmp_path / "restored.sqlite"
    with Journal(path):
        code, document = run("backup", str(file), "--journal", str(path))
    assert (code, document["rows"]["releases"], document["version"]) == (0, 1, 5)
    again, other = run("restore", str(file), "--journal", str(restored))
    assert (again, other["rows"]) == (0, document["rows"])
    assert run("restore", str(file), "--journal", str(restored))[0] == 2
    with Journal(restored) as book:
        assert [row.key.release for row in book.rows()] == ["a"]


def test_the_copy_says_what_it_holds(path: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["backup", str(tmp_path / "backup"), "--journal", str(path)]).output
    assert "it is whole" in said
    assert "1 releases" in said


def test_the_settings_name_the_journal(path: Path, tmp_path: Path) -> None:
    settings = tmp_path / "oracle.yaml"
    settings.write_text(f"sources: [{tmp_path}]\njournal: {path}\nrpc_urls: [http://127.0.0.1:1]\nregistry: x.json\n")
    assert run("verdict", DIGEST, "--settings", str(settings))[0] == 0
    assert run("verdict", DIGEST, env={"PROVENANCE_JOURNAL": str(path)})[0] == 0
    assert run("verdict", DIGEST)[0] == 2


def test_a_verdict_is_printed_although_the_journal_is_lost(path: Path, tmp_path: Path) -> None:
    for file in tmp_path.glob("oracle.sqlite*"):
        file.unlink()
    code, document = run("verdict", DIGEST, "--journal", str(path))
    assert (code, document["statement"], document["has_evidence"]) == (0, STATEMENT.decode(), True)
    said = CliRunner().invoke(main, ["verdict", f"0x{DIGEST}", "--journal", str(path)])
    assert said.output == f"{STATEMENT.decode()}\n"


def test_the_exact_bytes_are_written(path: Path, tmp_path: Path) -> None:
    out, archive = tmp_path / "verdict.json", tmp_path / "evidence.tar"
    arguments = ("--journal", str(path), "--out", str(out), "--archive", str(archive))
    assert run("verdict", DIGEST, *arguments)[0] == 0
    assert (out.read_bytes(), archive.read_bytes()) == (STATEMENT, b"tar")
    assert run("verdict", DIGEST, *arguments)[0] == 2, "nothing is overwritten"


def test_a_verdict_that_is_not_there_has_exit_code_6(path: Path) -> None:
    code, document = run("verdict", "00" * 32, "--journal", str(path))
    assert code == 6
    assert "the verdict digest that `provenance show` prints" in document["error"]["wanted"]
    assert run("verdict", "short", "--journal", str(path))[0] == 2


def test_evidence_that_is_not_there_has_exit_code_6(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as book:
        row = book.open(ReleaseKey("folder", "a", bytes(32)), "f", at=AT)
        book.accept(row.id, STATEMENT, b"record", b"report", at=AT)
    code, _ = run("verdict", DIGEST, "--journal", str(tmp_path / "journal"), "--archive", str(tmp_path / "x"))
    assert (code, (tmp_path / "x").exists()) == (6, False)


def test_a_journal_in_postgresql_is_named_by_its_url(postgres: PostgresServer, path: Path, tmp_path: Path) -> None:
    url = postgres.new_place()
    assert run("backup", str(tmp_path / "backup"), "--journal", str(path))[0] == 0
    code, document = run("restore", str(tmp_path / "backup"), "--journal", url)
    assert (code, document["rows"]["evidence"]) == (0, 1)
    assert run("verdict", DIGEST, "--journal", url)[1]["has_evidence"]
    code, document = run("restore", str(tmp_path / "backup"), "--journal", url)
    assert code == 2
    assert PASSWORD not in json.dumps(document)
    with open_journal(url) as book:
        assert len(book.rows()) == 1


def test_the_signed_verdict_and_its_key_are_written(path: Path, tmp_path: Path) -> None:
    envelope, key = tmp_path / "verdict.dsse.json", tmp_path / "oracle.pem"
    arguments = ("verdict", DIGEST, "--journal", str(path), "--envelope", str(envelope), "--public-key", str(key))
    code, document = run(*arguments)
    assert (code, "not signed yet" in document["error"]["message"], envelope.exists()) == (6, True, False)
    signer = EnvironmentSigner("KEY", {"KEY": "11" * 32})
    with Journal(path) as book:
        assert VerdictSigning(book, signer, clock=lambda: AT)() == {}
    code, document = run(*arguments)
    assert (code, document["signed_by"]) == (0, [signer.address.lower()])
    signed = verify_signed_verdict(envelope.read_bytes(), "envelope")
    assert (signed.statement, signed.keys[0].pem) == (STATEMENT, key.read_bytes())
    assert run("verdict", DIGEST, "--journal", str(path))[1]["signed_by"] == [signer.address.lower()]


def test_a_signature_that_was_altered_is_forged(path: Path) -> None:
    with Journal(path) as book:
        VerdictSigning(book, EnvironmentSigner("KEY", {"KEY": "11" * 32}), clock=lambda: AT)()
    (file,) = path.parent.rglob("*.dsse.json")
    file.write_bytes(file.read_bytes().replace(b"0x", b"0y"))
    assert run("verdict", DIGEST, "--journal", str(path))[0] == 4
