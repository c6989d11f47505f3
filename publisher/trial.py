"""Judge evidence and manifests before they are written, as `provenance check` will judge them afterwards."""

from __future__ import annotations

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
from provenance_oracle.verifier.gpu_evidence.chain import NVIDIA_DEVICE_ROOTS
from provenance_oracle.verifier.gpu_evidence.verify import GpuClaims
from provenance_oracle.verifier.judgement.appraise import appraise_evidence, bind_key, conclude
from provenance_oracle.verifier.judgement.binding import BINDINGS, verify_key_binding
from provenance_oracle.verifier.judgement.gpus import verify_gpus
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.snp_claims import check_claims
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.key import PublicKey, parse_public_key
from provenance_oracle.verifier.manifest.statement import Manifest, match_report, parse_statement
from provenance_oracle.verifier.policy import Policy, shipped_policy
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, RootKind
from provenance_oracle.verifier.snp.signature import Claims


@dataclass(frozen=True)
class Trial:
    """Proof that evidence is genuine and binds a key, with a shipped policy's judgement of it.

    Attributes:
        claims: the verified claims.
        key: the key that the report names.
        policy: `demo` if the simulator made the evidence, otherwise `baseline`.
        refusal: the policy's refusal of this genuine evidence; None if the policy accepts it.
    """

    claims: Claims
    key: PublicKey
    policy: Policy
    refusal: ProvenanceError | None

    @property
    def line(self) -> str:
        """The judgement in one line."""
        if self.refusal is None:
            return f"policy {self.policy.name} accepts it"
        return f"policy {self.policy.name} refuses it (exit {self.refusal.exit_code}): {self.refusal}"


def try_evidence(evidence: Evidence, key_pem: bytes, *, at: datetime) -> Trial:
    """Verify evidence and the key that it binds, once, and judge them by the shipped policy for its root.

    Raises:
        FormatError, VerificationError: the evidence is malformed or forged, or binds another key. Every policy refuses
            it then.
    """
    baseline = shipped_policy("baseline")
    claims = appraise_evidence(evidence, baseline, at=at, roots=AMD_ROOTS + SIMULATOR_ROOTS, sheet=CheckSheet())
    key = parse_public_key(key_pem, "key")
    verify_key_binding(claims.report.report_data, key, tuple(BINDINGS))
    policy = shipped_policy("demo") if claims.root_kind is RootKind.SIMULATOR else baseline
    return Trial(claims, key, policy, _refusal_by(policy, claims, key_pem))


def try_gpus(files: tuple[bytes, ...], key_pem: bytes, *, at: datetime) -> tuple[GpuClaims, ...]:
    """Verify the evidence of GPUs for a key, and return what the GPUs claim; nothing without files.

    Raises:
        FormatError, VerificationError: the evidence is malformed or forged, or was made for another key. Every verifier
            refuses it then (check `gpu-evidence`).
    """
    return verify_gpus(files, parse_public_key(key_pem, "key"), at=at, roots=NVIDIA_DEVICE_ROOTS, sheet=CheckSheet())


def read_signed(envelope: bytes, trial: Trial) -> Manifest:
    """Return the manifest in an envelope, read as a verifier of this evidence reads it.

    Raises:
        FormatError, VerificationError: a verifier would refuse the envelope, its signature or the manifest, or the
            manifest names another report.
    """
    manifest = parse_statement(verify_envelope(parse_envelope(envelope, MANIFEST_PATH), trial.key), MANIFEST_PATH)
    match_report(manifest, trial.claims.report.digest)
    return manifest


def _refusal_by(policy: Policy, claims: Claims, key_pem: bytes) -> ProvenanceError | None:
    """Return the policy's refusal of genuine evidence, or None. Any other failure is raised."""
    sheet = CheckSheet()
    sheet.add(check_claims(claims, policy))
    try:
        bind_key(claims, key_pem, policy, sheet)
        conclude(claims, policy, sheet)
    except (AppraisalError, CrlUnavailableError, CrlStaleError) as error:
        return error
    except VerificationError as error:
        # The binding itself was verified before, so only the policy's list of bindings can refuse it.
        if error.check is not Check.KEY_BINDING:
            raise
        return error
    return None
