"""The steps from each earlier version of the journal's tables to the next one.

A step never changes once a program with its version was released. Tables that it makes are written out here, because
`schema.py` shows only the newest ones.
"""

from __future__ import annotations

import json

from provenance_oracle.oracle.journal.store import Migrations, Session


def to_version_3(db: Session) -> None:
    """Add the columns for policy, model and publisher, and fill them from verdicts and records.

    A row whose verdict or record is not one that the oracle writes keeps empty columns.
    """
    for column in ("policy_digest", "model_digest", "publisher"):
        db.execute(f"ALTER TABLE releases ADD COLUMN {column} BLOB")
    db.execute("CREATE INDEX releases_by_model ON releases (model_digest, publisher)")
    sql = "SELECT record, statement FROM releases LEFT JOIN verdicts ON digest = verdict_digest WHERE id = ?"
    for found in db.execute("SELECT id FROM releases").fetchall():
        kept = db.execute(sql, (found["id"],)).fetchone()
        db.execute(
            "UPDATE releases SET policy_digest = ?, model_digest = ?, publisher = ? WHERE id = ?",
            (
                _hex_at(kept["statement"], "predicate", "policy", "digest", "sha256"),
                _hex_at(kept["record"], "model_digest"),
                _hex_at(kept["record"], "publisher_identity"),
                found["id"],
            ),
        )


def to_version_4(db: Session) -> None:
    """Add publications, signatures and leases. Each row with transactions gets a publication that has them."""
    _run(db, _VERSION_4)


def to_version_5(db: Session) -> None:
    """Add the signatures of verdicts. Every verdict so far waits for one."""
    _run(db, _VERSION_5)


def _run(db: Session, script: str) -> None:
    for statement in filter(None, map(str.strip, script.split(";"))):
        db.execute(statement)


def _hex_at(data: bytes | None, *path: str) -> bytes | None:
    """Return the bytes whose hex stands in a JSON document at a path of names; None if there is no hex."""
    try:
        value = json.loads(data or b"null")
        for name in path:
            value = value[name]
        return bytes.fromhex(value)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


# The publication of a row gets the row's id. It is open unless the row is closed for good or has no record any more.
_VERSION_4 = """
ALTER TABLE releases ADD COLUMN lease_owner TEXT;
ALTER TABLE releases ADD COLUMN lease_until TEXT;
ALTER TABLE releases ADD COLUMN lease_number INTEGER NOT NULL DEFAULT 0;
DROP INDEX releases_by_state;
CREATE INDEX releases_by_state ON releases (state, seen_at, retry_at);
CREATE INDEX releases_by_fingerprint ON releases (source, release, fingerprint);
CREATE INDEX releases_by_content ON releases (content);
CREATE TABLE publications (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', root BLOB, leaf_count INTEGER, sealed_at TEXT,
    uri TEXT NOT NULL DEFAULT '', epoch INTEGER) STRICT;
CREATE INDEX publications_by_state ON publications (state);
CREATE INDEX publications_by_root ON publications (root);
CREATE TABLE publication_rows (
    publication_id INTEGER NOT NULL REFERENCES publications (id),
    release_id INTEGER NOT NULL REFERENCES releases (id), position INTEGER NOT NULL, record BLOB,
    is_named INTEGER NOT NULL DEFAULT 0, is_open INTEGER,
    UNIQUE (publication_id, position), UNIQUE (publication_id, release_id)) STRICT;
CREATE INDEX publication_rows_by_release ON publication_rows (release_id);
CREATE UNIQUE INDEX one_open_publication ON publication_rows (release_id) WHERE is_open = 1;
CREATE TABLE evidence (digest BLOB PRIMARY KEY, archive BLOB NOT NULL) STRICT;
CREATE TABLE signatures (
    digest BLOB NOT NULL, oracle_index INTEGER NOT NULL, epoch INTEGER NOT NULL, signature BLOB NOT NULL,
    origin TEXT NOT NULL, kept_at TEXT NOT NULL, PRIMARY KEY (digest, oracle_index)) STRICT;
INSERT INTO publications (id, kind, state, created_at, changed_at)
    SELECT id, CASE WHEN source = 'registry' AND release LIKE 'policy %' THEN 'policy' ELSE 'record' END,
        CASE WHEN state IN ('judged', 'stuck') THEN 'open' WHEN state IN ('seen', 'rejected') THEN 'dropped'
            ELSE state END,
        (SELECT MIN(signed_at) FROM transactions WHERE release_id = releases.id), changed_at
    FROM releases WHERE id IN (SELECT release_id FROM transactions);
INSERT INTO publication_rows (publication_id, release_id, position, is_open)
    SELECT id, id, 0, CASE WHEN state IN ('final', 'dropped') THEN NULL ELSE 1 END FROM publications;
ALTER TABLE transactions RENAME TO transactions_3;
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, publication_id INTEGER NOT NULL REFERENCES publications (id), sender TEXT NOT NULL,
    nonce INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, max_fee_wei INTEGER NOT NULL,
    priority_fee_wei INTEGER NOT NULL, call_to TEXT NOT NULL, call_data BLOB NOT NULL, state TEXT NOT NULL,
    signed_at TEXT NOT NULL) STRICT;
INSERT INTO transactions (id, publication_id, sender, nonce, hash, raw, max_fee_wei, priority_fee_wei, call_to,
    call_data, state, signed_at) SELECT id, release_id, sender, nonce, hash, raw, max_fee_wei, priority_fee_wei,
    call_to, call_data, state, signed_at FROM transactions_3;
DROP TABLE transactions_3;
CREATE INDEX transactions_by_publication ON transactions (publication_id);
CREATE INDEX transactions_by_sender ON transactions (sender, state, nonce);
"""

_VERSION_5 = """
CREATE TABLE verdict_signatures (
    digest BLOB NOT NULL, signer TEXT NOT NULL, signature BLOB NOT NULL, signed_at TEXT NOT NULL,
    PRIMARY KEY (digest, signer)) STRICT;
CREATE TABLE unsigned_verdicts (digest BLOB PRIMARY KEY) STRICT;
INSERT INTO unsigned_verdicts SELECT digest FROM verdicts;
"""

UPGRADES: Migrations = {2: to_version_3, 3: to_version_4, 4: to_version_5}

# The same for PostgreSQL, where the first version is 4.
POSTGRES_UPGRADES: Migrations = {4: to_version_5}
