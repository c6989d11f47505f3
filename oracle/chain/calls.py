"""Encode calls of the registry, and name the errors that it reverts with."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from provenance_oracle.verifier.registry.contract import load_artifact


class Quorum(NamedTuple):
    """Solidity's struct: the epoch, one bit for each signer, and the signers' compact signatures."""

    epoch: int
    signers: int
    signatures: bytes


def publish_call(record: bytes, quorum: Quorum) -> bytes:
    """Return the call that writes a record. `record` is its bytes as the oracles signed them."""
    return _encoded("publish", record, quorum)


def number_policy_call(policy_digest: bytes) -> bytes:
    """Return the call that gives a policy its number, if it has none."""
    return _encoded("numberPolicy", policy_digest)


def require_model_call(model_digest: bytes, manifest_digest: bytes, *, minimum_grade: int) -> bytes:
    """Return the call of the gate that reverts unless the release is recorded and in good standing."""
    return _encoded("requireModel", model_digest, manifest_digest, minimum_grade)


def refusal_name(data: bytes, contract: str = "ProvenanceRegistry") -> str:
    """Name the error that a contract reverted with; its bytes in hex if the contract has no such error."""
    return _error_names(contract).get(data[:4], data.hex() or "no reason")


def _encoded(function: str, *arguments: object) -> bytes:
    from eth_abi.abi import encode
    from eth_utils.abi import function_abi_to_4byte_selector as selector_of
    from eth_utils.abi import get_abi_input_types

    abi: Any = load_artifact().abi
    (item,) = (item for item in abi if item["type"] == "function" and item["name"] == function)
    return bytes(selector_of(item)) + encode(get_abi_input_types(item), arguments)


@cache
def _error_names(contract: str) -> dict[bytes, str]:
    from eth_utils.abi import function_abi_to_4byte_selector as selector_of

    abi: Any = load_artifact(contract).abi
    return {bytes(selector_of(item)): item["name"] for item in abi if item["type"] == "error"}
