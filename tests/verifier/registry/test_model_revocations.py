"""A revoked model: every release of it counts as revoked at once, whether or not its record has the revocation yet."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provenance_oracle.verifier.errors import RecordError, TemporaryError
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.registry.events import AppliedRevocation, ModelRevocation, Publication, Revocation
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.batches import sealing
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.fake_nodes import lying, telling_logs

pytestmark = pytest.mark.chain

RECORD = make_record()
MODEL = RECORD.model_digest


def revoke_model(registry: DeployedRegistry) -> datetime:
    registry.send(registry.contract.functions.revokeAllOf(MODEL, "a backdoor"), registry.guardian)
    seconds = registry.contract.functions.revokedModelTime(MODEL).call()
    return datetime.fromtimestamp(seconds, UTC)


def apply(registry: DeployedRegistry) -> None:
    call = registry.contract.functions.applyRevocations(MODEL, [RECORD.manifest_digest])
    registry.send(call, registry.stranger)


def test_it_counts_before_anybody_applied_it(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    reader = registry.reader()
    assert reader.model_revocation(MODEL) is None
    assert reader.unrevoked_releases(MODEL) == ()
    at = revoke_model(registry)
    entry = reader.entry(RECORD.manifest_digest)
    assert (entry.closure, entry.revoked_at, entry.standing.revoked_at) == (Closure.REVOKED, at, None)
    assert entry.awaits_revocation
    assert reader.is_open(entry), "the plain gate reads one slot"
    assert reader.unrevoked_releases(MODEL) == (RECORD.manifest_digest,)
    with pytest.raises(RecordError, match="the record was revoked") as caught:
        reader.match_record(RECORD)
    assert caught.value.got is not None
    assert caught.value.got.endswith("on, and so is every other release of these files")


def test_applied_it_is_in_the_record(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    at = revoke_model(registry)
    apply(registry)
    reader = registry.reader()
    entry = reader.entry(RECORD.manifest_digest)
    assert (entry.revoked_at, entry.standing.revoked_at, entry.awaits_revocation) == (at, at, False)
    assert not reader.is_open(entry)
    assert reader.unrevoked_releases(MODEL) == ()


def test_a_revocation_of_the_record_alone_counts_from_the_earlier_moment(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    later = registry.contract.w3.eth.get_block("latest")["timestamp"] + 100_000
    registry.revoke(RECORD, effective_from=later)
    at = revoke_model(registry)
    entry = registry.reader().entry(RECORD.manifest_digest)
    assert (entry.revoked_at, entry.awaits_revocation) == (at, True)
    registry.revoke(RECORD, effective_from=5)
    entry = registry.reader().entry(RECORD.manifest_digest)
    assert (entry.revoked_at, entry.awaits_revocation) == (datetime.fromtimestamp(5, UTC), False)


def test_a_release_that_nobody_recorded_is_revoked_too(registry: DeployedRegistry) -> None:
    revoke_model(registry)
    with pytest.raises(RecordError, match="the model was revoked") as caught:
        registry.reader().match_record(RECORD)
    assert "this one not recorded" in str(caught.value.got)


def test_a_release_recorded_later_is_revoked_from_the_start(registry: DeployedRegistry) -> None:
    at = revoke_model(registry)
    registry.publish(RECORD)
    entry = registry.reader().entry(RECORD.manifest_digest)
    assert (entry.closure, entry.standing.revoked_at) == (Closure.REVOKED, at)


def test_a_leaf_of_a_batch(registry: DeployedRegistry) -> None:
    _, batch, call = sealing(registry, (RECORD,), (0,))
    registry.send(call, registry.stranger)
    revoke_model(registry)
    functions = registry.contract.functions
    proof = batch.proofs[0].solidity()
    registry.send(functions.closeLeaf(MODEL, RECORD.manifest_digest, proof), registry.stranger)
    assert not functions.isModelFromProof(MODEL, RECORD.manifest_digest, proof, 0).call()
    with pytest.raises(RecordError) as caught:
        registry.reader().entry_of(MODEL, RECORD.manifest_digest)
    assert caught.value.got == "one that was revoked in its batch"


def test_the_history_tells_all_of_it(registry: DeployedRegistry) -> None:
    registry.publish(RECORD)
    later = registry.contract.w3.eth.get_block("latest")["timestamp"] + 100_000
    registry.revoke(RECORD, effective_from=later)
    at = revoke_model(registry)
    apply(registry)
    reader = registry.reader()
    entry = reader.entry(RECORD.manifest_digest)
    published, single, revoked, applied = reader.history(entry)
    assert isinstance(published, Publication)
    assert isinstance(single, Revocation)
    assert isinstance(revoked, ModelRevocation)
    assert (revoked.model_digest, revoked.reason, revoked.revoked_at) == (MODEL, "a backdoor", at)
    assert f"0x{revoked.guardian.hex()}" == registry.guardian.address
    assert isinstance(applied, AppliedRevocation)
    assert applied.revoked_at == at
    for event in ("ModelRevoked", "ModelRevocationApplied"):
        with lying(registry, telling_logs(event, lambda _logs: [])) as (url, _), pytest.raises(TemporaryError):
            RegistryReader(url, registry.address).history(entry)
