"""Read a contract through a node: its views and its events, after comparing its code with the code of this version.

The node is trusted with the chain's state and nothing else. If it is down or slow, or its answers make no sense, the
functions raise TemporaryError; see `verifier.registry.node`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import WORD_BYTES, parse_arguments, parse_number, parse_word
from provenance_oracle.verifier.strict.patient_socket import TooMuchError

_T = TypeVar("_T")
# Bounds on reading events: requests, if a node allows only few blocks in one request, and events in all.
LOG_REQUESTS_MAX = 4096
LOGS_MAX = 20_000
LOGS_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its ABI, its creation code, and the code that it has once deployed."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes


@cache
def load_artifact(name: str = "ProvenanceRegistry") -> Artifact:
    """Return a compiled contract of this version: `ProvenanceRegistry`, `Namespaces` or `Lineage`."""
    exported = json.loads(resources.files("provenance_oracle.verifier").joinpath(f"abi/{name}.json").read_text("utf-8"))
    code, deployed = (bytes.fromhex(exported[part].removeprefix("0x")) for part in ("bytecode", "deployedBytecode"))
    return Artifact(exported["abi"], code, deployed)


@dataclass(frozen=True)
class Place:
    """The place of an event: block, index of the log in the block, transaction. Places sort in the chain's order."""

    block_number: int
    index: int
    transaction_hash: bytes

    def __lt__(self, other: Place) -> bool:
        return (self.block_number, self.index) < (other.block_number, other.index)


@dataclass(frozen=True)
class Log:
    """An event: its arguments by name, as web3 decoded them, and its place."""

    args: Mapping[str, Any]
    place: Place


class DeployedContract:
    """One contract at one address.

    Args:
        name: the contract of `load_artifact` that must be there.
        address: 20 bytes.
        where: names the contract in messages.

    Raises:
        UsageError: another contract is at the address, or none.
        TemporaryError: the node does not answer, or its answer makes no sense. Every method may raise this too.
    """

    def __init__(self, node: NodeConnection, name: str, address: bytes, where: str) -> None:
        self.where = where
        self.address = address
        artifact = load_artifact(name)
        with node_errors(where):
            self._checksummed = node.web3.to_checksum_address(address)
            code = bytes(node.web3.eth.get_code(self._checksummed))
            self._contract: Any = node.web3.eth.contract(self._checksummed, abi=artifact.abi)
        if code != artifact.deployed_bytecode:
            wanted = f"the {name} that this version was built with"
            raise UsageError("the address has no such contract", where=where, got=_code_words(code), wanted=wanted)

    def call(self, function: str, *arguments: object, parse: Callable[[object, str], _T], block: int) -> _T:
        """Return the parsed answer of a view at a block.

        Args:
            parse: takes web3's decoded answer and `where`. It raises FormatError for an answer of another form.

        Raises:
            UsageError: an argument of bytes is not 32 bytes long.
        """
        _require_words(arguments, self.where)
        with node_errors(self.where):
            answer = self._contract.functions[function](*arguments).call(block_identifier=block)
            return parse(answer, self.where)

    def try_call(self, function: str, *arguments: object, parse: Callable[[object, str], _T], block: int) -> _T | None:
        """Return the same as `call`, or None if the view reverts."""
        from web3.exceptions import ContractLogicError

        with node_errors(self.where):
            try:
                answer = self._contract.functions[function](*arguments).call(block_identifier=block)
            except ContractLogicError:
                return None
            return parse(answer, self.where)

    def logs(
        self, event: str, wanted: Mapping[str, object], first: int, last: int, *, parse: Callable[[Log, str], _T]
    ) -> list[_T]:
        """Return the parsed events of blocks `first` to `last`, oldest first.

        Args:
            wanted: values of indexed arguments by name; all other events are left out.
            parse: takes an event and `where`. It raises FormatError if the event has another form.

        Raises:
            UsageError: a wanted value of bytes is not 32 bytes long.
        """
        _require_words(wanted.values(), self.where)
        found: list[tuple[Place, _T]] = []
        size = 0
        with node_errors(self.where):
            for log in map(self._parse_log, self._read_logs(event, wanted, first, last)):
                if any(log.args[name] != value for name, value in wanted.items()):
                    raise TemporaryError("the node returned events with other arguments", where=self.where, got=event)
                found.append((log.place, parse(log, self.where)))
                size += sum(len(value) for value in log.args.values() if isinstance(value, bytes | str))
                if len(found) > LOGS_MAX or size > LOGS_MAX_BYTES:
                    raise self._too_much()
        return [parsed for _, parsed in sorted(found, key=lambda pair: pair[0])]

    def has_log(self, event: str, wanted: Mapping[str, object], first: int, last: int) -> bool:
        """Return whether there is such an event. The arguments are those of `logs`."""
        return bool(self.logs(event, wanted, first, last, parse=lambda _log, _where: True))

    def _read_logs(self, name: str, wanted: Mapping[str, object], first: int, last: int) -> Iterator[Any]:
        """Read a range of blocks. Halve the range if the node refuses so many blocks, or its answer is too large."""
        from web3.exceptions import Web3RPCError

        event = self._contract.events[name]()
        spans = [(first, last)] if first <= last else []
        for _ in range(LOG_REQUESTS_MAX):
            if not spans:
                return
            start, end = spans.pop()
            try:
                found = event.get_logs(argument_filters=dict(wanted), from_block=start, to_block=end)
            except (Web3RPCError, TooMuchError):
                if start == end:
                    raise
                middle = (start + end) // 2
                spans += [(middle + 1, end), (start, middle)]
                continue
            if any(log["address"] != self._checksummed or not first <= log["blockNumber"] <= last for log in found):
                raise TemporaryError("the node returned events of another contract or block", where=self.where)
            yield from found
        if spans:
            raise self._too_much()

    def _too_much(self) -> TemporaryError:
        return TemporaryError(
            "there are too many blocks or events to read; pass a deployment file, which has the first block",
            where=self.where,
            got="more",
            wanted=f"at most {LOG_REQUESTS_MAX} requests, {LOGS_MAX} events and {LOGS_MAX_BYTES} bytes",
        )

    def _parse_log(self, log: Any) -> Log:
        parsers = {"blockNumber": parse_number, "logIndex": parse_number, "transactionHash": parse_word}
        block_number, index, transaction_hash = parse_arguments(log, parsers, self.where)
        return Log(log["args"], Place(block_number, index, transaction_hash))


def _require_words(values: Iterable[object], where: str) -> None:
    """Raise UsageError for bytes that are not 32 bytes long. web3 would raise an error as if the node had failed."""
    for value in values:
        if isinstance(value, bytes) and len(value) != WORD_BYTES:
            got, wanted = f"{len(value)} bytes", f"{WORD_BYTES} bytes"
            raise UsageError("the value is not a digest or id", where=where, got=got, wanted=wanted)


def _code_words(code: bytes) -> str:
    """Return words for the contract whose code is at an address."""
    for name in ("ProvenanceRegistry", "Namespaces", "Lineage"):
        if code == load_artifact(name).deployed_bytecode:
            return f"the {name} contract"
    return f"a contract of {len(code)} bytes" if code else "no contract"
