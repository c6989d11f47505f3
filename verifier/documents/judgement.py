"""A release as judged here, and its record on chain."""

from __future__ import annotations

from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.documents.evidence import claims_json, policy_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.confirm import Confirmation
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.strict.timestamps import format_time


def check_json(confirmation: Confirmation) -> dict[str, object]:
    """Return the body of `provenance-oracle/check/v2`: a judgement and, unless offline, the record that matches it."""
    entry = confirmation.entry
    return {
        **judgement_json(confirmation.judgement),
        "record": entry_json(entry) if entry else None,
        "verdict_reproduced": confirmation.verdict_reproduced,
        "findings": findings_json(confirmation.findings),
    }


def judgement_json(judgement: Judgement) -> dict[str, object]:
    """Return the members of `provenance-oracle/check/v2` that need no registry."""
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
