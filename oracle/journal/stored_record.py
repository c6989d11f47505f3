"""The JSON form of a record in the journal, from which a restarted oracle publishes it without another judgement."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from provenance_oracle.verifier.record.fields import Record

_BYTES = (
    "manifest_digest",
    "model_digest",
    "verdict_digest",
    "snp_report_digest",
    "policy_digest",
    "publisher_identity",
    "reported_tcb",
)


def to_json(record: Record) -> bytes:
    """Return a record as one JSON object. Bytes are in hex; the time is ISO 8601 with its offset."""
    fields = asdict(record) | {name: getattr(record, name).hex() for name in _BYTES}
    fields["report_digest"] = fields.pop("snp_report_digest")  # the journal's name for it since its first version
    parents = [digest.hex() for digest in record.parent_models]
    return json.dumps(fields | {"judged_at": record.judged_at.isoformat(), "parent_models": parents}).encode()


def from_json(data: bytes) -> Record:
    """Return the record that `to_json` wrote."""
    fields = json.loads(data)
    fields["snp_report_digest"] = fields.pop("report_digest")
    fields |= {name: bytes.fromhex(fields[name]) for name in _BYTES}
    parents = tuple(bytes.fromhex(text) for text in fields["parent_models"])
    return Record(**fields | {"judged_at": datetime.fromisoformat(fields["judged_at"]), "parent_models": parents})
