"""A user's check: the moment of judgement, and the comparison of the release with its record."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.cli.words import confirmation_lines
from provenance_oracle.verifier.errors import ProvenanceError, RecordError, TemporaryError, VerificationError
from provenance_oracle.verifier.judgement.confirm import Confirmation, confirm
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import Release, read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Entry, Record, match_entry
from tests.support.chain_fixtures import make_entry
from tests.support.whole_releases import AT, Deviation, guest, lay_out

POLICY = load_policy("demo")
NOW = AT + timedelta(days=10)
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


class Registry:
    """A registry with at most one entry. `asked` lists the calls it received."""

    def __init__(self, entry: Entry | None, failure: ProvenanceError | None = None) -> None:
        self._entry = entry
        self._failure = failure
        self.asked: list[str] = []

    def entry(self, manifest_digest: bytes) -> Entry:
        self.asked.append("entry")
        return self._found()

    def match_record(self, record: Record) -> Entry:
        self.asked.append("match")
        entry = self._found()
        if entry.revoked_at:
            raise RecordError("the record was revoked", check=Check.REGISTRY_RECORD)
        match_entry(record, entry)
        return entry

    def namespace_owner(self, name: str) -> bytes | None:
        self.asked.append("owner")
        assert name == "org"
        return b"\x0a" * 20

    def _found(self) -> Entry:
        if self._failure:
            raise self._failure
        if self._entry is None:
            raise RecordError("no record", check=Check.REGISTRY_RECORD)
        return self._entry


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return read_release(lay_out(tmp_path / "release"))


def entry_of(release: Release, *, at: datetime = AT, **changes: Any) -> Entry:
    record = judge(release, POLICY, at=at).record
    return make_entry(record, **{"recorded_at": at + _DAY} | changes)


def confirmed(release: Release, registry: Registry | None, at: datetime | None = None) -> Confirmation:
    return confirm(release, POLICY, registry=registry, at=at, now=NOW)


def outcome_of_record(findings: Any) -> Outcome:
    return next(finding.outcome for finding in findings if finding.check is Check.REGISTRY_RECORD)


def test_a_recorded_release_is_judged_as_of_its_record(release: Release) -> None:
    found = confirmed(release, Registry(entry_of(release)))
    assert found.judgement.result.at == AT
    assert found.verdict_reproduced
    assert outcome_of_record(found.findings) is Outcome.PASSED
    assert "verdict          reproduced here bit for bit" in confirmation_lines(found)


@pytest.mark.parametrize("lag", [timedelta(days=7), -timedelta(minutes=5)])
def test_the_moment_in_a_record_is_taken_as_far_as_its_block_bears_it_out(release: Release, lag: timedelta) -> None:
    found = confirmed(release, Registry(entry_of(release, recorded_at=AT + lag)))
    assert found.judgement.result.at == AT


@pytest.mark.parametrize("lag", [timedelta(days=7) + _SECOND, -timedelta(minutes=5) - _SECOND])
def test_beyond_that_the_moment_is_the_block_s(release: Release, lag: timedelta) -> None:
    found = confirmed(release, Registry(entry_of(release, recorded_at=AT + lag)))
    assert found.judgement.result.at == AT + lag
    assert not found.verdict_reproduced


def test_an_oracle_cannot_revive_what_had_expired_when_it_wrote(release: Release) -> None:
    """The list is valid for a year. The oracle claims a moment within that year and records two years later."""
    registry = Registry(entry_of(release, recorded_at=AT + timedelta(days=700)))
    with pytest.raises(TemporaryError) as undecided:
        confirmed(release, registry)
    assert undecided.value.check is Check.VEK_REVOCATION


@pytest.mark.parametrize("seconds", [0, 253402300799])
def test_a_block_at_the_end_of_the_calendar_is_no_crash(release: Release, seconds: int) -> None:
    recorded_at = datetime.fromtimestamp(seconds, AT.tzinfo)
    with pytest.raises(VerificationError) as refused:
        confirmed(release, Registry(entry_of(release, recorded_at=recorded_at)))
    assert refused.value.check is Check.VEK_VALIDITY


def test_an_explicit_moment_is_the_caller_s(release: Release) -> None:
    registry = Registry(entry_of(release))
    found = confirmed(release, registry, at=AT + _DAY)
    assert found.judgement.result.at == AT + _DAY
    assert registry.asked == ["match", "owner"]  # no answer of a node is used before the judgement


def test_without_a_record_the_moment_is_now(release: Release) -> None:
    with pytest.raises(RecordError) as refused:
        confirmed(release, Registry(None))
    findings = {finding.check: finding.outcome for finding in refused.value.findings}
    assert findings[Check.REGISTRY_RECORD] is Outcome.FAILED
    assert findings[Check.FILE_DIGESTS] is Outcome.PASSED
    assert confirmed(release, None).judgement.result.at == NOW


def test_offline_the_record_is_not_checked(release: Release) -> None:
    found = confirmed(release, None)
    assert found.entry is None
    assert not found.verdict_reproduced
    assert outcome_of_record(found.findings) is Outcome.NOT_CHECKED
    assert list(confirmation_lines(found)) == []


def test_a_revoked_record_is_refused_though_the_release_is_good(release: Release) -> None:
    with pytest.raises(RecordError) as refused:
        confirmed(release, Registry(entry_of(release, revoked_at=NOW)))
    assert outcome_of_record(refused.value.findings) is Outcome.FAILED


def test_a_forged_release_is_called_forged_even_without_a_record(tmp_path: Path) -> None:
    forged = Deviation(lambda: {"report": guest().report(bytes(64))})
    with pytest.raises(VerificationError) as refused:
        confirmed(read_release(lay_out(tmp_path / "forged", forged)), Registry(None))
    assert refused.value.check is Check.KEY_BINDING


def test_a_node_that_fails_decides_nothing(release: Release) -> None:
    with pytest.raises(TemporaryError):
        confirmed(release, Registry(None, TemporaryError("the node failed")))


def test_a_grade_on_record_that_was_not_found_here_is_shown(release: Release) -> None:
    found = confirmed(release, Registry(entry_of(release, grade=2)))
    assert "grade on record  2 (strict), which differs from the grade found here" in confirmation_lines(found)


def test_another_publisher_on_record_is_shown(release: Release) -> None:
    own = judge(release, POLICY, at=AT).record.publisher_identity.hex()
    assert own not in " ".join(confirmation_lines(confirmed(release, Registry(entry_of(release)))))
    found = confirmed(release, Registry(entry_of(release, publisher_identity=b"\xee" * 32)))
    line = f"on record        {'ee' * 32} is the publisher, which differs from the one found here"
    assert line in confirmation_lines(found)


def test_who_vouches_for_the_record_is_said(release: Release) -> None:
    found = confirmed(release, Registry(entry_of(release)))
    assert any(
        line.endswith("signed by 1 oracle of set 1, weight 1, threshold 1") for line in confirmation_lines(found)
    )
