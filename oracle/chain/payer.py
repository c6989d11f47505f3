"""Send transactions one by one and wait for each, for commands that a person runs and watches.

The oracle must survive a kill at any moment, so it sends transactions in another way: see `oracle.chain.transactions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.chain.calls import refusal_name
from provenance_oracle.oracle.chain.rpc import revert_data
from provenance_oracle.oracle.chain.signers import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_number, parse_word

if TYPE_CHECKING:
    from web3.types import TxParams, TxReceipt

RECEIPT_SECONDS = 300.0


class Payer:
    """An account that pays for transactions.

    Attributes:
        web3: the node's web3, with which callers make the calls for `send`.
        where: the node's name in messages.

    Raises (every method):
        TemporaryError: the node failed, the account is empty, or a transaction is in no block yet.
    """

    def __init__(self, node: NodeConnection, signer: Signer, *, receipt_seconds: float = RECEIPT_SECONDS) -> None:
        self.web3 = node.web3
        self.where = node.where
        self._signer = signer
        self._receipt_seconds = receipt_seconds

    def send(self, call: Any, contract: str) -> TxReceipt:
        """Send a call as a transaction and wait until it is in a block.

        Args:
            call: web3's call of a function or constructor.
            contract: the contract's name, which `load_artifact` knows.

        Returns:
            The receipt of the transaction, which took effect.

        Raises:
            UsageError: the contract refuses the call before it is sent.
            VerificationError: the transaction is in a block and failed.
        """
        from hexbytes import HexBytes

        with node_errors(self.where):
            transaction = self._build(call, contract)
            raw, _ = self._signer.sign_transaction(transaction)
            sent = self.web3.eth.send_raw_transaction(HexBytes(raw))
        receipt = self._wait(HexBytes(sent))
        with node_errors(self.where):
            parse_number(receipt["blockNumber"], self.where)
            parse_word(receipt["transactionHash"], self.where)
            failed = parse_number(receipt["status"], self.where) != 1
        if failed:
            raise VerificationError(
                "the transaction failed", where=self.where, got=f"0x{bytes(sent).hex()}", wanted="one that takes effect"
            )
        return receipt

    def _build(self, call: Any, contract: str) -> dict[str, Any]:
        """Build the transaction and estimate its gas. Every chain takes a legacy transaction with a plain gas price."""
        from web3.exceptions import ContractLogicError
        from web3.types import Wei

        eth, account = self.web3.eth, self.web3.to_checksum_address(self._signer.address)
        price = parse_number(eth.gas_price, "gas price")
        if price and eth.get_balance(account) == 0:
            # An offer of nothing is the only possible one, and chains without fees take it.
            if eth.get_block("latest").get("baseFeePerGas") != 0:
                wanted = f"enough for the transaction, at {price} wei per unit of gas"
                raise TemporaryError("the paying account is empty", where=account, got="0 wei", wanted=wanted)
            price = 0
        envelope: TxParams = {
            "from": account,
            "nonce": eth.get_transaction_count(account, "latest"),
            "chainId": eth.chain_id,
            "gasPrice": Wei(price),
        }
        try:
            return dict(call.build_transaction(envelope))
        except ContractLogicError as error:
            got = self._refusal_words(revert_data(error.data), contract)
            raise UsageError(
                "the contract refuses the call", where=contract, got=got, wanted="a call that it takes"
            ) from error

    def _refusal_words(self, data: bytes, contract: str) -> str:
        """Return a contract's error with its arguments: `NamespaceTaken(namespaceId 0x..., owner 0x...)`."""
        name = refusal_name(data, contract)
        errors = {item["name"]: item["inputs"] for item in load_artifact(contract).abi if item["type"] == "error"}
        if name not in errors:
            return name
        names, types = ([one[part] for one in errors[name]] for part in ("name", "type"))
        values = [_shown(value) for value in self.web3.codec.decode(types, data[4:])]
        return f"{name}({', '.join(' '.join(pair) for pair in zip(names, values, strict=True))})"

    def _wait(self, sent: Any) -> TxReceipt:
        from web3.exceptions import TimeExhausted

        with node_errors(self.where):
            try:
                return self.web3.eth.wait_for_transaction_receipt(sent, timeout=self._receipt_seconds)
            except TimeExhausted:
                got = f"0x{bytes(sent).hex()}"
                raise TemporaryError(
                    "the transaction is in no block yet", where=self.where, got=got, wanted="a block that holds it"
                ) from None


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
