"""Events as a node tells them, and their form: topics and data, which a contract's ABI explains."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.abi_values import ACCOUNT_BYTES, WORD_BYTES, parse_items

_TOPICS_MAX = 4
_QUANTITY = re.compile("0x[0-9a-f]{1,16}")
_HEX = re.compile("0x(?:[0-9a-fA-F]{2})*+")


@dataclass(frozen=True)
class Place:
    """The place of an event: block, index of the log in the block, transaction. Places sort in the chain's order."""

    block_number: int
    index: int
    transaction_hash: bytes

    def __lt__(self, other: Place) -> bool:
        return (self.block_number, self.index) < (other.block_number, other.index)


@dataclass(frozen=True)
class RawLog:
    """An event of the contract at `address` (20 bytes). `topics` has up to 4 words of 32 bytes, `data` any bytes."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    place: Place

    @property
    def size_bytes(self) -> int:
        """Number of bytes in topics and data."""
        return WORD_BYTES * len(self.topics) + len(self.data)


@dataclass(frozen=True)
class Question:
    """All events of one contract with these topics, in their order. None stands for any topic."""

    address: bytes
    topics: tuple[bytes | None, ...]

    def fits(self, log: RawLog) -> bool:
        """Return whether the question asks for this event."""
        return self.covers(Question(log.address, log.topics))

    def covers(self, other: Question) -> bool:
        """Return whether the question asks for each event for which `other` asks."""
        if other.address != self.address or len(other.topics) < len(self.topics):
            return False
        return all(wanted in (None, got) for wanted, got in zip(self.topics, other.topics, strict=False))


def log_filter(questions: Sequence[Question]) -> dict[str, Any]:
    """Return the members `address` and `topics` of a filter for `eth_getLogs`, for the events of all questions.

    The filter may let other events through as well, because JSON-RPC combines all values of one topic with all of
    another. The questions must be about one contract.
    """
    length = min(len(question.topics) for question in questions)
    columns = [dict.fromkeys(question.topics[column] for question in questions) for column in range(length)]
    topics = [_column_json(column) for column in columns]
    return {"address": f"0x{questions[0].address.hex()}", "topics": topics}


def _column_json(words: Collection[bytes | None]) -> str | list[str] | None:
    wanted = [f"0x{word.hex()}" for word in words if word is not None]
    if len(wanted) < len(words):
        return None
    return wanted[0] if len(wanted) == 1 else wanted


def parse_raw_logs(answer: object, where: str) -> list[RawLog]:
    """Parse the result of `eth_getLogs`.

    Raises:
        FormatError: it is not a list of events of mined blocks (check `registry-record`).
    """
    return [_parse_raw_log(item, where) for item in parse_items(answer, where)]


def _parse_raw_log(item: object, where: str) -> RawLog:
    if not isinstance(item, Mapping):
        raise _malformed(where, type(item).__name__, "an event")
    topics = tuple(_parse_hex(topic, WORD_BYTES, where) for topic in parse_items(item.get("topics"), where))
    if len(topics) > _TOPICS_MAX:
        raise _malformed(where, f"{len(topics)} topics", f"at most {_TOPICS_MAX}")
    transaction = _parse_hex(item.get("transactionHash"), WORD_BYTES, where)
    place = Place(
        parse_quantity(item.get("blockNumber"), where), parse_quantity(item.get("logIndex"), where), transaction
    )
    address = _parse_hex(item.get("address"), ACCOUNT_BYTES, where)
    return RawLog(address, topics, _parse_hex(item.get("data"), None, where), place)


def parse_quantity(value: object, where: str) -> int:
    """Return a number of at most 64 bits that JSON-RPC writes in hex. Raises FormatError for anything else."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise _malformed(where, type(value).__name__, "0x and 1 to 16 hex digits")
    return int(value, 16)


def parse_block_hash(value: object, where: str) -> bytes:
    """Return the 32 bytes of a hash that JSON-RPC writes in hex. Raises FormatError for anything else."""
    return _parse_hex(value, WORD_BYTES, where)


def _parse_hex(value: object, size: int | None, where: str) -> bytes:
    wanted = "hex digits" if size is None else f"{2 * size} hex digits"
    if not isinstance(value, str) or not _HEX.fullmatch(value) or size not in (None, len(value) // 2 - 1):
        raise _malformed(where, type(value).__name__, f"0x and {wanted}")
    return bytes.fromhex(value[2:])


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    return FormatError(
        "not an event as JSON-RPC writes it", check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted
    )
