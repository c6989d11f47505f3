"""A user's check of a release that has only a signature: judge it here, and compare it with its record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.judgement.confirm import RecordSource, find_record, known_entry
from provenance_oracle.verifier.judgement.expected import ANYTHING, Expected, match_identities, match_name
from provenance_oracle.verifier.judgement.judge_signed import (
    NO_HARDWARE,
    NO_TRUST,
    SignedJudgement,
    SignerTrust,
    judge_signed,
)
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signed_release import FoundName, SignedRelease
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.strict.files import OnBytes


@dataclass(frozen=True)
class SignedConfirmation:
    """A release with only a signature that was accepted here, with its active record and its namespace's owner.

    The fields are those of `confirm.Confirmation`.
    """

    judgement: SignedJudgement
    entry: Entry | None
    findings: tuple[Finding, ...]
    namespace_owner: bytes | None = None

    @property
    def verdict_reproduced(self) -> bool:
        """Whether the judgement here gives the verdict on chain, bit for bit."""
        return self.entry is not None and self.entry.verdict_digest == self.judgement.verdict.digest


def confirm_signed(
    release: SignedRelease,
    policy: Policy,
    *,
    registry: RecordSource | None,
    at: datetime | None,
    now: datetime,
    trust: SignerTrust = NO_TRUST,
    progress: OnBytes | None = None,
    expected: Expected = ANYTHING,
) -> SignedConfirmation:
    """Judge a release that has only a signature, and match it with its record.

    The signature binds no name, so a recorded release has the name of its record: the place where an oracle found it.
    The moment of judgement is `at` if given, else that of the record, else `now`.

    Raises:
        RecordError: the registry has no active record of the release.
        AppraisalError: the release is not the expected one, or the policy refuses it.
        ProvenanceError: every other failure of `judge_signed` or of the registry.
    """
    known = known_entry(registry, parse_bundle(release.bundle, release.bundle_path).envelope.payload)
    if known is not None:
        release = replace(release, found=FoundName(known.name, known.version))
    moment = at or (known.judged_as_of if known else now)
    judgement = judge_signed(release, policy, at=moment, trust=trust, progress=progress)
    sheet = CheckSheet()
    with sheet:
        sheet.add(judgement.findings)
        _match_expected(judgement, expected)
        if registry and known is None:
            registry.entry(judgement.manifest_digest)  # raises the error for a release without a record
        entry, owner = find_record(registry, lambda: judgement.record, sheet)
    return SignedConfirmation(judgement, entry, sheet.findings(), owner)


def _match_expected(judgement: SignedJudgement, expected: Expected) -> None:
    """Compare the release with what the user insists on. Raise AppraisalError if it is another one."""
    found = judgement.release.found or FoundName("", "")
    match_name(found.name, found.version, expected)
    match_identities(judgement.signature.identity, judgement.signature.signer.lines, expected)
    if expected.measurement is not None:
        raise AppraisalError(
            "the release has no launch measurement",
            check=Check.MEASUREMENT,
            got=NO_HARDWARE,
            wanted=expected.measurement.hex(),
        )
