"""A proposal: a record with one oracle's signature, as oracles exchange it.

    {"schema": "provenance-oracle/proposal/v1", "chainId": 1, "registry": "<20 bytes>", "epoch": 1,
     "record": "<bytes of verifier.record.codec>", "signature": "<64 bytes, ERC-2098>"}

Bytes are lower-case hex. The signature is over the EIP-712 digest that the registry checks, so a proposal proves who
made it, wherever it comes from. A peer that passes it on vouches for nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from provenance_oracle.oracle.signers.signatures import recovered_address
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.record.leaves import parse_record_hex
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

PROPOSAL = "provenance-oracle/proposal/v1"
# A record has two texts of 255 bytes and 8 parents at most; its hex is twice as long.
PROPOSAL_MAX_BYTES = 4096


@dataclass(frozen=True)
class Proposal:
    """A parsed proposal. Nobody has verified the signature.

    `registry` is an address (20 bytes), `record` holds a record's bytes, `signature` 64 bytes.
    """

    chain_id: int
    registry: bytes
    epoch: int
    record: bytes
    signature: bytes


@dataclass(frozen=True)
class SignedProposal:
    """A proposal whose signature holds. Only `verify_proposal` makes one.

    `signer` is the address of the key in checksum form, `fields` the record, and `record_id` its id (32 bytes).
    """

    epoch: int
    record: bytes
    signature: bytes
    signer: str
    fields: WrittenRecord
    record_id: bytes


def encode_proposal(proposal: Proposal) -> bytes:
    """Return the JSON of a proposal."""
    return json.dumps(
        {
            "schema": PROPOSAL,
            "chainId": proposal.chain_id,
            "registry": proposal.registry.hex(),
            "epoch": proposal.epoch,
            "record": proposal.record.hex(),
            "signature": proposal.signature.hex(),
        }
    ).encode()


def parse_proposal(data: bytes, where: str) -> Proposal:
    """Parse the JSON of a proposal.

    Raises:
        FormatError: it is not exactly one proposal (check `registry-record`).
    """
    value = parse_json(data, where=where, check=Check.REGISTRY_RECORD, max_bytes=PROPOSAL_MAX_BYTES)
    fields = Fields(value, where=where, check=Check.REGISTRY_RECORD)
    fields.constant("schema", PROPOSAL)
    proposal = Proposal(
        fields.integer("chainId", minimum=1),
        fields.hex_bytes("registry", 20),
        fields.integer("epoch", maximum=2**16 - 1),
        parse_record_hex(fields),
        fields.hex_bytes("signature", 64),
    )
    fields.finish()
    return proposal


def verify_proposal(proposal: Proposal, *, chain_id: int, registry: bytes, where: str) -> SignedProposal:
    """Verify that a proposal is for this registry and that its signature is one.

    Args:
        registry: the address of our registry, 20 bytes.
        where: names the proposal in messages.

    Raises:
        VerificationError: it is for another chain or registry, or nobody's signature (check `registry-record`).
        FormatError: its record is not a record (check `registry-record`).
    """
    got, wanted = (f"{one[0]}:{one[1].hex()}" for one in ((proposal.chain_id, proposal.registry), (chain_id, registry)))
    if got != wanted:
        raise _forged("the proposal is for another registry", where, got, wanted)
    fields = decode_record(proposal.record, where)
    digest = publication_digest(chain_id, registry, proposal.epoch, proposal.record)
    signer = recovered_address(digest, proposal.signature)
    if signer is None:
        raise _forged("the proposal is not signed", where, proposal.signature.hex(), "a signature with the lower s")
    return SignedProposal(proposal.epoch, proposal.record, proposal.signature, signer, fields, record_id(fields))


def _forged(problem: str, where: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)
