"""Send transactions one by one and wait for each, for commands that a person runs, watches and may interrupt.

A command that is run again finds its own transaction: the one that waits in the node, or the one whose signed bytes it
kept. The oracle must survive a kill at any moment, so it sends transactions in another way: see
`oracle.chain.transactions`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.chain.calls import refusal_name
from provenance_oracle.oracle.chain.rpc import revert_data
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.json_rpc import error_words
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_number, parse_word

if TYPE_CHECKING:
    from web3.types import TxParams, TxReceipt

RECEIPT_SECONDS = 300.0
# Called with a transaction's hash (32 bytes) and its signed bytes before they are sent; empty if it was sent before.
Announce = Callable[[bytes, bytes], object]
_WAIT = "wait until the earlier transaction of this account is in a block, then run the command again"


def stay_silent(_hash: bytes, _raw: bytes) -> None:
    """Announce nothing."""


class Payer:
    """An account that pays for transactions.

    Args:
        announce: told of each transaction before it is sent, or before the payer waits for it.

    Attributes:
        web3: the node's web3, with which callers make the calls for `send`.
        where: the node's name in messages.

    Raises (every method):
        TemporaryError: the node failed, the account is empty, or a transaction is in no block yet.
    """

    def __init__(
        self,
        node: NodeConnection,
        signer: Signer,
        *,
        receipt_seconds: float = RECEIPT_SECONDS,
        announce: Announce = stay_silent,
    ) -> None:
        self.web3 = node.web3
        self.where = node.where
        self._signer = signer
        self._receipt_seconds = receipt_seconds
        self._announce = announce

    def contract(self, name: str, address: bytes) -> Any:
        """Return web3's contract at an address (20 bytes), with the ABI of a contract that `load_artifact` knows."""
        with node_errors(self.where):
            return self.web3.eth.contract(self.web3.to_checksum_address(address), abi=load_artifact(name).abi)

    def send(
        self,
        call: Any,
        contract: str,
        *,
        is_same: Callable[[bytes, bytes], bool] | None = None,
        gas: int | None = None,
        price_wei: int | None = None,
    ) -> TxReceipt:
        """Send a call as a transaction and wait until it is in a block. Send nothing if it is on its way already.

        Args:
            call: web3's call of a function or constructor.
            contract: the contract's name, which `load_artifact` knows.
            is_same: whether a transaction to an address (20 bytes, or empty for a creation) with these data does the
                same as the call. By default, whether they are those of the call, which must be of a function.
            gas: the transaction's limit; None for the node's estimate.
            price_wei: what a unit of gas may cost, if the caller was told; None for what the node asks now.

        Returns:
            The receipt of the transaction, which took effect.

        Raises:
            UsageError: the contract refuses the call before it is sent.
            VerificationError: the transaction is in a block and failed.
        """
        with node_errors(self.where):
            sent = self._on_its_way(is_same or _exactly(call))
            if sent is None:
                raw, sent = self._signer.sign_transaction(self._build(call, contract, gas, price_wei))
                self._announce(sent, raw)
                self._broadcast(raw, sent)
            else:
                self._announce(sent, b"")
        return effective_receipt(self.web3, sent, self.where, self._receipt_seconds)

    def resume(self, raw: bytes, nonce: int) -> TxReceipt:
        """Send the signed bytes of an earlier transaction again unless it is in a block, and wait as `send` does.

        Raises:
            UsageError: it is in no block, and another transaction used its nonce.
            VerificationError: it is in a block and failed.
        """
        sent = keccak256(raw)
        self._announce(sent, b"")
        with node_errors(self.where):
            if _receipt(self.web3, sent) is None:
                account = self.web3.to_checksum_address(self._signer.address)
                if self.web3.eth.get_transaction_count(account, "latest") > nonce:
                    problem = "another transaction took the place of the earlier one"
                    got = f"0x{sent.hex()} in no block"
                    raise UsageError(problem, where=account, got=got, wanted=f"the earlier one, with nonce {nonce}")
                self._broadcast(raw, sent)
        return effective_receipt(self.web3, sent, self.where, self._receipt_seconds)

    def _on_its_way(self, is_same: Callable[[bytes, bytes], bool]) -> bytes | None:
        """Return the hash of this account's next transaction if the node holds it already and it is the same.

        Raises:
            TemporaryError: the node holds another one.
        """
        account = self.web3.to_checksum_address(self._signer.address)
        used = self.web3.eth.get_transaction_count(account, "latest")
        if self.web3.eth.get_transaction_count(account, "pending") <= used:
            return None
        found = _pending(self.web3, account, used)
        if found is None:
            return None  # not every node shows what it holds; the answer to the transaction then tells
        sent = bytes(found["hash"])
        to = bytes.fromhex(found["to"][2:]) if found.get("to") else b""
        if not is_same(to, bytes(found["input"])):
            problem = "another transaction of the paying account is on its way"
            raise TemporaryError(problem, where=account, got=f"0x{sent.hex()}", wanted=_WAIT)
        return sent

    def _broadcast(self, raw: bytes, sent: bytes) -> None:
        from hexbytes import HexBytes
        from web3.exceptions import TransactionNotFound, Web3RPCError

        try:
            self.web3.eth.send_raw_transaction(HexBytes(raw))
        except Web3RPCError as error:  # nodes say so too of a transaction that they hold
            with suppress(TransactionNotFound):
                self.web3.eth.get_transaction(HexBytes(sent))
                return
            got = f"{error_words(error)}, to 0x{sent.hex()}"
            raise TemporaryError(
                "the node does not take the transaction", where=self.where, got=got, wanted=_WAIT
            ) from error

    def _build(self, call: Any, contract: str, gas: int | None, price: int | None) -> dict[str, Any]:
        """Build the transaction, and estimate its gas unless that is given.

        Every chain takes a legacy transaction with a plain gas price.
        """
        from web3.exceptions import ContractLogicError
        from web3.types import Wei

        eth, account = self.web3.eth, self.web3.to_checksum_address(self._signer.address)
        if price is None:
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
        if gas is not None:
            envelope["gas"] = gas
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


def _exactly(call: Any) -> Callable[[bytes, bytes], bool]:
    """Return whether a transaction has the address and the data of a call of a function."""
    wanted = (bytes.fromhex(call.address[2:]), bytes.fromhex(call._encode_transaction_data()[2:]))
    return lambda to, data: (to, data) == wanted


def effective_receipt(web3: Any, sent: bytes, where: str, seconds: float) -> TxReceipt:
    """Wait until a transaction (hash of 32 bytes) is in a block, and return its receipt.

    Raises:
        TemporaryError: it is in no block after `seconds`, or the node failed.
        VerificationError: it is in a block and failed.
    """
    from web3.exceptions import TimeExhausted

    got = f"0x{sent.hex()}"
    with node_errors(where):
        try:
            receipt: TxReceipt = web3.eth.wait_for_transaction_receipt(sent, timeout=seconds)
        except TimeExhausted:
            problem, wanted = "the transaction is in no block yet", "a block that holds it; run the command again"
            raise TemporaryError(problem, where=where, got=got, wanted=wanted) from None
        parse_number(receipt["blockNumber"], where)
        failed = parse_number(receipt["status"], where) != 1
        if parse_word(receipt["transactionHash"], where) != sent:
            raise TemporaryError("the node returned the receipt of another transaction", where=where, wanted=got)
    if failed:
        raise VerificationError("the transaction failed", where=where, got=got, wanted="one that takes effect")
    return receipt


def _receipt(web3: Any, sent: bytes) -> TxReceipt | None:
    from web3.exceptions import TransactionNotFound

    with suppress(TransactionNotFound):
        found: TxReceipt = web3.eth.get_transaction_receipt(sent)
        return found
    return None


def _pending(web3: Any, account: str, nonce: int) -> Any:
    """Return the transaction of an account with a nonce in the node's next block; None if the node does not show it."""
    from web3.exceptions import BlockNotFound, Web3RPCError

    with suppress(BlockNotFound, Web3RPCError, TemporaryError):  # the next block may be too large to read
        for found in web3.eth.get_block("pending", full_transactions=True)["transactions"]:
            if (found.get("from"), found.get("nonce")) == (account, nonce):
                return found
    return None


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
