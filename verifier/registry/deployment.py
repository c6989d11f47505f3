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
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.registry.node import parse_address
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

FILE_MAX_BYTES = 64 * 1024
_ADDRESSES = ("registry", "namespaces", "lineage")
_HASHES = ("transaction", "code_hash")
_HASH = re.compile("0x[0-9a-f]{64}")


@dataclass(frozen=True)
class Deployment:
    """A deployed registry. Addresses have 20 bytes, hashes 32."""

    chain_id: int
    registry: bytes
    namespaces: bytes
    lineage: bytes
    block: int
    transaction: bytes
    code_hash: bytes


def encode_deployment(deployment: Deployment) -> bytes:
    """Return the bytes of a deployment file."""
    from eth_utils.address import to_checksum_address

    fields = asdict(deployment)
    fields |= {name: str(to_checksum_address(fields[name])) for name in _ADDRESSES}
    fields |= {name: f"0x{fields[name].hex()}" for name in _HASHES}
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
    )
    fields.finish()
    return deployment


def _hash(fields: Fields, key: str) -> bytes:
    text = fields.text(key)
    if not _HASH.fullmatch(text):
        raise fields.error(key, "the value is not a hash", got=text, wanted="0x and 64 lower-case hex digits")
    return bytes.fromhex(text[2:])
