"""A batch: up to 128 records under one signed root, as a full binary tree of 128 leaves, with a proof for each leaf.

    leaf(i) = keccak256(record id | keccak256 of the record's bytes | summary), or 32 zero bytes without a record
    node    = keccak256(left child | right child)
    summary   32 bytes, big-endian: bits 0 to 6 the leaf's number i, bit 8 set if the record has a name in a claimed
              namespace, from bit 152 the record's facts; every other bit is zero

A leaf's number gives its place in the tree and is part of the hash. A leaf is the hash of 96 bytes and a node the hash
of 64 bytes, so neither can be presented as the other. `contracts/lib/Leaves.sol` has the same format in Solidity.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
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
    """The proof that a gate takes, as the Solidity struct `Proof`: a leaf and the seven hashes on its way to the root.

    `content_digest` is keccak256 of the record's bytes (32 bytes); `siblings` are 32 bytes each, lowest first.
    """

    content_digest: bytes
    summary: int
    siblings: tuple[bytes, ...]

    @property
    def index(self) -> int:
        """The leaf's number; below 128 in a valid proof."""
        return self.summary & 0xFF

    @property
    def is_named(self) -> bool:
        """Whether the record has a name in a claimed namespace."""
        return bool(self.summary & _NAMED)

    def solidity(self) -> tuple[bytes, int, list[bytes]]:
        """Return the fields in the order of the contract's struct."""
        return self.content_digest, self.summary, list(self.siblings)


@dataclass(frozen=True)
class Batch:
    """The root of a batch (32 bytes) and a proof for each of its records, in the order of the records."""

    root: bytes
    proofs: tuple[Proof, ...]


def seal_batch(records: tuple[bytes, ...], *, named: frozenset[int] = frozenset()) -> Batch:
    """Build the tree over 1 to 128 records as `encode_record` wrote them.

    Args:
        named: numbers of the records that have a name in a claimed namespace. Their proofs open no gate until the
            record is written out on chain, because only then the contract checks whether the namespace trusts the
            publisher.

    Raises:
        UsageError: there are no records or too many, or two of them have the same id.
        FormatError: the bytes are not those of a record (check `registry-record`).
    """
    if not 1 <= len(records) <= LEAVES_MAX:
        problem = "a batch cannot hold this number of records"
        raise UsageError(problem, got=str(len(records)), wanted=f"1 to {LEAVES_MAX} records")
    ids = [record_id(decode_record(data, f"record {index}")) for index, data in enumerate(records)]
    if len(set(ids)) != len(ids):
        raise UsageError("two records of the batch have the same id", got="the same twice", wanted="each release once")
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
    """Verify that a record is in the batch with this root, at the place and with the summary that the proof states.

    Args:
        record: the bytes that `encode_record` wrote.
        root: the root of the batch, 32 bytes.

    Raises:
        VerificationError: the proof does not lead from this record to the root (check `registry-record`).
        FormatError: the bytes are not those of a record (check `registry-record`).
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
            "the record is not in this batch",
            check=Check.REGISTRY_RECORD,
            where=f"leaf {place}",
            got="another leaf or root",
            wanted=root.hex(),
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
