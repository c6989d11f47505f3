"""The proof that a record is in a batch, as the JSON that `provenance proof` prints.

    {"root": HEX, "leaf": 1, "count": 3, "model_digest": HEX, "manifest_digest": HEX, "record": HEX,
     "proof": {"contentDigest": "0x...", "summary": "0x...", "siblings": ["0x...", ...]}}

With --json the members `schema` and `accepted` come first. Bytes are lower-case hex. The member `proof` is Solidity's
struct `Proof`, with every word in hex. Nothing in it is to be trusted: it counts only if the record leads to the root,
and the root only if a registry has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.record.batch import DEPTH, LEAVES_MAX, Proof, verify_proof
from provenance_oracle.verifier.record.codec import decode_record
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.leaves import Leaf, Leaves, parse_record_hex
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

PROOF_SCHEMA = "provenance-oracle/proof/v1"
PROOF_MAX_BYTES = 64 << 10
_WORD = re.compile("0x[0-9a-f]{64}")


@dataclass(frozen=True)
class ProvenRecord:
    """A record whose proof leads to the root (32 bytes) of a batch. Only `parse_proof` makes one.

    No registry was asked yet whether it has the root.
    """

    root: bytes
    leaf: Leaf

    @property
    def written(self) -> WrittenRecord:
        """The record's fields."""
        return self.leaf.written

    @property
    def names(self) -> frozenset[str]:
        """Every text that means this record: its digests and its id in lower-case hex, and its names."""
        return self.leaf.names


def proof_json(leaves: Leaves, leaf: Leaf) -> dict[str, object]:
    """Return the body of the document for one record of a batch."""
    words = {
        "contentDigest": f"0x{leaf.proof.content_digest.hex()}",
        "summary": f"0x{leaf.proof.summary:064x}",
        "siblings": [f"0x{word.hex()}" for word in leaf.proof.siblings],
    }
    return {
        "root": leaves.root.hex(),
        "leaf": leaf.proof.index,
        "count": len(leaves.leaves),
        "model_digest": leaf.written.model_digest.hex(),
        "manifest_digest": leaf.written.manifest_digest.hex(),
        "record": leaf.data.hex(),
        "proof": words,
    }


def parse_proof(document: bytes, where: str) -> ProvenRecord:
    """Parse the document, and verify that its record leads to its root.

    Args:
        where: names the document in messages.

    Raises:
        FormatError: it is not one (check `registry-record`).
        VerificationError: the record does not lead to the root, or another member contradicts the record.
    """
    check = Check.REGISTRY_RECORD
    value = parse_json(document, where=where, check=check, max_bytes=PROOF_MAX_BYTES)
    fields = Fields(value, where=where, check=check)
    if "schema" in fields:
        fields.constant("schema", PROOF_SCHEMA)
    fields.pass_over("accepted", max_chars=len("false"))
    root = fields.hex_bytes("root", 32)
    leaf = fields.integer("leaf", maximum=LEAVES_MAX - 1)
    fields.integer("count", minimum=1, maximum=LEAVES_MAX)
    digests = tuple(fields.hex_bytes(name, 32) for name in ("model_digest", "manifest_digest"))
    data = parse_record_hex(fields)
    proof = _parse_struct(fields.fields("proof"))
    fields.finish()
    written = decode_record(data, where)
    verify_proof(data, proof, root)
    found = (leaf, *digests)
    if found != (proof.index, written.model_digest, written.manifest_digest):
        raise VerificationError(
            "the document contradicts the record in it",
            check=check,
            where=where,
            got="another leaf or digest",
            wanted=f"leaf {proof.index} with manifest {written.manifest_digest.hex()}",
        )
    return ProvenRecord(root, Leaf(data, written, proof))


def _parse_struct(fields: Fields) -> Proof:
    content, summary = (_parse_word(fields, name, fields.value(name)) for name in ("contentDigest", "summary"))
    siblings = fields.value("siblings")
    if not isinstance(siblings, list) or len(siblings) != DEPTH:
        raise fields.error("siblings", "not the way to a root", got="something else", wanted=f"{DEPTH} words")
    fields.finish()
    words = tuple(_parse_word(fields, "siblings", word) for word in siblings)
    return Proof(content, int.from_bytes(summary, "big"), words)


def _parse_word(fields: Fields, name: str, value: object) -> bytes:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        wanted = "0x and 64 lower-case hex digits"
        raise fields.error(name, "not a word", got="another value", wanted=wanted)
    return bytes.fromhex(value[2:])
