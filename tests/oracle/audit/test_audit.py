"""Tests of `provenance audit` on a real chain, beside an oracle that holds the journal: differences and repairs."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.chain.batches import Batching
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.oracle.journal.journal import open_journal
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.registry import event_reader
from provenance_oracle.verifier.strict.tar import tar_of
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.postgres_server import PostgresServer
from tests.support.releases import make_release
from tests.support.world import World, fresh_record

pytestmark = pytest.mark.chain


class Audited(World):
    """A world whose rows have verdicts and records as a judgement writes them."""

    def connected(self, **changes: Any) -> Any:
        return super().connected(batching=Batching(128, 0, "https://oracle.example/"), **changes)

    def accepted(self, name: str, **changes: Any) -> tuple[int, Record]:
        statement = f"the verdict on {name}".encode()
        record = fresh_record(verdict_digest=hashlib.sha256(statement).digest(), **changes)
        row = self.journal.open(ReleaseKey("test", name, record.manifest_digest), "f", at=self.now)
        self.journal.accept(row.id, statement, to_json(record), record.snp_report_digest, at=self.now)
        return row.id, record

    def recorded(self, name: str) -> tuple[int, Record]:
        row_id, record = self.accepted(name)
        self.finish(row_id, record)
        return row_id, record

    def batched(self, *names: str) -> tuple[int, list[tuple[int, Record]]]:
        """Record releases in one batch, and return its id and the rows."""
        rows = [self.accepted(name) for name in names]
        publisher, entries = self.looking().batches, [self.looking().batch_entry(record) for _, record in rows]
        assert publisher is not None
        publication = publisher.open([(row, data) for (row, _), data in zip(rows, entries, strict=True)])  # type: ignore[misc]
        found = [(data, record.judged_at) for (_, record), data in zip(rows, entries, strict=True)]
        while publication.state is not PublicationState.FINAL:
            self.looking()
            publication = publisher.follow(publication, lambda: found)  # type: ignore[arg-type]
        return publication.id, rows

    def audit(self, *options: str, place: str = "") -> tuple[int, Any]:
        ledger = ["--rpc", self.registry.chain.rpc_url, "--registry", self.registry.address]
        journal = ["--journal", place or str(self.path)]
        oracle = [] if "--oracle" in options else ["--oracle", self.registry.oracle.address]
        result = CliRunner().invoke(main, ["audit", *journal, *ledger, *oracle, *options, "--json"])
        assert "Traceback" not in result.output, result.output
        return result.exit_code, json.loads(result.stdout)

    def retry(self, name: str) -> Result:
        ledger = ["--rpc", self.registry.chain.rpc_url, "--registry", self.registry.address]
        return CliRunner().invoke(main, ["retry", name, "--journal", str(self.path), *ledger])

    def kinds(self, *options: str) -> tuple[int, list[str]]:
        exit_code, document = self.audit(*options)
        return exit_code, [one["kind"] for one in document["differences"]]

    def edit(self, sql: str, *values: object) -> None:
        """Change the journal as another program can."""
        with sqlite3.connect(self.path) as connection:
            connection.execute(sql, values)
        connection.close()

    def verdict_file(self, record: Record) -> Path:
        name = record.verdict_digest.hex()
        return self.path.parent / "verdicts" / name[:2] / f"{name}.json"


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[Audited]:
    made = Audited(registry, tmp_path)
    yield made
    made.journal.close()


def test_a_journal_that_agrees_is_accepted_beside_a_running_oracle(world: Audited) -> None:
    world.recorded("single")
    world.batched("a", "b")
    exit_code, document = world.audit()
    assert (exit_code, document["accepted"], document["differences"]) == (0, True, [])


def test_a_node_with_too_many_events_is_asked_for_fewer_blocks(world: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        world.recorded(name)
    monkeypatch.setattr(event_reader, "LOGS_MAX", 1)
    exit_code, document = world.audit()
    assert (exit_code, document["compared"]["records"]) == (0, 2)
    monkeypatch.setattr(event_reader, "LOGS_MAX", 0)
    assert world.audit()[0] == 7


def test_a_vanished_record_is_found_and_sent_again_with_the_same_bytes(world: Audited) -> None:
    world.recorded("stays")
    snapshot = world.rpc("evm_snapshot")
    row_id, record = world.recorded("vanishes")
    (sent,) = world.journal.attempts(row_id)
    assert world.rpc("evm_revert", snapshot)
    assert world.kinds() == (6, ["vanished-record"])
    assert world.journal.row(row_id).state is State.FINAL, "an audit without --repair writes nothing"
    exit_code, document = world.audit("--repair")
    assert (exit_code, document["left"]) == (0, 0)
    assert "sends the same transaction again" in document["differences"][0]["repair"]
    assert world.journal.row(row_id).state is State.SENT
    world.finish(row_id, record)
    assert world.writers(record) == [sent.transaction.hash]
    assert world.kinds() == (0, [])


def test_retry_takes_a_final_release_only_if_its_record_vanished(world: Audited) -> None:
    snapshot = world.rpc("evm_snapshot")
    row_id, _ = world.recorded("a")
    result = world.retry("a")
    assert (result.exit_code, "its record is on chain" in result.stderr) == (2, True)
    assert world.rpc("evm_revert", snapshot)
    result = world.retry("a")
    assert (result.exit_code, world.journal.row(row_id).state) == (0, State.SENT), result.output


def test_a_vanished_record_that_is_too_old_is_judged_again(world: Audited) -> None:
    snapshot = world.rpc("evm_snapshot")
    row_id, record = world.recorded("old")
    assert world.rpc("evm_revert", snapshot)
    row = world.journal.row(row_id)
    world.edit("UPDATE releases SET record = ? WHERE id = ?", _aged(row.record), row_id)
    assert world.audit("--repair")[0] == 0
    assert world.journal.row(row_id).state is State.JUDGED
    world.now += timedelta(days=8)
    assert world.publish(row_id, record) is State.SEEN
    assert [attempt.state for attempt in world.journal.attempts(row_id)] == ["mined"], "nothing was sent again"


def test_a_vanished_batch_is_found_and_sent_again(world: Audited) -> None:
    snapshot = world.rpc("evm_snapshot")
    publication_id, rows = world.batched("a", "b")
    (sent,) = world.journal.attempts_of(publication_id)
    assert world.rpc("evm_revert", snapshot)
    assert world.kinds() == (6, ["vanished-batch"])
    assert world.retry("a").exit_code == 0, "one of its releases puts the whole batch back"
    assert [world.journal.row(row).state for row, _ in rows] == [State.SENT] * 2
    publisher, publication = world.looking().batches, world.journal.publication(publication_id)
    assert publisher is not None
    while publication.state is not PublicationState.FINAL:
        world.looking()
        publication = publisher.follow(publication, lambda: None)
    assert world.web3.eth.get_transaction(sent.transaction.hash)["blockNumber"]
    assert world.kinds() == (0, [])


def test_a_hidden_row_is_found(world: Audited) -> None:
    row_id, record = world.recorded("hidden")
    world.journal.close()
    for table in ("transactions", "publication_rows", "publications"):
        world.edit(f"DELETE FROM {table}")
    world.edit("DELETE FROM releases WHERE id = ?", row_id)
    assert world.kinds() == (6, ["missing-row"]), "the bytes of the verdict are kept"
    world.edit("DELETE FROM verdicts")
    world.verdict_file(record).unlink()
    assert world.kinds() == (4, ["unknown-record"])


def test_a_record_and_a_batch_that_the_journal_never_knew_were_signed_by_somebody_else_with_our_key(
    world: Audited,
) -> None:
    world.registry.publish(fresh_record())
    world.batched("a", "b")
    world.journal.close()
    world.edit("UPDATE publications SET root = ?", bytes(32))
    exit_code, kinds = world.kinds()
    assert (exit_code, sorted(kinds)) == (4, ["unknown-batch", "unknown-record", "vanished-batch"])


def test_a_row_with_other_facts_than_its_record_is_found(world: Audited) -> None:
    row_id, _ = world.recorded("altered")
    record = json.loads(world.journal.row(row_id).record or b"")
    world.edit("UPDATE releases SET record = ?", json.dumps(record | {"grade": 0}).encode())
    exit_code, document = world.audit()
    assert (exit_code, document["differences"][0]["kind"]) == (4, "other-record")
    assert "grade 1 on chain" in document["differences"][0]["got"]
    world.edit("UPDATE releases SET record = ?", b"{}")
    assert world.kinds() == (3, ["malformed-row"])


def test_a_batch_that_cannot_be_rebuilt_is_found(world: Audited) -> None:
    world.batched("a", "b")
    world.edit("UPDATE publication_rows SET record = NULL WHERE position = 1")
    assert world.kinds() == (4, ["altered-batch"])


def test_a_tampered_or_lost_verdict_is_restored_from_the_other_copy(world: Audited) -> None:
    _, record = world.recorded("a")
    file = world.verdict_file(record)
    whole = file.read_bytes()
    file.write_bytes(whole + b" ")
    assert world.kinds() == (4, ["altered-verdict"])
    assert world.kinds("--repair") == (0, ["altered-verdict"])
    assert file.read_bytes() == whole
    file.unlink()
    assert world.kinds() == (6, ["missing-file"])
    assert world.kinds("--repair") == (0, ["missing-file"])
    world.edit("UPDATE verdicts SET statement = ?", b"forged")
    assert world.kinds("--repair") == (0, ["altered-verdict"])
    assert world.journal.verdict(record.verdict_digest) == whole
    file.write_bytes(b"forged")
    world.edit("UPDATE verdicts SET statement = ?", b"forged")
    exit_code, kinds = world.kinds("--repair")
    assert (exit_code, sorted(set(kinds))) == (4, ["altered-verdict", "missing-verdict"]), "no copy is left"


def test_a_file_of_an_earlier_journal_and_evidence_of_another_release_are_compared(world: Audited) -> None:
    _, record = world.recorded("a")
    strange = world.path.parent / "verdicts" / "ab" / f"{'ab' * 32}.json"
    strange.parent.mkdir(exist_ok=True)
    strange.write_bytes(b"not what its name says")
    assert world.kinds("--repair") == (4, ["altered-verdict"])
    strange.unlink()
    world.verdict_file(record).with_suffix(".evidence.tar").write_bytes(tar_of({"provenance/cvm-key.pem": b"key"}))
    assert world.kinds() == (4, ["altered-evidence"])


def test_a_journal_in_postgresql_is_compared_and_repaired(world: Audited, postgres: PostgresServer) -> None:
    world.journal.close()
    place = postgres.new_place()
    world.journal = open_journal(place)
    world.writer = world.connected()
    snapshot = world.rpc("evm_snapshot")
    row_id, _ = world.recorded("vanishes")
    assert world.audit(place=place)[0] == 0
    assert world.rpc("evm_revert", snapshot)
    exit_code, document = world.audit("--repair", place=place)
    assert (exit_code, [one["kind"] for one in document["differences"]]) == (0, ["vanished-record"])
    assert world.journal.row(row_id).state is State.SENT


def test_another_key_or_none_is_a_usage_error(world: Audited) -> None:
    exit_code, document = world.audit("--oracle", world.registry.stranger.address)
    assert (exit_code, "was not an oracle of this registry" in document["error"]["message"]) == (2, True)
    ledger = ["--rpc", world.registry.chain.rpc_url, "--registry", world.registry.address]
    result = CliRunner().invoke(main, ["audit", "--journal", str(world.path), *ledger])
    assert (result.exit_code, "--oracle" in result.stderr) == (2, True)


def test_a_verdict_that_was_lost_twice_is_made_again_from_its_evidence(world: Audited, tmp_path: Path) -> None:
    make_release(tmp_path / "release", at=JUDGED_AT)
    release, policy = read_release(tmp_path / "release"), load_policy("demo")
    judgement = judge(release, policy, at=JUDGED_AT)
    record, statement = judgement.record, judgement.verdict.statement
    row = world.journal.open(ReleaseKey("test", "a", record.manifest_digest), "f", at=world.now)
    report = record.snp_report_digest
    world.journal.accept(row.id, statement, to_json(record), report, evidence=archive(release, policy), at=world.now)
    world.registry.policy_id(policy.digest)
    world.finish(row.id, record)
    world.journal.close()
    world.edit("DELETE FROM verdicts")
    world.verdict_file(record).unlink()
    place = f"rpc_urls: [{world.registry.chain.rpc_url}]\nregistry: '{world.registry.address}'\n"
    settings = tmp_path / "oracle.yaml"
    settings.write_text(f"sources: [{tmp_path}]\njournal: {world.path}\npolicy: demo\nkey_variable: KEY\n{place}")
    command = ["audit", "--settings", str(settings), "--repair", "--json"]
    result = CliRunner().invoke(main, command, env={"KEY": world.registry.oracle.key.hex()})
    (difference,) = json.loads(result.stdout)["differences"]
    assert (result.exit_code, difference["kind"]) == (0, "missing-verdict")
    assert "the same bytes" in difference["repair"]
    assert world.verdict_file(record).read_bytes() == statement


def test_people_see_the_next_step(world: Audited) -> None:
    world.registry.publish(fresh_record())
    ledger = ["--rpc", world.registry.chain.rpc_url, "--registry", world.registry.address]
    oracle = ["--oracle", world.registry.oracle.address]
    result = CliRunner().invoke(main, ["audit", "--journal", str(world.path), *ledger, *oracle])
    assert result.exit_code == 4
    assert "1 records, 0 batches, 0 rows, 0 verdicts compared" in result.stdout
    assert "next: look who used the key" in result.stdout


def _aged(record: bytes | None) -> bytes:
    fields = json.loads(record or b"")
    return json.dumps(fields | {"judged_at": (JUDGED_AT - timedelta(days=8)).isoformat()}).encode()
