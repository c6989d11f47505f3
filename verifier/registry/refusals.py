"""The errors about records that are there and not active."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.strict.timestamps import format_time


def refusal_of(entry: Entry, where: str) -> RecordError | None:
    """Return the error for an entry that is not active; None if it is active.

    Args:
        where: names the registry in the error.
    """
    if entry.closure is None:
        return None
    got, wanted = "a record that is shut", "an active record"
    if entry.is_doubtful:
        got = f"weight {entry.weight} of {entry.threshold}"
    if entry.revoked_at is not None:
        got = f"revoked from {format_time(entry.revoked_at)} on"
    if entry.closure is Closure.REVOKED and entry.model_revoked_at is not None:
        got += ", and so is every other release of these files"
    if entry.closure is Closure.HELD and entry.batch is not None:
        got = "a leaf with a name in a claimed namespace, whose rules are not checked yet"
        wanted += "; anybody can have them checked, with `materialise`"
    problem = entry.closure.explanation
    return RecordError(problem, check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)
