"""The events of a contract's ABI: which topics they have, and how topics and data become arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.raw_logs import Place, Question, RawLog


@dataclass(frozen=True)
class Log:
    """An event: its arguments by name, as web3's codec decoded them, and its place."""

    args: Mapping[str, Any]
    place: Place


class EventType:
    """One event of an ABI. Its indexed arguments must have a static type; they are the topics after the first.

    Args:
        item: the event's item in the ABI.
        codec: decodes values by their types, such as `web3.codec`.
    """

    def __init__(self, item: Any, codec: Any) -> None:
        from eth_utils.abi import abi_to_signature, collapse_if_tuple

        inputs = item["inputs"]
        self._codec = codec
        self._topic = keccak256(abi_to_signature(item).encode())
        self._indexed = [(part["name"], part["type"]) for part in inputs if part["indexed"]]
        self._names = [part["name"] for part in inputs if not part["indexed"]]
        self._types = [collapse_if_tuple(part) for part in inputs if not part["indexed"]]

    def question(self, address: bytes, wanted: Mapping[str, bytes]) -> Question:
        """Return the question for the events of a contract whose indexed arguments have the `wanted` words."""
        topics = [self._topic, *(wanted.get(name) for name, _ in self._indexed)]
        while topics[-1] is None:
            topics.pop()
        return Question(address, tuple(topics))

    def decode(self, raw: RawLog, where: str) -> Log:
        """Return an event with its arguments.

        Raises:
            FormatError: it is another event, or has another number of indexed arguments (check `registry-record`).
            Exception: topics or data are not values of the ABI's types, as the codec says it.
        """
        if len(raw.topics) != 1 + len(self._indexed) or raw.topics[0] != self._topic:
            got, wanted = f"{len(raw.topics)} topics", f"{1 + len(self._indexed)}, the event's own first"
            raise FormatError("another event", check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)
        args = dict(zip(self._names, self._codec.decode(self._types, raw.data), strict=True))
        for (name, kind), word in zip(self._indexed, raw.topics[1:], strict=True):
            (args[name],) = self._codec.decode([kind], word)
        return Log(args, raw.place)
