"""Tests of rows that another program wrote or altered in the journal: the oracle signs none of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.journal.agreement import match_row
from provenance_oracle.oracle.journal.rows import ReleaseKey, Row, State
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Record, workload_identity
from tests.oracle.test_pipeline import Room
from tests.support.chain_fixtures import JUDGED_AT
from tests.support.drops import drop
from tests.support.live_releases import lay_out
from tests.support.signed_releases import BY_KEY, lay_out_signed
from tests.support.whole_releases import AT

JSON_NAMES = {"snp_report_digest": "report_digest", "named_parents": "parent_models"}
ALTERED = {
    "manifest_digest": "11" * 32,
    "model_digest": "11" * 32,
    "verdict_digest": "11" * 32,
    "report_digest": "11" * 32,
    "policy_digest": "11" * 32,
    "publisher_identity": "11" * 32,
    "judged_at": "2026-01-02T00:00:00+00:00",
    "reported_tcb": "11" * 8,
    "checks": 2**27 - 1,
    "grade": 2,
    "product_line": 2,
    "passed": False,
    "revision": 1,
    "name": "acme/other",
    "version": "2.0",
    "parent_models": ["11" * 32],
}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Return a room whose only release is judged and not published yet."""
    made = Room(tmp_path)
    drop(made.drop / "a", {"parents": ["22" * 32]})
    made.writer.answers = [TemporaryError("node down")]
    assert made.one().state is State.JUDGED
    made.clock.advance(3600)
    made.writer.published.clear()
    yield made
    made.journal.close()


def execute(room: Room, sql: str, *values: object) -> None:
    """Write into the journal's file as another program can."""
    room.journal.close()
    with sqlite3.connect(room.drop.parent / "journal.db") as db:
        db.execute(sql, values)
    db.close()
    room.journal = type(room.journal)(room.drop.parent / "journal.db")
    room.pipeline, room.recording = room.make()


def alter_record(room: Room, change: Callable[[Any], object]) -> None:
    record = json.loads(room.journal.rows()[0].record or b"")
    execute(room, "UPDATE releases SET record = ?", json.dumps(change(record)).encode())


def settled(room: Room) -> Row:
    room.recording.settle()
    return room.journal.rows()[0]


def assert_refused(room: Room, *words: str) -> None:
    row = settled(room)
    assert room.writer.published == []
    assert (row.state, row.record, row.report_digest) == (State.SEEN, None, None)
    assert [word for word in words if word not in row.problem] == []
    assert row.waits(room.clock())
    room.clock.advance(3600)
    assert room.one().state is State.FINAL, "its release is judged again"
    assert len(room.judged) == 2


def test_a_row_that_nobody_altered_is_published(room: Room) -> None:
    assert settled(room).state is State.FINAL
    assert len(room.writer.published) == 1


def test_every_field_of_a_record_has_an_alteration_here() -> None:
    assert {JSON_NAMES.get(one.name, one.name) for one in fields(Record)} == set(ALTERED)


@pytest.mark.parametrize("field", ALTERED)
def test_a_record_with_one_altered_field_is_not_signed(room: Room, field: str) -> None:
    alter_record(room, lambda record: record | {field: ALTERED[field]})
    (name,) = [name for name, json_name in JSON_NAMES.items() if json_name == field] or [field]
    assert_refused(room, f"({name} differs)", "nothing is signed", "journal row 1")


def test_parents_that_were_taken_out_are_missed(room: Room) -> None:
    alter_record(room, lambda record: record | {"parent_models": []})
    assert_refused(room, "(named_parents differs)", "got none, wanted 2222")


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b"null", b"\xff", b'{"report_digest": 3}'])
def test_a_record_of_another_form_is_not_signed(room: Room, record: bytes) -> None:
    execute(room, "UPDATE releases SET record = ?", record)
    assert_refused(room, "not one that the oracle writes")


@pytest.mark.parametrize(
    ("column", "words"), [("content", "manifest digest of the row"), ("report_digest", "report digest of the row")]
)
def test_a_row_with_one_altered_column_is_not_signed(room: Room, column: str, words: str) -> None:
    execute(room, f"UPDATE releases SET {column} = ?", bytes(32))
    row = settled(room)
    assert room.writer.published == []
    assert (row.state, words in row.problem) == (State.SEEN, True)


def test_a_row_with_no_verdict_is_not_signed(room: Room) -> None:
    execute(room, "UPDATE releases SET verdict_digest = NULL")
    assert_refused(room, "(verdict differs)")


@pytest.mark.parametrize(
    "change",
    [
        lambda verdict: verdict["predicate"].update(verificationResult="FAILED"),
        lambda verdict: verdict["predicate"]["tag:provenance-oracle,2026:verdict/v1"].update(grade=2),
        lambda verdict: verdict["predicate"]["policy"]["digest"].update(sha256="11" * 32),
        lambda verdict: verdict.clear(),
    ],
)
def test_an_altered_verdict_is_not_signed(room: Room, change: Callable[[Any], object]) -> None:
    digest = room.journal.rows()[0].verdict_digest or b""
    verdict = json.loads(room.journal.verdict(digest) or b"")
    change(verdict)
    execute(room, "UPDATE verdicts SET statement = ?", json.dumps(verdict).encode())
    assert_refused(room, "(verdict differs)")


def test_a_row_that_is_altered_again_and_again_is_left_to_a_person(room: Room) -> None:
    states = []
    for _ in range(3):
        alter_record(room, lambda record: record | {"grade": 2})
        states.append(settled(room).state)
        room.clock.advance(3600)
        room.writer.answers = [Publishing(State.JUDGED)]
        room.one()
    assert states == [State.SEEN, State.SEEN, State.STUCK]
    assert {record.grade for record in room.writer.published} == {1}


def test_a_release_that_was_judged_by_another_policy_is_judged_again(room: Room) -> None:
    room.policy = load_policy("strict")
    room.pipeline, room.recording = room.make()
    assert_refused(room, "judged by another policy", room.policy.digest.hex())
    assert room.writer.published[0].policy_digest == room.policy.digest


def test_no_grade_is_signed_that_the_policy_cannot_give(room: Room) -> None:
    policy = load_policy("unsafe-any")
    row = room.journal.rows()[0]
    record = json.loads(row.record or b"") | {"policy_digest": policy.digest.hex()}
    verdict = json.loads(room.journal.verdict(row.verdict_digest or b"") or b"")
    verdict["predicate"]["policy"]["digest"]["sha256"] = policy.digest.hex()
    statement = json.dumps(verdict).encode()
    digest = hashlib.sha256(statement).digest()
    execute(room, "UPDATE verdicts SET statement = ?, digest = ?", statement, digest)
    record["verdict_digest"] = digest.hex()
    execute(room, "UPDATE releases SET verdict_digest = ?, record = ?", digest, json.dumps(record).encode())
    room.policy = policy
    room.pipeline, room.recording = room.make()
    assert "(grade differs)" in settled(room).problem
    assert room.writer.published == []


def test_no_number_is_asked_for_a_policy_that_somebody_put_in(room: Room) -> None:
    row = room.journal.open_policy(bytes(32), at=room.clock())
    room.recording.settle()
    assert room.writer.numbered == []
    assert "another policy than the oracle's" in room.journal.row(row.id).problem


def row_of(judgement: Judgement, record: Record) -> Row:
    nothing: Any = None
    return Row(
        **dict.fromkeys(Row.__dataclass_fields__, nothing)
        | {
            "key": ReleaseKey("folder", "a", record.manifest_digest),
            "verdict_digest": judgement.verdict.digest,
            "report_digest": record.snp_report_digest,
            "record": to_json(record),
        }
    )


def test_the_real_judgement_writes_rows_that_agree(tmp_path: Path) -> None:
    folder, policy = tmp_path / "release", load_policy("demo")
    folder.mkdir()
    lay_out(folder, {"config.json": b"{}\n"}, table=False, at=JUDGED_AT)
    judgement = judge(read_release(folder), policy, at=JUDGED_AT)
    row = row_of(judgement, judgement.record)
    assert match_row(row, judgement.verdict.statement, policy) == judgement.record


@pytest.mark.parametrize("named", [True, False])
def test_a_signed_release_has_the_named_publisher_and_no_other(tmp_path: Path, named: bool) -> None:
    policy = load_policy("demo")
    judgement = judge(read_release(lay_out_signed(tmp_path, named=named)), policy, at=AT)
    statement, record = judgement.verdict.statement, judgement.record
    assert (record.publisher_identity == BY_KEY.identity.digest) is named
    assert match_row(row_of(judgement, record), statement, policy) == record
    other = workload_identity(bytes(48)) if named else BY_KEY.identity.digest
    with pytest.raises(VerificationError, match="publisher_identity differs"):
        match_row(row_of(judgement, replace(record, publisher_identity=other)), statement, policy)
