"""Judge evidence and releases before they are written, as `provenance check` will judge them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import (
    AppraisalError,
    CrlStaleError,
    CrlUnavailableError,
    ProvenanceError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.appraise import (
    appraise,
    appraise_evidence,
    bind_key,
    conclude,
    roots_of,
)
from provenance_oracle.verifier.judgement.binding import BINDINGS, verify_key_binding
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.policy import Policy, shipped_policy
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, RootKind


@dataclass(frozen=True)
class Trial:
    """The outcome of a judgement ahead of time: the policy, and its refusal of genuine evidence if it refuses."""

    policy: Policy
    refusal: ProvenanceError | None

    @property
    def line(self) -> str:
        """Return the outcome in one line."""
        if self.refusal is None:
            return f"policy {self.policy.name} accepts it"
        return f"policy {self.policy.name} refuses it (exit {self.refusal.exit_code}): {self.refusal}"


def try_evidence(evidence: Evidence, key_pem: bytes, *, at: datetime) -> Trial:
    """Judge evidence and the key that it binds: by `demo` if the simulator made it, otherwise by `baseline`.

    Raises:
        FormatError, VerificationError: the evidence is malformed or forged, or binds another key. Every policy refuses
            it then.
    """
    policy = _policy_for(evidence, key_pem, at)

    def judge() -> None:
        sheet = CheckSheet()
        claims = appraise_evidence(evidence, policy, at=at, roots=roots_of(policy), sheet=sheet)
        bind_key(claims, key_pem, policy, sheet)
        conclude(claims, policy, sheet)

    return Trial(policy, _refusal_by(judge))


def try_release(release: Release, *, at: datetime) -> Trial:
    """Judge a release's evidence, key and manifest likewise. The model files are not read.

    Raises:
        FormatError, VerificationError: the release is malformed or forged.
    """
    policy = _policy_for(release.evidence, release.key, at)
    return Trial(
        policy,
        _refusal_by(lambda: appraise(release, policy, at=at, roots=roots_of(policy), sheet=CheckSheet())),
    )


def _policy_for(evidence: Evidence, key_pem: bytes, at: datetime) -> Policy:
    """Return the policy for the evidence's root, after everything that no policy decides is verified."""
    baseline = shipped_policy("baseline")
    claims = appraise_evidence(evidence, baseline, at=at, roots=AMD_ROOTS + SIMULATOR_ROOTS, sheet=CheckSheet())
    verify_key_binding(claims.report.report_data, parse_public_key(key_pem, "key"), tuple(BINDINGS))
    return shipped_policy("demo") if claims.root_kind is RootKind.SIMULATOR else baseline


def _refusal_by(judge: Callable[[], object]) -> ProvenanceError | None:
    """Return the policy's refusal of genuine evidence, or None. Any other failure is raised."""
    try:
        judge()
    except (AppraisalError, CrlUnavailableError, CrlStaleError) as error:
        return error
    except VerificationError as error:
        # The binding itself was verified before, so only the policy's list of bindings can refuse it.
        if error.check is not Check.KEY_BINDING:
            raise
        return error
    return None
