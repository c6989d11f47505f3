"""The deployment file of a registry, `deployments/<chain id>.json`. `provenance deploy` writes it, readers open it.

{
  "chain_id": 31337,
  "registry": "0x…",      its address, then those of the two contracts that it made
  "namespaces": "0x…",
  "lineage": "0x…",
  "block": 1,             its events begin in this block
  "transaction": "0x…",   the transaction that deployed it
  "code_hash": "0x…"      keccak256 of its code, as EXTCODEHASH gives it
}

A registry whose releases can be proven on chain (docs/proofs.md) has six members more: the addresses `amd_verifier`,
`hardware_proofs` and `disputes`, and of each the hash of its code, as in `disputes_code_hash`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.registry.node import parse_address
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

FILE_MAX_BYTES = 64 * 1024
_ADDRESSES = ("registry", "namespaces", "lineage")
_HASHES = ("transaction", "code_hash")
_PROOF_ADDRESSES = ("amd_verifier", "hardware_proofs", "disputes")
_HASH = re.compile("0x[0-9a-f]{64}")


@dataclass(frozen=True)
class ProofContracts:
    """The contracts that judge AMD's evidence, keep proofs, and settle disputes. Addresses have 20 bytes, hashes 32."""

    amd_verifier: bytes
    hardware_proofs: bytes
    disputes: bytes
    amd_verifier_code_hash: bytes
    hardware_proofs_code_hash: bytes
    disputes_code_hash: bytes


@dataclass(frozen=True)
class Deployment:
    """A deployed registry. Addresses have 20 bytes, hashes 32. `proofs` is None where no release can be proven."""

    chain_id: int
    registry: bytes
    namespaces: bytes
    lineage: bytes
    block: int
    transaction: bytes
    code_hash: bytes
    proofs: ProofContracts | None = None


def encode_deployment(deployment: Deployment) -> bytes:
    """Return the bytes of a deployment file."""
    fields = asdict(deployment)
    fields |= fields.pop("proofs") or {}
    fields |= {name: checksum_address(fields[name]) for name in (*_ADDRESSES, *_PROOF_ADDRESSES) if name in fields}
    fields |= {name: f"0x{value.hex()}" for name, value in fields.items() if isinstance(value, bytes)}
    return json.dumps(fields, indent=2).encode() + b"\n"


def parse_deployment(data: bytes, where: str) -> Deployment:
    """Parse a deployment file. `where` names it in messages.

    Raises:
        FormatError: the file has another form (check `registry-record`).
        UsageError: an address in it is malformed.
    """
    value = parse_json(data, where=where, check=Check.REGISTRY_RECORD, max_bytes=FILE_MAX_BYTES)
    fields = Fields(value, where=where, check=Check.REGISTRY_RECORD)
    deployment = Deployment(
        chain_id=fields.integer("chain_id", minimum=1),
        block=fields.integer("block"),
        **{name: parse_address(fields.text(name), fields.where(name)) for name in _ADDRESSES},
        **{name: _hash(fields, name) for name in _HASHES},
        proofs=_proofs(fields) if any(name in fields for name in _PROOF_ADDRESSES) else None,
    )
    fields.finish()
    return deployment


def _proofs(fields: Fields) -> ProofContracts:
    addresses = {name: parse_address(fields.text(name), fields.where(name)) for name in _PROOF_ADDRESSES}
    hashes = {f"{name}_code_hash": _hash(fields, f"{name}_code_hash") for name in _PROOF_ADDRESSES}
    return ProofContracts(**addresses, **hashes)


def _hash(fields: Fields, key: str) -> bytes:
    text = fields.text(key)
    if not _HASH.fullmatch(text):
        raise fields.error(key, "the value is not a hash", got=text, wanted="0x and 64 lower-case hex digits")
    return bytes.fromhex(text[2:])
