"""Tests of `provenance retry`, and of journals that somebody edited."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.cli.console import Output
from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    ProvenanceError,
    TemporaryError,
    VerificationError,
)
from tests.support.postgres_server import PostgresServer

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal with one release that was refused."""
    path = tmp_path / "oracle.sqlite"
    with Journal(path) as book:
        row = book.open(ReleaseKey("folder", "bad", bytes(32)), "as it looked", at=NOW)
        error = FormatError("size", check=Check.REPORT_FORMAT, where="report.bin", got="1", wanted="1184")
        book.reject(row.id, error, b"{}", retry_at=NOW.replace(year=2030), at=NOW)
    return path


def _retry(*arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(main, ["retry", *arguments, "--json"])
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("names", [(), ("bad",)])
def test_a_refused_release_is_looked_at_again(journal: Path, names: tuple[str, ...]) -> None:
    exit_code, document = _retry("--journal", str(journal), *names)
    assert (exit_code, [row["release"] for row in document["releases"]]) == (0, ["bad"])
    with Journal(journal) as book:
        row = book.rows()[0]
        # the journal no longer knows the fingerprint, and the row does not wait
        assert book.find("folder", "bad", "as it looked") is None
        assert not row.waits(NOW)


def test_an_unknown_release_or_journal_is_a_usage_error(journal: Path, tmp_path: Path) -> None:
    assert _retry("--journal", str(journal), "other")[0] == 2
    assert _retry("--journal", str(tmp_path / "none"))[0] == 2
    assert not (tmp_path / "none").exists()
    assert _retry("--journal", str(tmp_path))[0] == 2


def test_it_works_beside_a_running_oracle(journal: Path) -> None:
    with Journal(journal) as book:
        assert _retry("--journal", str(journal))[0] == 0
        assert book.find("folder", "bad", "as it looked") is None
        book.open(ReleaseKey("folder", "bad", bytes(32)), "as it looked", at=NOW)
        assert [row.state for row in book.rows()] == [State.SEEN]


def test_a_journal_in_postgresql_is_shared_and_a_row_in_work_is_left(postgres: PostgresServer) -> None:
    place = postgres.new_place()
    with open_journal(place) as book:
        rows = [book.open(ReleaseKey("folder", name, name.encode() * 32), "f", at=NOW) for name in "ab"]
        for row in rows:
            book.reject(row.id, FormatError("size"), b"{}", retry_at=NOW, at=NOW)
        book.lease(rows[0].id, "another", until=datetime.now(UTC) + timedelta(minutes=10), at=datetime.now(UTC))
        exit_code, document = _retry("--journal", place)
        assert (exit_code, [row["release"] for row in document["releases"]]) == (0, ["b"])
        assert [row.fingerprint for row in book.rows()] == ["f", ""]


def test_a_release_on_its_way_has_nothing_to_retry(journal: Path) -> None:
    with Journal(journal) as book:
        book.open(ReleaseKey("folder", "new", b"n" * 32), "f", at=NOW)
    exit_code, document = _retry("--journal", str(journal), "new")
    assert (exit_code, document["error"]["got"]) == (2, "seen")


def test_a_final_release_needs_a_chain_to_look_at(journal: Path) -> None:
    with Journal(journal) as book:
        row = book.open(ReleaseKey("folder", "recorded", b"n" * 32), "f", at=NOW)
        book.advance(row.id, State.FINAL, at=NOW)
    exit_code, document = _retry("--journal", str(journal), "recorded")
    assert (exit_code, "--rpc and --registry" in document["error"]["wanted"]) == (2, True)


def test_a_journal_of_an_earlier_version_is_left_to_the_oracle(journal: Path) -> None:
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    exit_code, document = _retry("--journal", str(journal))
    assert (exit_code, "carries it over" in document["error"]["message"]) == (2, True)


def test_releases_that_wait_are_told_in_one_document(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(journal) as book:
        row = book.open(ReleaseKey("folder", "late", bytes(32)), "as it looked", at=NOW)
        parked = book.park(row.id, TemporaryError("node down"), retry_at=NOW.replace(year=2030), at=NOW)
    with pytest.raises(click.exceptions.Exit) as ended:
        print_rows(Output("provenance-oracle/watch/v1", as_json=True), [parked])
    document = json.loads(capsys.readouterr().out)
    assert (ended.value.exit_code, document["accepted"], document["error"]["retry"]) == (7, False, True)
    assert [release["release"] for release in document["releases"]] == ["late"]
    with pytest.raises(TemporaryError):
        print_rows(Output("provenance-oracle/watch/v1", as_json=False), [parked])


@pytest.mark.parametrize("change", ["state = 'asleep'", "seen_at = 'yesterday'", "retry_at = 'soon'"])
def test_a_journal_edited_by_hand_is_a_usage_error(journal: Path, change: str) -> None:
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE releases SET {change}")
    connection.close()
    assert _retry("--journal", str(journal))[0] == 2


@pytest.mark.parametrize(
    "kind", [FormatError, VerificationError, AppraisalError], ids=["malformed", "forged", "refused"]
)
def test_a_rejected_release_ends_watch_with_its_exit_code(journal: Path, kind: type[ProvenanceError]) -> None:
    with Journal(journal) as book:
        row = book.open(ReleaseKey("folder", "worse", bytes(32)), "as it looked", at=NOW)
        rejected = book.reject(row.id, kind("no"), None, retry_at=NOW, at=NOW)
        output = Output("provenance-oracle/watch/v1", as_json=False)
        with pytest.raises(kind, match="first worse"):
            print_rows(output, [rejected], fail_rejected=True)
        print_rows(output, [rejected])
        mended = book.open(ReleaseKey("folder", "worse", b"n" * 32), "mended", at=NOW)
        print_rows(output, [rejected, mended], fail_rejected=True)  # the newest row of a release counts


def test_the_document_of_watch_is_not_accepted_if_any_release_was_rejected(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal(journal) as book:
        for name, content in (("worse", b"w" * 32), ("good", b"g" * 32)):
            row = book.open(ReleaseKey("folder", name, content), "as it looked", at=NOW)
            if name == "worse":
                book.reject(row.id, VerificationError("forged"), None, retry_at=NOW, at=NOW)
            else:
                book.advance(row.id, State.FINAL, at=NOW)
        rows = book.rows()
    with pytest.raises(click.exceptions.Exit) as ended:
        print_rows(Output("provenance-oracle/watch/v1", as_json=True), rows, fail_rejected=True)
    document = json.loads(capsys.readouterr().out)
    assert (ended.value.exit_code, document["accepted"], document["error"]["exit_code"]) == (3, False, 3)
    assert [release["state"] for release in document["releases"]] == ["rejected", "rejected", "final"]
    print_rows(Output("provenance-oracle/watch/v1", as_json=True), rows[2:], fail_rejected=True)
    assert json.loads(capsys.readouterr().out)["accepted"] is True


def test_retry_says_what_it_did(journal: Path) -> None:
    said = CliRunner().invoke(main, ["retry", "--journal", str(journal)]).output
    assert "1 reopened; the oracle takes them up at its next pass" in said


def test_retry_says_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    Journal(tmp_path / "empty").close()
    assert "nothing to do" in CliRunner().invoke(main, ["retry", "--journal", str(tmp_path / "empty")]).output
