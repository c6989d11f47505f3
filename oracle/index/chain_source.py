"""Read blocks and events for the index through one node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provenance_oracle.oracle.index.event_kinds import Emitter, questions
from provenance_oracle.oracle.index.index_writer import BlockHeader, ChainPiece
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.event_reader import EventReader
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors, parse_address
from provenance_oracle.verifier.registry.raw_logs import RawLog, parse_block_hash, parse_quantity
from provenance_oracle.verifier.registry.rpc_client import Asked
from provenance_oracle.verifier.registry.satellites import Satellites
from provenance_oracle.verifier.strict.abi_values import parse_number

_GAS_MAX = 1 << 40


class ChainSource:
    """One registry and its two contracts at one node. The constructor compares their code with this version's.

    Args:
        address: the registry's, 0x and 40 hex digits.
        chain_id: the chain that the node must have; None to accept any.
        first: a block before which the registry has no events.

    Raises (every method):
        UsageError: chain or contract are others (constructor only).
        TemporaryError: the node fails, or its answers make no sense.
    """

    def __init__(self, node: NodeConnection, address: str, *, chain_id: int | None, first: int) -> None:
        self._node = node
        self.where = f"registry {address} at {node.where}"
        self.first = first
        node.client.answers.close()
        with node_errors(self.where):
            self.chain_id = parse_number(node.web3.eth.chain_id, "chain id")
        if chain_id not in (None, self.chain_id):
            got, wanted = str(self.chain_id), str(chain_id)
            raise UsageError("the node has another chain", where=self.where, got=got, wanted=wanted)
        self._events = EventReader(node)
        registry = parse_address(address, "registry")
        contract = DeployedContract(node, Emitter.REGISTRY.artifact, registry, self.where, self._events)
        satellites = Satellites(contract, node, self._events, first)
        head = self._quantity("eth_blockNumber", [])
        addresses = satellites.addresses(head)
        satellites.namespaces(head)  # compares its code, and that it belongs to this registry
        lineage = satellites.lineage(head)
        where = f"{self.where}, {Emitter.NAMESPACES.artifact}"
        namespaces = DeployedContract(node, Emitter.NAMESPACES.artifact, addresses["namespaces"], where, self._events)
        self.contracts = {Emitter.REGISTRY: contract, Emitter.NAMESPACES: namespaces, Emitter.LINEAGE: lineage}

    @property
    def facts(self) -> dict[str, str]:
        """What the index is about, as text by name."""
        names = ("registry", "namespaces", "lineage")
        contracts = zip(names, self.contracts.values(), strict=True)
        return {"chain_id": str(self.chain_id), "deployed_block": str(self.first)} | {
            name: contract.address.hex() for name, contract in contracts
        }

    def look(self) -> int:
        """Take a look at the chain, and return the number of its newest block. Answers are kept until the next look."""
        self._node.client.answers.open()
        return self._quantity("eth_blockNumber", [])

    def headers(self, numbers: Iterable[int]) -> list[BlockHeader]:
        """Return the headers of blocks, asked together."""
        wanted = list(numbers)
        asked: list[Asked] = [("eth_getBlockByNumber", [hex(number), False]) for number in wanted]
        with node_errors(self.where):
            answers = self._node.client.ask_together(asked)
            return [self._header(number, answer) for number, answer in zip(wanted, answers, strict=True)]

    def header_if_any(self, number: int) -> BlockHeader | None:
        """Return the header of a block; None if the chain does not have it."""
        with node_errors(self.where):
            (answer,) = self._node.client.ask_together([("eth_getBlockByNumber", [hex(number), False])])
            if isinstance(answer, dict) and "error" not in answer and answer.get("result") is None:
                return None
            return self._header(number, answer)

    def piece(self, first: int, last: int) -> ChainPiece:
        """Return the events of blocks `first` to `last`, with the headers of their blocks, and of the last one.

        Raises:
            TooManyEventsError: there are too many; ask for fewer blocks.
        """
        events: list[tuple[Emitter, RawLog]] = []
        for emitter, contract in self.contracts.items():
            asked = questions(emitter, contract.address)
            with node_errors(self.where):
                found = self._events.read_all(asked, first, last, contract.where)
            events += [(emitter, log) for logs in found.values() for log in logs]
        numbers = sorted({log.place.block_number for _, log in events} | {last})
        blocks = self.headers(numbers)
        return ChainPiece(events, blocks, self._gas([log for _, log in events]))

    def _gas(self, logs: Sequence[RawLog]) -> Mapping[bytes, int]:
        """Return the gas that the events' transactions used. It decides nothing, so a missing answer is left out."""
        blocks = {log.place.transaction_hash: log.place.block_number for log in logs}
        asked: list[Asked] = [("eth_getTransactionReceipt", [f"0x{digest.hex()}"]) for digest in blocks]
        found = {}
        with node_errors(self.where):
            answers = self._node.client.ask_together(asked) if asked else []
        for (digest, block), answer in zip(blocks.items(), answers, strict=True):
            receipt = answer.get("result") if isinstance(answer, dict) else None
            gas = _quantity_of(receipt, "gasUsed")
            if gas is not None and gas < _GAS_MAX and _quantity_of(receipt, "blockNumber") == block:
                found[digest] = gas
        return found

    def _header(self, number: int, answer: Any) -> BlockHeader:
        block = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(block, dict):
            wanted = f"block {number}"
            raise TemporaryError("the node does not have a block that it told", where=self.where, wanted=wanted)
        if parse_quantity(block.get("number"), self.where) != number:
            raise TemporaryError("the node gave another block", where=self.where, wanted=f"block {number}")
        digest, seconds = (
            parse_block_hash(block.get("hash"), self.where),
            parse_quantity(block.get("timestamp"), self.where),
        )
        return BlockHeader(number, digest, seconds)

    def _quantity(self, method: str, params: list[Any]) -> int:
        with node_errors(self.where):
            (answer,) = self._node.client.ask_together([(method, params)])
            return parse_quantity(answer.get("result"), self.where)


def _quantity_of(receipt: object, name: str) -> int | None:
    """Return a number of a receipt; None if it has none."""
    value = receipt.get(name) if isinstance(receipt, dict) else None
    try:
        return parse_quantity(value, "receipt")
    except FormatError:
        return None
