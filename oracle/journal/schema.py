"""The tables of the journal, and the steps from one version of them to the next."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping

VERSION = 3
SCHEMA = """
CREATE TABLE pins (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE releases (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, release TEXT NOT NULL, content BLOB NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, seen_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    retry_at TEXT, vain_attempts INTEGER NOT NULL DEFAULT 0, internal_errors INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER, check_id TEXT, problem TEXT NOT NULL DEFAULT '',
    verdict_digest BLOB REFERENCES verdicts (digest), report_digest BLOB, record BLOB,
    policy_digest BLOB, model_digest BLOB, publisher BLOB,
    UNIQUE (source, release, content)) STRICT;
CREATE INDEX releases_by_report ON releases (report_digest);
CREATE INDEX releases_by_state ON releases (state);
CREATE INDEX releases_by_model ON releases (model_digest, publisher);
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


def _add_facts(db: sqlite3.Connection) -> None:
    """Add the columns for policy, model and publisher, and fill them from verdicts and records.

    A row whose verdict or record is not one that the oracle writes keeps empty columns.
    """
    for column in ("policy_digest", "model_digest", "publisher"):
        db.execute(f"ALTER TABLE releases ADD COLUMN {column} BLOB")
    db.execute("CREATE INDEX releases_by_model ON releases (model_digest, publisher)")
    sql = "SELECT record, statement FROM releases LEFT JOIN verdicts ON digest = verdict_digest WHERE id = ?"
    for (row_id,) in db.execute("SELECT id FROM releases").fetchall():
        record, statement = db.execute(sql, (row_id,)).fetchone()
        db.execute(
            "UPDATE releases SET policy_digest = ?, model_digest = ?, publisher = ? WHERE id = ?",
            (
                _hex_at(statement, "predicate", "policy", "digest", "sha256"),
                _hex_at(record, "model_digest"),
                _hex_at(record, "publisher_identity"),
                row_id,
            ),
        )


def _hex_at(data: bytes | None, *path: str) -> bytes | None:
    """Return the bytes whose hex stands in a JSON document at a path of names; None if there is no hex."""
    try:
        value = json.loads(data or b"null")
        for name in path:
            value = value[name]
        return bytes.fromhex(value)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


# The steps from each earlier version to the next one.
UPGRADES: Mapping[int, Callable[[sqlite3.Connection], None]] = {2: _add_facts}
