"""The JSON document of one model signature."""

from __future__ import annotations

from provenance_oracle.verifier.identity.match import Coverage
from provenance_oracle.verifier.identity.publisher import VerifiedSignature
from provenance_oracle.verifier.strict.timestamps import format_time


def signature_json(found: VerifiedSignature, coverage: Coverage, *, signature: str) -> dict[str, object]:
    """Return the body of the document `schemas.SIGNATURE`.

    Args:
        signature: the path of the bundle.
    """
    signer, signed = found.signer, found.signed
    return {
        "signature": signature,
        "publisher": {
            "identity": found.identity.line,
            "digest": found.identity.digest.hex(),
            "method": str(signer.method),
            "signed_at": format_time(signer.signed_at) if signer.signed_at else None,
            "log_index": signer.log_index,
        },
        "payload_digest": signed.payload_digest.hex(),
        "oms_root": signed.root.hex(),
        "files": coverage.files,
        "covered": len(coverage.covered),
        "not_covered": list(coverage.allowed),
    }
