"""Tests of pipeline and recording: verdicts are kept, failures tried again, and refused releases kept off the chain."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Stopped
from provenance_oracle.oracle.chain.batches import BatchPublisher
from provenance_oracle.oracle.chain.proving import Prove
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.conditions import Conditions, Trouble, TroubleError
from provenance_oracle.oracle.deadline import BASE_SECONDS, BYTES_PER_SECOND, Deadline
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import (
    Member,
    PublicationKind,
    PublicationState,
    StoredPublication,
)
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.judging.judges import ThreadJudge
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Pipeline
from provenance_oracle.oracle.recording import Recording
from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.look import start_of
from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.errors import (
    AppraisalError,
    ChangedError,
    FormatError,
    ProvenanceError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import NO_REPORT, NO_TCB, Record
from provenance_oracle.verifier.record.standing import SIGNED_CODE
from provenance_oracle.verifier.snp.current_crl import FETCHED_CRL
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_files import FolderFiles, ReleaseFiles
from provenance_oracle.verifier.strict.tar import files_of_tar
from tests.support.drops import FINDINGS, believe, drop, manifest_payload, write_manifest
from tests.support.fakes import START, Clock


@dataclass
class FakeWriter:
    """A writer that returns or raises the next of `answers` at each call, and FINAL when none is left."""

    answers: list[Publishing | Exception] = field(default_factory=list)
    published: list[Record] = field(default_factory=list)
    reports: dict[bytes, bytes] = field(default_factory=dict)
    orphans: int = 0
    down: TemporaryError | None = None
    found: dict[Trouble, str] = field(default_factory=dict)
    numbered: list[bytes] = field(default_factory=list)
    on_publish: Callable[[int], object] = lambda count: None
    batches: BatchPublisher | None = None
    proofs: Any = None
    ahead: list[int] = field(default_factory=list)
    has_peers: bool = False

    def read_ahead(self, begun: Sequence[tuple[bytes, bytes]], fresh: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.ahead.append(len(begun) + len(fresh))

    def batch_entry(self, record: Record) -> None:
        return None

    def has_slot(self) -> bool:
        return True

    def publish(self, row_id: int, record: Record) -> Publishing:
        self.published.append(record)
        self.on_publish(len(self.published))
        answer = self.answers.pop(0) if self.answers else Publishing(State.FINAL)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def number_policy(self, row_id: int, policy_digest: bytes) -> Publishing:
        self.numbered.append(policy_digest)
        answer = self.answers.pop(0) if self.answers else Publishing(State.FINAL)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def push_orphans(self) -> None:
        self.orphans += 1

    def check_chain(self) -> None:
        if self.down is not None:
            raise self.down

    def troubles(self) -> Mapping[Trouble, str]:
        return self.found

    def manifest_of_report(self, report_digest: bytes, *, expected: bytes) -> bytes | None:
        return self.reports.get(report_digest)


@dataclass
class FakeProving:
    """Notes at each call whether a proof may begin, and how many records were published before."""

    writer: FakeWriter
    calls: list[tuple[bool, int]] = field(default_factory=list)

    def settle(self, proofs: object, *, begins: bool) -> None:
        assert proofs is self.writer.proofs
        self.calls.append((begins, len(self.writer.published)))


class Room:
    def __init__(self, folder: Path) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.source = FolderSource(self.drop, releases_max=100)
        self.journal = Journal(folder / "journal.db")
        self.writer = FakeWriter()
        self.clock = Clock()
        self.conditions = Conditions(self.clock)
        self.judged: list[Path] = []
        self.verdicts: list[Exception] = []
        self.policy = load_policy("baseline")
        self.on_judge: Callable[[Release, OnBytes], object] = lambda release, progress: None
        self.on_step: Callable[[], object] = lambda: None
        backoff = Backoff(10, 100, lambda: 0.0)
        self.patience = Patience(backoff, internal_errors_max=3, recordings_per_day_max=3)
        self.facts: dict[str, Any] = {}
        self.deadline_seconds: float | None = None
        self.elapsed_seconds = 0.0
        self.judges = ThreadJudge(self.judge, self.policy)
        self.sign_verdicts: Callable[[], Mapping[Trouble, str]] = dict
        self.prove, self.proving = Prove.NEVER, FakeProving(self.writer)
        self.pipeline, self.recording = self.make()

    def make(self) -> tuple[Pipeline, Recording]:
        outcomes = Outcomes(self.journal, self.policy, self.patience, self.clock)
        pipeline = Pipeline(
            self.source,
            self.journal,
            self.policy,
            outcomes,
            patience=self.patience,
            clock=self.clock,
            deadline=lambda: Deadline(self.deadline_seconds, lambda: self.on_step(), lambda: self.elapsed_seconds),
            proves=lambda record: self.prove.wants(record),
        )
        recording = Recording(
            {self.source.name: self.source},
            self.journal,
            self.writer,
            self.policy,
            outcomes,
            clock=self.clock,
            on_step=lambda: self.on_step(),
            conditions=self.conditions,
            sign_verdicts=self.sign_verdicts,
            proving=self.proving,  # type: ignore[arg-type]
        )
        return pipeline, recording

    def judge(self, release: Release, policy: object, *, at: Any, now: Any, progress: OnBytes) -> Judgement:
        self.judged.append(release.path)
        self.on_judge(release, progress)
        if self.verdicts:
            raise self.verdicts.pop(0)
        return believe(release, self.policy, at=at, **self.facts)

    def scan(self) -> list[Row | None]:
        """Judge what is due, and take a step for each record that is new or on its way."""
        rows = [self.process(handle) for handle in self.source.releases()]
        self.recording.settle()
        return [row and self.journal.row(row.id) for row in rows]

    def process(self, handle: Handle) -> Row | None:
        return self.pipeline.process(handle, self.judges)

    def one(self) -> Row:
        (row,) = self.scan()
        assert row is not None
        return row


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.journal.close()


FORGED = VerificationError("forged", check=Check.REPORT_SIGNATURE, where="report.bin", findings=FINDINGS)


def test_an_accepted_release_is_recorded(room: Room) -> None:
    drop(room.drop / "a", {"n": 1})
    row = room.one()
    assert row.state is State.FINAL
    (record,) = room.writer.published
    assert row.key.content == record.manifest_digest == hashlib.sha256(manifest_payload({"n": 1})).digest()
    assert row.verdict_digest == record.verdict_digest
    verdict = json.loads(room.journal.verdict(record.verdict_digest) or b"")
    assert verdict["predicate"]["verificationResult"] == "PASSED"


@pytest.mark.parametrize(("grade", "wanted"), [(0, (False, False, True)), (1, (False, True, True))])
def test_a_release_is_to_be_proven_by_its_grade(room: Room, grade: int, wanted: tuple[bool, ...]) -> None:
    room.facts = {"grade": grade}
    for prove, is_wanted in zip(Prove, wanted, strict=True):
        room.prove = prove
        drop(room.drop / prove, {"prove": prove}, report=prove.encode())
        room.scan()
        found = [one.row.key.release for one in room.journal.open_proofs(most=9)]
        assert (prove in found) is is_wanted


def test_proofs_come_after_records_and_begin_only_while_no_record_waits(room: Room) -> None:
    drop(room.drop / "a", {"n": 1})
    room.scan()
    assert room.proving.calls == [], "nothing proves without the contracts"
    room.writer.proofs = object()
    drop(room.drop / "b", {"n": 2}, report=b"another")
    room.writer.answers = [Publishing(State.JUDGED, "waits because 16 transactions are on their way")]
    room.scan()
    room.writer.answers = [Publishing(State.JUDGED, "waits for its parents", is_alone=True)]
    room.scan()
    room.scan()
    assert room.proving.calls == [(False, 2), (True, 3), (True, 4)]


def test_the_evidence_kept_is_that_of_the_release_as_judged(room: Room) -> None:
    """The judge may have fetched a revocation list, without which the verdict could not be made again."""
    drop(room.drop / "a", {})

    def judge(release: Release, *_: object, **options: Any) -> Judgement:
        completed = replace(release, evidence=replace(release.evidence, crl=b"list", crl_name=FETCHED_CRL))
        return believe(completed, room.policy, at=options["at"])

    (handle,) = room.source.releases()
    row = room.pipeline.process(handle, ThreadJudge(judge, room.policy))
    assert row is not None and row.verdict_digest is not None
    kept = files_of_tar(room.journal.evidence(row.verdict_digest) or b"")
    assert kept[FETCHED_CRL] == b"list"


def test_one_commit_serves_several_new_releases(room: Room) -> None:
    for name in "ab":
        drop(room.drop / name, {"n": name}, report=name.encode())
    before = room.journal._database.commits  # type: ignore[attr-defined]
    first, second = room.source.releases()
    room.pipeline.process(first, room.judges, more_follow=True)
    assert room.journal.rows() == ()
    room.pipeline.process(second, room.judges)
    assert [row.state for row in room.journal.rows()] == [State.JUDGED, State.JUDGED]
    assert room.journal._database.commits == before + 1  # type: ignore[attr-defined]


def test_a_report_is_refused_twice_though_its_first_use_is_not_committed(room: Room) -> None:
    for name in "ab":
        drop(room.drop / name, {"n": name})
    first, second = room.source.releases()
    room.pipeline.process(first, room.judges, more_follow=True)
    room.pipeline.process(second, room.judges)
    assert [row.state for row in room.journal.rows()] == [State.JUDGED, State.REJECTED]


def test_a_release_that_did_not_change_is_read_and_judged_once(room: Room) -> None:
    drop(room.drop / "a", {})
    for _ in range(3):
        room.one()
    assert len(room.judged) == len(room.writer.published) == 1


def test_an_incomplete_release_leaves_no_trace(room: Room) -> None:
    release = drop(room.drop / "a", {})
    (release / "provenance" / "manifest.dsse.json").unlink()
    assert room.scan() == []
    assert room.journal.rows() == ()


@pytest.mark.parametrize(
    "error",
    [
        FORGED,
        FormatError("malformed", check=Check.REPORT_FORMAT),
        AppraisalError("refused", check=Check.TCB_FLOOR, findings=FINDINGS),
    ],
)
def test_a_refused_release_is_rejected_with_its_verdict_and_never_published(room: Room, error: ProvenanceError) -> None:
    drop(room.drop / "a", {})
    room.verdicts = [error]
    row = room.one()
    assert (row.state, row.exit_code, row.check) == (State.REJECTED, error.exit_code, error.check)
    assert row.problem == str(error)
    statement = json.loads(room.journal.verdict(row.verdict_digest or b"") or b"")
    assert statement["predicate"]["verificationResult"] == "FAILED"
    assert room.writer.published == []
    assert room.one() == row
    assert len(room.judged) == 1


def test_the_next_release_is_not_held_up(room: Room) -> None:
    for name in "abc":
        drop(room.drop / name, {"name": name}, report=name.encode())
    room.verdicts = [FORGED, RuntimeError("a bug of ours")]
    states = [row.state for row in room.scan() if row]
    assert states == [State.REJECTED, State.SEEN, State.FINAL]


def test_a_malformed_release_is_rejected_before_it_is_judged(room: Room) -> None:
    release = drop(room.drop / "a", {})
    (release / "provenance" / "snp" / "report.bin").unlink()
    row = room.one()
    assert (row.state, row.exit_code, row.check) == (State.REJECTED, 3, "report-format")
    assert b'"verificationResult":"FAILED"' in (room.journal.verdict(row.verdict_digest or b"") or b"")
    assert room.judged == []


@pytest.mark.parametrize("envelope", [b"", b"not json", b"{}", b'{"payload": 3}'])
def test_a_malformed_envelope_is_known_by_its_bytes(room: Room, envelope: bytes) -> None:
    release = drop(room.drop / "a", {})
    (release / "provenance" / "manifest.dsse.json").write_bytes(envelope)
    room.verdicts = [FormatError("malformed", check=Check.MANIFEST_FORMAT)]
    row = room.one()
    assert row.state is State.REJECTED
    assert row.key.content == hashlib.sha256(envelope).digest()


def test_an_envelope_that_is_no_file_is_rejected(room: Room) -> None:
    for name, make in (("a", lambda path: path.symlink_to("/etc/passwd")), ("b", lambda path: path.mkdir())):
        manifest = drop(room.drop / name, {}) / "provenance" / "manifest.dsse.json"
        manifest.unlink()
        make(manifest)  # type: ignore[no-untyped-call]
    rows = [row for row in room.scan() if row]
    assert [row.state for row in rows] == [State.REJECTED] * 2
    assert {row.exit_code for row in rows} == {3}


def test_a_repaired_release_is_judged_again_after_a_wait(room: Room) -> None:
    release = drop(room.drop / "a", {})
    room.verdicts = [FORGED]
    rejected = room.one()
    (release / "model.bin").write_bytes(b"the right weights")
    assert room.one().state is State.REJECTED, "a release that keeps changing must not cause endless work"
    room.clock.advance(10)
    accepted = room.one()
    assert (accepted.id, accepted.state) == (rejected.id, State.FINAL)
    assert room.journal.verdict(rejected.verdict_digest or b""), "the FAILED verdict stays"


def test_a_new_manifest_in_the_same_folder_is_another_row(room: Room) -> None:
    release = drop(room.drop / "a", {"n": 1})
    first = room.one()
    write_manifest(release, {"n": 2})
    (release / "provenance" / "snp" / "report.bin").write_bytes(b"another report")
    second = room.one()
    assert second.id != first.id
    assert [row.state for row in room.journal.rows()] == [State.FINAL, State.FINAL]


@pytest.mark.parametrize("error", [TemporaryError("no CRL at hand"), ChangedError("changed"), UsageError("no folder")])
def test_a_temporary_failure_waits_longer_and_longer(room: Room, error: ProvenanceError) -> None:
    drop(room.drop / "a", {})
    room.verdicts = [error, error]
    waits = []
    for _ in range(2):
        row = room.one()
        assert row.parked
        assert row.retry_at is not None
        waits.append(row.retry_at - room.clock.now)
        assert room.one() == row, "the row was processed before its time"
        room.clock.now = row.retry_at
    assert waits == [timedelta(seconds=10), timedelta(seconds=20)]
    assert room.one().state is State.FINAL
    assert len(room.judged) == 3


def hash_slowly(room: Room, name: str, total_bytes: int) -> Callable[[Release, OnBytes], None]:
    """Return a judgement step that takes one second for each of `total_bytes` bytes of the release called `name`."""

    def step(release: Release, progress: OnBytes) -> None:
        for done in range(total_bytes if release.path.name == name else 0):
            room.elapsed_seconds += 1
            progress(done, total_bytes)

    return step


def test_a_release_that_is_too_slow_waits_with_the_reason_and_the_next_one_goes_on(room: Room) -> None:
    drop(room.drop / "a-slow", {"n": 1}, report=b"1")
    drop(room.drop / "b", {"n": 2}, report=b"2")
    room.deadline_seconds = 100
    room.on_judge = hash_slowly(room, "a-slow", 10**6)
    slow, honest = room.scan()
    assert slow is not None
    assert honest is not None
    assert (slow.state, slow.parked, slow.exit_code, honest.state) == (State.SEEN, True, 7, State.FINAL)
    assert "release_deadline_seconds: the judgement of this release takes too long" in slow.problem
    assert "at most 100 s" in slow.problem
    assert room.elapsed_seconds == 101
    assert slow.retry_at is not None
    assert slow.retry_at - room.clock() >= timedelta(seconds=1000), "a slow release costs too large a part of the time"


def test_retry_takes_up_a_release_that_was_too_slow(room: Room) -> None:
    drop(room.drop / "a", {})
    room.deadline_seconds = 100
    room.on_judge = hash_slowly(room, "a", 200)
    row = room.one()
    assert room.one() == row
    room.journal.reopen(row.id, at=room.clock())
    room.deadline_seconds = 300
    assert room.one().state is State.FINAL


def test_the_deadline_grows_with_the_size_unless_it_is_set() -> None:
    now = [0.0]
    deadline = Deadline(None, clock=lambda: now[0])
    now[0] = BASE_SECONDS + 10
    deadline.check(0, 10 * BYTES_PER_SECOND)
    deadline.check()  # the size stays known
    now[0] += 1
    with pytest.raises(TemporaryError, match="at most 610 s"):
        deadline.check()


class Ending:
    """A publisher of batches whose next look at each finds it final."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.journal, self.clock = journal, clock

    def follow(self, publication: StoredPublication, _records: object) -> StoredPublication:
        return self.journal.advance_publication(publication.id, PublicationState.FINAL, at=self.clock())


def test_batches_that_are_open_are_followed_although_batching_was_switched_off(room: Room) -> None:
    for name in "abc":
        drop(room.drop / name, {"name": name}, report=name.encode())
    rows = [room.process(handle) for handle in room.source.releases()]
    members = [Member(row.id, b"record") for row in rows[:2] if row]
    room.journal.open_publication(PublicationKind.BATCH, members, at=room.clock())
    room.writer.batches = Ending(room.journal, room.clock)  # type: ignore[assignment]
    _, recording = room.make()
    recording.settle()
    assert [row.state for row in room.journal.rows()] == [State.FINAL] * 3
    assert len(room.writer.published) == 1, "no other batch begins: the third is recorded by itself"


def test_a_publisher_who_has_the_same_model_recorded_again_and_again_waits(room: Room) -> None:
    """Every release has a manifest, a key and a report of its own, so nothing else refuses it."""
    room.facts = {"model_digest": b"m" * 32}
    for number in range(5):
        drop(room.drop / f"r{number}", {"n": number}, report=b"%d" % number)
        room.scan()
        room.clock.advance(3600)
    states = [row.state for row in room.journal.rows()]
    assert states == [State.FINAL] * 3 + [State.SEEN] * 2
    waiting = room.journal.rows()[3]
    assert waiting.parked
    assert "recordings_per_day_max: this publisher had the same model recorded too often" in waiting.problem
    assert waiting.retry_at == START + timedelta(days=1), "24 hours after the first one"
    room.clock.now = waiting.retry_at
    room.scan()
    assert [row.state for row in room.journal.rows()] == [State.FINAL] * 4 + [State.SEEN]
    drop(room.drop / "other", {"n": 9}, report=b"9")
    room.facts = {"model_digest": b"o" * 32}
    room.scan()
    assert room.journal.rows()[-1].state is State.FINAL, "another model is not held up"


def test_a_release_that_is_judged_anew_does_not_count_against_itself(room: Room) -> None:
    drop(room.drop / "a", {})
    for _ in range(5):
        room.writer.answers = [Publishing(State.SEEN, "was judged too long ago")]
        assert room.one().state is State.SEEN
        room.clock.advance(1)
    assert room.one().state is State.FINAL


def test_a_release_that_another_policy_rejected_is_judged_again(room: Room) -> None:
    drop(room.drop / "a", {"n": 1}, report=b"1")
    drop(room.drop / "b", {"n": 2}, report=b"2")
    room.verdicts = [FORGED]
    rejected, accepted = room.scan()
    assert rejected is not None
    assert accepted is not None
    assert (rejected.state, accepted.state) == (State.REJECTED, State.FINAL)
    assert room.journal.reopen_rejected(room.policy.digest, at=room.clock()) == 0
    assert room.scan() == [rejected, accepted]
    room.policy = load_policy("strict")
    room.pipeline, room.recording = room.make()
    assert room.journal.reopen_rejected(room.policy.digest, at=room.clock()) == 1
    assert room.journal.reopen_rejected(room.policy.digest, at=room.clock()) == 0, "it waits for its judgement"
    room.verdicts = [FORGED]
    again = room.scan()[0]
    assert again is not None
    assert (again.id, again.state, len(room.judged)) == (rejected.id, State.REJECTED, 3)
    assert again.verdict_digest != rejected.verdict_digest
    assert room.journal.reopen_rejected(room.policy.digest, at=room.clock()) == 0
    assert room.journal.reopen_rejected(load_policy("baseline").digest, at=room.clock()) == 1, "and back again"


def test_a_stop_ends_the_settling_of_many_rows(room: Room) -> None:
    for number in range(1920):
        digest = hashlib.sha256(b"%d" % number).digest()
        room.journal.open_policy(digest, at=room.clock())
    steps = []

    def stop() -> None:
        steps.append("one")
        if len(steps) > 3:
            raise Stopped

    room.on_step = stop
    with pytest.raises(Stopped):
        room.recording.settle()
    assert sum(row.parked for row in room.journal.rows()) == 3


def test_a_bug_of_ours_has_a_bounded_number_of_attempts(room: Room) -> None:
    drop(room.drop / "a", {})
    room.verdicts = [RuntimeError("bug \x1b[31m")] * 5
    rows = []
    for _ in range(5):
        rows.append(room.one())
        room.clock.advance(1000)
    assert [row.state for row in rows] == [State.SEEN, State.SEEN, State.STUCK, State.STUCK, State.STUCK]
    assert rows[-1].exit_code == 1
    assert "\x1b" not in rows[-1].problem
    assert len(room.judged) == 3
    assert room.writer.published == []


def test_a_failure_while_the_verdict_is_written_is_a_bug_of_ours(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("cannot be written")

    monkeypatch.setattr("provenance_oracle.oracle.outcomes.make_failed_verdict", broken)
    drop(room.drop / "a", {})
    room.verdicts = [FORGED]
    row = room.one()
    assert (row.state, row.exit_code) == (State.SEEN, 1)


def test_a_verdict_is_kept_before_anything_is_published_and_not_judged_again(room: Room) -> None:
    drop(room.drop / "a", {})
    room.writer.answers = [TemporaryError("node down")]
    row = room.one()
    assert (row.state, row.parked) == (State.JUDGED, True)
    room.clock.advance(3600)
    for handle in room.source.releases():
        room.process(handle)
    assert len(room.writer.published) == 1, "a judgement publishes nothing; `settle` does"
    room.recording.settle()
    assert room.journal.row(row.id).state is State.FINAL
    assert len(room.judged) == 1
    assert room.writer.published[0] == room.writer.published[1]
    assert room.writer.orphans == 2


def test_records_that_wait_for_a_place_are_asked_for_one_by_one(room: Room) -> None:
    """If the first has no place, no other one has. The top folders take turns for the next place."""
    for name in ("many/1", "many/2", "many/3", "one/1"):
        drop(room.drop / name, {"name": name}, report=name.encode())
        room.clock.advance(1)
        room.writer.answers = [Publishing(State.JUDGED, "waits")]
        room.scan()
    room.writer.published.clear()
    room.writer.answers = [Publishing(State.JUDGED, "waits")]
    room.recording.settle()
    assert len(room.writer.published) == 1
    room.writer.published.clear()
    room.recording.settle()
    published = [record.manifest_digest for record in room.writer.published]
    contents = {row.key.content: row.key.release for row in room.journal.rows()}
    assert [contents[digest] for digest in published] == ["many/1", "one/1", "many/2", "many/3"]


def test_a_record_is_followed_until_it_is_final(room: Room) -> None:
    drop(room.drop / "a", {})
    steps = [State.SENT, State.SENT, State.MINED, State.SENT, State.MINED, State.FINAL]
    room.writer.answers = [Publishing(state) for state in steps]
    states = [room.one().state]
    for _ in steps[1:]:
        room.recording.settle()
        states.append(room.journal.rows()[0].state)
    assert states == steps
    room.recording.settle()
    assert len(room.writer.published) == len(steps)


def test_a_release_that_changes_while_its_record_is_on_its_way_stays_as_judged(room: Room) -> None:
    release = drop(room.drop / "a", {})
    room.writer.answers = [Publishing(State.SENT)]
    room.one()
    (release / "model.bin").write_bytes(b"changed")
    room.writer.answers = [Publishing(State.SENT)]
    assert room.one().state is State.SENT
    assert len(room.judged) == 1


def test_a_record_that_waited_for_too_long_is_judged_anew(room: Room) -> None:
    drop(room.drop / "a", {})
    room.writer.answers = [TemporaryError("node down")]
    room.one()
    room.clock.advance(8 * 86_400)
    room.writer.answers = [Publishing(State.SEEN, "was judged too long ago")]
    room.recording.settle()
    (row,) = room.journal.rows()
    assert (row.state, row.record, row.problem) == (State.SEEN, None, "was judged too long ago")
    assert room.one().state is State.FINAL, "the next scan judges it, though it did not change"
    first, *_, last = room.writer.published
    assert (len(room.judged), last.judged_at - first.judged_at) == (2, timedelta(days=8))
    assert last.verdict_digest != first.verdict_digest
    for record in (first, last):
        assert room.journal.verdict(record.verdict_digest)


def test_a_release_that_is_refused_when_judged_anew_is_never_published(room: Room) -> None:
    drop(room.drop / "a", {})
    room.writer.answers = [Publishing(State.SEEN, "was judged too long ago")]
    assert room.one().state is State.SEEN
    room.verdicts = [AppraisalError("firmware is too old by now", check=Check.TCB_FLOOR)]
    assert room.one().state is State.REJECTED
    assert len(room.writer.published) == 1


def test_a_policy_gets_its_number_by_a_row_of_its_own(room: Room) -> None:
    row = room.journal.open_policy(room.policy.digest, at=room.clock())
    room.writer.answers = [Publishing(State.SENT), Publishing(State.FINAL)]
    room.recording.settle()
    assert room.journal.row(row.id).state is State.SENT
    room.recording.settle()
    room.recording.settle()
    assert room.journal.row(row.id).state is State.FINAL
    assert room.writer.numbered == [room.policy.digest] * 2
    assert room.writer.published == []


def test_what_a_node_says_is_noted(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    drop(room.drop / "a", {})
    room.writer.answers = [Publishing(State.SENT, "node says: insufficient funds")] * 3
    assert room.one().problem == "node says: insufficient funds"
    room.recording.settle()
    room.recording.settle()
    assert caplog.text.count("insufficient funds") == 1


def test_a_manifest_recorded_for_another_release_is_rejected(room: Room) -> None:
    drop(room.drop / "a", {})
    room.writer.answers = [VerificationError("of another release", check=Check.REGISTRY_RECORD)]
    row = room.one()
    assert (row.state, row.exit_code, row.check) == (State.REJECTED, 4, "registry-record")


def _replay(room: Room) -> Row:
    drop(room.drop / "b", {"n": 2})
    (row,) = (row for row in room.scan() if row and row.key.release == "b")
    return row


def test_a_report_that_vouches_for_another_manifest_on_chain_is_refused(room: Room) -> None:
    room.writer.reports[hashlib.sha256(b"report").digest()] = b"\x07" * 32
    row = _replay(room)
    assert (row.state, row.exit_code, row.check) == (State.REJECTED, 5, "key-binding")
    assert "manifest 0707" in row.problem
    statement = json.loads(room.journal.verdict(row.verdict_digest or b"") or b"")
    findings = statement["predicate"]["tag:provenance-oracle,2026:verdict/v1"]["findings"]
    assert [f["outcome"] for f in findings if f["check"] == "key-binding"] == [Outcome.FAILED]
    assert room.writer.published == []


def test_a_report_that_vouches_for_another_manifest_on_its_way_is_refused(room: Room) -> None:
    drop(room.drop / "a", {"n": 1})
    room.writer.answers = [Publishing(State.SENT)]
    row = _replay(room)
    assert (row.state, row.check) == (State.REJECTED, "key-binding")


def test_releases_without_a_report_do_not_share_one(room: Room) -> None:
    room.facts = {
        "product_line": SIGNED_CODE,
        "grade": 0,
        "snp_report_digest": NO_REPORT,
        "reported_tcb": NO_TCB,
    }
    room.writer.reports[NO_REPORT] = b"\x07" * 32
    for number, name in enumerate("ab"):
        drop(room.drop / name, {"n": number})
    assert [row.state for row in room.scan() if row] == [State.FINAL, State.FINAL]
    assert len({record.manifest_digest for record in room.writer.published}) == 2


def test_the_same_manifest_in_two_folders_is_no_replay(room: Room) -> None:
    drop(room.drop / "a", {"n": 1})
    drop(room.drop / "b", {"n": 1})
    room.writer.reports[hashlib.sha256(b"report").digest()] = hashlib.sha256(manifest_payload({"n": 1})).digest()
    assert [row.state for row in room.scan() if row] == [State.FINAL, State.FINAL]


def test_a_policy_may_let_a_report_vouch_twice(room: Room) -> None:
    room.policy = load_policy("unsafe-any")
    room.pipeline, room.recording = room.make()
    room.writer.reports[hashlib.sha256(b"report").digest()] = b"\x07" * 32
    assert _replay(room).state is State.FINAL


def test_a_release_that_goes_away_is_skipped(room: Room) -> None:
    release = drop(room.drop / "a", {})
    (handle,) = room.source.releases()
    (release / "provenance" / "manifest.dsse.json").unlink()
    assert room.process(handle) is None
    (release / "provenance").rename(release.parent.parent / "evidence")
    assert room.process(handle) is None
    release.rename(room.drop.parent / "away")
    assert room.process(handle) is None
    assert room.journal.rows() == ()


def test_a_release_that_cannot_be_read_now_leaves_no_row(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(files: ReleaseFiles) -> Release:
        raise TemporaryError("disk fails", where="report.bin")

    monkeypatch.setattr("provenance_oracle.oracle.sources.look.read_release", unreadable)
    drop(room.drop / "a", {})
    assert room.scan() == [None]
    assert room.journal.rows() == ()
    assert "disk fails" in caplog.text


@pytest.mark.parametrize("method", ["accept", "park", "reject", "open"])
def test_a_failing_journal_is_nobody_s_fault_and_comes_out(
    room: Room, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def full(*_: object, **__: object) -> Row:
        raise TemporaryError("the journal cannot be written")

    real: dict[str, Callable[..., Row]] = {name: getattr(room.journal, name) for name in ("park", "accept")}
    drop(room.drop / "a", {})
    room.verdicts = [FORGED] if method in ("reject", "open") else []  # a release that passes has no row before
    monkeypatch.setattr(room.journal, method, full)
    if method in ("accept", "park"):
        monkeypatch.setattr(room.journal, "accept", full)
        monkeypatch.setattr(room.journal, "park", full)
    with pytest.raises(TemporaryError, match="the journal cannot be written"):
        room.scan()
    assert room.writer.published == []
    for name, function in real.items():
        monkeypatch.setattr(room.journal, name, function)
    monkeypatch.undo()
    assert room.one().state is State.FINAL


def test_log_lines_are_one_line_each_and_harmless(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    drop(room.drop / "a", {})
    room.verdicts = [FormatError("bad\nname \x1b[2J", check=Check.FILE_SET, where="\u202efile")]
    room.one()
    assert len(caplog.messages) == 1
    assert not [c for c in caplog.messages[0] if c in "\n\x1b\u202e"]


def test_a_manifest_swapped_for_a_fifo_or_a_link_neither_hangs_the_scan_nor_leads_outside(tmp_path: Path) -> None:
    """Take the places between any look at the manifest and its opening: no look by path decides how it is opened."""
    release, secret = drop(tmp_path / "a", {}), tmp_path / "secret"
    secret.write_bytes(b"private")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "manifest.dsse.json").write_bytes(b"private")
    manifest = release / "provenance" / "manifest.dsse.json"
    assert start_of(FolderFiles(release), MANIFEST_PATH, MAX_ENVELOPE_BYTES) == manifest.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_file", lambda _path: True)  # the looks say that all is well; then comes the swap
        patch.setattr(Path, "is_symlink", lambda _path: False)
        patch.setattr(Path, "open", lambda *_: pytest.fail("a stranger's file is opened by path"))
        manifest.unlink()
        os.mkfifo(manifest)
        assert start_of(FolderFiles(release), MANIFEST_PATH, MAX_ENVELOPE_BYTES) == b""
        manifest.unlink()
        manifest.symlink_to(secret)
        assert start_of(FolderFiles(release), MANIFEST_PATH, MAX_ENVELOPE_BYTES) == b""
        manifest.unlink()
        manifest.parent.rename(release / "moved")
        manifest.parent.symlink_to(tmp_path / "outside")
        assert start_of(FolderFiles(release), MANIFEST_PATH, MAX_ENVELOPE_BYTES) == b""


def test_a_release_whose_manifest_is_replaced_while_it_is_hashed_leaves_no_row_that_waits(room: Room) -> None:
    """The publisher replaces the manifest first. The judgement fails, because the files change under it."""
    release = drop(room.drop / "a", 1)

    def replace(*_: object) -> None:
        room.on_judge = lambda *_: None
        write_manifest(release, 2)
        raise ChangedError("changed", where="a")

    room.on_judge = replace
    old = room.one()
    assert (old.state, old.parked) == (State.SEEN, True)
    assert [room.process(handle) for handle in room.pipeline.due(list(room.source.releases()))]
    room.recording.settle()
    closed, new = room.journal.rows()
    assert (closed.state, closed.parked, new.state) == (State.SUPERSEDED, False, State.FINAL)
    assert "replaced by another manifest" in closed.problem
    assert room.journal.row(old.id) == closed


def test_a_release_that_waits_and_has_gone_waits_no_longer_and_is_judged_if_it_comes_back(room: Room) -> None:
    release = drop(room.drop / "a", 1)
    room.verdicts = [TemporaryError("no list"), TemporaryError("no list")]
    assert room.one().parked
    release.rename(room.drop.parent / "away")
    assert room.pipeline.due(list(room.source.releases())) == []
    (gone,) = room.journal.rows()
    assert (gone.state, gone.parked, gone.problem) == (State.SUPERSEDED, False, "has gone before it was judged")
    (room.drop.parent / "away").rename(release)
    assert len(room.pipeline.due(list(room.source.releases()))) == 1
    assert room.one().parked
    room.clock.advance(1000)
    assert room.one().state is State.FINAL


def test_a_release_that_waits_and_is_there_goes_on_waiting(room: Room) -> None:
    drop(room.drop / "a", 1)
    room.verdicts = [TemporaryError("no list")]
    room.one()
    room.pipeline.due([])  # a scan that leaves it out, such as one with too many releases
    (row,) = room.journal.rows()
    assert (row.state, row.parked) == (State.SEEN, True)


def accepted(room: Room, names: str) -> None:
    """Drop releases, and judge them without recording them."""
    for name in names:
        drop(room.drop / name, {"name": name}, report=name.encode())
    for handle in list(room.source.releases()):
        room.pipeline.process(handle, room.judges)


def test_verdicts_that_cannot_be_signed_are_a_trouble_of_the_key(room: Room) -> None:
    accepted(room, "a")
    found: dict[Trouble, str] = {Trouble.SIGNER: "the token does not answer"}
    room.sign_verdicts = lambda: found
    _, room.recording = room.make()
    room.recording.settle()
    assert (room.writer.published, room.conditions.stands(Trouble.SIGNER)) == ([], True)
    found.clear()
    room.recording.settle()
    assert (len(room.writer.published), room.conditions.stands(Trouble.SIGNER)) == (1, False)


def test_while_a_trouble_stands_nothing_is_sent_and_no_row_is_parked(room: Room) -> None:
    accepted(room, "abc")
    room.writer.found = {Trouble.PAUSED: "the guardian has stopped all writes"}
    room.recording.settle()
    assert room.writer.published == []
    assert room.conditions.stands(Trouble.PAUSED)
    assert {(row.state, row.vain_attempts) for row in room.journal.rows()} == {(State.JUDGED, 0)}
    room.writer.found = {}
    room.recording.settle()
    assert not room.conditions.stands(Trouble.PAUSED)
    assert {row.state for row in room.journal.rows()} == {State.FINAL}


@pytest.mark.parametrize("trouble", [Trouble.FUNDS, Trouble.FEES])
def test_an_oracle_that_cannot_pay_still_signs_for_the_others(room: Room, trouble: Trouble) -> None:
    accepted(room, "abc")
    room.writer.found = {trouble: "no money"}
    room.recording.settle()
    assert room.writer.published == [], "alone it would sign for nobody"
    room.writer.has_peers = True
    room.recording.settle()
    assert len(room.writer.published) == 3
    assert room.conditions.stands(trouble)


@pytest.mark.parametrize("trouble", [Trouble.PAUSED, Trouble.KEY, Trouble.QUORUM])
def test_other_troubles_stop_the_signatures_too(room: Room, trouble: Trouble) -> None:
    accepted(room, "abc")
    room.writer.has_peers = True
    room.writer.found = {trouble: "nothing can be recorded", Trouble.FUNDS: "no money"}
    room.recording.settle()
    assert room.writer.published == []


def test_a_trouble_that_the_first_release_meets_spares_the_others(room: Room) -> None:
    accepted(room, "abc")
    room.writer.answers = [TroubleError(Trouble.FEES, "fees are above the limit", where="chain")]
    room.recording.settle()
    assert len(room.writer.published) == 1
    assert [one.kind for one in room.conditions.standing()] == [Trouble.FEES]
    assert {row.vain_attempts for row in room.journal.rows()} == {0}
    room.recording.settle()
    assert room.conditions.standing() == ()


def test_a_policy_that_gets_no_number_is_a_trouble_until_it_has_one(room: Room) -> None:
    room.journal.open_policy(room.policy.digest, at=room.clock())
    room.writer.answers = [TemporaryError("the call needs too much gas")]
    for _ in range(2):
        room.recording.settle()
        (trouble,) = room.conditions.standing()
        assert trouble.kind is Trouble.POLICY
        assert trouble.reason.startswith(f"registry:policy {room.policy.digest.hex()} has no number")
        assert "the call needs too much gas" in trouble.reason
    assert len(room.writer.numbered) == 1
    room.clock.advance(1000)
    room.recording.settle()
    assert room.conditions.standing() == ()


def test_a_policy_whose_number_is_on_its_way_is_no_trouble(room: Room) -> None:
    room.journal.open_policy(room.policy.digest, at=room.clock())
    room.writer.answers = [Publishing(State.SENT, "node says: already known")]
    room.recording.settle()
    assert room.conditions.standing() == ()


def test_a_node_that_is_down_parks_no_release(room: Room) -> None:
    accepted(room, "abc")
    room.writer.answers = [TemporaryError("the node failed")] * 3
    room.writer.down = TemporaryError("connection refused", where="http://node")
    with pytest.raises(TroubleError, match="connection refused"):
        room.recording.settle()
    assert {row.vain_attempts for row in room.journal.rows()} == {0}


def test_a_failure_while_the_node_serves_is_the_release_s_own(room: Room) -> None:
    accepted(room, "ab")
    room.writer.answers = [TemporaryError("the record of a parent is not final yet")]
    room.recording.settle()
    assert sorted(row.vain_attempts for row in room.journal.rows()) == [0, 1]
