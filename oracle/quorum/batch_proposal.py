"""A batch proposal: the records of a batch with signatures of its root, as oracles exchange it.

    {"schema": "provenance-oracle/batch-proposal/v1", "chainId": 1, "registry": "<20 bytes>", "epoch": 1,
     "sealedAt": <Unix seconds>, "uri": "<where users find the records>", "root": "<32 bytes>",
     "records": ["<bytes of verifier.record.codec>", ...], "signatures": ["<64 bytes, ERC-2098>", ...]}

Bytes are lower-case hex. The records stand in the order of the leaves, by their ids, so that equal records have one
root. The signatures are over the EIP-712 digest that the registry checks, which binds chain, registry, epoch, root,
number of records, moment and uri. The first one is the proposer's. An oracle that signs too adds its own and passes the
document on; what a signature is worth does not depend on where the document comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.oracle.quorum.turns import proposer_at
from provenance_oracle.oracle.signers.signatures import recovered_address
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.record.batch import LEAVES_MAX, seal_batch
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.signing import batch_digest
from provenance_oracle.verifier.record.standing import SIGNERS_MAX, parse_moment
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

BATCH_PROPOSAL = "provenance-oracle/batch-proposal/v1"
# A record in a batch has two texts of 255 bytes at most and no parents; its hex is twice as long.
_RECORD_BYTES = range(226, 224 + 2 * 256 + 1)
_SIGNATURE_BYTES = range(64, 65)
_URI_MAX_BYTES = 256
BATCH_PROPOSAL_MAX_BYTES = 192 * 1024
_CHECK = Check.REGISTRY_RECORD


@dataclass(frozen=True)
class BatchProposal:
    """A parsed proposal. Nobody has verified anything in it.

    `registry` is an address (20 bytes), `root` 32 bytes, `sealed_at` in seconds since 1970, `signatures` 64 bytes each.
    """

    chain_id: int
    registry: bytes
    epoch: int
    sealed_at: int
    uri: str
    root: bytes
    records: tuple[bytes, ...]
    signatures: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        """The digest that oracles sign, 32 bytes."""
        place, count = (self.chain_id, self.registry, self.epoch), len(self.records)
        return batch_digest(*place, self.root, count=count, sealed_at=self.sealed_at, uri=self.uri)


@dataclass(frozen=True)
class SignedBatch:
    """A proposal that holds: the root is that of the records, and members of the oracle set signed it.

    Only `verify_batch_proposal` makes one.

    Attributes:
        proposal: what was verified. digest: see `BatchProposal.digest`.
        sealed_at: with a time zone. proposer: the address, in checksum form, of the oracle whose turn it was then.
        leaves: the fields of each record by its id (32 bytes), in the order of the leaves.
        signatures: by the signer's address in checksum form, 64 bytes each; the proposer's is the first.
    """

    proposal: BatchProposal
    digest: bytes
    sealed_at: datetime
    proposer: str
    leaves: Mapping[bytes, WrittenRecord]
    signatures: Mapping[str, bytes]


def encode_batch_proposal(proposal: BatchProposal) -> bytes:
    """Return the JSON of a proposal."""
    return json.dumps(
        {
            "schema": BATCH_PROPOSAL,
            "chainId": proposal.chain_id,
            "registry": proposal.registry.hex(),
            "epoch": proposal.epoch,
            "sealedAt": proposal.sealed_at,
            "uri": proposal.uri,
            "root": proposal.root.hex(),
            "records": [data.hex() for data in proposal.records],
            "signatures": [data.hex() for data in proposal.signatures],
        }
    ).encode()


def parse_batch_proposal(data: bytes, where: str) -> BatchProposal:
    """Parse the JSON of a proposal.

    Raises:
        FormatError: it is not exactly one proposal, or holds more than 128 records (check `registry-record`).
    """
    value = parse_json(data, where=where, check=_CHECK, max_bytes=BATCH_PROPOSAL_MAX_BYTES)
    fields = Fields(value, where=where, check=_CHECK)
    fields.constant("schema", BATCH_PROPOSAL)
    proposal = BatchProposal(
        fields.integer("chainId", minimum=1),
        fields.hex_bytes("registry", 20),
        fields.integer("epoch", maximum=2**16 - 1),
        fields.integer("sealedAt", maximum=2**40 - 1),
        fields.text("uri", max_chars=_URI_MAX_BYTES),
        fields.hex_bytes("root", 32),
        _hex_list(fields, "records", LEAVES_MAX, _RECORD_BYTES),
        _hex_list(fields, "signatures", SIGNERS_MAX, _SIGNATURE_BYTES),
    )
    fields.finish()
    return proposal


def verify_batch_proposal(
    proposal: BatchProposal, registry: tuple[int, bytes], *, seats: Mapping[str, Seat], where: str
) -> SignedBatch:
    """Verify that a proposal is for this registry, that it came in its turn, and that its root and signatures hold.

    Args:
        registry: chain and address (20 bytes) of our registry.
        seats: by address, the oracle set in force; one at least.
        where: names the proposal in messages.

    Raises:
        VerificationError: one of these does not hold (check `registry-record`).
        FormatError: a record is not one that a batch can hold (check `registry-record`).
    """
    # (1) the place: first the cheap comparisons
    got, wanted = (
        f"{one[0]}:{one[1].hex()} epoch {one[2]}"
        for one in (
            (proposal.chain_id, proposal.registry, proposal.epoch),
            (*registry, next(iter(seats.values())).epoch),
        )
    )
    if got != wanted:
        raise _forged("the batch is for another registry or oracle set", where, got, wanted)
    # (2) the signatures, each by another oracle of the set; the first by the one whose turn it was
    sealed_at, digest = parse_moment(proposal.sealed_at, where), proposal.digest
    proposer = proposer_at(sealed_at, seats)
    signatures: dict[str, bytes] = {}
    for signature in proposal.signatures:
        signer = recovered_address(digest, signature)
        if signer is None or signer not in seats or signer in signatures:
            raise _forged("a signature is nobody's, or counts twice", where, str(signer), "one of each oracle")
        if not signatures and signer != proposer:
            raise _forged("the batch was proposed out of turn", where, signer, proposer)
        signatures[signer] = signature
    # (3) the records, in their order, lead to the root
    leaves: dict[bytes, WrittenRecord] = {}
    for number, data in enumerate(proposal.records):
        fields = _plain(data, f"{where}, leaf {number}")
        leaves[record_id(fields)] = fields
    if list(leaves) != sorted(leaves) or len(leaves) != len(proposal.records):
        raise _forged("the records stand in another order", where, "another order", "each once, sorted by their ids")
    root = _root(proposal.records, where)
    if root != proposal.root:
        raise _forged("the records do not lead to the root", where, root.hex(), proposal.root.hex())
    return SignedBatch(proposal, digest, sealed_at, proposer, leaves, signatures)


def _plain(data: bytes, where: str) -> WrittenRecord:
    fields = decode_record(data, where)
    if not fields.passed or fields.revision or fields.parents:
        wanted = "the first judgement of a release without parents, PASSED"
        raise FormatError("a batch does not hold such a record", check=_CHECK, where=where, wanted=wanted)
    return fields


def _root(records: tuple[bytes, ...], where: str) -> bytes:
    try:
        return seal_batch(records).root
    except UsageError as error:
        raise FormatError(error.problem, check=_CHECK, where=where, got=error.got, wanted=error.wanted) from error


def _hex_list(fields: Fields, key: str, most: int, item_bytes: range) -> tuple[bytes, ...]:
    """Return a list of 1 to `most` texts of lower-case hex, each of so many bytes."""
    value = fields.value(key)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        got = f"{len(value)} items" if isinstance(value, list) else "another value"
        raise fields.error(key, "not such a list", got=got, wanted=f"1 to {most} items")
    return tuple(_hex(fields, f"{key}[{number}]", item, item_bytes) for number, item in enumerate(value))


def _hex(fields: Fields, key: str, item: object, item_bytes: range) -> bytes:
    try:
        data = bytes.fromhex(item) if isinstance(item, str) and len(item) < 2 * item_bytes.stop else b""
    except ValueError:
        data = b""
    if data.hex() != item or len(data) not in item_bytes:
        wanted = f"lower-case hex of {item_bytes.start} to {item_bytes.stop - 1} bytes"
        raise fields.error(key, "not hex", got="another value", wanted=wanted)
    return data


def _forged(problem: str, where: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=_CHECK, where=where, got=got, wanted=wanted)
