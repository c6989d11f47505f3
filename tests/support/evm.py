"""Calls to contracts on the embedded chain by the hundred: JSON-RPC batches of `eth_call`, answers as bytes."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.registry.contract import load_artifact

# EIP-7825: no transaction may have more gas.
TRANSACTION_GAS_MAX = 16_777_216
_BATCH_CALLS = 50
_BATCH_BYTES = 500_000  # of calldata; anvil takes some 2 MB, and each byte is two digits
_TIMEOUT_SECONDS = 300.0
_OSAKA = ("--hardfork", "osaka", "--enable-tx-gas-limit")


@dataclass(frozen=True)
class Answer:
    """What a call returned, or the bytes with which it reverted."""

    data: bytes
    reverted: bool = False

    @property
    def number(self) -> int:
        """The first word that a call returned."""
        assert not self.reverted, self.data.hex()
        return int.from_bytes(self.data[:32], "big")


class Evm:
    """An endpoint of the embedded chain. Transactions come from the chain's first account."""

    def __init__(self, rpc_url: str) -> None:
        self._rpc_url = rpc_url
        self._sender = self.ask("eth_accounts")[0]

    def ask(self, method: str, *parameters: object) -> Any:
        """Return the result of one method. Its failure fails the test."""
        (answer,) = self._exchange([(method, list(parameters))])
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def deploy(self, bytecode: bytes, gas: int = TRANSACTION_GAS_MAX) -> str:
        """Deploy a contract within a gas limit; return its address."""
        receipt = self.send(bytecode, gas=gas)
        assert receipt["status"] == "0x1"
        return str(receipt["contractAddress"])

    def send(self, data: bytes, to: str | None = None, gas: int = TRANSACTION_GAS_MAX) -> dict[str, Any]:
        """Send a transaction; return its receipt."""
        target = {} if to is None else {"to": to}
        sent = {"from": self._sender, "data": f"0x{data.hex()}", "gas": hex(gas), **target}
        transaction = self.ask("eth_sendTransaction", sent)
        while not (receipt := self.ask("eth_getTransactionReceipt", transaction)):
            time.sleep(0.01)
        return dict(receipt)

    def code(self, address: str) -> bytes:
        """Return the code at an address."""
        return bytes.fromhex(self.ask("eth_getCode", address, "latest")[2:])

    def call(self, to: str, data: bytes, gas: int = TRANSACTION_GAS_MAX) -> Answer:
        """Return the answer to one call."""
        return next(self.calls(to, [data], gas))

    def calls(self, to: str, calls: Sequence[bytes], gas: int = TRANSACTION_GAS_MAX) -> Iterator[Answer]:
        """Yield the answers to any number of calls, in their order."""
        for batch in _batches(calls):
            asked = [{"to": to, "data": f"0x{data.hex()}", "gas": hex(gas)} for data in batch]
            for answer in self._exchange([("eth_call", [one, "latest"]) for one in asked]):
                if "error" not in answer:
                    yield Answer(bytes.fromhex(answer["result"][2:]))
                    continue
                # 3: the call reverted; anything else but a lack of gas is a failure of the node
                assert answer["error"]["code"] == 3 or "OutOfGas" in answer["error"]["message"], answer["error"]
                yield Answer(bytes.fromhex(answer["error"].get("data", "0x")[2:]), reverted=True)

    def _exchange(self, asked: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        questions = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            for number, (method, parameters) in enumerate(asked)
        ]
        request = urllib.request.Request(
            self._rpc_url, json.dumps(questions).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
            answers = json.load(response)
        return sorted(answers, key=lambda answer: answer["id"])


def _batches(calls: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the calls in their order, as many together as a node takes in one request."""
    batch: list[bytes] = []
    for call in calls:
        if batch and (len(batch) == _BATCH_CALLS or sum(map(len, batch)) + len(call) > _BATCH_BYTES):
            yield batch
            batch = []
        batch.append(call)
    if batch:
        yield batch


@contextmanager
def run_evm(*options: str) -> Iterator[Evm]:
    """Run a chain within the block: by default with the rules of the newest fork and its cap on a transaction's gas."""
    with run_anvil(options=options or _OSAKA) as chain:
        yield Evm(chain.rpc_url)


def creation_code(name: str) -> bytes:
    """Return the shipped creation code of a contract without constructor arguments."""
    return load_artifact(name).bytecode
