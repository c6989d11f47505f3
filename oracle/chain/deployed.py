"""Read from the chain what a deployment made: the registry's contracts, and the terms in its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.chain.deploy_terms import HOUR_SECONDS, OracleTerms, Terms
from provenance_oracle.oracle.chain.payer import RECEIPT_SECONDS, effective_receipt
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_account, parse_number

if TYPE_CHECKING:
    from web3.types import TxReceipt


def read_deployment(
    node: NodeConnection, transaction: bytes, *, receipt_seconds: float = RECEIPT_SECONDS
) -> tuple[Deployment, Terms]:
    """Return the registry that a transaction (hash of 32 bytes) deployed, and its terms. Wait for its block.

    Raises:
        UsageError: the node has no such transaction, or it deploys something else.
        TemporaryError: the node failed, or the transaction is in no block yet.
        VerificationError: the transaction failed, or the contract has other code.
    """
    from web3.exceptions import TransactionNotFound

    named = f"0x{transaction.hex()}"
    with node_errors(node.where):
        try:
            data = bytes(node.web3.eth.get_transaction(transaction)["input"])  # type: ignore[arg-type]
        except TransactionNotFound:
            problem, wanted = "the node has no such transaction", "the hash that `provenance deploy` printed"
            raise UsageError(problem, where=node.where, got=named, wanted=wanted) from None
    terms = parse_terms(data, named)
    return deployment_of(node, effective_receipt(node.web3, transaction, node.where, receipt_seconds)), terms


def deployment_of(node: NodeConnection, receipt: TxReceipt) -> Deployment:
    """Return the registry that a transaction with this receipt deployed, after comparing the code of its contracts.

    Raises:
        VerificationError: a contract has other code.
        TemporaryError: the node failed.
    """
    artifact = load_artifact()
    with node_errors(node.where):
        registry = parse_account(receipt["contractAddress"], node.where)
        code = require_code(node, "ProvenanceRegistry", registry)
        functions = node.web3.eth.contract(receipt["contractAddress"], abi=artifact.abi).functions
        satellites = (functions[name]().call() for name in ("namespaces", "lineage"))
        namespaces, lineage = (parse_account(address, node.where) for address in satellites)
        require_code(node, "Namespaces", namespaces)
        require_code(node, "Lineage", lineage)
        chain_id, code_hash = node.web3.eth.chain_id, bytes(node.web3.keccak(code))
    block, transaction = receipt["blockNumber"], bytes(receipt["transactionHash"])
    return Deployment(chain_id, registry, namespaces, lineage, block, transaction, code_hash)


def numbers_of(node: NodeConnection, registry: bytes, policies: dict[str, bytes]) -> dict[str, int]:
    """Return the registry's numbers of the policies that have one, by name. `policies` holds digests by name."""
    with node_errors(node.where):
        functions = node.web3.eth.contract(node.web3.to_checksum_address(registry), abi=load_artifact().abi).functions
        found = {n: parse_number(functions.policyIdOf(digest).call(), node.where) for n, digest in policies.items()}
    return {name: number for name, number in found.items() if number}


def parse_terms(data: bytes, where: str) -> Terms:
    """Return the terms in the data of a transaction that deploys a registry of this version.

    Raises:
        UsageError: the data are something else.
    """
    from eth_abi.abi import decode
    from eth_utils.abi import get_abi_input_types

    artifact = load_artifact()
    (constructor,) = (item for item in artifact.abi if item["type"] == "constructor")
    try:
        if not data.startswith(artifact.bytecode):
            raise ValueError("other code")
        arguments: Any = decode(get_abi_input_types(constructor), data[len(artifact.bytecode) :])  # type: ignore[arg-type]
        owner, guardian, delay_seconds, grace_seconds, oracles, threshold = arguments
        if delay_seconds % HOUR_SECONDS or grace_seconds % HOUR_SECONDS:
            raise ValueError("no whole hours")
    except Exception:  # the decoder can raise almost any exception for malformed bytes
        problem, wanted = "the transaction is no deployment by this version", "one that `provenance deploy` sent"
        raise UsageError(problem, where=where, got=f"{len(data)} bytes of data", wanted=wanted) from None
    first_set = tuple(OracleTerms(_checksummed(key), weight, app) for key, weight, _, _, app in oracles)
    hours = (delay_seconds // HOUR_SECONDS, grace_seconds // HOUR_SECONDS)
    return Terms(_checksummed(owner), _checksummed(guardian), first_set, threshold, *hours)


def _checksummed(address: str) -> str:
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))


def require_code(node: NodeConnection, name: str, address: bytes) -> bytes:
    """Return the code at an address, 20 bytes.

    Raises:
        VerificationError: it is not that of the contract `name` which this version ships.
    """
    code = bytes(node.web3.eth.get_code(node.web3.to_checksum_address(address)))
    if code != load_artifact(name).deployed_bytecode:
        raise VerificationError(
            "the contract at this address is not the one that was sent",
            where=f"{node.where}, 0x{address.hex()}",
            got=f"{len(code)} bytes of code",
            wanted=f"the {name} that this version ships",
        )
    return code
