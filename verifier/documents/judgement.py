"""A release as judged here, and its record on chain."""

from __future__ import annotations

from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.documents.evidence import claims_json, policy_json
from provenance_oracle.verifier.documents.proof import proven_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.part import PartJudgement
from provenance_oracle.verifier.judgement.signature import ReleaseSignature
from provenance_oracle.verifier.proofs.reader import ReleaseProof
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.strict.timestamps import format_time


def check_json(confirmation: Confirmation | PartConfirmation, proof: ReleaseProof | None = None) -> dict[str, object]:
    """Return the body of `provenance-oracle/check/v2`: a judgement and, unless offline, the record that matches it.

    `proven` is the proof on chain; null if there is none, or nothing that keeps proofs was asked.

    `namespace.owner` is null offline, and if nobody claimed the namespace. With --from-record, the document also has
    the member `from_record`, even if the release is refused; see `rejudgement.rejudgement_json`.
    """
    entry, owner = confirmation.entry, confirmation.namespace_owner
    if isinstance(confirmation, Confirmation):
        judged, reproduced = judgement_json(confirmation.judgement), confirmation.verdict_reproduced
    else:
        judged, reproduced = part_json(confirmation.judgement), False
    return {
        **judged,
        "publisher": confirmation.judgement.result.publisher.digest.hex(),
        "namespace": looked_up_json(confirmation.judgement.result.manifest.namespace, entry, owner),
        "record": entry_json(entry) if entry else None,
        "verdict_reproduced": reproduced,
        "proven": proven_json(proof),
        "findings": findings_json(confirmation.findings),
    }


def judgement_json(judgement: Judgement) -> dict[str, object]:
    """Return the members of `provenance-oracle/check/v2` that need no registry."""
    files = judgement.files
    return {
        **_result_json(judgement.result, files.model_digest, judgement.verdict.digest),
        "not_checked": [],
        "not_covered": not_covered_json(files),
    }


def not_covered_json(files: FileSet) -> list[dict[str, str]]:
    """Return the files of the folder that the model digest leaves out, each with the reason."""
    return [
        *({"path": file.path, "reason": "added by hub or git"} for file in files.uncovered),
        *({"path": path, "reason": "ignored"} for path in files.ignored),
    ]


def looked_up_json(name: str | None, entry: Entry | None, owner: bytes | None) -> dict[str, object]:
    """Return the member `namespace` of `provenance-oracle/check/v2`; the owner's address has 20 bytes."""
    return {"name": name, "looked_up": entry is not None, "owner": f"0x{owner.hex()}" if owner else None}


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
        "signed_by": signed_by_json(result.signature),
    }


def signed_by_json(signature: ReleaseSignature | None) -> dict[str, object] | None:
    """Return who signed a release, and which files; None without a signature.

    The signer is the release's publisher only if `named` is true.
    """
    if signature is None:
        return None
    signer, coverage = signature.signer, signature.coverage
    return {
        "identity": signature.identity.line,
        "digest": signature.identity.digest.hex(),
        "named": signature.is_named,
        "method": signer.method,
        "identities": list(signer.lines),
        "signed_at": format_time(signer.signed_at) if signer.signed_at else None,
        "log_index": signer.log_index,
        "covered": len(coverage.covered),
        "files": coverage.files,
        "not_covered": sorted((*coverage.allowed, *coverage.gaps)),
    }
