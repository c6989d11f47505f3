"""How far the index is, and the figures that tell it to Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime

from provenance_oracle.oracle.index.rows import IndexStatus
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.oracle.index.stewards import writes_are_paused
from provenance_oracle.verifier.errors import TemporaryError

_COUNTS = """
SELECT (SELECT COUNT(*) FROM unchecked) AS unchecked, (SELECT COUNT(*) FROM figures WHERE kind = 0) AS releases,
 (SELECT COUNT(*) FROM figures WHERE kind = 1) AS failures, (SELECT COUNT(*) FROM documents) AS batches,
 (SELECT COUNT(*) FROM documents WHERE is_read = 0) AS unread
"""


def read_status(shelf: Shelf) -> IndexStatus:
    """Return how far the index is. Raises TemporaryError if nothing was ever read into it."""
    facts = {row["name"]: row["value"] for row in shelf.ask("SELECT name, value FROM facts", ())}
    if not facts:
        wanted = "a `provenance index` that reached its node once"
        raise TemporaryError("the index is empty yet", where=shelf.where, got="no chain", wanted=wanted)
    last = shelf.ask("SELECT number, hash, seconds FROM blocks ORDER BY number DESC LIMIT 1", ())
    (counts,) = shelf.ask(_COUNTS, ())
    return IndexStatus(
        chain_id=int(facts["chain_id"]),
        registry=bytes.fromhex(facts["registry"]),
        namespaces=bytes.fromhex(facts["namespaces"]),
        lineage=bytes.fromhex(facts["lineage"]),
        deployed_block=int(facts["deployed_block"]),
        until=int(last[0]["number"]) if last else -1,
        until_hash=bytes(last[0]["hash"]) if last else bytes(32),
        until_time=datetime.fromtimestamp(int(last[0]["seconds"]), UTC) if last else None,
        head=int(facts.get("head", -1)),
        unchecked=int(counts["unchecked"]),
        records=int(counts["releases"]) + int(counts["failures"]),
        batches=int(counts["batches"]),
        unread_batches=int(counts["unread"]),
        writes_paused=writes_are_paused(shelf),
    )
