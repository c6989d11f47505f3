"""A release as judged here, and its record on chain."""

from __future__ import annotations

from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.documents.evidence import claims_json, policy_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.part import PartJudgement
from provenance_oracle.verifier.judgement.record_of import publisher_of
from provenance_oracle.verifier.strict.timestamps import format_time


def check_json(confirmation: Confirmation | PartConfirmation) -> dict[str, object]:
    """Return the body of `provenance-oracle/check/v2`: a judgement and, unless offline, the record that matches it.

    `namespace.owner` is null offline, and if nobody claimed the namespace.
    """
    entry, owner = confirmation.entry, confirmation.namespace_owner
    if isinstance(confirmation, Confirmation):
        judged, reproduced = judgement_json(confirmation.judgement), confirmation.verdict_reproduced
    else:
        judged, reproduced = part_json(confirmation.judgement), False
    return {
        **judged,
        "publisher": publisher_of(confirmation.judgement.result.claims).hex(),
        "namespace": {
            "name": confirmation.judgement.result.manifest.namespace,
            "looked_up": entry is not None,
            "owner": f"0x{owner.hex()}" if owner else None,
        },
        "record": entry_json(entry) if entry else None,
        "verdict_reproduced": reproduced,
        "findings": findings_json(confirmation.findings),
    }


def judgement_json(judgement: Judgement) -> dict[str, object]:
    """Return the members of `provenance-oracle/check/v2` that need no registry."""
    files = judgement.files
    return {
        **_result_json(judgement.result, files.model_digest, judgement.verdict.digest),
        "not_checked": [],
        "not_covered": [
            *({"path": file.path, "reason": "added by hub or git"} for file in files.uncovered),
            *({"path": path, "reason": "ignored"} for path in files.ignored),
        ],
    }


def part_json(part: PartJudgement) -> dict[str, object]:
    """Return the same members for some files of a release: there is no verdict, and no model digest was computed."""
    return {**_result_json(part.result, None, None), "not_checked": list(part.unchecked), "not_covered": []}


def _result_json(
    result: AttestationResult, model_digest: bytes | None, verdict_digest: bytes | None
) -> dict[str, object]:
    manifest = result.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "model_digest": model_digest.hex() if model_digest else None,
        "manifest_digest": manifest.digest.hex(),
        "verdict_digest": verdict_digest.hex() if verdict_digest else None,
        "grade": result.grade,
        "at": format_time(result.at),
        "policy": policy_json(result.policy),
        "claims": claims_json(result.claims),
        "has_code": manifest.has_code,
    }
