"""Encode calls of the registry, and name the errors with which it reverts."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.contract import load_artifact

# A development chain without transactions makes no blocks, and its time stands still.
_A_LATER_BLOCK = "a block at most 5 minutes behind the oracle's clock; does the chain make any (anvil: --block-time 1)?"


class Quorum(NamedTuple):
    """The struct `Quorum` of the contract.

    `signers` has bit n set if oracle n of the epoch signed. `signatures` holds one compact signature (ERC-2098, 64
    bytes) for each set bit, lowest bit first.
    """

    epoch: int
    signers: int
    signatures: bytes


def publish_call(record: bytes, quorum: Quorum) -> bytes:
    """Return the encoded call that writes a record. `record` holds the bytes that the oracles signed."""
    return _encoded("publish", record, quorum)


def number_policy_call(policy_digest: bytes) -> bytes:
    """Return the encoded call that gives a policy a number, if it has none. `policy_digest` has 32 bytes."""
    return _encoded("numberPolicy", policy_digest)


def bind_rofl_key_call(index: int, key: str) -> bytes:
    """Return the encoded call by which a ROFL app makes a key (an address) that of oracle `index`."""
    return _encoded("bindRoflKey", index, key)


def standing_call(model_digest: bytes, manifest_digest: bytes) -> bytes:
    """Return the encoded call of the view with a release's standing. Both digests have 32 bytes."""
    return _encoded("standingOf", model_digest, manifest_digest)


def content_call(record_id: bytes) -> bytes:
    """Return the encoded call of the view with a record's content digest. The id has 32 bytes."""
    return _encoded("contentOf", record_id)


def standing_by_id_call(record_id: bytes) -> bytes:
    """Return the encoded call of the view with the standing of a record. The id has 32 bytes."""
    return _encoded("standingById", record_id)


def batch_call(root: bytes) -> bytes:
    """Return the encoded call of the view of a batch. The root has 32 bytes."""
    return _encoded("batchOf", root)


def record_batch_call(root: bytes, *, count: int, sealed_at: int, uri: str, quorum: Quorum) -> bytes:
    """Return the encoded call that records a batch.

    Args:
        root: 32 bytes. count: the number of its records.
        sealed_at: when it was sealed, in seconds since 1970.
    """
    return _encoded("recordBatch", root, count, sealed_at, uri, quorum)


def require_model_call(model_digest: bytes, manifest_digest: bytes, *, minimum_grade: int) -> bytes:
    """Return the encoded call of the gate, which reverts unless the release has a record in good standing.

    Args:
        model_digest, manifest_digest: 32 bytes each.
        minimum_grade: the lowest grade that the gate accepts, 0 to 2.
    """
    return _encoded("requireModel", model_digest, manifest_digest, minimum_grade)


def refusal_name(data: bytes, contract: str = "ProvenanceRegistry") -> str:
    """Return the name of the error with which a contract reverted.

    Args:
        data: the revert data: a selector (4 bytes) and arguments.
        contract: a name that `load_artifact` knows.

    Returns:
        The name; the data in hex if the contract has no such error; "no reason" if there are no data.
    """
    return _error_names(contract).get(data[:4], data.hex() or "no reason")


def refused_now(data: bytes, where: str) -> TemporaryError:
    """Return the error for a call that the registry refuses at this block, and may take at a later one.

    Args:
        data: the revert data.
        where: the registry.
    """
    name = refusal_name(data)
    wanted = _A_LATER_BLOCK if name == "OutOfTime" else ""
    return TemporaryError("the registry refuses the call now", where=where, got=name, wanted=wanted)


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
