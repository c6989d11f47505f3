"""Tests of backup and restore: they carry every row, also between SQLite and PostgreSQL, and overwrite nothing."""

from __future__ import annotations

import gzip
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.journal.backup import back_up, restore_backup, verify_copy
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.publications import Member, PartialSignature, PublicationKind
from provenance_oracle.oracle.journal.rows import ReleaseKey, SignedTransaction
from provenance_oracle.verifier.errors import UsageError, VerificationError
from tests.support.postgres_server import PostgresServer

AT = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE = Path(__file__).parent / "data" / "journal-v3.sqlite.gz"


@pytest.fixture(params=["sqlite", "postgres"])
def other_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a second place for a journal, of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "restored.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_place()


def fill(journal: Journal) -> None:
    for number in range(3):
        row = journal.open(ReleaseKey("folder", f"r{number}", bytes([number]) * 32), "f", at=AT)
        journal.accept(row.id, b"verdict %d" % number, b"record", b"r" * 32, evidence=b"tar %d" % number, at=AT)
    one = journal.open_publication(PublicationKind.BATCH, [Member(1, b"one", True), Member(2, b"two")], at=AT)
    journal.seal_publication(one.id, root=bytes(32), count=2, uri="u", epoch=1, at=AT)
    journal.sign_publication(one.id, SignedTransaction("0xAA", 0, b"h" * 32, b"raw", 1, 1, "0xCC", b"call"), at=AT)
    journal.keep_signatures([PartialSignature(bytes(32), 1, 0, b"s" * 64, "", AT)])
    journal.pin({"chain id": "1"})


def contents(journal: Journal) -> list[Any]:
    rows = journal.rows()
    publications = journal.open_publications()
    digests = [row.verdict_digest or b"" for row in rows]
    return [
        rows,
        publications,
        [journal.members(one.id) for one in publications],
        [journal.attempts_of(one.id) for one in publications],
        journal.signatures(bytes(32)),
        [(journal.verdict(digest), journal.evidence(digest)) for digest in digests],
    ]


def test_a_backup_made_while_the_oracle_runs_is_restored_whole(place: str, other_place: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with open_journal(place) as journal:
        fill(journal)
        made = back_up(place, None, file)
        wanted = contents(journal)
        journal.open(ReleaseKey("folder", "later", bytes(32)), "f", at=AT)
    assert (made.rows["releases"], made.rows["verdicts"], made.rows["evidence"]) == (3, 3, 3)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert restore_backup(file, other_place) == made
    (tmp_path / "verdicts").rename(tmp_path / "away") if (tmp_path / "verdicts").exists() else None
    with open_journal(other_place) as restored:
        assert contents(restored) == wanted
        assert restored.open(ReleaseKey("folder", "new", bytes(32)), "f", at=AT).id == 4, "ids go on after the last"
        with pytest.raises(UsageError, match="chain id"):
            restored.pin({"chain id": "2"})


def test_nothing_is_overwritten(place: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with open_journal(place) as journal:
        fill(journal)
    back_up(place, None, file)
    before = file.read_bytes()
    with pytest.raises(UsageError, match="cannot be written"):
        back_up(place, None, file)
    with pytest.raises(UsageError):
        restore_backup(file, place)
    assert file.read_bytes() == before
    with open_journal(place) as journal:
        assert len(journal.rows()) == 3
    assert not list(tmp_path.glob("*.new"))


def test_a_journal_in_use_is_not_restored_over(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        fill(journal)
        back_up(str(tmp_path / "journal.db"), None, tmp_path / "backup")
        with pytest.raises(UsageError, match="in use"):
            restore_backup(tmp_path / "backup", str(tmp_path / "journal.db"))


def test_the_log_of_a_lost_journal_is_not_applied_to_a_restored_one(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        fill(journal)
    back_up(str(tmp_path / "journal.db"), None, tmp_path / "backup")
    (tmp_path / "lost.db-wal").write_bytes(b"log")
    with pytest.raises(UsageError, match="move it away"):
        restore_backup(tmp_path / "backup", str(tmp_path / "lost.db"))
    assert not (tmp_path / "lost.db").exists()


def test_a_backup_of_an_earlier_version_is_carried_over(tmp_path: Path, other_place: str) -> None:
    old = tmp_path / "journal.db"
    old.touch(0o600)
    old.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    made = back_up(str(old), None, tmp_path / "backup")
    assert (made.version, made.rows["releases"]) == (3, 12)
    assert restore_backup(tmp_path / "backup", other_place).version == 5
    with open_journal(other_place) as journal:
        assert len(journal.rows()) == 12
        assert len(journal.attempts(6)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE verdicts SET statement = 'altered' || statement",
        "DELETE FROM verdicts WHERE release_id = 1",
        "UPDATE publication_rows SET release_id = 99 WHERE position = 0",
    ],
)
def test_a_backup_that_is_not_whole_is_not_restored(tmp_path: Path, damage: str) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        fill(journal)
    back_up(str(tmp_path / "journal.db"), None, tmp_path / "backup")
    with closing(sqlite3.connect(tmp_path / "backup")) as db, db:
        db.execute(damage.replace("'altered' || statement", "CAST('altered' AS BLOB)"))
    with pytest.raises(VerificationError):
        restore_backup(tmp_path / "backup", str(tmp_path / "restored.db"))
    assert not (tmp_path / "restored.db").exists()


def test_a_page_that_is_damaged_is_found(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        fill(journal)
    back_up(str(tmp_path / "journal.db"), None, tmp_path / "backup")
    data = bytearray((tmp_path / "backup").read_bytes())
    data[4096 * 3 : 4096 * 6] = bytes(4096 * 3)
    (tmp_path / "backup").write_bytes(data)
    with pytest.raises((VerificationError, UsageError)):
        verify_copy(tmp_path / "backup")


@pytest.mark.parametrize("data", [b"", b"not a database, but long enough to look like one" * 40])
def test_other_files_are_no_backups(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(UsageError):
        restore_backup(tmp_path / "file", str(tmp_path / "restored.db"))
    with pytest.raises(UsageError, match="no journal"):
        back_up(str(tmp_path / "none"), None, tmp_path / "backup")
    assert not (tmp_path / "none").exists()
