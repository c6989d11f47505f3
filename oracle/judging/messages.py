"""The messages between the oracle and a judge process, over one stream socket.

    oracle -> process     a Setup first, then questions, and replies to what the process asks; pickled
    process -> oracle     messages of a JSON object and byte strings, which are never unpickled: a process that a
                          hostile release took over must not run code in the oracle, which holds the keys

A message of a process is the sizes of its two parts (big-endian, 4 and 8 bytes), the JSON object, and the byte strings
one after the other; member `sizes` of the object has their lengths. One of the oracle is its size (4 bytes) and a
pickle.
"""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance_oracle.verifier.digest.files import Limits
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES
from provenance_oracle.verifier.manifest.dsse import MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.strict.release_files import FolderFiles

_SIZES = struct.Struct(">IQ")
_SIZE = struct.Struct(">I")
_HEADER_MAX_BYTES = 4 * 1024 * 1024
# The largest message of a process holds a manifest, a signing bundle, and less than 32 MiB of other evidence.
_BODY_MAX_BYTES = MAX_ENVELOPE_BYTES + BUNDLE_MAX_BYTES + 32 * 1024 * 1024
# Returns this number of bytes, and raises if they do not come.
Read = Callable[[int], bytes]


@dataclass(frozen=True)
class Setup:
    """What all judgements of a process share. `fetches` tells whether it may ask for a revocation list."""

    policy: Policy
    limits: Limits
    fetches: bool


@dataclass(frozen=True)
class JudgeQuestion:
    """A release to read and to judge for the moment `at`, which is the present. `name` names it in the log."""

    files: FolderFiles
    name: str
    at: datetime


@dataclass(frozen=True)
class Message:
    """A message of a judge process. `header` is a JSON object; nothing in it is trusted."""

    header: Mapping[str, Any]
    parts: Sequence[bytes] = ()


def pack_message(message: Message) -> bytes:
    """Return the bytes of a message of a process."""
    header = json.dumps({**message.header, "sizes": [len(part) for part in message.parts]}).encode()
    return b"".join((_SIZES.pack(len(header), sum(map(len, message.parts))), header, *message.parts))


def read_message(read: Read) -> Message:
    """Return the next message of a process.

    Raises:
        ValueError, RecursionError: it is too large or malformed. Errors of `read`.
    """
    header_bytes, body_bytes = _SIZES.unpack(read(_SIZES.size))
    if header_bytes > _HEADER_MAX_BYTES or body_bytes > _BODY_MAX_BYTES:
        raise ValueError("the message is too large")
    header = json.loads(read(header_bytes))
    sizes = header.pop("sizes", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ValueError("the message has no sizes")
    if sum(sizes) != body_bytes:
        raise ValueError("the sizes in the message differ from its length")
    return Message(header, [read(size) for size in sizes])


def pack_order(value: Setup | JudgeQuestion | Mapping[str, object]) -> bytes:
    """Return the bytes of what the oracle sends."""
    data = pickle.dumps(value)
    return _SIZE.pack(len(data)) + data


def read_order(read: Read) -> Any:
    """Return the next value that the oracle sent. Only a judge process calls this: it trusts the oracle."""
    (size,) = _SIZE.unpack(read(_SIZE.size))
    return pickle.loads(read(size))  # noqa: S301
