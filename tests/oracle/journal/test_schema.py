"""Tests of the journal's versions: a journal of an earlier one is carried over with every fact, or left as it is."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.journal import migrations, stores
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.verifier.errors import UsageError
from tests.support.chain_fixtures import make_record

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = hashlib.sha256(b"policy").digest()
# Version 2 as its programs wrote it.
VERSION_2 = """
PRAGMA application_id=0x50524F56; PRAGMA user_version=2;
CREATE TABLE pins (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE releases (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, release TEXT NOT NULL, content BLOB NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, seen_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    retry_at TEXT, vain_attempts INTEGER NOT NULL DEFAULT 0, internal_errors INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER, check_id TEXT, problem TEXT NOT NULL DEFAULT '',
    verdict_digest BLOB REFERENCES verdicts (digest), report_digest BLOB, record BLOB,
    UNIQUE (source, release, content)) STRICT;
CREATE INDEX releases_by_report ON releases (report_digest);
CREATE INDEX releases_by_state ON releases (state);
CREATE TABLE verdicts (
    digest BLOB PRIMARY KEY, release_id INTEGER NOT NULL REFERENCES releases (id),
    statement BLOB NOT NULL, kept_at TEXT NOT NULL) STRICT;
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, release_id INTEGER NOT NULL REFERENCES releases (id), sender TEXT NOT NULL,
    nonce INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, max_fee_wei INTEGER NOT NULL,
    priority_fee_wei INTEGER NOT NULL, call_to TEXT NOT NULL, call_data BLOB NOT NULL, state TEXT NOT NULL,
    signed_at TEXT NOT NULL) STRICT;
CREATE INDEX transactions_by_release ON transactions (release_id);
CREATE INDEX transactions_by_sender ON transactions (sender, nonce);
"""
RECORD = make_record()


def verdict(policy_digest: bytes) -> bytes:
    return json.dumps({"predicate": {"policy": {"digest": {"sha256": policy_digest.hex()}}}}).encode()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a journal of version 2 with an accepted and a rejected row, one without a verdict, and an altered one."""
    path = tmp_path / "journal.db"
    path.touch(0o600)
    db = sqlite3.connect(path)
    db.executescript(VERSION_2)
    rows: list[tuple[str, str, bytes | None, bytes | None]] = [
        ("a", "final", verdict(POLICY), to_json(RECORD)),
        ("b", "rejected", verdict(POLICY), None),
        ("c", "seen", None, None),
        ("d", "judged", b"\xff not JSON", b'{"model_digest": 3}'),
    ]
    for number, (name, state, statement, record) in enumerate(rows, 1):
        digest = hashlib.sha256(statement).digest() if statement else None
        db.execute(
            "INSERT INTO releases (id, source, release, content, fingerprint, state, seen_at, changed_at, record)"
            " VALUES (?, 'folder', ?, ?, 'f', ?, ?, ?, ?)",
            (number, name, bytes([number]) * 32, state, AT.isoformat(), AT.isoformat(), record),
        )
        if statement:
            at = AT.isoformat(timespec="microseconds")
            db.execute("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?, ?)", (digest, number, statement, at))
            db.execute("UPDATE releases SET verdict_digest = ? WHERE id = ?", (digest, number))
    db.execute("INSERT INTO pins VALUES ('chain id', '5')")
    db.execute(
        "INSERT INTO transactions VALUES (1, 1, '0xAA', 7, ?, ?, 1, 1, '0xCC', ?, 'live', ?)",
        (bytes(32), b"raw", b"call", AT.isoformat()),
    )
    db.commit()
    db.close()
    return path


def facts(path: Path) -> Mapping[str, Any]:
    db = sqlite3.connect(path)
    columns = "release, policy_digest, model_digest, publisher"
    found = {row[0]: row[1:] for row in db.execute(f"SELECT {columns} FROM releases")}
    db.close()
    return found


def test_a_journal_of_the_last_version_is_carried_over(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Journal(old) as journal:
        assert [row.state for row in journal.rows()] == [State.FINAL, State.REJECTED, State.SEEN, State.JUDGED]
        assert journal.rows()[0].record == to_json(RECORD)
        assert [attempt.transaction.nonce for attempt in journal.attempts(1)] == [7]
        with pytest.raises(UsageError):
            journal.pin({"chain id": "6"})
        model = RECORD.model_digest, RECORD.publisher_identity
        assert journal.accepted.recordings(*model, besides=bytes(32), since=AT - timedelta(seconds=1)) == [AT]
        assert journal.accepted.recordings(*model, besides=b"\x01" * 32, since=AT - timedelta(seconds=1)) == []
        assert journal.accepted.recordings(*model, besides=bytes(32), since=AT) == []
        assert journal.reopen_rejected(POLICY, at=AT) == 0
        assert journal.reopen_rejected(bytes(32), at=AT) == 1
    assert "the journal was carried over from version 2 to 5" in caplog.text
    caplog.clear()
    with Journal(old) as again:
        assert len(again.rows()) == 4
    assert "carried over" not in caplog.text
    assert facts(old) == {
        "a": (POLICY, RECORD.model_digest, RECORD.publisher_identity),
        "b": (None, None, None),  # it was reopened above
        "c": (None, None, None),
        "d": (None, None, None),
    }


def test_a_step_that_fails_leaves_the_journal_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(db: sqlite3.Connection) -> None:
        migrations.UPGRADES[2](db)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stores, "UPGRADES", {2: killed})
        with pytest.raises(KeyboardInterrupt):
            Journal(old)
    with sqlite3.connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()
    with Journal(old) as journal:
        assert len(journal.rows()) == 4


def test_a_carried_over_journal_has_the_columns_and_indices_of_a_new_one(old: Path, tmp_path: Path) -> None:
    Journal(old).close()
    Journal(tmp_path / "new.db").close()
    assert shape(old) == shape(tmp_path / "new.db")


def shape(path: Path) -> set[tuple[str, ...]]:
    db = sqlite3.connect(path)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {(table, *map(str, column[1:])) for table in names for column in db.execute(f"PRAGMA table_info({table})")}
    found |= {("index", name) for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    db.close()
    return found
