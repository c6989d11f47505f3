"""The JSON objects of the API that no command prints. `verifier.documents` has those of records, events and names."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.oracle.index.rows import (
    DayCount,
    Edge,
    FirmwareCount,
    IndexedRecord,
    IndexStatus,
    OracleCount,
    SearchResult,
)
from provenance_oracle.verifier.documents.record import entry_json, gate_json
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import product_line_from_code
from provenance_oracle.verifier.registry.namespaces import NamespaceEntry
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.timestamps import format_time


def record_json(found: IndexedRecord) -> dict[str, object]:
    """Return a record: an item of `entries`. `gas_used` is null if no node told it."""
    gates = gate_json(found.entry, is_open=found.is_open, is_open_to_publisher=found.is_open_to_publisher)
    place = {"block": found.block, "transaction": f"0x{found.transaction.hex()}", "gas_used": found.gas_used}
    return entry_json(found.entry) | gates | place


def facts_json(found: IndexedRecord) -> dict[str, object]:
    """Return the few facts of a record by which a list shows it."""
    entry = found.entry
    return {
        "name": entry.name,
        "version": entry.version,
        "record_id": entry.record_id.hex(),
        "model_digest": entry.model_digest.hex(),
        "manifest_digest": entry.manifest_digest.hex(),
        "recorded_at": format_time(entry.recorded_at),
        "product_line": product_line_from_code(entry.product_line),
        "passed": entry.passed,
        "closure": entry.closure,
    }


def result_json(result: SearchResult, digest: bytes | None) -> dict[str, object]:
    """Return one result of a search.

    Args:
        digest: the one that was searched for; None for a search by words.
    """
    kind: dict[str, object] = {"kind": result.kind}
    if result.record is not None:
        return kind | facts_json(result.record) | {"found_by": member_with(result.record, digest)}
    return kind | ({"name": result.name} if result.name else {"digest": result.key.hex()})


def member_with(found: IndexedRecord, digest: bytes | None) -> str | None:
    """Return the name of a record's member that has a digest; None for no digest."""
    entry = found.entry
    members = {
        "manifest_digest": entry.manifest_digest,
        "model_digest": entry.model_digest,
        "verdict_digest": entry.verdict_digest,
        "report_digest": entry.snp_report_digest,
        "record_id": entry.record_id,
        "release_id": release_id(entry.model_digest, entry.manifest_digest),
    }
    # the digest of a judgement that was superseded is in no member
    return next((name for name, value in members.items() if value == digest), "earlier judgement") if digest else None


def edge_json(edge: Edge) -> dict[str, object]:
    """Return an edge between two releases: the ids of child and parent."""
    return {"child": edge.child.hex(), "parent": edge.parent.hex(), "attested": edge.is_attested}


def namespace_entry_json(entry: NamespaceEntry) -> dict[str, object]:
    """Return one entry of a namespace's history. `head` chains it to all entries before it (INamespaces.sol)."""
    return {
        "number": entry.number,
        "kind": int(entry.kind),
        "event": entry.kind.name.lower(),
        "subject": entry.subject.hex(),
        "time": format_time(entry.at),
        "seconds": int(entry.at.timestamp()),
        "head": f"{entry.head:064x}",
        "block": entry.place.block_number,
        "transaction": f"0x{entry.place.transaction_hash.hex()}",
    }


def days_json(days: Iterable[DayCount]) -> list[dict[str, object]]:
    """Return `by_day` of the statistics."""
    return [
        {"day": one.day.isoformat(), "releases": one.releases, "batches": one.batches, "gas": one.gas} for one in days
    ]


def oracles_json(oracles: Iterable[OracleCount]) -> list[dict[str, object]]:
    """Return `oracles` of the statistics: how many of the records of an oracle set each oracle signed."""
    return [
        {
            "address": checksum_address(one.oracle.key),
            "epoch": one.epoch,
            "index": one.index,
            "signed": one.signed,
            "of": one.total,
        }
        for one in oracles
    ]


def firmware_json(counts: Iterable[FirmwareCount]) -> list[dict[str, object]]:
    """Return `firmware` of the statistics."""
    return [
        {
            "product_line": product_line_from_code(one.product_line),
            "reported_tcb": one.reported_tcb.hex(),
            "day": one.day.isoformat(),
            "count": one.count,
        }
        for one in counts
    ]


def index_status_json(status: IndexStatus) -> dict[str, object]:
    """Return how far an index is."""
    return {
        "chain_id": status.chain_id,
        "registry": checksum_address(status.registry),
        "head": status.head,
        "indexed_until": status.until,
        "indexed_hash": f"0x{status.until_hash.hex()}",
        "indexed_time": format_time(status.until_time) if status.until_time else None,
        "lag_blocks": status.lag_blocks,
        "unchecked": status.unchecked,
        "records": status.records,
        "batches": status.batches,
        "unread_batches": status.unread_batches,
        "deployment": {
            "chain_id": status.chain_id,
            "registry": checksum_address(status.registry),
            "namespaces": checksum_address(status.namespaces),
            "lineage": checksum_address(status.lineage),
            "block": status.deployed_block,
        },
    }
