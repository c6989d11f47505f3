"""Make the record of a judged release."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Finding, passed_bits
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.record.fields import Record, named_parents, product_line_code


def record_of(
    result: AttestationResult, files: FileSet, findings: tuple[Finding, ...], verdict_digest: bytes
) -> Record:
    """Return the record of an accepted release. `verdict_digest` is the SHA-256 of its verdict statement, 32 bytes.

    Raises:
        UsageError: the evidence was accepted under an unsafe root; such a release is never recorded.
    """
    claims, manifest = result.claims, result.manifest
    return Record(
        manifest_digest=manifest.digest,
        model_digest=files.model_digest,
        verdict_digest=verdict_digest,
        snp_report_digest=claims.report.digest,
        policy_digest=result.policy.digest,
        publisher_identity=result.publisher.digest,
        judged_at=result.at.replace(microsecond=0),
        reported_tcb=claims.report.reported_tcb,
        checks=passed_bits(findings),
        grade=result.grade,
        product_line=product_line_code(claims.line, claims.root_kind),
        passed=True,
        revision=0,
        name=manifest.name,
        version=manifest.version,
        named_parents=named_parents(manifest),
    )
