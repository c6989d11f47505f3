"""A record whose judgement was repeated: the member `from_record` of `provenance-oracle/check/v2`."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Finding
from provenance_oracle.verifier.documents.errors import findings_json
from provenance_oracle.verifier.documents.evidence import policy_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.changes import Change
from provenance_oracle.verifier.judgement.rejudge import Recorded
from provenance_oracle.verifier.judgement.rejudge_today import Today
from provenance_oracle.verifier.strict.timestamps import format_time


def rejudgement_json(recorded: Recorded, today: Today) -> dict[str, object]:
    """Return the record, its verdict as repeated here, the judgement of today, and what changed between both.

    `changes` names each check with another outcome or other words than on record; `is_decisive` tells which. `wording`
    names checks that the version that judged words otherwise, with the same outcome.
    """
    return {
        "record": entry_json(recorded.entry),
        "verdict": {
            "digest": recorded.verdict.digest.hex(),
            "version": recorded.verdict.version,
            "signed_by": [f"0x{address.hex()}" for address in recorded.signers],
            "at": format_time(recorded.verdict.at),
            "policy": policy_json(recorded.policy),
            "findings": findings_json(recorded.verdict.findings),
        },
        "repeated": {
            "bit_for_bit": recorded.is_reproduced,
            "grade": recorded.judgement.result.grade,
            "wording": [str(change.check) for change in recorded.wording],
        },
        "today": {
            "at": format_time(today.at),
            "policy": policy_json(today.policy),
            "accepted": today.refusal is None,
            "grade": today.judgement.result.grade if today.judgement else None,
        },
        "changes": [_change_json(change) for change in today.changes],
    }


def _change_json(change: Change) -> dict[str, object]:
    return {
        "check": change.check,
        "is_decisive": change.is_decisive,
        "then": _finding_json(change.then),
        "now": _finding_json(change.now),
    }


def _finding_json(finding: Finding | None) -> dict[str, str] | None:
    return findings_json([finding])[0] if finding else None
