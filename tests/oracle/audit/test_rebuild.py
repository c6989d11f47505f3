"""Tests of verdicts that are made again from their evidence: the same bytes, or none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.audit.rebuild import rebuild_verdict
from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.kept_evidence import POLICY_NAME
from provenance_oracle.verifier.judgement.release import CRL_PATH, read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.snp.current_crl import FETCHED_CRL
from provenance_oracle.verifier.strict.tar import files_of_tar, tar_of
from tests.support.releases import make_release
from tests.support.whole_releases import guest, lay_out

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_same_bytes_are_made_again_from_the_evidence_alone(tmp_path: Path) -> None:
    make_release(tmp_path / "release", at=AT)
    release, policy = read_release(tmp_path / "release"), load_policy("demo")
    verdict = judge(release, policy, at=AT).verdict
    kept = archive(release, policy)
    assert rebuild_verdict(verdict.digest, kept, policy, AT) == verdict.statement
    assert rebuild_verdict(bytes(32), kept, policy, AT) is None, "another verdict"
    assert rebuild_verdict(verdict.digest, kept, policy, AT + timedelta(seconds=1)) is None, "another moment"
    assert rebuild_verdict(verdict.digest, kept, load_policy("baseline"), AT) is None, "another policy"
    files = files_of_tar(kept)
    assert hashlib.sha256(files.pop(POLICY_NAME)).digest() == policy.digest
    assert rebuild_verdict(verdict.digest, tar_of(files), policy, AT) == verdict.statement, "kept without the policy"
    for name in files:
        part = {other: data for other, data in files.items() if other != name}
        assert rebuild_verdict(verdict.digest, tar_of(part), policy, AT) is None, f"without {name}"
    assert rebuild_verdict(verdict.digest, b"no archive", policy, AT) is None


class _Service:
    """AMD's service, with one revocation list for every request."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def fetch(self, url: str) -> bytes:
        return self._answer


@pytest.mark.parametrize("own", ["none", "old"])
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=500)], ids=["fetched at once", "fetched later"])
def test_a_list_that_was_fetched_is_kept_beside_that_of_the_release(tmp_path: Path, own: str, later: timedelta) -> None:
    folder, now = lay_out(tmp_path / "release"), AT + later
    old = guest().crl(this_update=AT - timedelta(days=2), next_update=AT - timedelta(days=1))
    (folder / CRL_PATH).unlink() if own == "none" else (folder / CRL_PATH).write_bytes(old)
    newest, policy = guest().amd.current_crl(now), load_policy("demo")
    read = read_release(folder)
    judgement = judge(read, policy, at=AT, fetcher=_Service(newest), now=now)
    kept = files_of_tar(archive(judgement.release, policy))
    assert kept[FETCHED_CRL] == newest
    assert kept.get(CRL_PATH) == (None if own == "none" else old)
    verdict = judgement.verdict
    assert rebuild_verdict(verdict.digest, tar_of(kept), policy, AT) == verdict.statement
    assert rebuild_verdict(verdict.digest, archive(read, policy), policy, AT) is None, (
        "without the list that was judged"
    )
