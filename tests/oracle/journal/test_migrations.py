"""Tests of a journal that a program with version 3 wrote: it is carried over whole, and its releases become final.

`data/journal-v3.sqlite.gz` was made by that program on anvil: one registry with one oracle, a release in every state
(two transactions for the sent one, a live one without a record, a dropped one), a policy, and verdicts.
"""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.journal.stored_record import from_json
from provenance_oracle.verifier.errors import UsageError
from tests.support.chain_fixtures import deploy_registry
from tests.support.world import World

MADE_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
SAMPLE = Path(__file__).parent / "data" / "journal-v3.sqlite.gz"
COLUMNS = "source, release, content, fingerprint, state, seen_at, changed_at, retry_at, vain_attempts, internal_errors"
COLUMNS += (
    ", exit_code, check_id, problem, verdict_digest, report_digest, record, policy_digest, model_digest, publisher"
)
SIGNED = "transactions.id, sender, nonce, hash, raw, max_fee_wei, priority_fee_wei, call_to, call_data"
SIGNED += ", transactions.state, signed_at"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.db"
    path.touch(0o600)
    path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    yield path


def query(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def test_a_journal_of_version_3_is_carried_over_with_every_value(old: Path) -> None:
    tables = ("pins", "verdicts")
    releases = f"SELECT id, {COLUMNS} FROM releases ORDER BY id"
    before = [query(old, f"SELECT * FROM {table} ORDER BY 1") for table in tables] + [query(old, releases)]
    sent = query(old, f"SELECT release_id, {SIGNED} FROM transactions ORDER BY id")
    states = set(State) - {State.SUPERSEDED}  # which version 3 did not have
    assert {row[5] for row in before[-1]} == states, "the sample has a row in every state"
    assert len(sent) > 6
    Journal(old).close()
    assert [query(old, f"SELECT * FROM {table} ORDER BY 1") for table in tables] + [query(old, releases)] == before
    joined = "transactions JOIN publication_rows ON transactions.publication_id = publication_rows.publication_id"
    assert query(old, f"SELECT release_id, {SIGNED} FROM {joined} ORDER BY transactions.id") == sent
    assert query(old, "PRAGMA foreign_key_check") == []


def test_its_transactions_belong_to_publications(old: Path) -> None:
    with Journal(old) as journal:
        names = {row.key.release.rpartition("/")[2]: row for row in journal.rows() if row.record or row.state == "seen"}
        open_ones = {name: journal.publication_of(row.id) for name, row in names.items()}
        assert {name: one.state for name, one in open_ones.items() if one} == {
            "mined": "mined",
            "sent": "sent",
            "signed": "signed",
            "dropped": "open",
        }
        assert [len(journal.attempts(names[name].id)) for name in ("sent", "orphan", "dropped", "judged")] == [
            2,
            1,
            1,
            0,
        ]
        (orphan,) = journal.orphans(journal.attempts(names["orphan"].id)[0].transaction.sender)
        assert journal.publication(orphan.publication_id).state == "dropped"
        policy = next(row for row in journal.rows() if row.key.source == "registry")
        (attempt,) = journal.attempts(policy.id)
        assert (journal.publication(attempt.publication_id).kind, attempt.state) == ("policy", "mined")


@pytest.mark.chain
@pytest.mark.usefixtures("anvil_program")
def test_its_releases_become_final(old: Path, tmp_path: Path) -> None:
    options = ("--hardfork", "prague", "--accounts", "40", "--timestamp", str(int(MADE_AT.timestamp())))
    with run_anvil(options=options) as chain:
        # The chain is a new one with the same addresses, and the contract is that of today.
        foreign = "DELETE FROM pins WHERE name IN ('genesis block', 'registry code')"
        with closing(sqlite3.connect(old)) as db, db:
            db.execute(foreign)
        world = World(deploy_registry(chain), tmp_path)
        try:
            _finish_all(world)
        finally:
            world.journal.close()


def _finish_all(world: World) -> None:
    signed_before = [row[0] for row in query(world.path, "SELECT hash FROM transactions")]
    (gone,) = (row for row in world.journal.rows() if row.key.release == "example/final")
    (policy,) = (row for row in world.journal.rows() if row.key.source == "registry")
    for row in (policy, gone):  # the new chain gets what the old one had
        (attempt,) = world.journal.attempts(row.id)
        world.rpc("eth_sendRawTransaction", f"0x{attempt.transaction.raw.hex()}")
    world.now = MADE_AT + timedelta(seconds=110)  # too early to raise a fee
    waiting = [row for row in world.journal.unpublished() if row.record is not None]
    assert [row.state for row in waiting] == ["judged", "mined", "sent", "signed", "judged", "judged"]
    deadline = time.monotonic() + 20
    while world.journal.unpublished() and time.monotonic() < deadline:
        world.looking().push_orphans()
        for row in world.journal.unpublished():
            world.publish(row.id, from_json(row.record or b""))
        time.sleep(0.01)
    assert {row.state for row in map(world.journal.row, [row.id for row in waiting])} == {State.FINAL}
    for row in waiting:
        (writer,) = world.writers(from_json(row.record or b""))
        was_signed = row.state in (State.MINED, State.SENT, State.SIGNED)
        assert (writer in signed_before) == was_signed, "transactions that were signed before are sent, not new ones"


def test_a_journal_of_a_later_version_is_refused_with_a_way_on(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 9")
    before = old.read_bytes()
    with pytest.raises(UsageError, match=r"got 9, wanted 5.*") as caught:
        Journal(old)
    assert "newer provenance-oracle" in str(caught.value)
    assert "provenance restore" in str(caught.value)
    assert old.read_bytes() == before


def test_a_journal_of_the_first_version_is_refused_with_a_way_on(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 1")
    with pytest.raises(UsageError, match=r"older than this program can carry over.*got 1, wanted 2 to 5"):
        Journal(old)
