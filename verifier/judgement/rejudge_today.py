"""Judge the evidence of a record for today, under the caller's own policy, and say what changed since the record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.errors import ProvenanceError, UsageError
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.appraise import roots_of
from provenance_oracle.verifier.judgement.changes import Change, changes_between
from provenance_oracle.verifier.judgement.judge import Judgement, appraise_fetching, enter_unchecked, judge
from provenance_oracle.verifier.judgement.part import PartJudgement
from provenance_oracle.verifier.judgement.rejudge import Recorded
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet, was_reached
from provenance_oracle.verifier.judgement.signature import enter_signature
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_files import ReleaseFiles

_FILE_CHECKS = (Check.FILE_SET, Check.FILE_DIGESTS, Check.PUBLISHER_SIGNATURE)
_NO_FILES = "not repeated: the files were not given"


@dataclass(frozen=True)
class Today:
    """The judgement of the same evidence for another moment under the caller's policy.

    Attributes:
        judgement: None if it is refused. It is of a part if the files were not given.
        refusal: the failure; None if it is accepted.
        changes: the checks that differ from the verdict on record.
    """

    policy: Policy
    at: datetime
    judgement: Judgement | PartJudgement | None
    refusal: ProvenanceError | None
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]


def judge_today(
    recorded: Recorded,
    policy: Policy,
    *,
    at: datetime,
    now: datetime,
    files: ReleaseFiles | None = None,
    crl: bytes | None = None,
    fetcher: Fetcher | None = None,
    sigstore_root: PinnedRoot | None = None,
    progress: OnBytes | None = None,
) -> Today:
    """Judge the evidence of a record for the moment `at` under `policy`, and compare with the verdict on record.

    Args:
        at, now: aware datetimes.
        files: the model's files, which are hashed; None: they are not at hand.
        crl: a current revocation list in place of the kept one.
        fetcher: fetches one if it is needed; None: nothing is fetched.
        sigstore_root, progress: as for `judge.judge`.

    Raises:
        UsageError: the folder of the files is none.
    """
    release = recorded.release
    evidence = replace(release.evidence, crl_at=None)  # only the recorded judgement was excused from today's date
    if crl is not None:
        evidence = replace(evidence, crl=crl, crl_name="--crl")
    release = replace(release, evidence=evidence)
    judgement: Judgement | PartJudgement | None = None
    refusal: ProvenanceError | None = None
    try:
        if files is None:
            judgement = _without_files(release, policy, at, now, fetcher, sigstore_root)
        else:
            judgement = judge(
                replace(release, files=files),
                policy,
                at=at,
                now=now,
                fetcher=fetcher,
                sigstore_root=sigstore_root,
                progress=progress,
            )
        findings = judgement.findings
    except UsageError:
        raise
    except ProvenanceError as error:
        refusal, findings = error, error.findings
    made = [one for one in findings if was_reached(one) and one.got != _NO_FILES]
    changes = changes_between(recorded.verdict.findings, made)
    return Today(policy, at, judgement, refusal, findings, changes)


def _without_files(
    release: Release,
    policy: Policy,
    at: datetime,
    now: datetime,
    fetcher: Fetcher | None,
    sigstore_root: PinnedRoot | None,
) -> PartJudgement:
    sheet = CheckSheet()
    with sheet:
        _, result = appraise_fetching(
            release, policy, at, roots_of(policy), fetcher, sheet, now, sigstore_root=sigstore_root
        )
        for check in _FILE_CHECKS:
            sheet.not_checked(check, _NO_FILES)
        if result.signature is None:
            enter_signature(sheet, None)
        enter_unchecked(sheet)
    return PartJudgement(result, (), tuple(sorted(file.path for file in result.manifest.files)), sheet.findings())
