"""A release that has only a signature as judged here, and its record on chain."""

from __future__ import annotations

from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.documents.evidence import policy_json
from provenance_oracle.verifier.documents.judgement import looked_up_json, not_covered_json, signed_by_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.confirm_signed import SignedConfirmation
from provenance_oracle.verifier.manifest.names import may_hold_code
from provenance_oracle.verifier.strict.timestamps import format_time


def check_signed_json(confirmation: SignedConfirmation) -> dict[str, object]:
    """Return the body of `provenance-oracle/check/v2` for a release that has only a signature: `claims` is null.

    `name` and `version` are null if the release has no record, since its signature binds no name.
    """
    judged, entry, owner = confirmation.judgement, confirmation.entry, confirmation.namespace_owner
    found, files = judged.release.found, judged.files
    return {
        "name": found.name if found else None,
        "version": found.version if found else None,
        "model_digest": files.model_digest.hex(),
        "manifest_digest": judged.manifest_digest.hex(),
        "verdict_digest": judged.verdict.digest.hex(),
        "grade": 0,
        "at": format_time(judged.at),
        "policy": policy_json(judged.policy),
        "claims": None,
        "has_code": any(may_hold_code(file.path) for file in files.files),
        "signed_by": signed_by_json(judged.signature),
        "not_checked": [],
        "not_covered": not_covered_json(files),
        "publisher": judged.signature.identity.digest.hex(),
        "namespace": looked_up_json(found.name.partition("/")[0] if found else None, entry, owner),
        "record": entry_json(entry) if entry else None,
        "verdict_reproduced": confirmation.verdict_reproduced,
        "proven": None,
        "findings": findings_json(confirmation.findings),
    }
