"""Results in words and JSON: one vocabulary for the commands, whatever the judgement was made for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from verifier.confirmation import Confirmation
from verifier.judgement import Judgement
from verifier.policy import Policy
from verifier.record import Entry, name_of_product_line, product_line_name
from verifier.snp.products import RootKind
from verifier.snp.signature import Claims
from verifier.timestamps import format_time

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


def entry_json(entry: Entry) -> dict[str, object]:
    return {
        "manifest_digest": entry.manifest_digest.hex(),
        "model_digest": entry.model_digest.hex(),
        "verdict_digest": entry.verdict_digest.hex(),
        "report_digest": entry.report_digest.hex(),
        "policy_digest": entry.policy_digest.hex(),
        "grade": entry.grade,
        "product_line": name_of_product_line(entry.product_line),
        "reported_tcb": entry.reported_tcb.hex(),
        "passed_checks": list(entry.passed_checks),
        "judged_at": format_time(entry.judged_at),
        "recorded_at": format_time(entry.recorded_at),
        "oracle": f"0x{entry.oracle.hex()}",
        "revoked_at": format_time(entry.revoked_at) if entry.revoked_at else None,
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


def entry_lines(entry: Entry) -> Iterator[str]:
    """The numbers of a record, one line each."""
    yield f"manifest digest  {entry.manifest_digest.hex()}"
    yield f"model digest     {entry.model_digest.hex()}"
    yield f"verdict digest   {entry.verdict_digest.hex()}"
    yield f"report digest    {entry.report_digest.hex()}"
    yield f"policy digest    {entry.policy_digest.hex()}"
    yield f"grade            {grade_words(entry.grade)}"
    yield f"product line     {name_of_product_line(entry.product_line)}, reported TCB {entry.reported_tcb.hex()}"
    yield f"checks passed    {len(entry.passed_checks)}"
    yield f"judged as of     {format_time(entry.judged_at)}"
    yield f"recorded         {format_time(entry.recorded_at)} by oracle 0x{entry.oracle.hex()}"
    if entry.revoked_at:
        yield f"REVOKED          {format_time(entry.revoked_at)}"


def confirmation_lines(confirmation: Confirmation) -> Iterator[str]:
    """How the record relates to the judgement made here."""
    entry = confirmation.entry
    if entry is None:
        return
    yield f"record           {format_time(entry.recorded_at)} by oracle 0x{entry.oracle.hex()}"
    if entry.grade != confirmation.judgement.result.grade:
        yield f"grade on record  {grade_words(entry.grade)}: not what was found here"
    if confirmation.verdict_reproduced:
        yield "verdict          reproduced here bit for bit"
    else:
        yield "verdict          differs from the oracle's: another policy, moment or version judged"


def grade_words(grade: int) -> str:
    return f"{grade} ({('nothing required', 'baseline', 'strict')[grade]})"


def root_note(claims: Claims) -> str:
    """A sentence that must stand beside every result that does not end at AMD's root; empty for those that do."""
    return {RootKind.AMD: "", RootKind.SIMULATOR: SIMULATED_NOTE, RootKind.UNSAFE: UNSAFE_NOTE}[claims.root_kind]
