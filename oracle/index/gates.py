"""Whether a record's gates are open, derived from the record as `contracts/registry/Gates.sol` decides."""

from __future__ import annotations

from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, UNBACKED_CODES


def gate_is_open(entry: Entry, now: datetime) -> bool:
    """Return whether `requireModel`, or `requireModelFromProof` for a record in a batch, is open at grade 0.

    Args:
        now: the moment for which the gate is told. A revocation may lie ahead of it.
    """
    return _is_standing(entry, now) and entry.product_line not in UNBACKED_CODES


def publisher_gate_is_open(entry: Entry, noted: bytes, now: datetime) -> bool | None:
    """Return whether `requireSignedBy` is open for the record's own publisher; None if no such gate opens for it.

    Args:
        noted: the identity that the registry noted for the record, 32 bytes: zeros if none.
    """
    if entry.batch or not entry.passed or entry.product_line == SIMULATED_CODE:
        return None
    if Check.PUBLISHER_SIGNATURE not in entry.passed_checks:
        return None
    return noted == entry.publisher_identity and _is_standing(entry, now)


def _is_standing(entry: Entry, now: datetime) -> bool:
    revoked_at = entry.standing.revoked_at
    is_revoked = revoked_at is not None and revoked_at <= now
    return entry.passed and not (entry.standing.held or entry.standing.doubtful or is_revoked)
