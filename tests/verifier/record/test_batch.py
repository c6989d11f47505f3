"""The tree over a batch: roots and proofs equal the contract's, and only a leaf is accepted as a leaf."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.record.batch import DEPTH, LEAVES_MAX, Batch, Proof, seal_batch, verify_proof
from provenance_oracle.verifier.record.codec import decode_record, encode_record, facts_of, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.signing import batch_digest
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record

SIZES = (1, 2, 3, 5, 64, 65, 127, 128)


def numbered(number: int) -> Record:
    return make_record(manifest_digest=keccak256(b"%d" % number), version=f"1.{number}", grade=number % 3)


@cache
def records(count: int) -> tuple[bytes, ...]:
    return tuple(encode_record(numbered(number), policy_id=1, parents=()) for number in range(count))


@cache
def batch(count: int) -> Batch:
    return seal_batch(records(count))


def root_by_definition(leaves: list[bytes]) -> bytes:
    """The root as the documentation defines it: split in the middle until one leaf is left."""
    if len(leaves) == 1:
        return leaves[0]
    middle = len(leaves) // 2
    return keccak256(root_by_definition(leaves[:middle]) + root_by_definition(leaves[middle:]))


@pytest.mark.parametrize("count", SIZES)
def test_the_root_is_that_of_the_definition(count: int) -> None:
    leaves = []
    for index, data in enumerate(records(count)):
        summary = facts_of(data) >> 152 << 152 | index
        leaves.append(keccak256(record_id(numbered(index)) + keccak256(data) + summary.to_bytes(32, "big")))
    assert batch(count).root == root_by_definition(leaves + [bytes(32)] * (128 - count))


@pytest.mark.parametrize("count", SIZES)
def test_every_proof_leads_from_its_own_record_to_the_root(count: int) -> None:
    for index, (data, proof) in enumerate(zip(records(count), batch(count).proofs, strict=True)):
        assert proof.index == index
        verify_proof(data, proof, batch(count).root)


@given(count=st.sampled_from(SIZES[1:]), data=st.data())
def test_no_other_record_passes_with_a_proof(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    other = data.draw(st.integers(0, count - 1).filter(lambda number: number != index))
    with pytest.raises(VerificationError, match="not in this batch"):
        verify_proof(records(count)[other], batch(count).proofs[index], batch(count).root)


@given(count=st.sampled_from(SIZES), bit=st.integers(0, 32 * 8 * (DEPTH + 2) - 1), data=st.data())
def test_no_altered_proof_leads_to_the_root(count: int, bit: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    proof = batch(count).proofs[index]
    with pytest.raises(VerificationError):
        verify_proof(records(count)[index], _flipped(proof, bit), batch(count).root)


@given(count=st.sampled_from(SIZES), bit=st.integers(0, 255), data=st.data())
def test_no_proof_leads_to_another_root(count: int, bit: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    root = (int.from_bytes(batch(count).root, "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(VerificationError):
        verify_proof(records(count)[index], batch(count).proofs[index], root)


def leaf_of(data: bytes, summary: int) -> bytes:
    return keccak256(record_id(decode_record(data, "record")) + keccak256(data) + summary.to_bytes(32, "big"))


def empty_subtrees(depth: int) -> tuple[bytes, ...]:
    """The siblings of leaf 0 in a tree of this depth without other leaves."""
    return tuple(root_by_definition([bytes(32)] * 2**level) for level in range(depth))


def climbed(leaf: bytes, siblings: tuple[bytes, ...]) -> bytes:
    for sibling in siblings:
        leaf = keccak256(leaf + sibling)
    return leaf


@pytest.mark.parametrize("depth", [0, 6, 7, 8])
def test_only_a_tree_of_seven_levels_is_a_batch(depth: int) -> None:
    (data,) = records(1)
    summary, siblings = facts_of(data) >> 152 << 152, empty_subtrees(depth)
    proof, root = Proof(keccak256(data), summary, siblings), climbed(leaf_of(data, summary), siblings)
    if depth == DEPTH:
        assert (proof, root) == (batch(1).proofs[0], batch(1).root)
        verify_proof(data, proof, root)
        return
    with pytest.raises(VerificationError):
        verify_proof(data, proof, root)


@pytest.mark.parametrize("bits", [1 << 7, 1 << 9, 1 << 151, 1 << 152])
def test_a_leaf_says_its_place_and_its_facts_and_nothing_else(bits: int) -> None:
    """Each tree is built around the wrong leaf, so that its proof leads to the root."""
    (data,) = records(1)
    summary, siblings = facts_of(data) >> 152 << 152 ^ bits, empty_subtrees(DEPTH)
    root = climbed(leaf_of(data, summary), siblings)
    with pytest.raises(VerificationError):
        verify_proof(data, Proof(keccak256(data), summary, siblings), root)


def test_another_record_of_the_same_release_is_not_in_the_batch() -> None:
    other = encode_record(replace(numbered(0), verdict_digest=b"\x77" * 32), policy_id=1, parents=())
    with pytest.raises(VerificationError):
        verify_proof(other, batch(1).proofs[0], batch(1).root)


def test_a_node_is_no_leaf() -> None:
    """Siblings in another order put a node in a leaf's place, as in attacks on trees that do not separate the two."""
    proof = batch(2).proofs[0]
    turned = replace(proof, siblings=(*proof.siblings[1:], proof.siblings[0]))
    with pytest.raises(VerificationError):
        verify_proof(records(2)[0], turned, batch(2).root)


@pytest.mark.parametrize("count", [0, LEAVES_MAX + 1])
def test_a_batch_has_1_to_128_records(count: int) -> None:
    with pytest.raises(UsageError, match="cannot hold this number of records"):
        seal_batch(records(count))


def test_a_release_is_in_a_batch_once() -> None:
    with pytest.raises(UsageError, match="the same id"):
        seal_batch((*records(2), records(2)[0]))
    with pytest.raises(FormatError):
        seal_batch((b"no record",))


def _flipped(proof: Proof, bit: int) -> Proof:
    """The proof with one bit flipped, counted over content digest, summary and siblings."""
    words = [int.from_bytes(proof.content_digest, "big"), proof.summary]
    words += [int.from_bytes(sibling, "big") for sibling in proof.siblings]
    words[bit // 256] ^= 1 << bit % 256
    digest, *siblings = (word.to_bytes(32, "big") for word in (words[0], *words[2:]))
    return Proof(digest, words[1], tuple(siblings))


# With the contract


def recorded(registry: DeployedRegistry, sealed: Batch, count: int, uri: str = "https://example.org/batch") -> None:
    sealed_at = registry.contract.w3.eth.get_block("latest")["timestamp"]
    where = (registry.chain.chain_id, registry.address_bytes)
    digest = batch_digest(*where, 1, sealed.root, count=count, sealed_at=sealed_at, uri=uri)
    call = registry.contract.functions.recordBatch(sealed.root, count, sealed_at, uri, registry.quorum(digest))
    registry.send(call, registry.stranger)


def gate(registry: DeployedRegistry, record: Record, proof: Proof, grade: int = 0) -> Any:
    arguments = (record.model_digest, record.manifest_digest, proof.solidity(), grade)
    return registry.contract.functions.isModelFromProof(*arguments).call()


@pytest.mark.chain
@pytest.mark.parametrize("count", [1, 3, 128])
def test_the_contract_lets_every_record_through_and_no_other(registry: DeployedRegistry, count: int) -> None:
    registry.policy_id(make_record().policy_digest)
    sealed = batch(count)
    recorded(registry, sealed, count)
    chosen = sorted({0, count - 1, *random.Random(count).sample(range(count), min(count, 4))})
    for index in chosen:
        record, proof = numbered(index), sealed.proofs[index]
        assert gate(registry, record, proof, record.grade)
        assert not gate(registry, record, proof, record.grade + 1)
        assert not gate(registry, numbered(index + 1), proof)
        assert not gate(registry, record, replace(proof, summary=proof.summary ^ 1))
        for place in range(256 * (DEPTH + 2))[:: 256 + index % 7 + 1]:
            assert not gate(registry, record, _flipped(proof, place)), place


@pytest.mark.chain
def test_the_contract_writes_out_exactly_the_record_of_the_leaf(registry: DeployedRegistry) -> None:
    registry.policy_id(make_record().policy_digest)
    sealed, functions = batch(3), registry.contract.functions
    recorded(registry, sealed, 3)
    wrong = functions.materialise(records(3)[0], sealed.proofs[1].solidity())
    assert registry.refusal(wrong)[0] in ("BatchNotFound", "WrongLeaf")
    registry.send(functions.materialise(records(3)[1], sealed.proofs[1].solidity()), registry.stranger)
    entry = registry.reader().entry(numbered(1).manifest_digest)
    assert (entry.version, entry.record_id, entry.closure) == ("1.1", record_id(numbered(1)), None)


@pytest.mark.chain
def test_a_named_leaf_and_a_failure_open_no_gate(registry: DeployedRegistry) -> None:
    registry.policy_id(make_record().policy_digest)
    failure = make_failure(manifest_digest=keccak256(b"failed"))
    data = (*records(2), encode_record(failure, policy_id=1, parents=()))
    sealed = seal_batch(data, named=frozenset((0,)))
    for one, proof in zip(data, sealed.proofs, strict=True):
        verify_proof(one, proof, sealed.root)
    recorded(registry, sealed, 3)
    assert not gate(registry, numbered(0), sealed.proofs[0])
    assert gate(registry, numbered(1), sealed.proofs[1])
    assert not gate(registry, failure, sealed.proofs[2])
