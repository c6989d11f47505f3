"""One attestation report: its claims, the policy, and the findings of its appraisal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from provenance_oracle.verifier.checks import Finding
from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import product_line_label
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.strict.timestamps import format_time


def report_json(
    claims: Claims, policy: Policy, *, at: datetime, grade: int, findings: Iterable[Finding]
) -> dict[str, object]:
    """Return the body of `provenance-oracle/report/v1`: a report without a release, appraised for the moment `at`."""
    return {
        "grade": grade,
        "at": format_time(at),
        "policy": policy_json(policy),
        "claims": claims_json(claims),
        "findings": findings_json(findings),
    }


def policy_json(policy: Policy) -> dict[str, object]:
    """Return the member `policy` of `provenance-oracle/check/v2` and `provenance-oracle/report/v1`."""
    return {
        "name": policy.name,
        "version": policy.version,
        "date": policy.date.isoformat(),
        "digest": policy.digest.hex(),
    }


def claims_json(claims: Claims) -> dict[str, object]:
    """Return the member `claims` of `provenance-oracle/check/v2` and `provenance-oracle/report/v1`.

    The names are AMD's field names in lower case. Bytes are hex.
    """
    report = claims.report
    return {
        "product_line": product_line_label(claims.line, claims.root_kind),
        "format_line": claims.line,
        "root": claims.root_kind,
        "report_version": report.version,
        "report_digest": report.digest.hex(),
        "vek": claims.vek_kind.name,
        "cpuid": str(claims.cpuid) if claims.cpuid else None,
        "chip_id": claims.chip_id.hex() if claims.chip_id else None,
        "csp_id": claims.csp_id,
        "policy": f"{report.policy:#x}",
        "platform_info": f"{report.platform_info:#x}",
        "vmpl": report.vmpl,
        "guest_svn": report.guest_svn,
        "current_tcb": str(claims.current_tcb),
        "reported_tcb": str(claims.reported_tcb),
        "committed_tcb": str(claims.committed_tcb),
        "launch_tcb": str(claims.launch_tcb),
        "measurement": report.measurement.hex(),
        "report_data": report.report_data.hex(),
        "host_data": report.host_data.hex(),
        "id_key_digest": report.id_key_digest.hex(),
        "author_key_digest": report.author_key_digest.hex(),
        "revocation": claims.revocation,
    }
