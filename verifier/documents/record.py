"""A record on chain: its facts, its standing, its gate and the events of its history."""

from __future__ import annotations

from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, RecordSigner, product_line_from_code
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, signer_numbers
from provenance_oracle.verifier.registry.events import (
    Admission,
    AppliedRevocation,
    HistoryEvent,
    LeafClosure,
    ModelRevocation,
    Publication,
    Recount,
)
from provenance_oracle.verifier.strict.timestamps import format_time


def entry_json(entry: Entry) -> dict[str, object]:
    """Return a record and its standing.

    It is the member `record` of `provenance-oracle/check/v2` and an item of `entries` in `provenance-oracle/show/v2`.
    `active` tells whether the record speaks for its release. If it does not, `closure` gives the reason as a word and
    `closed_because` as a sentence. The contract's gates and their errors call `release_id` the record id. `batch` names
    the batch of a record that only a proof shows.
    """
    return {
        "release_id": release_id(entry.model_digest, entry.manifest_digest).hex(),
        "record_id": entry.record_id.hex(),
        "name": entry.name,
        "version": entry.version,
        "manifest_digest": entry.manifest_digest.hex(),
        "model_digest": entry.model_digest.hex(),
        "verdict_digest": entry.verdict_digest.hex(),
        "report_digest": entry.snp_report_digest.hex(),
        "policy_digest": entry.policy_digest.hex(),
        "policy_id": entry.policy_id,
        "publisher_identity": entry.publisher_identity.hex(),
        "passed": entry.passed,
        "revision": entry.revision,
        "grade": entry.grade,
        "product_line": product_line_from_code(entry.product_line),
        "reported_tcb": entry.reported_tcb.hex(),
        "passed_checks": list(entry.passed_checks),
        "parents": [parent.hex() for parent in entry.parents],
        "judged_at": format_time(entry.judged_at),
        "recorded_at": format_time(entry.recorded_at),
        "epoch": entry.standing.epoch,
        "threshold": entry.threshold,
        "weight": entry.weight,
        "signers": [_signer_json(signer) for signer in entry.signers],
        "batch": {"root": entry.batch.root.hex(), "leaf": entry.batch.leaf} if entry.batch else None,
        "revoked_at": format_time(entry.revoked_at) if entry.revoked_at else None,
        "model_revoked_at": format_time(entry.model_revoked_at) if entry.model_revoked_at else None,
        "held": entry.standing.held,
        "doubtful": entry.is_doubtful,
        "named": entry.standing.named,
        "revisions": entry.standing.revisions,
        "active": entry.closure is None,
        "closure": entry.closure,
        "closed_because": entry.closure.explanation if entry.closure else None,
    }


def gate_json(entry: Entry, *, is_open: bool, is_open_to_publisher: bool | None = None) -> dict[str, object]:
    """Return more members for an item of `entries` in `provenance-oracle/show/v2`: the state of its gates.

    Args:
        is_open: whether the contract's `requireModel` lets the release pass.
        is_open_to_publisher: whether `requireSignedBy` does, for the publisher of the record; None if nobody asked.
    """
    reason = None if is_open else gate_shut_because(entry) or "the contract says so"
    return {"gate_open": is_open, "gate_shut_because": reason, "publisher_gate_open": is_open_to_publisher}


def gate_shut_because(entry: Entry) -> str:
    """Return why a record shuts its plain gate, as a sentence; empty if the record does not say why."""
    reasons = [entry.closure.explanation] if entry.closure else []
    if entry.product_line == SIMULATED_CODE:
        reasons.append("the hardware was simulated")
    if entry.is_signed_only:
        reasons.append("the release has only a signature: no confidential hardware")
    return "; ".join(reasons)


def event_json(event: HistoryEvent) -> dict[str, object]:
    """Return one event of a record's history: an item of `events` in `provenance-oracle/show/v2`."""
    place = {"block": event.place.block_number, "transaction": f"0x{event.place.transaction_hash.hex()}"}
    return {**_event_facts(event), **place}


def _event_facts(event: HistoryEvent) -> dict[str, object]:
    if isinstance(event, Publication):
        return {
            "event": "published" if event.record.revision == 0 else "superseded",
            "time": format_time(event.first.recorded_at),
            "name": event.record.name,
            "version": event.record.version,
            "revision": event.record.revision,
            "passed": event.record.passed,
            "epoch": event.first.epoch,
            "signers": list(signer_numbers(event.first.signers)),
            "weight": event.first.weight,
            "held": event.first.held,
        }
    if isinstance(event, LeafClosure):
        return {"event": "leaf_closed", "root": event.root.hex(), "index": event.index}
    if isinstance(event, Admission):
        return {"event": "adopted" if event.is_adoption else "released", "time": format_time(event.admitted_at)}
    if isinstance(event, Recount):
        return {
            "event": "recounted",
            "record_id": event.record_id.hex(),
            "signers": list(signer_numbers(event.signers)),
            "weight": event.weight,
            "doubtful": event.is_doubtful,
        }
    if isinstance(event, AppliedRevocation):
        return {"event": "revocation_applied", "effective_from": format_time(event.revoked_at)}
    return {
        "event": "model_revoked" if isinstance(event, ModelRevocation) else "revoked",
        "effective_from": format_time(event.revoked_at),
        "reason": event.reason,
        "guardian": f"0x{event.guardian.hex()}",
    }


def _signer_json(signer: RecordSigner) -> dict[str, object]:
    return {
        "index": signer.index,
        "address": f"0x{signer.address.hex()}" if signer.address else None,
        "weight": signer.weight,
        "counts": signer.counts,
    }
