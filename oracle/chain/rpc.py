"""The requests to an EVM node that transactions need.

The connection may send a request again (see `verifier.registry.rpc_client`), also one with a signed transaction: the
same bytes have the same effect. A node may be wrong, late or down. Each failure is a `TemporaryError`, never a
statement about a release, and each answer counts only for the chain and the block that it is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.json_rpc import error_words
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.registry.raw_logs import parse_block_hash, parse_quantity
from provenance_oracle.verifier.registry.rpc_client import Asked
from provenance_oracle.verifier.strict.abi_values import parse_number

_AMOUNT_LIMIT = 1 << 96
_NEWEST: Asked = ("eth_getBlockByNumber", ["latest", False])


class RevertedError(TemporaryError):
    """A simulated `call` reverted. `data` is the revert data: a selector (4 bytes) and arguments, or empty.

    The error is temporary because it is about this chain at this block: the record may be there already, or the oracle
    may not be authorised yet.
    """

    def __init__(self, problem: str, *, call: Call, data: bytes) -> None:
        super().__init__(problem, where=call.to)
        self.call = call
        self.data = data


@dataclass(frozen=True)
class Call:
    """A call of a contract. Addresses are in checksum form; `data` is a selector (4 bytes) and encoded arguments."""

    sender: str
    to: str
    data: bytes

    def fields(self) -> dict[str, Any]:
        """Return the call in the form of JSON-RPC."""
        return {"from": self.sender, "to": self.to, "data": "0x" + self.data.hex()}


@dataclass(frozen=True)
class Prices:
    """The current fees in wei per unit of gas: the newest block's base fee, and the tip that the node suggests.

    A chain without a base fee takes legacy transactions only (`is_legacy`). Its base fee is then 0, and its tip is the
    gas price that the node suggests.
    """

    base_fee_wei: int
    priority_fee_wei: int
    is_legacy: bool = False


@dataclass(frozen=True)
class ChainIdentity:
    """Facts about a chain and a contract on it that never change.

    Attributes:
        genesis_block: hash of block 0, 32 bytes.
        registry: the contract's address, 0x and 40 lower-case hex digits.
        registry_code_sha256: SHA-256 of its code, 32 bytes.
    """

    chain_id: int
    genesis_block: bytes
    registry: str
    registry_code_sha256: bytes

    def pins(self) -> dict[str, str]:
        """Return the facts as text, under the names that a journal keeps and its errors show."""
        return {
            "chain id": str(self.chain_id),
            "genesis block": self.genesis_block.hex(),
            "registry": self.registry,
            "registry code": self.registry_code_sha256.hex(),
        }


@dataclass(frozen=True)
class NewestBlock:
    """The newest block of a node at one moment: its number, its hash (32 bytes) and its time."""

    head: int
    head_hash: bytes
    head_time: datetime


@dataclass(frozen=True)
class Receipt:
    """The receipt of a transaction in a block: whether it took effect, and its cost.

    `gas` is the gas used, `price_wei` the price of a unit; 0 if the node does not say so. A rollup's fee for its own
    chain is not in them.
    """

    succeeded: bool
    gas: int
    price_wei: int

    @property
    def fee_wei(self) -> int:
        """The cost in wei."""
        return self.gas * self.price_wei


class Chain(Protocol):
    """One chain. The caller passes block numbers, so that several answers are about the same state."""

    def identity(self, contract: str) -> ChainIdentity:
        """Return the facts that tell this chain and the contract on it from all others."""

    def look(self) -> NewestBlock:
        """Take a look at the newest block. Until the next look, `head` is that block, and no question is sent twice."""

    def read_ahead(self, questions: Sequence[Asked]) -> None:
        """Ask several questions together, so that the methods need not ask them one by one. A hint."""

    def finalized(self) -> int:
        """Return the number of the newest block that the chain itself calls final; -1 if there is none."""

    def head(self) -> int:
        """Return the number of the newest block."""

    def nonce(self, address: str, block: int) -> int:
        """Return the number of transactions of `address` up to and including `block`, which is its next nonce there."""

    def balance(self, address: str, block: int) -> int:
        """Return the money of an account at a block, in wei."""

    def prices(self) -> Prices:
        """Return the current fees."""

    def simulate(self, call: Call, block: int | None = None) -> None:
        """Run a call on the state at a block (default: the newest) without a transaction.

        Raises:
            RevertedError: the call reverts.
        """

    def estimate_gas(self, call: Call) -> int:
        """Return the gas that a call would need on the newest block."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return the receipt of a transaction (hash of 32 bytes); None if it is not mined."""

    def send(self, raw: bytes) -> str:
        """Send a signed transaction. Return the node's objection, "" if it has none."""


class Web3Chain:
    """A `Chain` behind a JSON-RPC endpoint (https://ethereum.github.io/execution-apis/). The constructor sends nothing.

    Raises:
        TemporaryError: from every method, if the node does not answer, or its answer makes no sense.
    """

    def __init__(self, node: NodeConnection) -> None:
        self._web3 = node.web3
        self._where = node.where
        self._client = node.client

    def identity(self, contract: str) -> ChainIdentity:
        with node_errors(self._where):
            eth = self._web3.eth
            code = bytes(eth.get_code(self._web3.to_checksum_address(contract)))
            if not code:
                raise UsageError("there is no contract at the registry's address", where=contract, wanted="a registry")
            genesis_block = bytes(eth.get_block(0)["hash"])
            return ChainIdentity(int(eth.chain_id), genesis_block, contract.lower(), hashlib.sha256(code).digest())

    def look(self) -> NewestBlock:
        with node_errors(self._where):
            self._client.answers.open()
            asked: tuple[Asked, ...] = (_NEWEST, ("eth_maxPriorityFeePerGas", []), ("eth_chainId", []))
            block = self._client.ask_together(asked)[0]["result"]
            self._client.answers.keep("eth_blockNumber", [], {"jsonrpc": "2.0", "id": 0, "result": block["number"]})
            seconds = parse_quantity(block["timestamp"], self._where)
            head, digest = parse_quantity(block["number"], self._where), parse_block_hash(block["hash"], self._where)
            return NewestBlock(head, digest, datetime.fromtimestamp(seconds, UTC))

    def read_ahead(self, questions: Sequence[Asked]) -> None:
        with node_errors(self._where):
            self._client.ask_together(questions)

    def finalized(self) -> int:
        from web3.exceptions import BlockNotFound

        with node_errors(self._where):
            try:
                return parse_number(self._web3.eth.get_block("finalized")["number"], "block number")
            except BlockNotFound:
                return -1

    def head(self) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.block_number)

    def nonce(self, address: str, block: int) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.get_transaction_count(self._web3.to_checksum_address(address), block))

    def balance(self, address: str, block: int) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.get_balance(self._web3.to_checksum_address(address), block))

    def prices(self) -> Prices:
        with node_errors(self._where):
            base_fee = self._web3.eth.get_block("latest").get("baseFeePerGas")
            if not base_fee:  # nodes of chains without fees suggest a tip all the same, but a gas price of 0
                return Prices(0, parse_number(self._web3.eth.gas_price, "gas price"), is_legacy=base_fee is None)
            wei = parse_number(base_fee, "base fee")
            return Prices(wei, parse_number(self._suggested_tip(wei), "priority fee"))

    def _suggested_tip(self, base_fee_wei: int) -> int:
        from web3.exceptions import Web3RPCError
        from web3.types import RPCEndpoint

        try:
            return int(self._web3.manager.request_blocking(RPCEndpoint("eth_maxPriorityFeePerGas"), []), 16)
        except Web3RPCError:  # not every node has this method
            return max(0, int(self._web3.eth.gas_price) - base_fee_wei)

    def simulate(self, call: Call, block: int | None = None) -> None:
        from web3.exceptions import ContractLogicError

        with node_errors(self._where):
            try:
                fields: Any = call.fields()  # a TypedDict with "from" as a key
                self._web3.eth.call(fields, "latest" if block is None else block)
            except ContractLogicError as error:
                raise RevertedError("the call reverts", call=call, data=revert_data(error.data)) from error

    def estimate_gas(self, call: Call) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.estimate_gas(call.fields()))  # type: ignore[arg-type]

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        from web3.exceptions import TransactionNotFound

        with node_errors(self._where):
            try:
                found: Any = self._web3.eth.get_transaction_receipt(transaction_hash)  # type: ignore[arg-type]
            except TransactionNotFound:
                return None
            gas, price_wei = (_amount(found.get(name)) for name in ("gasUsed", "effectiveGasPrice"))
            return Receipt(found["status"] == 1, gas, price_wei)

    def send(self, raw: bytes) -> str:
        from web3.exceptions import Web3RPCError

        with node_errors(self._where):
            try:
                self._web3.eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                return error_words(error)
        return ""


def _amount(value: object) -> int:
    """Return an amount that decides nothing; 0 for anything else."""
    return value if isinstance(value, int) and 0 <= value < _AMOUNT_LIMIT else 0


def revert_data(data: object) -> bytes:
    """Return the revert data from web3's exception as bytes; empty if it is not hex."""
    try:
        return bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else b""
    except ValueError:
        return b""
