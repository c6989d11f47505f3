"""Batches for tests: sealed, signed and recorded as by an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from provenance_oracle.verifier.record.batch import Batch, seal_batch
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.signing import batch_digest
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry

SEALED_AT = int(JUDGED_AT.timestamp())
URI = "https://oracle.example/batches/1"


def sealing(
    registry: DeployedRegistry, records: Sequence[Record], signers: Sequence[int], *, sealed_at: int = SEALED_AT
) -> tuple[tuple[bytes, ...], Batch, Any]:
    """Return the encoded records, the batch over them, and the call that records its root. The call is not sent."""
    encoded = tuple(registry.encode(record) for record in records)
    batch = seal_batch(encoded)
    quorum = batch_quorum(registry, batch.root, len(encoded), signers, sealed_at=sealed_at)
    call = registry.contract.functions.recordBatch(batch.root, len(encoded), sealed_at, URI, quorum)
    return encoded, batch, call


def batch_quorum(
    registry: DeployedRegistry, root: bytes, count: int, signers: Sequence[int], *, sealed_at: int = SEALED_AT
) -> tuple[int, int, bytes]:
    """Return Solidity's struct Quorum over a batch: signatures of the oracles with these numbers, current epoch."""
    epoch = int(registry.contract.functions.currentEpoch().call())
    place = (registry.chain.chain_id, registry.address_bytes, epoch)
    return registry.quorum(batch_digest(*place, root, count=count, sealed_at=sealed_at, uri=URI), signers, epoch)
