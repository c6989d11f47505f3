"""Ask an EVM chain for what transactions need. Nothing here is sent twice, and no answer is believed beyond its scope.

A node may be wrong, late or down: each failure is a `TemporaryError`, never a statement about a release.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.text import printable


class RevertedError(TemporaryError):
    """A simulated call reverted. `data` is the reason that the contract gave.

    The error is temporary because it is about this chain at this block: the record may be there already, or the oracle
    may not be authorised yet.
    """

    def __init__(self, problem: str, *, where: str, data: bytes) -> None:
        super().__init__(problem, where=where)
        self.data = data


@dataclass(frozen=True)
class Call:
    """A call of a contract: addresses with 0x and 40 hex digits in checksum form, and the encoded arguments."""

    sender: str
    to: str
    data: bytes

    def fields(self) -> dict[str, Any]:
        return {"from": self.sender, "to": self.to, "data": "0x" + self.data.hex()}


@dataclass(frozen=True)
class Prices:
    """The current fees: the newest block's base fee, and the tip that the node suggests."""

    base_fee_wei: int
    priority_fee_wei: int


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


class Chain(Protocol):
    """One chain. The caller gives block numbers, so that answers belong together."""

    def identity(self, contract: str) -> ChainIdentity:
        """Return the facts that tell this chain and the contract on it from all others."""

    def head(self) -> int:
        """Return the number of the newest block."""

    def nonce(self, address: str, block: int) -> int:
        """Return the number of transactions of `address` up to and with `block`, which is its next nonce there."""

    def prices(self) -> Prices: ...

    def simulate(self, call: Call) -> None:
        """Run a call on the newest block without a transaction. Raise RevertedError if it reverts."""

    def estimate_gas(self, call: Call) -> int: ...

    def succeeded(self, transaction_hash: bytes) -> bool | None:
        """Return whether a mined transaction took effect; None if it is not mined."""

    def send(self, raw: bytes) -> str:
        """Send a signed transaction. Return "" or the node's objection."""


class Web3Chain:
    """A `Chain` behind a JSON-RPC endpoint (https://ethereum.github.io/execution-apis/). No network until asked.

    Raises:
        TemporaryError: from every method, if the node does not answer, or answers nonsense.
    """

    def __init__(self, node: NodeConnection) -> None:
        self._web3 = node.web3
        self._where = node.where

    def identity(self, contract: str) -> ChainIdentity:
        with node_errors(self._where):
            eth = self._web3.eth
            code = bytes(eth.get_code(self._web3.to_checksum_address(contract)))
            if not code:
                raise UsageError("no contract at the registry's address", where=contract, wanted="a registry")
            genesis_block = bytes(eth.get_block(0)["hash"])
            return ChainIdentity(int(eth.chain_id), genesis_block, contract.lower(), hashlib.sha256(code).digest())

    def head(self) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.block_number)

    def nonce(self, address: str, block: int) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.get_transaction_count(self._web3.to_checksum_address(address), block))

    def prices(self) -> Prices:
        with node_errors(self._where):
            base_fee = int(self._web3.eth.get_block("latest")["baseFeePerGas"])
            return Prices(base_fee, int(self._web3.eth.max_priority_fee))

    def simulate(self, call: Call) -> None:
        from web3.exceptions import ContractLogicError

        with node_errors(self._where):
            try:
                self._web3.eth.call(call.fields())  # type: ignore[arg-type]  # a TypedDict with "from" as a key
            except ContractLogicError as error:
                raise RevertedError("call reverts", where=call.to, data=revert_data(error.data)) from error

    def estimate_gas(self, call: Call) -> int:
        with node_errors(self._where):
            return int(self._web3.eth.estimate_gas(call.fields()))  # type: ignore[arg-type]

    def succeeded(self, transaction_hash: bytes) -> bool | None:
        from web3.exceptions import TransactionNotFound

        with node_errors(self._where):
            try:
                return self._web3.eth.get_transaction_receipt(transaction_hash)["status"] == 1  # type: ignore[arg-type]
            except TransactionNotFound:
                return None

    def send(self, raw: bytes) -> str:
        from web3.exceptions import Web3RPCError

        with node_errors(self._where):
            try:
                self._web3.eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                return printable(str(error))
        return ""


def revert_data(data: object) -> bytes:
    """Return the reason that a contract gave, from web3's exception; nothing if it is not hex."""
    try:
        return bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else b""
    except ValueError:
        return b""
