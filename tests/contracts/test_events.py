"""The whole state of a registry can be rebuilt from its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.record.codec import namespace_id, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.signing import identity_change_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, Standing, parse_standing, unpack_standing
from tests.support.batches import SEALED_AT, URI, batch_quorum, sealing
from tests.support.books import NOBODY, Books
from tests.support.chain_fixtures import (
    PUBLIC_DELAY_SECONDS,
    DeployedRegistry,
    EmbeddedChain,
    checksummed,
    deploy_registry,
    make_failure,
    make_record,
    make_signed,
    oracle_tuple,
)

pytestmark = pytest.mark.chain

BOTH = (0, 1)
IDENTITIES = tuple(bytes([0x61 + number]) * 32 for number in range(4))
UNKNOWN = b"\xfe" * 32
# The first needs Oasis Sapphire; the second belongs to an upgrade, which these contracts do not have.
NEVER_SEEN = {"RoflKeyBound", "EIP712DomainChanged"}


def release(number: int, **changes: Any) -> Record:
    return make_record(model_digest=bytes([number]) * 32, manifest_digest=bytes([number + 1]) * 32, **changes)


BASE = release(0x10, name="free/base")
TUNED = release(0x12, name="acme/tuned", publisher_identity=IDENTITIES[0])
HELD = release(0x14, name="acme/held", publisher_identity=IDENTITIES[1])
SIMULATED = release(0x16, name="free/simulated", product_line=SIMULATED_CODE, grade=0)
SIGNED = make_signed(model_digest=b"\x40" * 32, manifest_digest=b"\x41" * 32)
FAILURE = make_failure(manifest_digest=b"\x18" * 32, model_digest=bytes(32))
EARLIER = release(0x19, name="acme/earlier", publisher_identity=IDENTITIES[0])
BAD_MODEL = b"\x60" * 32
BAD = tuple(
    make_record(model_digest=BAD_MODEL, manifest_digest=bytes([0x61 + number]) * 32, name="free/bad")
    for number in range(3)
)
BATCH = tuple(release(0x30 + 2 * number, name="free/batched", version=str(number)) for number in range(6))


@pytest.fixture
def own_registry(anvil: EmbeddedChain) -> Iterator[DeployedRegistry]:
    """Yield a registry on a chain of its own beside the session's, since the test moves the clock."""
    with run_anvil(options=("--hardfork", "prague")) as chain:
        yield deploy_registry(chain, oracles=3, threshold=2)


def test_events_alone_give_the_state_that_the_views_show(own_registry: DeployedRegistry) -> None:
    registry = own_registry
    for chapter in (_publish, _name, _batch, _revoke_model, _lose_keys, _govern):
        chapter(registry)
        _assert_equal(registry, Books(registry))
    emitted = {item["name"] for contract in _contracts(registry) for item in contract.abi if item["type"] == "event"}
    assert emitted - Books(registry).seen == NEVER_SEEN, "an event that this story leaves out"


def _publish(registry: DeployedRegistry) -> None:
    """Publish records of all kinds; repeated and refused ones leave no trace."""
    functions = registry.contract.functions
    registry.publish(BASE, BOTH)
    assert registry.publish(BASE, BOTH)["logs"] == []
    registry.publish(release(0x10, name="free/base", revision=1, grade=2), BOTH, parents=())
    registry.publish(SIMULATED, BOTH, parents=(record_id(BASE),))
    registry.publish(SIGNED, BOTH)
    registry.send(functions.notePublisher(registry.encode(BASE)), registry.stranger)
    registry.publish(FAILURE, BOTH)
    assert registry.refusal(registry.publishing(release(0x10, name="free/other"), BOTH))[0] == "RecordExists"
    registry.revoke(SIMULATED, effective_from=SEALED_AT + 10**6)
    registry.revoke(SIMULATED, effective_from=SEALED_AT)
    registry.send(functions.numberPolicy(UNKNOWN[::-1]), registry.stranger)
    registry.publish(EARLIER, BOTH)


def _name(registry: DeployedRegistry) -> None:
    """Claim namespaces, change publishers and owners, release a held record, adopt one, state parents."""
    acme, owner = namespace_id("acme"), registry.stranger
    functions = registry.namespaces.functions
    registry.claim("acme", owner, IDENTITIES[:1], limit=1)
    registry.claim("other", owner, (), limit=3)
    registry.publish(release(0x1A, name="other/first", publisher_identity=IDENTITIES[3]), BOTH)
    registry.send(functions.proposeIdentity(namespace_id("other"), IDENTITIES[2]), owner)
    registry.publish(release(0x1C, name="other/second", publisher_identity=IDENTITIES[2]), BOTH)  # trusted on first use
    registry.publish(TUNED, BOTH, parents=(record_id(BASE),))
    registry.publish(HELD, BOTH)
    _assert_equal(registry, Books(registry))
    registry.send(functions.proposeIdentity(acme, IDENTITIES[2]), owner)
    registry.send(functions.dropIdentity(acme, IDENTITIES[2]), owner)
    registry.trust("acme", owner, IDENTITIES[1])
    registry.send(registry.contract.functions.releaseHeld(registry.encode(HELD)), registry.guardian)
    stated = registry.lineage.functions.stateParent(acme, keccak256(b"tuned@1.0"), record_id(TUNED), record_id(HELD))
    for _ in range(2):
        registry.send(stated, owner)
    registry.send(functions.adoptRelease(registry.encode(EARLIER)), owner)
    place = (acme, keccak256(b"earlier@1.0"), record_id(EARLIER))
    for parent in (TUNED, HELD, BASE):
        registry.send(registry.lineage.functions.stateParent(*place, record_id(parent)), owner)
    registry.send(registry.lineage.functions.withdrawParent(*place, record_id(TUNED)), owner)
    _by_the_trusted(registry, IDENTITIES[2], trust=True)
    _by_the_trusted(registry, IDENTITIES[0], trust=False)
    registry.send(functions.proposeHandover(acme, checksummed(registry.guardian)), owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.acceptHandover(acme), registry.guardian)
    registry.send(functions.proposeHandover(namespace_id("other"), checksummed(registry.guardian)), owner)
    registry.send(functions.proposeHandover(namespace_id("other"), NOBODY), owner)
    registry.send(functions.proposeHandover(acme, checksummed(owner)), registry.guardian)


def _by_the_trusted(registry: DeployedRegistry, identity: bytes, *, trust: bool) -> None:
    functions = registry.namespaces.functions
    number = functions.headOf(namespace_id("acme")).call() >> 208
    approvals = functions.namespaceOf(namespace_id("acme")).call()[4]
    place = (registry.chain.chain_id, registry.address_bytes, 1)
    digest = identity_change_digest(*place, "acme", identity, trust=trust, approvals=approvals, number=number)
    arguments = (namespace_id("acme"), identity, trust, approvals, number, registry.quorum(digest, BOTH))
    registry.send(functions.changeIdentity(*arguments), registry.stranger)


def _batch(registry: DeployedRegistry) -> None:
    """Record a batch, and close its leaves in every possible way."""
    functions = registry.contract.functions
    encoded, batch, call = sealing(registry, BATCH, BOTH)
    registry.send(call, registry.stranger)
    proofs = [proof.solidity() for proof in batch.proofs]
    digests = [(record.model_digest, record.manifest_digest) for record in BATCH]
    registry.send(functions.materialise(encoded[0], proofs[0]), registry.stranger)
    for index in (1, 2):
        registry.publish(encoded[index], BOTH)
    registry.send(functions.materialise(encoded[1], proofs[1]), registry.stranger)  # only closes the leaf
    registry.send(functions.closeLeaf(*digests[2], proofs[2]), registry.stranger)
    for index in (0, 3):
        revoking = functions.revokeInBatch(*digests[index], proofs[index], SEALED_AT, "withdrawn")
        registry.send(revoking, registry.guardian)
    more = functions.addBatchSigners(batch.root, SEALED_AT, URI, batch_quorum(registry, batch.root, len(BATCH), (1, 2)))
    registry.send(more, registry.stranger)


def _revoke_model(registry: DeployedRegistry) -> None:
    """Revoke a model with a release that is recorded, one in a batch and one that is recorded later."""
    functions = registry.contract.functions
    recorded, batched, later = BAD
    registry.publish(recorded, BOTH)
    _, batch, call = sealing(registry, (batched,), BOTH)
    registry.send(call, registry.stranger)
    registry.send(functions.revokeAllOf(BAD_MODEL, "a backdoor"), registry.owner)
    registry.publish(later, BOTH)
    for _ in range(2):
        manifests = [recorded.manifest_digest, later.manifest_digest]
        registry.send(functions.applyRevocations(BAD_MODEL, manifests), registry.stranger)
    proof = batch.proofs[0].solidity()
    registry.send(functions.closeLeaf(BAD_MODEL, batched.manifest_digest, proof), registry.stranger)


def _lose_keys(registry: DeployedRegistry) -> None:
    """Revoke a key, recount the records that it signed, and let other oracles sign instead."""
    functions = registry.contract.functions
    _, batch, _ = sealing(registry, BATCH, BOTH)
    registry.revoke_oracle(1)
    for record in (TUNED, BASE, BATCH[4]):
        call = functions.recount(record_id(record))
        if registry.refusal(call) == ("", ()):
            registry.send(call, registry.stranger)
    registry.send(functions.recountBatch(batch.root), registry.stranger)
    encoded = registry.encode(TUNED, (record_id(BASE),))
    digest = functions.reportDigest(1, encoded).call()
    registry.send(functions.addSigners(encoded, registry.quorum(digest, (0, 2))), registry.stranger)


def _govern(registry: DeployedRegistry) -> None:
    """Change the oracle set, pause and resume writes, replace the guardian, transfer the ownership."""
    functions = registry.contract.functions
    first, _, third = registry.oracles
    sets = [oracle_tuple(first, 2, 0, 2**39), oracle_tuple(third, 1, SEALED_AT, 2**40 - 1)]
    for threshold in (3, 2):
        registry.send(functions.scheduleOracles(sets, threshold), registry.owner)
    registry.send(functions.cancelOracles(functions.scheduledSet().call()[0]), registry.owner)
    registry.send(functions.scheduleOracles(sets, 2), registry.owner)
    registry.pass_time(PUBLIC_DELAY_SECONDS)
    registry.send(functions.activateOracles(sets, 2), registry.stranger)
    registry.publish(release(0x50, name="acme/later", publisher_identity=IDENTITIES[1]), (0,))
    _assert_equal(registry, Books(registry))
    registry.send(functions.scheduleOracles(sets[:1], 1), registry.owner)
    registry.send(functions.pauseWrites(), registry.guardian)
    _assert_equal(registry, Books(registry))
    registry.send(functions.resumeWrites(), registry.owner)
    registry.send(functions.appointGuardian(NOBODY), registry.owner)
    registry.send(functions.transferOwnership(checksummed(registry.stranger)), registry.owner)
    _assert_equal(registry, Books(registry))
    registry.send(functions.acceptOwnership(), registry.stranger)


def _assert_equal(registry: DeployedRegistry, books: Books) -> None:
    for name, shown, kept in (*_records(registry, books), *_oracles(registry, books), *_names(registry, books)):
        assert shown == kept, name


Compared = Iterator[tuple[str, Any, Any]]


def _records(registry: DeployedRegistry, books: Books) -> Compared:
    functions = registry.contract.functions
    for key in (*books.words, UNKNOWN):
        word = books.words.get(key)
        yield "standing", _standing(functions.standingById(key).call()), word and unpack_standing(word, "books")
        yield "publisher", functions.publisherOf(key).call(), books.publishers.get(key, bytes(32))
        yield "content", functions.contentOf(key).call(), books.contents.get(key, bytes(32))
        attested, stated = registry.lineage.functions.parentsOf(key).call()
        yield "parents", (attested, stated), (list(books.attested.get(key, ())), list(books.stated.get(key, ())))
    for root in (*books.batches, UNKNOWN):
        yield "batch", functions.batchOf(root).call(), _batch_tuple(books.batches.get(root, 0))
    for model in (*books.revoked_models, UNKNOWN):
        yield "revoked model", functions.revokedModelTime(model).call(), books.revoked_models.get(model, 0)
    for policy in (*books.policies, UNKNOWN):
        yield "policy", functions.policyIdOf(policy).call(), books.policies.get(policy, 0)


def _standing(values: Any) -> Standing | None:
    return parse_standing(values, "view") if values[0] else None


def _batch_tuple(word: int) -> tuple[Any, ...]:
    """Return the fields of Solidity's struct Batch."""
    bits = ((0, 40), (40, 32), (72, 16), (88, 16), (112, 8), (106, 1), (128, 128))
    *values, doubtful, closed = (word >> shift & (1 << width) - 1 for shift, width in bits)
    return (*values, bool(doubtful), closed)


def _oracles(registry: DeployedRegistry, books: Books) -> Compared:
    functions = registry.contract.functions
    yield "epoch in force", functions.currentEpoch().call(), max(books.epochs)
    for epoch, oracles in books.oracles.items():
        yield "epoch", functions.epochOf(epoch).call(), tuple(books.epochs[epoch])
        for index, oracle in enumerate(oracles):
            yield "oracle", functions.oracleAt(epoch, index).call(), tuple(oracle)
    yield "announced set", tuple(functions.scheduledSet().call()), books.scheduled
    yield "owner", functions.owner().call(), books.owner
    yield "next owner", functions.pendingOwner().call(), books.pending_owner
    yield "guardian", functions.guardian().call(), books.guardian
    yield "paused", functions.writesPaused().call(), books.paused


def _names(registry: DeployedRegistry, books: Books) -> Compared:
    functions = registry.namespaces.functions
    for key, space in books.spaces.items():
        numbers = (space.identity_limit, space.first_uses, len(space.trusted))
        yield "namespace", functions.namespaceOf(key).call(), (space.owner, space.claimed_at, *numbers)
        yield "history", functions.headOf(key).call(), space.head
        yield "handover", tuple(functions.handoverOf(key).call()), space.handover
        for identity in IDENTITIES:
            yield "trusted", functions.trustedSince(key, identity).call(), space.trusted.get(identity, 0)
            yield "proposed", functions.acceptableFrom(key, identity).call(), space.proposed.get(identity, 0)
    for (key, release_digest), record in books.names.items():
        yield "name", functions.recordOfName(key, release_digest).call(), record
    for owner, count in books.nonces.items():
        yield "nonce", functions.nonces(owner).call(), count


def _contracts(registry: DeployedRegistry) -> tuple[Any, Any, Any]:
    return registry.contract, registry.namespaces, registry.lineage
