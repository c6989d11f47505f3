"""Deploy the contracts by which releases of a registry are proven on chain, and compare their code."""

from __future__ import annotations

from typing import Any

from provenance_oracle.oracle.chain.deployed import require_code
from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.proofs.verifier_code import match_verifier
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import ProofContracts
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_account

VERIFIERS = {"amd": "AmdVerifier", "simulator": "SimulatorVerifier"}
# In the deposit of a challenge: 10 gwei for a unit of gas.
_ANSWER_PRICE_WEI = 10 * 10**9


def deploy_proofs(
    node: NodeConnection,
    signer: Signer,
    registry: bytes,
    *,
    keeper: str,
    keys: str = "amd",
    verifier: bytes | None = None,
    announce: Announce = stay_silent,
) -> ProofContracts:
    """Deploy verifier, proofs and disputes for a registry, each in a transaction of its own, and wait for each.

    Disputes gets no right over the registry: its owner appoints it as guardian, or does not; see `docs/roles.md`.

    Args:
        registry: address, 20 bytes.
        keeper: address of the account that has the guardian's rights if Disputes is ever made the guardian.
        keys: `amd`, or `simulator`, whose proofs prove nothing.
        verifier: address of a verifier that is deployed already, 20 bytes; None to deploy one.
        announce: told of each transaction before it is sent.

    Raises:
        UsageError: the verifier is not the one that this version ships.
        VerificationError: a transaction failed, or a contract has other code than was sent.
        TemporaryError: the node failed, the account is empty, or a transaction is in no block yet.
    """
    payer = Payer(node, signer, announce=announce)
    if verifier is None:
        verifier = _deploy(node, payer, VERIFIERS[keys])
    match_verifier(node, verifier, f"verifier 0x{verifier.hex()} at {node.where}")
    checksummed = node.web3.to_checksum_address
    proofs = _deploy(node, payer, "HardwareProofs", checksummed(verifier), checksummed(registry))
    disputes = _deploy(node, payer, "Disputes", checksummed(proofs), keeper, _ANSWER_PRICE_WEI)
    addresses = (verifier, proofs, disputes)
    with node_errors(node.where):
        codes = [bytes(node.web3.eth.get_code(checksummed(address))) for address in addresses]
    return ProofContracts(*addresses, *map(keccak256, codes))


def _deploy(node: NodeConnection, payer: Payer, name: str, *arguments: Any) -> bytes:
    """Deploy one contract of this version; return its address."""
    artifact = load_artifact(name)
    with node_errors(payer.where):
        call = payer.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode).constructor(*arguments)
        data = bytes.fromhex(call.data_in_transaction.removeprefix("0x"))
    receipt = payer.send(call, name, is_same=lambda to, other: (to, other) == (b"", data))
    with node_errors(payer.where):
        address = parse_account(receipt["contractAddress"], payer.where)
        require_code(node, name, address)
    return address
