"""The JSON form of a record in the journal, from which a restarted oracle publishes it without another judgement."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from provenance_oracle.verifier.record.fields import NamedParent, Record

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
    fields["report_digest"] = fields.pop("snp_report_digest")  # the journal's names since its first version
    del fields["named_parents"]
    fields["parent_models"] = [parent_text(parent) for parent in record.named_parents]
    return json.dumps(fields | {"judged_at": record.judged_at.isoformat()}).encode()


def from_json(data: bytes) -> Record:
    """Return the record that `to_json` wrote."""
    fields = json.loads(data)
    fields["snp_report_digest"] = fields.pop("report_digest")
    fields |= {name: bytes.fromhex(fields[name]) for name in _BYTES}
    fields["named_parents"] = tuple(map(_parse_parent, fields.pop("parent_models")))
    return Record(**fields | {"judged_at": datetime.fromisoformat(fields["judged_at"])})


def parent_text(parent: NamedParent) -> str:
    """Return a named parent as text: its model digest in hex, then a colon and its manifest digest if it has one."""
    manifest = f":{parent.manifest_digest.hex()}" if parent.manifest_digest is not None else ""
    return parent.model_digest.hex() + manifest


def _parse_parent(text: str) -> NamedParent:
    model, colon, manifest = text.partition(":")
    return NamedParent(bytes.fromhex(model), bytes.fromhex(manifest) if colon else None)
