"""Many records under one signed root: a full binary tree of 128 leaves, and the way from each leaf up.

    leaf(i) = keccak256(record id | keccak256 of the record's bytes | summary), 32 zero bytes where there is no record
    node    = keccak256(left child | right child)
    summary   bits 0 to 6 the leaf's number i, bit 8 whether the record carries a name in a claimed namespace, from bit
              152 the record's facts; all else zero

The leaf's number is its place, and part of it. A leaf is the hash of 96 bytes and a node that of 64, so neither passes
for the other. `contracts/lib/Leaves.sol` says the same in Solidity.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.record.codec import decode_record, facts_of, record_id
from provenance_oracle.verifier.record.keccak import keccak256

LEAVES_MAX = 128
DEPTH = 7

_NAMED = 1 << 8
_FACTS_SHIFT = 152
_EMPTY = bytes(32)


@dataclass(frozen=True)
class Proof:
    """A leaf, and the hashes beside its way up to the root, lowest first; what a gate takes (Solidity's struct)."""

    content_digest: bytes
    summary: int
    siblings: tuple[bytes, ...]

    @property
    def index(self) -> int:
        """The leaf's number."""
        return self.summary & 0xFF

    def solidity(self) -> tuple[bytes, int, list[bytes]]:
        """The fields in the contract's order."""
        return self.content_digest, self.summary, list(self.siblings)


@dataclass(frozen=True)
class Batch:
    """The root of a batch, and a proof for each of its records, in their order."""

    root: bytes
    proofs: tuple[Proof, ...]


def seal_batch(records: tuple[bytes, ...], *, named: frozenset[int] = frozenset()) -> Batch:
    """Build the tree over records as `encode_record` wrote them.

    Args:
        named: numbers of the records that carry a name in a claimed namespace. Through a proof these open no gate
            until they are written out: only then does the namespace say whether it trusts their publisher.

    Raises:
        UsageError: no record or too many, or two that would be kept under one id.
        FormatError: bytes that are no record.
    """
    if not 1 <= len(records) <= LEAVES_MAX:
        raise UsageError("a batch of another size", got=str(len(records)), wanted=f"1 to {LEAVES_MAX} records")
    ids = [record_id(decode_record(data, f"record {index}")) for index, data in enumerate(records)]
    if len(set(ids)) != len(ids):
        raise UsageError("two records of a batch have one id", got="the same twice", wanted="each release once")
    leaves = [
        (keccak256(data), _summary(facts_of(data), index, is_named=index in named))
        for index, data in enumerate(records)
    ]
    hashed = [_leaf(key, content, summary) for key, (content, summary) in zip(ids, leaves, strict=True)]
    levels = [hashed + [_EMPTY] * (LEAVES_MAX - len(records))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([keccak256(below[at] + below[at + 1]) for at in range(0, len(below), 2)])
    proofs = tuple(
        Proof(content, summary, tuple(level[index >> depth ^ 1] for depth, level in enumerate(levels[:-1])))
        for index, (content, summary) in enumerate(leaves)
    )
    return Batch(levels[-1][0], proofs)


def verify_proof(record: bytes, proof: Proof, root: bytes) -> None:
    """Check that a record is in the batch with this root, at the place and with the summary that the proof states.

    Raises:
        VerificationError: it is not. FormatError: the bytes are no record.
    """
    facts, key = facts_of(record), record_id(decode_record(record, "record"))
    place = proof.index
    fits = (
        proof.content_digest == keccak256(record)
        and place < LEAVES_MAX
        and proof.summary in (_summary(facts, place, is_named=False), _summary(facts, place, is_named=True))
        and len(proof.siblings) == DEPTH
        and _root(_leaf(key, proof.content_digest, proof.summary), place, proof.siblings) == root
    )
    if not fits:
        raise VerificationError(
            "the record is not in this batch", where=f"leaf {place}", got="another leaf or root", wanted=root.hex()
        )


def _summary(facts: int, index: int, *, is_named: bool) -> int:
    return facts >> _FACTS_SHIFT << _FACTS_SHIFT | (_NAMED if is_named else 0) | index


def _leaf(key: bytes, content_digest: bytes, summary: int) -> bytes:
    return keccak256(key + content_digest + summary.to_bytes(32, "big"))


def _root(leaf: bytes, index: int, siblings: tuple[bytes, ...]) -> bytes:
    node = leaf
    for depth, sibling in enumerate(siblings):
        node = keccak256(sibling + node if index >> depth & 1 else node + sibling)
    return node
