"""Tests of verdicts that are made again from their evidence: the same bytes, or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from provenance_oracle.oracle.audit.rebuild import rebuild_verdict
from provenance_oracle.oracle.journal.evidence import archive, files_of_tar, tar_of
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.releases import make_release

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_same_bytes_are_made_again_from_the_evidence_alone(tmp_path: Path) -> None:
    make_release(tmp_path / "release", at=AT)
    release, policy = read_release(tmp_path / "release"), load_policy("demo")
    verdict = judge(release, policy, at=AT).verdict
    kept = archive(release)
    assert rebuild_verdict(verdict.digest, kept, policy, AT) == verdict.statement
    assert rebuild_verdict(bytes(32), kept, policy, AT) is None, "another verdict"
    assert rebuild_verdict(verdict.digest, kept, policy, AT + timedelta(seconds=1)) is None, "another moment"
    assert rebuild_verdict(verdict.digest, kept, load_policy("baseline"), AT) is None, "another policy"
    files = files_of_tar(kept)
    for name in files:
        part = {other: data for other, data in files.items() if other != name}
        assert rebuild_verdict(verdict.digest, tar_of(part), policy, AT) is None, f"without {name}"
    assert rebuild_verdict(verdict.digest, b"no archive", policy, AT) is None
