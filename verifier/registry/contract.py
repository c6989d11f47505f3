"""Read a contract through a node: its views and its events, after comparing its code with the code of this version.

The node is trusted with the chain's state and nothing else. If it is down or slow, or its answers make no sense, the
functions raise TemporaryError; see `verifier.registry.node`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.event_reader import EventReader
from provenance_oracle.verifier.registry.event_types import EventType, Log
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.registry.rpc_client import Asked
from provenance_oracle.verifier.registry.view_types import ViewType
from provenance_oracle.verifier.strict.abi_values import WORD_BYTES

_T = TypeVar("_T")
_NOTHING = (0, bytes(WORD_BYTES))
_QUESTIONS_AT_ONCE = 300  # a filter with more topics is refused by some nodes


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: its ABI, its creation code, and the code that it has once deployed."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes


@cache
def load_artifact(name: str = "ProvenanceRegistry") -> Artifact:
    """Return a compiled contract of this version, by a name in `hardhat/exported.json`."""
    exported = json.loads(resources.files("provenance_oracle.verifier").joinpath(f"abi/{name}.json").read_text("utf-8"))
    code, deployed = (bytes.fromhex(exported[part].removeprefix("0x")) for part in ("bytecode", "deployedBytecode"))
    return Artifact(exported["abi"], code, deployed)


class DeployedContract:
    """One contract at one address.

    Args:
        name: the contract of `load_artifact` that must be there.
        address: 20 bytes.
        where: names the contract in messages.
        events: reads the contract's events; None for a reader of its own, which keeps nothing.

    Raises:
        UsageError: another contract is at the address, or none.
        TemporaryError: the node does not answer, or its answer makes no sense. Every method may raise this too.
    """

    def __init__(
        self, node: NodeConnection, name: str, address: bytes, where: str, events: EventReader | None = None
    ) -> None:
        self.where = where
        self.address = address
        self._events = events or EventReader(node)
        self._answers: dict[tuple[Any, ...], Any] = {}  # of a command; it asks little and ends soon
        artifact = load_artifact(name)
        with node_errors(where):
            self._checksummed = node.web3.to_checksum_address(address)
            code = bytes(node.web3.eth.get_code(self._checksummed))
        self._eth: Any = node.web3.eth
        self._client = node.client
        self._kept = node.client.answers
        self._views: dict[str, ViewType] = {}
        self._abi, self._codec = artifact.abi, node.web3.codec
        if code != artifact.deployed_bytecode:
            wanted = f"the {name} that this version was built with"
            raise UsageError("the address has no such contract", where=where, got=_code_words(code), wanted=wanted)

    def call(
        self,
        function: str,
        *arguments: object,
        parse: Callable[[object, str], _T],
        block: int,
        is_lasting: bool = False,
    ) -> _T:
        """Return the parsed answer of a view at a block. A reader that keeps events keeps answers as well.

        Args:
            parse: takes web3's decoded answer and `where`. It raises FormatError for an answer of another form.
            is_lasting: whether an answer other than 0 is the same at all later blocks.

        Raises:
            UsageError: an argument of bytes is not 32 bytes long.
        """
        _require_words(arguments, self.where)
        asked = (function, arguments, None if is_lasting else block)
        with node_errors(self.where):
            answer = self._answers.get(asked)
            if answer is None:
                answer = self._ask(function, arguments, block)
            parsed = parse(answer, self.where)
        if self._events.keeps_events and answer not in _NOTHING:
            self._answers[asked] = answer
        return parsed

    def try_call(self, function: str, *arguments: object, parse: Callable[[object, str], _T], block: int) -> _T | None:
        """Return the same as `call`, or None if the view reverts."""
        from web3.exceptions import ContractLogicError

        with node_errors(self.where):
            try:
                answer = self._ask(function, arguments, block)
            except ContractLogicError:
                return None
            return parse(answer, self.where)

    def ask_ahead(self, calls: Iterable[tuple[str, tuple[object, ...]]], block: int) -> None:
        """Ask several views together, so that `call` finds their answers, if the connection keeps answers.

        Args:
            calls: names of views with their arguments.
        """
        asked: list[Asked] = [("eth_call", [self._request(*one), hex(block)]) for one in calls]
        with node_errors(self.where):
            self._client.ask_together(asked)

    def logs(
        self, event: str, wanted: Mapping[str, bytes], first: int, last: int, *, parse: Callable[[Log, str], _T]
    ) -> list[_T]:
        """Return the parsed events of blocks `first` to `last`, oldest first.

        Args:
            wanted: values of indexed arguments by name; all other events are left out.
            parse: takes an event and `where`. It raises FormatError if the event has another form.

        Raises:
            UsageError: a wanted value of bytes is not 32 bytes long.
        """
        _require_words(wanted.values(), self.where)
        kind = self._event_type(event)
        with node_errors(self.where):
            found = self._events.read(kind.question(self.address, wanted), first, last, self.where)
            parsed = [(log.place, parse(kind.decode(log, self.where), self.where)) for log in found]
        return [value for _, value in sorted(parsed, key=lambda pair: pair[0])]

    def read_ahead(self, events: Iterable[tuple[str, Mapping[str, bytes]]], first: int, last: int) -> None:
        """Read the answers to several calls of `logs` together, each block once, if the reader keeps events.

        Args:
            events: the arguments `event` and `wanted` of the calls.
        """
        questions = list(dict.fromkeys(self._event_type(name).question(self.address, one) for name, one in events))
        if not self._events.keeps_events:
            return
        with node_errors(self.where):
            for start in range(0, len(questions), _QUESTIONS_AT_ONCE):
                self._events.read_all(questions[start : start + _QUESTIONS_AT_ONCE], first, last, self.where)

    def forget_events(self) -> None:
        """Drop events that are kept from earlier, because they do not fit the contract's state."""
        self._events.forget()

    def has_log(self, event: str, wanted: Mapping[str, bytes], first: int, last: int) -> bool:
        """Return whether there is such an event. The arguments are those of `logs`."""
        return bool(self.logs(event, wanted, first, last, parse=lambda _log, _where: True))

    def _view(self, function: str) -> ViewType:
        if function not in self._views:
            (item,) = (item for item in self._abi if item["type"] == "function" and item["name"] == function)
            self._views[function] = ViewType(item, self._codec)
        return self._views[function]

    def _request(self, function: str, arguments: tuple[object, ...]) -> dict[str, Any]:
        return {"to": self._checksummed, "data": "0x" + self._view(function).call_data(arguments).hex()}

    def _ask(self, function: str, arguments: tuple[object, ...], block: int) -> object:
        view, asked = self._view(function), self._request(function, arguments)
        kept = self._kept.find("eth_call", [asked, hex(block)])
        if kept is not None:  # web3 would look at the call's address and its answer for longer than the answer took
            return view.decode(bytes.fromhex(kept["result"].removeprefix("0x")))
        return view.decode(bytes(self._eth.call(asked, block)))

    def _event_type(self, name: str) -> EventType:
        (item,) = (item for item in self._abi if item["type"] == "event" and item["name"] == name)
        return EventType(item, self._codec)


def _require_words(values: Iterable[object], where: str) -> None:
    """Raise UsageError for bytes that are not 32 bytes long. web3 would raise an error as if the node had failed."""
    for value in values:
        if isinstance(value, bytes) and len(value) != WORD_BYTES:
            got, wanted = f"{len(value)} bytes", f"{WORD_BYTES} bytes"
            raise UsageError("the value is not a digest or id", where=where, got=got, wanted=wanted)


def _code_words(code: bytes) -> str:
    """Return words for the contract whose code is at an address."""
    for name in ("ProvenanceRegistry", "Namespaces", "Lineage", "HardwareProofs", "Disputes"):
        if code == load_artifact(name).deployed_bytecode:
            return f"the {name} contract"
    return f"a contract of {len(code)} bytes" if code else "no contract"
