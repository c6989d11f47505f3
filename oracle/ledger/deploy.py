"""Putting a registry on a chain, and making sure that what is there is the contract this version ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from oracle.ledger.signers import Signer
from verifier.errors import TemporaryError, UsageError, VerificationError
from verifier.node import connect, node_errors, parse_address, shown_url
from verifier.registry import load_artifact

if TYPE_CHECKING:
    from web3 import Web3
    from web3.types import TxParams

# How long a new admin must wait before accepting: time for people to notice, and to cancel.
ADMIN_DELAY_SECONDS = 2 * 24 * 3600
RECEIPT_SECONDS = 300.0


@dataclass(frozen=True)
class Deployment:
    """Where a registry is. `code_hash` is keccak256 of its code, what EXTCODEHASH gives; hashes are 32 bytes."""

    address: str
    chain_id: int
    block_number: int
    transaction_hash: bytes
    code_hash: bytes


def deploy(
    rpc_url: str,
    signer: Signer,
    *,
    admin: str,
    oracle: str,
    guardian: str,
    admin_delay_seconds: int = ADMIN_DELAY_SECONDS,
    receipt_seconds: float = RECEIPT_SECONDS,
) -> Deployment:
    """Deploy a registry and wait until it is in a block.

    Args:
        signer: pays; it gets no right over the registry.
        admin: appoints oracles and guardians. oracle: may publish. guardian: may revoke.

    Raises:
        UsageError: an address is wrong or zero.
        TemporaryError: the node failed, or the transaction is in no block yet; the message has its hash.
        VerificationError: the transaction failed, or other code is there.
    """
    from hexbytes import HexBytes

    where = shown_url(rpc_url)
    web3 = connect(rpc_url)
    roles = {"admin": admin, "oracle": oracle, "guardian": guardian}
    parties = [_party(web3, text, role) for role, text in roles.items()]
    artifact = load_artifact()
    with node_errors(where):
        factory = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        transaction = factory.constructor(admin_delay_seconds, *parties).build_transaction(_envelope(web3, signer))
        raw, _ = signer.sign_transaction(cast(Mapping[str, Any], transaction))
        sent = web3.eth.send_raw_transaction(HexBytes(raw))
    return _confirm(web3, where, bytes(sent), receipt_seconds)


def _party(web3: Web3, text: str, role: str) -> str:
    address = parse_address(text, role)
    if not any(address):
        raise UsageError("nobody has the zero address", where=role, got=text, wanted="an account")
    return web3.to_checksum_address(address)


def _envelope(web3: Web3, signer: Signer) -> TxParams:
    payer = web3.to_checksum_address(signer.address)
    if web3.eth.get_balance(payer) == 0:
        raise TemporaryError("the paying account is empty", where=payer, got="0 wei", wanted="what a deployment costs")
    # A plain gas price is understood by every chain, Sapphire among them; the gas limit is estimated.
    nonce = web3.eth.get_transaction_count(payer, "latest")
    return {"from": payer, "nonce": nonce, "chainId": web3.eth.chain_id, "gasPrice": web3.eth.gas_price}


def _confirm(web3: Web3, where: str, sent: bytes, receipt_seconds: float) -> Deployment:
    from hexbytes import HexBytes
    from web3.exceptions import TimeExhausted

    with node_errors(where):
        try:
            receipt = web3.eth.wait_for_transaction_receipt(HexBytes(sent), timeout=receipt_seconds)
        except TimeExhausted:
            raise TemporaryError("the deployment is in no block yet", where=where, got=f"0x{sent.hex()}") from None
        address = receipt["contractAddress"]
        code = bytes(web3.eth.get_code(address)) if address else b""
        chain_id = web3.eth.chain_id
    if address is None or receipt["status"] != 1 or code != load_artifact().deployed_bytecode:
        raise VerificationError(
            "the contract there is not the one sent",
            where=where,
            got=f"status {receipt['status']}, {len(code)} bytes of code",
            wanted="the registry that this version ships",
        )
    return Deployment(address, chain_id, receipt["blockNumber"], sent, bytes(web3.keccak(code)))
