"""Whole judgements: which requests go to the network and when, and that the same input gives the same verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from provenance_oracle.publisher.simulator import CaRole
from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.digest import sparse
from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.errors import (
    AppraisalError,
    CrlStaleError,
    CrlUnavailableError,
    FormatError,
    TemporaryError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import CRL_PATH, Release, read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.release_folder import Reading
from tests.support.whole_releases import AT, FILES, REPORT_DATA, Deviation, guest, lay_out

POLICY = load_policy("demo")


class Service:
    """AMD's service as far as a test needs it: the same list for every request."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked = 0

    def fetch(self, url: str) -> bytes:
        self.asked += 1
        if self.answer is None:
            raise TemporaryError("AMD is down")
        return self.answer


@pytest.fixture
def listless(tmp_path: Path) -> Release:
    """A good release without a revocation list."""
    return read_release(lay_out(tmp_path / "listless", Deviation(damage=lambda folder: (folder / CRL_PATH).unlink())))


def outcome(release: Release, fetcher: Fetcher | None) -> Outcome:
    findings = judge(release, POLICY, at=AT, fetcher=fetcher).findings
    return next(finding.outcome for finding in findings if finding.check is Check.VEK_REVOCATION)


def test_a_list_is_fetched_where_only_that_is_missing(listless: Release) -> None:
    with pytest.raises(CrlUnavailableError):
        judge(listless, POLICY, at=AT)
    service = Service(guest().crl())
    assert outcome(listless, service) is Outcome.PASSED
    assert service.asked == 1


def test_a_stale_list_is_replaced(listless: Release) -> None:
    old = guest().crl(this_update=AT - timedelta(days=2), next_update=AT - timedelta(days=1))
    stale = replace(listless, evidence=replace(listless.evidence, crl=old))
    with pytest.raises(CrlStaleError):
        judge(stale, POLICY, at=AT)
    assert outcome(stale, Service(guest().crl())) is Outcome.PASSED


def test_a_list_is_fetched_where_the_policy_could_do_without(listless: Release) -> None:
    lenient = replace(POLICY, revocation=load_policy("unsafe-any").revocation)
    assert judge(listless, lenient, at=AT).result.policy is lenient
    service = Service(guest().crl())
    findings = judge(listless, lenient, at=AT, fetcher=service).findings
    assert service.asked == 1
    assert next(f.outcome for f in findings if f.check is Check.VEK_REVOCATION) is Outcome.PASSED


def test_a_fetched_list_that_revokes_is_a_refusal(listless: Release) -> None:
    ask = 131074  # the serial number that every ASK of Genoa has, the simulator's too
    with pytest.raises(VerificationError) as refused:
        judge(listless, POLICY, at=AT, fetcher=Service(guest().crl(revoked=(ask,))))
    assert refused.value.check is Check.VEK_REVOCATION


def test_nobody_is_asked_for_a_good_release(tmp_path: Path) -> None:
    service = Service(None)
    assert outcome(read_release(lay_out(tmp_path / "good")), service) is Outcome.PASSED
    assert service.asked == 0


@pytest.mark.parametrize(
    ("deviation", "kind"),
    [
        (Deviation(lambda: {"report": guest().report(bytes(64))}), VerificationError),
        (Deviation(lambda: {"report": b"short"}), FormatError),
        (Deviation(lambda: {"vek": b"nonsense"}), FormatError),
        (Deviation(lambda: {"report": replace(guest(), vmpl=1).report(REPORT_DATA)}), AppraisalError),
    ],
    ids=["another key", "no report", "no certificate", "refused by policy"],
)
def test_what_is_refused_anyway_reaches_no_network(deviation: Deviation, kind: type[Exception], tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "bad", deviation)
    (folder / CRL_PATH).unlink()
    service = Service(None)
    with pytest.raises(kind):
        judge(read_release(folder), POLICY, at=AT, fetcher=service)
    assert service.asked == 0


def test_a_service_that_is_down_leaves_it_undecided(listless: Release) -> None:
    with pytest.raises(TemporaryError, match="AMD is down") as undecided:
        judge(listless, POLICY, at=AT, fetcher=Service(None))
    findings = {finding.check: finding.outcome for finding in undecided.value.findings}
    assert findings[Check.REPORT_SIGNATURE] is Outcome.PASSED
    assert Outcome.FAILED not in findings.values()


_JUDGE = """
import sys
from datetime import datetime
from pathlib import Path
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.judgement.verdict import make_failed_verdict
policy, at = load_policy("demo"), datetime.fromisoformat(sys.argv[1])
for name in sys.argv[2:]:
    release = read_release(Path(name))
    try:
        verdict = judge(release, policy, at=at).verdict
    except ProvenanceError as error:
        verdict = make_failed_verdict(release.envelope, release, policy, at, error)
    sys.stdout.buffer.write(verdict.statement + b"\\n")
"""


def test_whoever_judges_wherever_writes_the_same_verdict(tmp_path: Path) -> None:
    """PASSED and FAILED verdicts do not depend on the folder, the order of hashes, the time zone or the language."""
    lay_out(tmp_path / "one" / "good")
    lay_out(tmp_path / "one" / "extra", Deviation(damage=lambda folder: (folder / "a.py").write_bytes(b"")))
    shutil.copytree(tmp_path / "one", tmp_path / "elsewhere")
    written = [
        _judged(tmp_path / "one", {"PYTHONHASHSEED": "1", "TZ": "UTC"}),
        _judged(tmp_path / "elsewhere", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"}),
    ]
    assert written[0] == written[1]
    results = [json.loads(line)["predicate"]["verificationResult"] for line in written[0].splitlines()]
    assert results == ["PASSED", "FAILED"]


def _judged(folder: Path, environment: dict[str, str]) -> bytes:
    command = [sys.executable, "-c", _JUDGE, AT.isoformat(), str(folder / "good"), str(folder / "extra")]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=True).stdout


def test_a_release_larger_than_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    release = read_release(lay_out(tmp_path / "large", Deviation()))
    with pytest.raises(FormatError, match="the release is too large") as caught:
        judge(release, POLICY, at=AT, limits=Limits(total_bytes=10))
    assert caught.value.check is Check.FILE_SET


def test_an_old_record_can_be_judged_again_with_the_list_of_today(listless: Release) -> None:
    """AMD serves only its newest list, which says that nothing was revoked at that time or later."""
    today = AT + timedelta(days=500)
    newest = guest().amd.current_crl(today)
    with pytest.raises(CrlStaleError):
        judge(listless, POLICY, at=AT, fetcher=Service(newest))
    findings = judge(listless, POLICY, at=AT, fetcher=Service(newest), now=today).findings
    assert next(f.outcome for f in findings if f.check is Check.VEK_REVOCATION) is Outcome.PASSED
    # a list that has expired by now tells nothing about the time since
    with pytest.raises(CrlStaleError):
        judge(listless, POLICY, at=AT, fetcher=Service(guest().amd.current_crl(AT)), now=today)


def test_revoked_since_is_revoked(listless: Release) -> None:
    today, amd = AT + timedelta(days=500), guest().amd
    newest = amd.current_crl(today, revoked=(amd.authorities[CaRole.ASK].template.serial,))
    with pytest.raises(VerificationError) as caught:
        judge(listless, POLICY, at=AT, fetcher=Service(newest), now=today)
    assert caught.value.check is Check.VEK_REVOCATION


def test_holes_are_refused_before_a_byte_is_hashed_unless_the_user_hashes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "SMALL_BYTES", 0)
    monkeypatch.setitem(FILES, "model.bin", bytes(1 << 20))
    folder = lay_out(tmp_path / "release")
    assert judge(read_release(folder), POLICY, at=AT).files
    (folder / "model.bin").unlink()
    with (folder / "model.bin").open("wb") as file:
        file.truncate(1 << 20)
    hashed: list[int] = []
    with pytest.raises(FormatError, match="sparse") as refused:
        judge(read_release(folder), POLICY, at=AT, progress=lambda done, _all: hashed.append(done))
    assert refused.value.check is Check.FILE_SET
    assert set(hashed) == {0}
    assert judge(read_release(folder, Reading(sparse=True)), POLICY, at=AT).files
