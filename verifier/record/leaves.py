"""The leaves document of a batch: its records' bytes, from which anyone builds the tree and each proof again.

    {"schema": "provenance-oracle/batch/v1", "root": HEX, "records": [{"record": HEX, "named": false}, ...]}

The records stand in the order of the leaves. The oracle serves the document at the `uri` of the batch. Nothing in it is
to be trusted: a document counts only if its records lead to its root, and the root only if the registry has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, RecordError, VerificationError
from provenance_oracle.verifier.record.batch import LEAVES_MAX, Batch, Proof, seal_batch
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

LEAVES_SCHEMA = "provenance-oracle/batch/v1"
LEAVES_MAX_BYTES = 4 << 20
_RECORD_MAX_CHARS = 16_384
_HEX = re.compile("(?:[0-9a-f]{2})+")


@dataclass(frozen=True)
class Leaf:
    """One record of a batch with its proof. `data` holds the record's bytes, `written` its fields."""

    data: bytes
    written: WrittenRecord
    proof: Proof

    @property
    def names(self) -> frozenset[str]:
        """Every text that means this record: its digests and its id in lower-case hex, and its names."""
        written = self.written
        digests = (written.manifest_digest, written.model_digest, record_id(written))
        name = f"{written.name}@{written.version}"
        return frozenset((*(digest.hex() for digest in digests), written.name, name))


@dataclass(frozen=True)
class Leaves:
    """The root of a batch (32 bytes), and its records in the order of the leaves."""

    root: bytes
    leaves: tuple[Leaf, ...]

    def document(self) -> bytes:
        """Return the leaves document of the batch."""
        named = frozenset(leaf.proof.index for leaf in self.leaves if leaf.proof.is_named)
        return leaves_json([leaf.data for leaf in self.leaves], named)

    def find(self, wanted: str) -> Leaf:
        """Return the only leaf that a digest (of manifest or model, 64 hex digits), a record's id, `namespace/model`
        or `namespace/model@version` means.

        Raises:
            RecordError: there is none, or more than one.
        """
        found = [leaf for leaf in self.leaves if wanted in leaf.names]
        if len(found) != 1:
            got = f"{len(found)} records" if found else "no such record"
            raise RecordError(
                "the batch does not have exactly one such record",
                check=Check.REGISTRY_RECORD,
                where=f"batch {self.root.hex()}",
                got=got,
                wanted="the digest of one manifest",
            )
        return found[0]


def leaves_of(records: Sequence[bytes], named: frozenset[int] = frozenset()) -> Leaves:
    """Build the tree over records' bytes. Arguments and errors are those of `seal_batch`."""
    batch: Batch = seal_batch(tuple(records), named=named)
    pairs = zip(records, batch.proofs, strict=True)
    return Leaves(batch.root, tuple(Leaf(data, decode_record(data, "record"), proof) for data, proof in pairs))


def leaves_json(records: Sequence[bytes], named: frozenset[int] = frozenset()) -> bytes:
    """Return the leaves document of a batch. Arguments and errors are those of `seal_batch`."""
    root = seal_batch(tuple(records), named=named).root.hex()
    listed = [{"record": data.hex(), "named": number in named} for number, data in enumerate(records)]
    return json.dumps({"schema": LEAVES_SCHEMA, "root": root, "records": listed}, indent=1).encode()


def parse_leaves(document: bytes, where: str) -> Leaves:
    """Parse a leaves document, and compare its records with its root.

    Raises:
        FormatError: it is not one (check `registry-record`).
        VerificationError: its records do not lead to its root.
    """
    check = Check.REGISTRY_RECORD
    fields = Fields(
        parse_json(document, where=where, check=check, max_bytes=LEAVES_MAX_BYTES), where=where, check=check
    )
    fields.constant("schema", LEAVES_SCHEMA)
    root = fields.hex_bytes("root", 32)
    listed = fields.fields_list("records", minimum=1, maximum=LEAVES_MAX)
    fields.finish()
    records = [parse_record_hex(one) for one in listed]
    named = frozenset(number for number, one in enumerate(listed) if _parse_flag(one))
    leaves = leaves_of(records, named)
    if leaves.root != root:
        problem = "the records are not those of this batch"
        raise VerificationError(problem, check=check, where=where, got=leaves.root.hex(), wanted=root.hex())
    return leaves


def parse_record_hex(fields: Fields) -> bytes:
    """Take the member `record`: a record's bytes, at least one, in lower-case hex without spaces.

    Raises:
        FormatError: the member is missing, too long or something else.
    """
    text = fields.text("record", max_chars=_RECORD_MAX_CHARS)
    if not _HEX.fullmatch(text):
        raise fields.error("record", "the text is not hex", got="another text", wanted="lower-case hex digits")
    return bytes.fromhex(text)


def _parse_flag(one: Fields) -> bool:
    value = one.value("named")
    one.finish()
    if not isinstance(value, bool):
        raise FormatError(
            "the flag is not one", check=Check.REGISTRY_RECORD, where=one.where("named"), got="another value"
        )
    return value
