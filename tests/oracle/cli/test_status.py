"""Tests of `provenance status`: it reads the journal of a running oracle, in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from tests.support.postgres_server import PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fill(book: Journal) -> None:
    """Leave one release in `seen` after a failure, one rejected, one final since just now, one final long ago."""
    rows = [book.open(ReleaseKey("folder", name, name.encode() * 32), "f", at=AT) for name in "abcd"]
    book.park(rows[0].id, TemporaryError("node\x1b[31m down"), retry_at=AT + timedelta(hours=1), at=AT)
    later = AT + timedelta(hours=2)
    book.reject(rows[1].id, VerificationError("forged"), b"v", retry_at=later, at=later)
    for row, at in ((rows[2], datetime.now(UTC)), (rows[3], AT)):
        verdict, digest = b"s" + row.key.release.encode(), b"d" + row.key.release.encode()
        book.accept(row.id, verdict, b"r", digest, proves=True, at=at)
        book.advance(row.id, State.FINAL, at=at)
    for one, state in zip(book.open_proofs(most=2), ("dropped", "open"), strict=True):
        book.advance_publication(one.publication.id, PublicationState(state), note=f"{state}\x1b[31m", at=AT)
    book.note_refusal("batch 00: grade 2\x1b[31m not 1", at=AT)


def assert_told(place: str) -> None:
    result = CliRunner().invoke(main, ["status", "--journal", place, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["schema"] == "provenance-oracle/status/v1"
    assert {one["state"]: one["count"] for one in told["states"]} == {"seen": 1, "final": 2, "rejected": 1}
    assert (told["backlog"], told["recorded_last_hour"], told["ready"], told["conditions"]) == (1, 1, None, None)
    assert [(one["release"], one["state"]) for one in told["last_failures"]] == [("b", "rejected")]
    assert told["refused_batches"] == [{"at": "2026-01-01T00:00:00Z", "reason": "batch 00: grade 2\x1b[31m not 1"}]
    assert told["proofs"]["counts"] == {"dropped": 1, "open": 1}
    notes = {(one["release"], one["reason"], one["refused"]) for one in told["proofs"]["notes"]}
    assert notes == {("d", "dropped\x1b[31m", True), ("c", "open\x1b[31m", False)}


def test_it_reads_the_journal_of_a_running_oracle(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as book:
        fill(book)
        assert_told(str(tmp_path / "j"))


def test_it_reads_a_database(postgres: PostgresServer) -> None:
    place = postgres.new_place()
    with open_journal(place) as book:
        fill(book)
        assert_told(place)


def test_people_get_one_line_for_each_state_and_no_control_characters(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as book:
        fill(book)
        row = book.rows()[1]
        book.park(row.id, TemporaryError("node\x1b[31m down"), retry_at=AT + timedelta(hours=1), at=datetime.now(UTC))
        said = CliRunner().invoke(main, ["status", "--journal", str(tmp_path / "j")]).output
    assert "seen             1  oldest since 2026-01-01T00:00:00Z, 1 of them after a failure" in said
    assert "1 not decided; 1 recorded in the last hour" in said
    assert "last failure of folder:b" in said
    assert "not signed for another oracle, 2026-01-01T00:00:00Z: batch 00: grade 2" in said
    assert "proofs on chain: 1 refused, 1 waiting" in said
    assert "cannot be proven, folder:d, 2026-01-01T00:00:00Z: dropped" in said
    assert "proof waits, folder:c, 2026-01-01T00:00:00Z: open" in said
    assert "\x1b" not in said


def test_an_empty_journal_and_none_at_all(tmp_path: Path) -> None:
    Journal(tmp_path / "j").close()
    said = CliRunner().invoke(main, ["status", "--journal", str(tmp_path / "j")])
    assert (said.exit_code, "no release yet" in said.output) == (0, True)
    assert CliRunner().invoke(main, ["status", "--journal", str(tmp_path / "none")]).exit_code == 2
