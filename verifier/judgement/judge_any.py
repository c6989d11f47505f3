"""Judge a release of either kind: with evidence of the hardware that made it, or with only a signature."""

from __future__ import annotations

from datetime import datetime

from provenance_oracle.verifier.digest.files import FileHasher, Limits
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.judge_signed import NO_TRUST, SignedJudgement, SignerTrust, judge_signed
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.signed_release import SignedRelease
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.files import OnBytes


def judge_any(
    release: Release | SignedRelease,
    policy: Policy,
    *,
    at: datetime,
    now: datetime,
    trust: SignerTrust = NO_TRUST,
    fetcher: Fetcher | None = None,
    hasher: FileHasher | None = None,
    limits: Limits | None = None,
    progress: OnBytes | None = None,
) -> Judgement | SignedJudgement:
    """Judge a release. The arguments and errors are those of `judge.judge` and `judge_signed.judge_signed`."""
    if isinstance(release, SignedRelease):
        return judge_signed(release, policy, at=at, trust=trust, hasher=hasher, limits=limits, progress=progress)
    return judge(
        release,
        policy,
        at=at,
        now=now,
        sigstore_root=trust.root,
        fetcher=fetcher,
        hasher=hasher,
        limits=limits,
        progress=progress,
    )
