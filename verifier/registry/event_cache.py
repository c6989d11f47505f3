"""Events that were read before, so that a command does not read a chain from its start again.

Kept are events at least 64 blocks below the head, with the hash of a block that came no earlier than they did. If the
node still has that block, the chain up to there is the same, and so are its events. After a reorg, or on another chain
with the same id, the hash differs and the events are dropped.

The events serve as the node's answers do: the reader compares each record with the contract's state. Someone who can
write the file can therefore leave events out, but add or change none. The file is used only if nobody but the user can.
Each node has a file of its own, so that one node's omission does not last when the user asks another.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.registry.raw_logs import Place, Question, RawLog
from provenance_oracle.verifier.strict.abi_values import ACCOUNT_BYTES, WORD_BYTES
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.strict.private_folder import (
    keep_newest,
    open_private_folder,
    read_private_file,
    write_private_file,
)

CACHE_MAX_BYTES = 4 << 20
FILES_MAX = 16
QUESTIONS_MAX = 1000
KEPT_MAX_BYTES = 16 << 20
_TOKENS_MAX = 200_000
_TEXT_MAX = 2 * CACHE_MAX_BYTES
_FORMAT = "provenance-events-v1"
_SPAN_MAX = 10**12

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Anchor:
    """A block and its hash, 32 bytes."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Kept:
    """The answer to a question for the blocks from `first` to `until`, which is not after the block of `anchor`."""

    first: int
    until: int
    anchor: Anchor
    logs: tuple[RawLog, ...]

    @property
    def size_bytes(self) -> int:
        """Roughly the memory that the events take."""
        return sum(256 + log.size_bytes for log in self.logs)


class EventCache:
    """Keeps events in memory, and in a file in `folder` if there is one. For a process that ends soon.

    A folder or file that cannot be used, or that others can write to, is left alone, and a line in the log says so.

    Attributes:
        span: the number of blocks that the node answered for in one request; None if it refused nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.span: int | None = None
        self._folder = folder
        self._name = ""
        self._names: dict[str, object] = {}
        self._kept: dict[Question, Kept] = {}

    def open(self, chain_id: int, registry: bytes, node: str) -> None:
        """Load the file of a registry, as one node tells its events. `node` is the node's name in messages."""
        self._names = {"format": _FORMAT, "chain_id": chain_id, "registry": registry.hex(), "node": node}
        self._name = hashlib.sha256(json.dumps(self._names).encode()).hexdigest() + ".json"
        if self._folder is None:
            return
        try:
            with open_private_folder(self._folder) as folder:
                data = read_private_file(folder, self._name, CACHE_MAX_BYTES)
        except (OSError, ProvenanceError) as error:
            self._do_without("is not used", error)
            return
        if data is None:
            return
        try:
            self.span, self._kept = _parse(data, self._names, self._name)
        except ProvenanceError as error:
            _log.warning("the file of events %s is dropped: %s", self._folder / self._name, error)

    def get(self, question: Question, first: int, has_block: Callable[[Anchor], bool]) -> Kept | None:
        """Return the kept answer to a question, or to one that covers it; None if there is none for block `first`.

        Args:
            has_block: says whether the chain has the block of an anchor. If not, the answer is dropped.
        """
        for asked in [question, *(other for other in self._kept if other.covers(question))]:
            kept = self._kept.get(asked)
            if kept is None or not kept.first <= first <= kept.until:
                continue
            if has_block(kept.anchor):
                return replace(kept, logs=tuple(log for log in kept.logs if question.fits(log)))
            del self._kept[asked]
        return None

    def put(self, answers: dict[Question, Kept]) -> None:
        """Keep answers, and write the file. The oldest answers are dropped if all together are too large."""
        for question, kept in answers.items():
            self._kept.pop(question, None)
            self._kept[question] = kept
        size = sum(kept.size_bytes for kept in self._kept.values())
        while len(self._kept) > QUESTIONS_MAX or size > KEPT_MAX_BYTES:
            size -= self._kept.pop(next(iter(self._kept))).size_bytes
        self._write()

    def forget(self) -> None:
        """Drop all answers: they do not fit the contract's state, because the file or the node left events out."""
        if self._kept:
            self._kept.clear()
            self._write()

    def _write(self) -> None:
        if self._folder is None:
            return
        try:
            with open_private_folder(self._folder) as folder:
                read_private_file(folder, self._name, 0)  # a file that others can write to is left alone
                write_private_file(folder, self._name, self._encode())
                keep_newest(folder, FILES_MAX)
        except (OSError, ProvenanceError) as error:
            self._do_without("cannot be written", error)

    def _encode(self) -> bytes:
        """Return the file's bytes, with as many of the newest answers as it may have."""
        written: list[str] = []
        left = CACHE_MAX_BYTES - 4096
        for question, kept in reversed(self._kept.items()):
            text = json.dumps(_answer_json(question, kept), separators=(",", ":"))
            left -= len(text) + 1
            if left < 0:
                break
            written.insert(0, text)
        head = json.dumps(self._names | {"span": self.span or 0})
        return f'{head[:-1]}, "answers": [{",".join(written)}]}}\n'.encode()

    def _do_without(self, what: str, error: Exception) -> None:
        _log.warning("the folder of events %s %s: %s", self._folder, what, error)
        self._folder = None


def default_folder() -> Path | None:
    """Return the folder for files of events, in XDG_CACHE_HOME or ~/.cache; None if the user has no home folder."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return parent / "provenance" / "events"


def _answer_json(question: Question, kept: Kept) -> dict[str, object]:
    return {
        "address": question.address.hex(),
        "topics": [word.hex() if word else "" for word in question.topics],
        "first": kept.first,
        "until": kept.until,
        "block": kept.anchor.number,
        "block_hash": kept.anchor.hash.hex(),
        "events": [_log_json(log) for log in kept.logs],
    }


def _log_json(log: RawLog) -> dict[str, object]:
    return {
        "topics": "".join(word.hex() for word in log.topics),
        "data": log.data.hex(),
        "block": log.place.block_number,
        "index": log.place.index,
        "transaction": log.place.transaction_hash.hex(),
    }


def _parse(data: bytes, names: dict[str, object], where: str) -> tuple[int | None, dict[Question, Kept]]:
    """Parse a file of events. Raises FormatError if it has another form, or is that of another registry or node."""
    check = Check.REGISTRY_RECORD
    value = parse_json(data, where=where, check=check, max_bytes=CACHE_MAX_BYTES, max_depth=8, max_tokens=_TOKENS_MAX)
    fields = Fields(value, where=where, check=check)
    if {name: fields.value(name) for name in names} != names:
        raise fields.error("", "the file of another registry", got="other names", wanted=str(names))
    span = fields.integer("span", maximum=_SPAN_MAX)
    answers = dict(_parse_answer(item) for item in fields.fields_list("answers", maximum=QUESTIONS_MAX))
    fields.finish()
    return span or None, answers


def _parse_answer(fields: Fields) -> tuple[Question, Kept]:
    topics = fields.value("topics")
    if not isinstance(topics, list) or not 1 <= len(topics) <= 4:
        raise fields.error("topics", "not topics", got="another value", wanted="1 to 4 topics")
    question = Question(fields.hex_bytes("address", ACCOUNT_BYTES), tuple(_topic(fields, word) for word in topics))
    first, until = fields.integer("first"), fields.integer("until")
    anchor = Anchor(fields.integer("block"), fields.hex_bytes("block_hash", WORD_BYTES))
    logs = tuple(_parse_log(question.address, item) for item in fields.fields_list("events", maximum=_TOKENS_MAX))
    if not first <= until <= anchor.number or not all(
        question.fits(log) and first <= log.place.block_number <= until for log in logs
    ):
        raise fields.error("events", "not the events of the question", got="others", wanted="its own")
    fields.finish()
    return question, Kept(first, until, anchor, logs)


def _topic(fields: Fields, word: object) -> bytes | None:
    if word == "":
        return None
    return Fields({"topic": word}, where=fields.where("topics"), check=Check.REGISTRY_RECORD).hex_bytes(
        "topic", WORD_BYTES
    )


def _parse_log(address: bytes, fields: Fields) -> RawLog:
    topics = _hex(fields, "topics")
    if len(topics) % WORD_BYTES:
        raise fields.error("topics", "not topics", got=f"{len(topics)} bytes", wanted="words of 32 bytes")
    words = tuple(topics[start : start + WORD_BYTES] for start in range(0, len(topics), WORD_BYTES))
    place = Place(fields.integer("block"), fields.integer("index"), fields.hex_bytes("transaction", WORD_BYTES))
    data = _hex(fields, "data")
    fields.finish()
    return RawLog(address, words, data, place)


def _hex(fields: Fields, key: str) -> bytes:
    text = fields.text(key, max_chars=_TEXT_MAX)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise fields.error(key, "not hex", got=text[:40], wanted="hex digits") from None
