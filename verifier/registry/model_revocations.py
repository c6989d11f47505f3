"""Read the revocation of a model, which holds for every release of these files, recorded or not."""

from __future__ import annotations

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.events import ModelRevocation, parse_model_revocation
from provenance_oracle.verifier.registry.publications import KeptRecords


def read_model_revocation(
    contract: DeployedContract, records: KeptRecords, model_digest: bytes, *, first: int, block: int
) -> ModelRevocation | None:
    """Return the revocation of a model at `block`; None if the model is not revoked. Read no events in that case.

    Args:
        model_digest: 32 bytes.
        first: a block before which the registry has no events.

    Raises:
        TemporaryError: the node fails, or withholds the event.
    """
    revoked_at = records.model_revoked_at(model_digest, block)
    if revoked_at is None:
        return None
    found = contract.logs("ModelRevoked", {"modelDigest": model_digest}, first, block, parse=parse_model_revocation)
    if [one.revoked_at for one in found] != [revoked_at]:
        got = "the revocation of a model"
        raise TemporaryError("the events do not lead to the contract's state", where=contract.where, got=got)
    return found[0]


def read_unrevoked(records: KeptRecords, model_digest: bytes, block: int) -> tuple[bytes, ...]:
    """Return the manifest digests of a revoked model's releases whose records do not have the revocation yet.

    They are in the order of their first judgements. Leaves of batches that nobody wrote out are not among them. There
    are none if the model is not revoked.

    Raises:
        TemporaryError: the node fails or contradicts itself.
    """
    revoked_at = records.model_revoked_at(model_digest, block)
    if revoked_at is None:
        return ()
    found = records.read({"modelDigest": model_digest}, block)
    manifests = dict.fromkeys(one.record.manifest_digest for one in found if one.record.passed)
    standings = ((manifest, records.standing(model_digest, manifest, block)) for manifest in manifests)
    return tuple(
        manifest
        for manifest, standing in standings
        if standing and (standing.revoked_at is None or standing.revoked_at > revoked_at)
    )
