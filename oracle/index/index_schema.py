"""The tables of the index. Every row says which event made it, and none is ever changed.

So a block that a reorganisation takes away is undone by deleting all rows of its events, and whatever can change, such
as a record's standing, is computed from the events when somebody asks (`index/folding.py`).

`place` is the place of an event on chain as one number, see `index/places.py`. A release in a batch has a place too,
behind that of the batch.

    facts         the contracts and the chain that the index is about
    blocks        blocks with events, and the last block of each piece: hash and time in seconds since 1970
    transactions  by the place of their first event; `gas` is the gas used, NULL if no node told
    events        the events as the chain has them: topics one after the other, and data
    keys          what leads to an event or a release: a digest or an id (32 bytes) in a role, see `event_kinds.py`
    words         words of the names of PASSED releases, for search by their beginnings; `name` is the name's key
    documents     batches, and whether the document with their records was read
    leaves        the records in batches, from these documents
    figures       what statistics count, one row for a record or batch, see `FigureKind`; day since 1970-01-01
    unchecked     records and batches that were read while the index caught up, to be compared with the contract's state
"""

from __future__ import annotations

INDEX_VERSION = 1
# In the order in which an undo empties them.
PLACED_TABLES = ("figures", "words", "keys", "leaves", "documents", "events", "transactions")
INDEX_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, seconds INTEGER NOT NULL) STRICT;
CREATE TABLE transactions (place INTEGER PRIMARY KEY, hash BLOB NOT NULL, gas INTEGER) STRICT;
CREATE TABLE events (
    place INTEGER PRIMARY KEY, sent INTEGER NOT NULL, emitter INTEGER NOT NULL, topics BLOB NOT NULL,
    data BLOB NOT NULL) STRICT;
CREATE TABLE keys (
    digest BLOB NOT NULL, role INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (digest, role, place)) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_place ON keys (place);
CREATE TABLE words (
    word TEXT NOT NULL, name BLOB NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (word, name)) STRICT, WITHOUT ROWID;
CREATE INDEX words_by_place ON words (place);
CREATE INDEX words_by_name ON words (name, word);
CREATE TABLE documents (
    place INTEGER PRIMARY KEY, root BLOB NOT NULL, uri BLOB NOT NULL, is_read INTEGER NOT NULL,
    tried_at INTEGER NOT NULL) STRICT;
CREATE INDEX documents_by_state ON documents (is_read, tried_at);
CREATE TABLE leaves (place INTEGER PRIMARY KEY, is_named INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE figures (
    place INTEGER PRIMARY KEY, day INTEGER NOT NULL, kind INTEGER NOT NULL, product_line INTEGER NOT NULL,
    tcb BLOB NOT NULL, epoch INTEGER NOT NULL, signers INTEGER NOT NULL) STRICT;
CREATE INDEX figures_by_kind ON figures (kind, day, product_line, tcb, epoch, signers);
CREATE TABLE unchecked (place INTEGER PRIMARY KEY) STRICT;
"""
