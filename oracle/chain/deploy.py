"""Deploy a registry, and check that the code on the chain is the contract that this version ships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provenance_oracle.oracle.chain.deploy_terms import Terms, constructor_arguments
from provenance_oracle.oracle.chain.deployed import deployment_of
from provenance_oracle.oracle.chain.payer import RECEIPT_SECONDS, Announce, Payer, stay_silent
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.transactions import created_by
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_number


def chain_id_of(node: NodeConnection) -> int:
    """Return the id of a node's chain.

    Raises:
        TemporaryError: the node failed.
    """
    with node_errors(node.where):
        return int(node.web3.eth.chain_id)


def deploy_contracts(
    node: NodeConnection,
    signer: Signer,
    terms: Terms,
    *,
    sent: bytes = b"",
    receipt_seconds: float = RECEIPT_SECONDS,
    announce: Announce = stay_silent,
) -> Deployment:
    """Deploy a registry and wait until it is in a block.

    Args:
        signer: pays for the transaction, and gets no right over the registry.
        sent: the signed bytes of an earlier run's transaction, to go on with it; empty for none.
        receipt_seconds: how long to wait for the block at most.
        announce: told of the transaction before it is sent.

    Raises:
        UsageError: an address is wrong or zero, an oracle is named twice, the oracles cannot reach the threshold, or
            the earlier transaction has other terms, another signer, or lost its nonce to another transaction.
        TemporaryError: the node failed, the paying account is empty, or the transaction is in no block yet. The message
            has the transaction's hash.
        VerificationError: the transaction failed, or the contract at the new address has other code.
    """
    payer = Payer(node, signer, receipt_seconds=receipt_seconds, announce=announce)
    arguments, artifact = constructor_arguments(terms), load_artifact()
    with node_errors(payer.where):
        factory: Any = payer.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        call = factory.constructor(*arguments)
        data = bytes.fromhex(call.data_in_transaction.removeprefix("0x"))
    if sent:
        nonce, earlier = created_by(signer.address, sent) or (0, b"")
        if earlier != data:
            problem = "an earlier deployment with other options or another key was sent"
            wanted = "the same options and key, or --from-transaction HASH"
            raise UsageError(problem, where="deploy", got="other options", wanted=wanted)
        receipt = payer.resume(sent, nonce)
    else:
        receipt = payer.send(call, "ProvenanceRegistry", is_same=lambda to, other: (to, other) == (b"", data))
    return deployment_of(node, receipt)


def number_policies(
    node: NodeConnection, signer: Signer, registry: bytes, policies: Mapping[str, bytes]
) -> dict[str, int]:
    """Send a transaction for each policy that has no number yet. Return the numbers by name.

    Args:
        registry: address, 20 bytes.
        policies: digests (32 bytes) by name.

    Raises:
        TemporaryError: the node failed. The registry works without these numbers, because an oracle numbers each policy
            that it needs.
        VerificationError: a transaction is in a block and failed.
    """
    payer, numbers = Payer(node, signer), {}
    functions = payer.contract("ProvenanceRegistry", registry).functions
    with node_errors(payer.where):
        for name, digest in policies.items():
            if parse_number(functions.policyIdOf(digest).call(), payer.where) == 0:
                payer.send(functions.numberPolicy(digest), "ProvenanceRegistry")
            numbers[name] = parse_number(functions.policyIdOf(digest).call(), payer.where)
            if numbers[name] == 0:
                got, words = f"none of {name}", "one, since it was given"
                raise TemporaryError(
                    "the node shows no number of a policy yet", where=payer.where, got=got, wanted=words
                )
    return numbers
