"""A registry in which everything has happened that its events can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.record.codec import namespace_id, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.leaves import Leaves, leaves_json, leaves_of
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from tests.support.batches import sealing
from tests.support.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    checksummed,
    make_failure,
    make_record,
    make_signed,
    oracle_tuple,
)

_SIGNERS = (0, 1)


@dataclass(frozen=True)
class BusyRegistry:
    """What happened: the releases that have records of their own, and the batch with the others.

    `document` is the batch's leaves document.
    """

    registry: DeployedRegistry
    records: tuple[Record, ...]
    leaves: Leaves
    document: bytes


def digest(number: int) -> bytes:
    """Return a digest for tests."""
    return number.to_bytes(32, "big")


def record_number(number: int, **changes: Any) -> Record:
    """Return a record of a release of its own."""
    digests = {"manifest_digest": digest(number), "model_digest": digest(number + 1000)}
    digests |= {"verdict_digest": digest(number + 2000), "snp_report_digest": digest(number + 3000)}
    return make_record(**{**digests, "version": str(number), **changes})


def busy_registry(registry: DeployedRegistry) -> BusyRegistry:
    """Let everything happen in a registry with three oracles of which two must sign."""
    records = [*_names(registry), *_judgements(registry), *_parents(registry)]
    leaves = _batch(registry)
    _oracles(registry, records[0])
    data = [leaf.data for leaf in leaves.leaves]
    return BusyRegistry(registry, tuple(records), leaves, leaves_json(data))


def _names(registry: DeployedRegistry) -> list[Record]:
    """Before a claim, taken in, held, released, adopted, handed over, and a publisher dropped."""
    owner, heir = registry.chain.accounts[20:22]
    space = {"name": "acme/model"}
    early = record_number(1, **space)
    registry.publish(early, _SIGNERS)
    registry.claim("acme", owner, [early.publisher_identity], limit=1)
    registry.send(registry.namespaces.functions.adoptRelease(registry.encode(early)), owner)
    trusted = record_number(2, **space)
    registry.publish(trusted, _SIGNERS)
    held = record_number(3, **space, publisher_identity=digest(9003))
    waiting = record_number(4, **space, publisher_identity=digest(9004))
    for record in (held, waiting):
        registry.publish(record, _SIGNERS)
    registry.trust("acme", owner, digest(9003))
    registry.send(registry.contract.functions.releaseHeld(registry.encode(held)), registry.stranger)
    names, key = registry.namespaces.functions, namespace_id("acme")
    registry.send(names.proposeHandover(key, checksummed(heir)), owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(names.acceptHandover(key), heir)
    registry.send(names.dropIdentity(key, digest(9003)), heir)
    return [early, trusted, held, waiting]


def _judgements(registry: DeployedRegistry) -> list[Record]:
    """A later judgement, a failure, a signature only, a noted publisher, a simulation, and every kind of revocation."""
    functions = registry.contract.functions
    first = record_number(10)
    later = replace(first, revision=1, verdict_digest=digest(2900), version="10b")
    for record in (first, later):
        registry.publish(record, _SIGNERS)
    failed = make_failure(manifest_digest=digest(11), verdict_digest=digest(2011))
    signed = make_signed(manifest_digest=digest(12), model_digest=digest(1012), publisher_identity=digest(9012))
    checks = 0b1011 | 1 << Check.PUBLISHER_SIGNATURE.bit
    noted = record_number(13, publisher_identity=digest(9013), checks=checks)
    simulated = record_number(14, product_line=SIMULATED_CODE, grade=0)
    revoked, soon, model, late = (record_number(number) for number in (15, 16, 17, 18))
    for record in (failed, signed, noted, simulated, revoked, soon, model):
        registry.publish(record, _SIGNERS)
    registry.send(functions.notePublisher(registry.encode(noted)), registry.stranger)
    registry.revoke(revoked)
    ahead = registry.contract.w3.eth.get_block("latest")["timestamp"] + 90_000
    registry.revoke(soon, effective_from=ahead)
    for record in (model, late):
        registry.send(functions.revokeAllOf(record.model_digest, "poisoned"), registry.guardian)
    registry.send(functions.applyRevocations(model.model_digest, [model.manifest_digest]), registry.stranger)
    registry.publish(late, _SIGNERS)
    return [later, failed, signed, noted, simulated, revoked, soon, model, late]


def _parents(registry: DeployedRegistry) -> list[Record]:
    """Attested and stated parents, one of them taken back."""
    owner = registry.chain.accounts[22]
    base, other, third = (record_number(number) for number in (20, 21, 22))
    for record in (base, other, third):
        registry.publish(record, _SIGNERS)
    child = record_number(23, name="lab/child", publisher_identity=digest(9020))
    registry.claim("lab", owner, [digest(9020)])
    registry.publish(child, _SIGNERS, parents=(record_id(base),))
    grandchild = record_number(24)
    registry.publish(grandchild, _SIGNERS, parents=(record_id(child), record_id(base)))
    key, name, lineage = namespace_id("lab"), keccak256(f"child@{child.version}".encode()), registry.lineage.functions
    for parent in (other, third, grandchild):
        registry.send(lineage.stateParent(key, name, record_id(child), record_id(parent)), owner)
    registry.send(lineage.withdrawParent(key, name, record_id(child), record_id(other)), owner)
    return [base, other, third, child, grandchild]


def _batch(registry: DeployedRegistry) -> Leaves:
    """Leaves that stay in their batch, one written out, one revoked, and one closed with its model's revocation."""
    functions = registry.contract.functions
    inside = [record_number(number, name=f"batched/model-{number}") for number in range(30, 35)]
    encoded, batch, call = sealing(registry, inside, _SIGNERS)
    registry.send(call, registry.stranger)
    proofs = [proof.solidity() for proof in batch.proofs]
    registry.send(functions.materialise(encoded[1], proofs[1]), registry.stranger)
    now = registry.contract.w3.eth.get_block("latest")["timestamp"]
    place = (inside[2].model_digest, inside[2].manifest_digest, proofs[2])
    registry.send(functions.revokeInBatch(*place, now, "withdrawn"), registry.guardian)
    registry.send(functions.revokeAllOf(inside[3].model_digest, "poisoned"), registry.guardian)
    registry.send(functions.closeLeaf(inside[3].model_digest, inside[3].manifest_digest, proofs[3]), registry.stranger)
    registry.send(functions.recountBatch(batch.root), registry.stranger)
    return leaves_of(encoded)


def _oracles(registry: DeployedRegistry, record: Record) -> None:
    """A third signer, a new oracle set, a revoked key, a recount, and a pause."""
    functions = registry.contract.functions
    data = registry.encode(record)
    place = (registry.chain.chain_id, registry.address_bytes, 1)
    quorum = registry.quorum(publication_digest(*place, data), (1, 2))
    registry.send(functions.addSigners(data, quorum), registry.stranger)
    people = [oracle_tuple(person) for person in registry.oracles]
    registry.send(functions.scheduleOracles(people, 2), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.activateOracles(people, 2), registry.stranger)
    registry.publish(record_number(40), _SIGNERS)
    registry.revoke_oracle(1)
    registry.send(functions.recount(record_id(record_number(2))), registry.stranger)
    registry.send(functions.pauseWrites(), registry.guardian)
