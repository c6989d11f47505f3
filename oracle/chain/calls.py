"""Calls of the registry as bytes, and its refusals as names."""

from __future__ import annotations

from functools import cache
from typing import Any

from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import keeping_recursion_limit

# Solidity's struct Quorum: epoch, one bit for each signer, their compact signatures.
Quorum = tuple[int, int, bytes]


def publish_call(record: bytes, quorum: Quorum) -> bytes:
    """The call that writes a record; `record` is its bytes as the oracles signed them."""
    return _encoded("publish", record, quorum)


def number_policy_call(policy_digest: bytes) -> bytes:
    """The call that gives a policy its number, if it has none."""
    return _encoded("numberPolicy", policy_digest)


def require_model_call(model_digest: bytes, manifest_digest: bytes, *, minimum_grade: int) -> bytes:
    """The gate, which reverts unless the release is recorded and in good standing."""
    return _encoded("requireModel", model_digest, manifest_digest, minimum_grade)


def refusal_name(data: bytes, contract: str = "ProvenanceRegistry") -> str:
    """Name the error that a contract reverted with; its bytes in hex if the contract has no such error."""
    return _error_names(contract).get(data[:4], data.hex() or "no reason")


def _encoded(function: str, *arguments: object) -> bytes:
    return bytes.fromhex(_registry().encode_abi(function, args=list(arguments))[2:])


@cache
def _registry() -> Any:
    with keeping_recursion_limit():
        from web3 import Web3
    return Web3().eth.contract(abi=load_artifact().abi)


@cache
def _error_names(contract: str) -> dict[bytes, str]:
    from eth_utils.abi import function_abi_to_4byte_selector as selector_of

    abi: Any = load_artifact(contract).abi
    return {bytes(selector_of(item)): item["name"] for item in abi if item["type"] == "error"}
