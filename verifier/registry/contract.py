"""A contract behind a node: the code there compared with what this version ships, its views, its events.

Whoever answers is not trusted with more than the chain's state. A node that is down, slow or answers nonsense is a
`TemporaryError`: see `verifier.registry.node`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.node import AnswerTooLargeError, node_errors

if TYPE_CHECKING:
    from web3 import Web3

# A node that allows few blocks at once is asked in pieces, but not for ever.
LOG_REQUESTS_MAX = 4096
LOGS_MAX = 100_000
_WORD_BYTES = 32


@dataclass(frozen=True)
class Artifact:
    """What the compiler made of a contract: ABI, creation code, and the code it has once deployed."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes


@cache
def load_artifact(name: str = "ProvenanceRegistry") -> Artifact:
    """Return a compiled contract that this version ships: the registry, or its `Namespaces` or `Lineage`."""
    exported = json.loads(resources.files("provenance_oracle.verifier").joinpath(f"abi/{name}.json").read_text("utf-8"))
    code, deployed = (bytes.fromhex(exported[part].removeprefix("0x")) for part in ("bytecode", "deployedBytecode"))
    return Artifact(exported["abi"], code, deployed)


@dataclass(frozen=True)
class Place:
    """Where an event is. Places are ordered as the chain is."""

    block_number: int
    index: int
    transaction_hash: bytes

    def __lt__(self, other: Place) -> bool:
        return (self.block_number, self.index) < (other.block_number, other.index)


@dataclass(frozen=True)
class Log:
    """An event as the ABI decodes it."""

    args: Mapping[str, Any]
    place: Place


class DeployedContract:
    """One contract at one address. `where` says in messages which.

    Raises:
        UsageError: another contract or none is there.
        TemporaryError: the node does not answer, or not sensibly. Every method may raise this too.
    """

    def __init__(self, web3: Web3, name: str, address: bytes, where: str) -> None:
        self.where = where
        self.address = address
        artifact = load_artifact(name)
        with node_errors(where):
            self._checksummed = web3.to_checksum_address(address)
            code = bytes(web3.eth.get_code(self._checksummed))
            self._contract: Any = web3.eth.contract(self._checksummed, abi=artifact.abi)
        if code != artifact.deployed_bytecode:
            wanted = f"the {name} that this version was built with"
            raise UsageError("no such registry", where=where, got=_words_for(code), wanted=wanted)

    def call(self, function: str, *arguments: object, block: int) -> Any:
        """What a view returns as of a block.

        Raises:
            UsageError: a digest or id is not 32 bytes long.
        """
        _require_words(arguments, self.where)
        with node_errors(self.where):
            return self._contract.functions[function](*arguments).call(block_identifier=block)

    def try_call(self, function: str, *arguments: object, block: int) -> Any:
        """The same, and None if it reverts."""
        from web3.exceptions import ContractLogicError

        with node_errors(self.where):
            try:
                return self._contract.functions[function](*arguments).call(block_identifier=block)
            except ContractLogicError:
                return None

    def logs(self, event: str, wanted: Mapping[str, object], first: int, last: int) -> list[Log]:
        """Events of blocks `first` to `last` whose indexed arguments are those wanted, oldest first.

        Raises:
            UsageError: a digest or id is not 32 bytes long.
        """
        _require_words(wanted.values(), self.where)
        with node_errors(self.where):
            found = [_parse_log(log) for log in self._read_logs(self._contract.events[event](), wanted, first, last)]
            for log in found:
                if any(log.args[name] != value for name, value in wanted.items()):
                    raise TemporaryError("the node gives events that nobody asked for", where=self.where, got=event)
        return sorted(found, key=lambda log: log.place)

    def _read_logs(self, event: Any, wanted: Mapping[str, object], first: int, last: int) -> list[Any]:
        """Where the node refuses so many blocks at once, or answers too much, they are asked for in halves."""
        from web3.exceptions import Web3RPCError

        found: list[Any] = []
        spans = [(first, last)] if first <= last else []
        for _ in range(LOG_REQUESTS_MAX):
            if not spans:
                break
            start, end = spans.pop()
            try:
                found += event.get_logs(argument_filters=dict(wanted), from_block=start, to_block=end)
            except (Web3RPCError, AnswerTooLargeError):
                if start == end:
                    raise
                middle = (start + end) // 2
                spans += [(middle + 1, end), (start, middle)]
        if spans or len(found) > LOGS_MAX:
            wanted_words = f"at most {LOG_REQUESTS_MAX} requests and {LOGS_MAX} events"
            raise TemporaryError(
                "too much to read; a deployment file says where to begin",
                where=self.where,
                got="more",
                wanted=wanted_words,
            )
        if any(log["address"] != self._checksummed or not first <= log["blockNumber"] <= last for log in found):
            raise TemporaryError("the node gives events that nobody asked for", where=self.where)
        return found


def _require_words(values: Iterable[object], where: str) -> None:
    """All bytes that are asked for are digests and ids; of others web3 would complain as if the node had failed."""
    for value in values:
        if isinstance(value, bytes) and len(value) != _WORD_BYTES:
            got, wanted = f"{len(value)} bytes", f"{_WORD_BYTES} bytes"
            raise UsageError("not a digest or id", where=where, got=got, wanted=wanted)


def _words_for(code: bytes) -> str:
    """What is at an address in place of what was looked for."""
    for name in ("ProvenanceRegistry", "Namespaces", "Lineage"):
        if code == load_artifact(name).deployed_bytecode:
            return f"the {name} contract"
    return f"a contract of {len(code)} bytes" if code else "no contract"


def _parse_log(log: Any) -> Log:
    return Log(log["args"], Place(log["blockNumber"], log["logIndex"], bytes(log["transactionHash"])))
