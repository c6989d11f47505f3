"""Make the bytes of a PASSED verdict again from the evidence that was kept with it.

A verdict depends on release, policy, moment and version only. The bytes count only if they have the digest that is on
chain: then they are the same bytes, however they were made.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.kept_evidence import judge_evidence, release_of_evidence
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.strict.tar import files_of_tar


def rebuild_verdict(digest: bytes, archive: bytes, policy: Policy, at: datetime) -> bytes | None:
    """Return the bytes of a verdict; None if they cannot be made again.

    Args:
        digest: SHA-256 of the verdict, 32 bytes. archive: its evidence as `evidence.archive` packs it.
        policy, at: those of the judgement.
    """
    try:
        release = release_of_evidence(files_of_tar(archive), at)
        statement = judge_evidence(release, policy, at).verdict.statement
    except ProvenanceError:
        return None
    return statement if hashlib.sha256(statement).digest() == digest else None
