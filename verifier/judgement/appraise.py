"""The judgement of a release as one readable sequence, without IO: bytes, policy, roots and time are arguments.

Failures have a rank (the numbers are exit codes). Malformed (3) and forged (4) input stops the judgement at once.
Refusals by the policy (5) are collected and reported together. Only evidence that is otherwise acceptable can end as
"try again" (7). The model files are read after all of this, and only if the evidence is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.errors import AppraisalError, CrlStaleError, CrlUnavailableError
from provenance_oracle.verifier.gpu_evidence.chain import NVIDIA_DEVICE_ROOTS
from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.binding import verify_key_binding
from provenance_oracle.verifier.judgement.gpus import verify_gpus
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import (
    ReleaseSignature,
    check_publisher,
    refuse_unsigned,
    verify_release_signature,
)
from provenance_oracle.verifier.judgement.snp_claims import check_claims, grade_of
from provenance_oracle.verifier.manifest.dsse import parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.key import PublicKey, parse_public_key
from provenance_oracle.verifier.manifest.statement import Manifest, match_report, parse_statement
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, verify_chain
from provenance_oracle.verifier.snp.endorsements import Endorsements, endorsements_of
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, RootKind, TrustedRoot
from provenance_oracle.verifier.snp.report import Report, parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature


@dataclass(frozen=True)
class AttestationResult:
    """The result of accepted evidence: verified claims, the signed manifest, the grade (0, 1 or 2) and every finding.

    `at` is the moment of judgement. `signature` is that of the publisher, None if the release has none. The digests of
    the model files are not compared with it yet.
    """

    claims: Claims
    manifest: Manifest
    policy: Policy
    grade: int
    at: datetime
    findings: tuple[Finding, ...]
    signature: ReleaseSignature | None = None

    @property
    def publisher(self) -> PublisherIdentity:
        """The identity of the publisher: the one whom the manifest names and who signed, else the measured workload."""
        if self.signature is not None and self.signature.is_named:
            return self.signature.identity
        simulated = self.claims.root_kind is RootKind.SIMULATOR
        kind = IdentityKind.SIMULATED_MEASUREMENT if simulated else IdentityKind.MEASUREMENT
        return PublisherIdentity(f"{kind} {self.claims.report.measurement.hex()}")


def roots_of(policy: Policy) -> tuple[TrustedRoot, ...]:
    """Return the pinned roots of the kinds that the policy lists."""
    return tuple(root for root in AMD_ROOTS + SIMULATOR_ROOTS if root.kind in policy.roots)


def appraise(
    release: Release,
    policy: Policy,
    *,
    at: datetime,
    roots: tuple[TrustedRoot, ...],
    sheet: CheckSheet,
    gpu_roots: tuple[bytes, ...] = NVIDIA_DEVICE_ROOTS,
    sigstore_root: PinnedRoot | None = None,
) -> AttestationResult:
    """Judge a release's evidence, key and manifest for the moment `at`. The model files are compared later.

    Args:
        at: the moment for which certificates and revocation list must be valid; an aware datetime.
        roots: the root certificates to trust.
        sheet: collects the findings.
        gpu_roots: SHA-256 of the DER of each root to trust for GPUs.
        sigstore_root: the trusted root for keyless signatures; None for that of the public instance.

    Raises:
        FormatError, VerificationError: the release is malformed or forged. The first check that fails raises.
        AppraisalError: the evidence is genuine, but the policy refuses it. `.findings` holds all findings.
        CrlUnavailableError, CrlStaleError: every other check passed, but the revocation status is unknown.
        IncompleteError: every other check passed; the signature of the publisher whom the manifest names is missing.
    """
    with sheet:
        # (1) to (4): the chip's certificates, the report, and the policy's findings on its claims
        claims = appraise_evidence(release.evidence, policy, at=at, roots=roots, sheet=sheet)
        # (5) the report names the key: all 64 bytes of REPORT_DATA match
        key = bind_key(claims, release.key, policy, sheet)
        # (6) the key signed the manifest; parsed only after the signature holds
        envelope = parse_envelope(release.envelope, "provenance/manifest.dsse.json")
        payload = verify_envelope(envelope, key)
        sheet.passed(
            Check.MANIFEST_SIGNATURE, f"signed by the {key.algorithm} key of the VM", "the bound key's signature"
        )
        manifest = parse_statement(payload, "provenance/manifest.dsse.json")
        # the key is public, so reports of other VMs can name it too; only the manifest names the right report
        match_report(manifest, claims.report.digest)
        unnamed = "" if manifest.report_digest else ", no report named"
        sheet.passed(
            Check.MANIFEST_FORMAT,
            f"{manifest.name} {manifest.version}, {len(manifest.files)} files{unnamed}",
            "in-toto Statement v1 with SLSA provenance v1",
        )
        # (7) genuine GPUs made their evidence for this key, if the release has such evidence
        if release.gpus:
            verify_gpus(release.gpus, key, at=at, roots=gpu_roots, sheet=sheet)
        # (8) the publisher whom the manifest names signed it, if there is a signature
        signature = verify_release_signature(release, manifest, at=at, root=sigstore_root, sheet=sheet)
        sheet.add(check_publisher(policy.publisher, signature))
        # (9) refusals by the policy count only now, so that forged input is reported as forged
        grade = conclude(claims, policy, sheet)
        refuse_unsigned(manifest, signature)
    return AttestationResult(claims, manifest, policy, grade, at, sheet.findings(), signature)


def appraise_evidence(
    evidence: Evidence, policy: Policy, *, at: datetime, roots: tuple[TrustedRoot, ...], sheet: CheckSheet
) -> Claims:
    """Verify a report and its endorsements, and return its claims. The policy's findings go into `sheet`.

    A finding that failed does not raise here; `conclude` raises for it.

    Raises:
        FormatError, VerificationError: the evidence is malformed or forged.
    """
    with sheet:
        endorsements = _parsed_endorsements(evidence, sheet)
        report = _parsed_report(evidence, sheet)
        # (1) VCEK or VLEK up to a pinned root, valid at `at`, not revoked
        chain = verify_chain(endorsements, roots=roots, at=at, crl_at=evidence.crl_at)
        _enter_chain(chain, sheet)
        # (2) same product line, same chip, same TCB
        matched = match_vek_to_report(chain, report)
        sheet.passed(Check.PRODUCT_LINE, f"{chain.line}", "chain, certificate and processor agree")
        # (3) that key signed the report
        claims = verify_report_signature(matched)
        sheet.passed(
            Check.VEK_MATCH, f"{claims.vek_kind.name}, {claims.reported_tcb}", "the chip and TCB the report names"
        )
        sheet.passed(Check.REPORT_SIGNATURE, f"report {report.digest.hex()[:16]}…", "ECDSA P-384 by the VEK")
        # (4) the rules of the policy, TCB floors among them: every finding
        sheet.add(check_claims(claims, policy))
    return claims


def bind_key(
    claims: Claims, key_pem: bytes, policy: Policy, sheet: CheckSheet, name: str = "provenance/cvm-key.pem"
) -> PublicKey:
    """Return the VM's public key after REPORT_DATA matches it by a convention that the policy lists.

    Args:
        key_pem: the key as PEM or another form that `parse_public_key` accepts.
        name: the file name of the key, for messages.

    Raises:
        FormatError: the key is malformed. VerificationError: the report names another key (check `key-binding`).
    """
    with sheet:
        key = parse_public_key(key_pem, name)
        convention = verify_key_binding(claims.report.report_data, key, policy.key_bindings)
        sheet.passed(Check.KEY_BINDING, f"REPORT_DATA is {convention} of the key", "all 64 bytes")
    return key


def conclude(claims: Claims, policy: Policy, sheet: CheckSheet) -> int:
    """Return the grade of the evidence: that of the strictest shipped policy it meets, or 0 under an ungraded policy.

    Raises:
        AppraisalError: a finding on the sheet has failed.
        CrlUnavailableError, CrlStaleError: the policy requires a revocation status, and it is unknown.
    """
    with sheet:
        failures = sheet.failures
        if failures:
            more = f" ({len(failures)} checks failed)" if len(failures) > 1 else ""
            raise AppraisalError(
                f"policy {policy.name} refuses the evidence{more}",
                check=failures[0].check,
                where="evidence",
                got=failures[0].got,
                wanted=failures[0].wanted,
            )
        if policy.revocation_required and claims.revocation is not RevocationStatus.NOT_REVOKED:
            raise _revocation_undecided(claims)
    return grade_of(claims) if policy.graded else 0


def _revocation_undecided(claims: Claims) -> CrlUnavailableError | CrlStaleError:
    line = claims.line
    if claims.revocation is RevocationStatus.UNAVAILABLE:
        return CrlUnavailableError(
            f"policy asks for AMD's revocation list of {line} and none is at hand; "
            "--crl FILE gives one, --fetch asks AMD for it",
            check=Check.VEK_REVOCATION,
            where="crl",
        )
    return CrlStaleError(
        f"the revocation list of {line} at hand is not for this moment; "
        "--crl FILE gives a current one, --fetch asks AMD for it",
        check=Check.VEK_REVOCATION,
        where="crl",
    )


def _parsed_endorsements(evidence: Evidence, sheet: CheckSheet) -> Endorsements:
    endorsements = endorsements_of(evidence)
    listed = f"{endorsements.vek.kind.name}, two issuers" + (", CRL" if endorsements.crl else ", no CRL")
    sheet.passed(Check.ENDORSEMENTS_FORMAT, listed, "strict DER with AMD's extensions")
    return endorsements


def _parsed_report(evidence: Evidence, sheet: CheckSheet) -> Report:
    report = parse_report(evidence.report, evidence.report_name)
    # The text for versions 2, 3 and 5 is part of verdicts on record, whose digests must stay reproducible.
    versions = "4" if report.version == 4 else "2, 3 or 5"
    wanted = f"version {versions}, reserved bytes zero"
    sheet.passed(Check.REPORT_FORMAT, f"version {report.version}, 1184 bytes", wanted)
    return report


def _enter_chain(chain: VerifiedChain, sheet: CheckSheet) -> None:
    sheet.passed(Check.VEK_CHAIN, f"{chain.root_kind} root of {chain.line}", "a pinned root")
    sheet.passed(Check.VEK_VALIDITY, f"all valid at {chain.at:%Y-%m-%d %H:%M:%SZ}", "every certificate in its window")
    if chain.revocation is RevocationStatus.NOT_REVOKED and chain.endorsements.crl:
        sheet.passed(Check.VEK_REVOCATION, f"CRL no. {chain.endorsements.crl.number}", "issuer not in a current CRL")
    else:
        sheet.not_checked(Check.VEK_REVOCATION, f"CRL {chain.revocation}")
