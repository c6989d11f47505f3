"""The tables of the journal. `migrations.py` has the steps from earlier versions of them."""

from __future__ import annotations

VERSION = 5
EVIDENCE_VERSION, SIGNATURES_VERSION = 4, 5  # the first ones with the tables `evidence` and `verdict_signatures`
# In the order in which a copy is made: each refers to earlier ones, but for the verdicts of releases.
TABLES = (
    "pins",
    "releases",
    "verdicts",
    "publications",
    "publication_rows",
    "transactions",
    "evidence",
    "signatures",
    "verdict_signatures",
    "unsigned_verdicts",
)
SCHEMA = """
CREATE TABLE pins (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE releases (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, release TEXT NOT NULL, content BLOB NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, seen_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    retry_at TEXT, vain_attempts INTEGER NOT NULL DEFAULT 0, internal_errors INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER, check_id TEXT, problem TEXT NOT NULL DEFAULT '',
    verdict_digest BLOB REFERENCES verdicts (digest), report_digest BLOB, record BLOB,
    policy_digest BLOB, model_digest BLOB, publisher BLOB,
    lease_owner TEXT, lease_until TEXT, lease_number INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, release, content)) STRICT;
CREATE INDEX releases_by_report ON releases (report_digest);
CREATE INDEX releases_by_state ON releases (state, seen_at, retry_at);
CREATE INDEX releases_by_fingerprint ON releases (source, release, fingerprint);
CREATE INDEX releases_by_model ON releases (model_digest, publisher);
CREATE INDEX releases_by_content ON releases (content);
CREATE TABLE verdicts (
    digest BLOB PRIMARY KEY, release_id INTEGER NOT NULL REFERENCES releases (id),
    statement BLOB NOT NULL, kept_at TEXT NOT NULL) STRICT;
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
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, publication_id INTEGER NOT NULL REFERENCES publications (id), sender TEXT NOT NULL,
    nonce INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, max_fee_wei INTEGER NOT NULL,
    priority_fee_wei INTEGER NOT NULL, call_to TEXT NOT NULL, call_data BLOB NOT NULL, state TEXT NOT NULL,
    signed_at TEXT NOT NULL) STRICT;
CREATE INDEX transactions_by_publication ON transactions (publication_id);
CREATE INDEX transactions_by_sender ON transactions (sender, state, nonce);
CREATE TABLE evidence (digest BLOB PRIMARY KEY, archive BLOB NOT NULL) STRICT;
CREATE TABLE signatures (
    digest BLOB NOT NULL, oracle_index INTEGER NOT NULL, epoch INTEGER NOT NULL, signature BLOB NOT NULL,
    origin TEXT NOT NULL, kept_at TEXT NOT NULL, PRIMARY KEY (digest, oracle_index)) STRICT;
CREATE TABLE verdict_signatures (
    digest BLOB NOT NULL, signer TEXT NOT NULL, signature BLOB NOT NULL, signed_at TEXT NOT NULL,
    PRIMARY KEY (digest, signer)) STRICT;
CREATE TABLE unsigned_verdicts (digest BLOB PRIMARY KEY) STRICT;
"""
