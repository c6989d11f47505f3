"""Results in words and JSON: one vocabulary for the commands, whatever the judgement was made for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import product_line_name
from provenance_oracle.verifier.snp.products import RootKind
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.strict.timestamps import format_time

SIMULATED_NOTE = "The hardware was SIMULATED: the simulator's keys are public, so anybody can make such evidence."
UNSAFE_NOTE = "An UNSAFE ROOT was accepted on request: this says nothing about AMD hardware."


def policy_json(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "version": policy.version,
        "date": policy.date.isoformat(),
        "digest": policy.digest.hex(),
    }


def claims_json(claims: Claims) -> dict[str, object]:
    """The report's claims, hex for bytes, names as AMD writes them."""
    report = claims.report
    return {
        "product_line": product_line_name(claims.line, claims.root_kind),
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


def judgement_json(judgement: Judgement) -> dict[str, object]:
    result, manifest = judgement.result, judgement.result.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "model_digest": judgement.files.model_digest.hex(),
        "manifest_digest": manifest.digest.hex(),
        "verdict_digest": judgement.verdict.digest.hex(),
        "grade": result.grade,
        "at": format_time(result.at),
        "policy": policy_json(result.policy),
        "claims": claims_json(result.claims),
        "has_code": manifest.has_code,
    }


def policy_line(policy: Policy, at: datetime) -> str:
    return f"policy {policy.name} of {policy.date}, judged as of {format_time(at)}"


def judgement_lines(judgement: Judgement) -> Iterator[str]:
    """The digests and the grade of an accepted release, one line each."""
    yield f"model digest     {judgement.files.model_digest.hex()}"
    yield f"manifest digest  {judgement.result.manifest.digest.hex()}"
    yield f"grade            {grade_words(judgement.result.grade)}"
    if judgement.result.manifest.has_code:
        yield "note             the release holds files that can run code; the digests cover them, nobody reviewed them"


def grade_words(grade: int) -> str:
    return f"{grade} ({('nothing required', 'baseline', 'strict')[grade]})"


def root_note(claims: Claims) -> str:
    """A sentence that must stand beside every result that does not end at AMD's root; empty for those that do."""
    return {RootKind.AMD: "", RootKind.SIMULATOR: SIMULATED_NOTE, RootKind.UNSAFE: UNSAFE_NOTE}[claims.root_kind]
