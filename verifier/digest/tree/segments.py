"""A file whose bytes lie in several places of memory: a header here, tensors there.

The table of segments lets any `Source` reader hash such a file block by block, although a block usually spans the
header and a tensor, or several tensors. Nothing but a reader's own small buffers is copied.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

HOST = "cpu"


class Memory(Protocol):
    """Bytes that somebody holds, in the order in which a file has them. Read by several threads at once."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def device(self) -> str:
        """Where they lie: "cpu", "cuda:0", ..."""

    @property
    def address(self) -> int | None:
        """Where on the device they lie, one after the other; None if they do not lie so."""

    def read_into(self, target: memoryview, offset: int) -> None:
        """Fill all of `target` with the bytes from `offset` on; scratch memory is of the order of `target`."""


@dataclass(frozen=True)
class HostMemory:
    """Bytes at an address of this process; `owner` keeps them there."""

    address: int
    size: int
    owner: object
    device: str = HOST

    def read_into(self, target: memoryview, offset: int) -> None:
        # Through ctypes, because other threads run during its memmove.
        ctypes.memmove(address_of(target), self.address + offset, len(target))


@dataclass(frozen=True)
class BytesMemory:
    """Bytes of Python, such as a header's."""

    data: bytes
    device: str = HOST
    address: None = None

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = memoryview(self.data)[offset : offset + len(target)]


def address_of(buffer: memoryview) -> int:
    """Return where a writable buffer lies."""
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


@dataclass(frozen=True)
class Part:
    """Where a range of the file lies: `size` bytes of `memory` from `offset` on."""

    memory: Memory
    offset: int
    size: int


class Segments:
    """A `tree.Source`: the file that these memories make, one after the other.

    Args:
        name: the file's, for messages.
    """

    def __init__(self, name: str, memories: Sequence[Memory]) -> None:
        self.name = name
        self.memories = tuple(memory for memory in memories if memory.size)
        self._starts = []
        self.size = 0
        for memory in self.memories:
            self._starts.append(self.size)
            self.size += memory.size

    def read_into(self, target: memoryview, offset: int) -> None:
        filled = 0
        for part in self.parts(offset, len(target)):
            part.memory.read_into(target[filled : filled + part.size], part.offset)
            filled += part.size

    def parts(self, offset: int, size: int) -> Iterator[Part]:
        """Yield where `size` bytes of the file from `offset` on lie; all of them are within it."""
        index = bisect_right(self._starts, offset) - 1
        while size:
            memory, inner = self.memories[index], offset - self._starts[index]
            taken = min(size, memory.size - inner)
            yield Part(memory, inner, taken)
            offset, size, index = offset + taken, size - taken, index + 1
