"""Tests of the signatures of verdicts in the journal: each is stored once, and found in both places."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal import evidence as evidence_module
from provenance_oracle.oracle.journal import verdict_signatures
from provenance_oracle.oracle.journal.backup import back_up, restore_backup
from provenance_oracle.oracle.journal.journal import Journal, open_journal
from provenance_oracle.oracle.journal.kept_evidence import find_verdict
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from provenance_oracle.verifier.registry.signed_verdict import envelope_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = "0x1111", "0x2222"
STATEMENT = b'{"a": "verdict"}'
DIGEST = hashlib.sha256(STATEMENT).digest()


def accepted(journal: Journal, name: str = "a", statement: bytes = STATEMENT) -> int:
    row = journal.open(ReleaseKey("folder", name, name.encode().ljust(32)), "f", at=AT)
    return journal.accept(row.id, statement, b"record", b"report", evidence=b"tar", at=AT).id


def envelope(place: str) -> bytes | None:
    found = find_verdict(DIGEST, place, None)
    assert found is not None
    return found.envelope


def test_passed_and_failed_verdicts_wait_for_one_signature(place: str) -> None:
    failed = b"failed"
    with open_journal(place) as journal:
        accepted(journal)
        row = journal.open(ReleaseKey("folder", "b", bytes(32)), "f", at=AT)
        journal.reject(row.id, VerificationError("forged"), failed, retry_at=AT, at=AT)
        waiting = journal.unsigned_verdicts(10)
        assert sorted(waiting) == sorted([(DIGEST, STATEMENT), (hashlib.sha256(failed).digest(), failed)])
        assert len(journal.unsigned_verdicts(1)) == 1
        assert envelope(place) is None
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"signature")], at=AT)
        assert journal.unsigned_verdicts(10) == [(hashlib.sha256(failed).digest(), failed)]
        assert envelope(place) == envelope_of(STATEMENT, [(FIRST, b"signature")])
        accepted(journal)  # judged again, with the same verdict
        assert len(journal.unsigned_verdicts(10)) == 1
    with open_journal(place) as journal:
        assert len(journal.unsigned_verdicts(10)) == 1
    assert envelope(place) == envelope_of(STATEMENT, [(FIRST, b"signature")])


def test_a_new_key_signs_what_is_not_final_and_both_signatures_stay(place: str) -> None:
    final = b"final"
    digest = hashlib.sha256(final).digest()
    with open_journal(place) as journal:
        accepted(journal)
        row = accepted(journal, "b", final)
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"1"), (digest, final, b"2")], at=AT)
        journal.advance(row, State.FINAL, at=AT)
        journal.queue_for(FIRST)
        assert journal.unsigned_verdicts(10) == []
        journal.queue_for(SECOND)
        assert journal.unsigned_verdicts(10) == [(DIGEST, STATEMENT)]
        later = AT + timedelta(seconds=1)
        journal.keep_verdict_signatures(SECOND, [(DIGEST, STATEMENT, b"3")], at=later)
        journal.queue_for(SECOND)
        assert journal.unsigned_verdicts(10) == []
    assert envelope(place) == envelope_of(STATEMENT, [(SECOND, b"3"), (FIRST, b"1")]), "the newest first"


def test_a_verdict_that_is_restored_is_not_signed_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        row = accepted(journal)
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"signature")], at=AT)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM verdicts")
    with Journal(path) as journal:
        journal.restore_verdict(row, STATEMENT, at=AT)
        assert (journal.verdict(DIGEST), journal.unsigned_verdicts(10)) == (STATEMENT, [])


def test_signatures_outlive_the_journal_and_the_folder(tmp_path: Path) -> None:
    path, wanted = tmp_path / "journal.db", envelope_of(STATEMENT, [(FIRST, b"signature")])
    with Journal(path) as journal:
        accepted(journal)
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"signature")], at=AT)
        back_up(str(path), None, tmp_path / "backup")
    file = tmp_path / "verdicts" / DIGEST.hex()[:2] / f"{DIGEST.hex()}.dsse.json"
    assert file.read_bytes() == wanted
    file.write_bytes(b"")
    assert envelope(str(path)) == wanted, "a power loss emptied the file"
    file.write_bytes(wanted)
    path.rename(tmp_path / "lost")
    assert envelope(str(path)) == wanted
    (tmp_path / "other").mkdir()
    restore_backup(tmp_path / "backup", str(tmp_path / "other" / "journal.db"))
    assert envelope(str(tmp_path / "other" / "journal.db")) == wanted


def test_a_disk_that_is_full_stores_no_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
        with monkeypatch.context() as patch, pytest.raises(TemporaryError, match="cannot be written"):
            patch.setattr(evidence_module, "sync", full)
            journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"signature")], at=AT)
        assert journal.unsigned_verdicts(10) == [(DIGEST, STATEMENT)]


def test_a_kill_between_file_and_journal_leaves_one_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        accepted(journal)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(verdict_signatures, "time_text", _killed)
            journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"first try")], at=AT)
    with Journal(path) as journal:
        assert journal.unsigned_verdicts(10) == [(DIGEST, STATEMENT)]
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"second try")], at=AT)
    assert envelope(str(path)) == envelope_of(STATEMENT, [(FIRST, b"second try")])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT signature FROM verdict_signatures").fetchall() == [(b"second try",)]


def _killed(_at: datetime) -> str:
    raise KeyboardInterrupt


def test_the_verdicts_of_an_earlier_journal_wait_for_a_signature(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        accepted(journal)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("DROP TABLE unsigned_verdicts; DROP TABLE verdict_signatures; PRAGMA user_version = 4")
    assert envelope(str(path)) is None, "while it has the earlier version"
    with Journal(path) as journal:
        assert journal.unsigned_verdicts(10) == [(DIGEST, STATEMENT)]


def test_the_envelope_is_one_of_dsse(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        accepted(journal)
        journal.keep_verdict_signatures(FIRST, [(DIGEST, STATEMENT, b"signature")], at=AT)
    read = json.loads(envelope(str(tmp_path / "journal.db")) or b"")
    assert (set(read), read["payloadType"]) == (
        {"payload", "payloadType", "signatures"},
        "application/vnd.in-toto+json",
    )
