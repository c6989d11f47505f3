"""A file whose bytes lie in several places of memory, such as a header and tensors.

With the table of segments any reader of a `Source` can hash such a file block by block, although a block often spans
the header and a tensor, or several tensors. Bytes are copied only into the reader's own small buffers.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

HOST = "cpu"


class Memory(Protocol):
    """Bytes in the order in which a file has them. Several threads can read them at once."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    @property
    def device(self) -> str:
        """The device that holds the bytes: "cpu", "cuda:0", ..."""

    @property
    def address(self) -> int | None:
        """The address on the device if the bytes are contiguous there, else None."""

    def read_into(self, target: memoryview, offset: int) -> None:
        """Fill all of `target` with the bytes from `offset` on. Scratch memory is about as large as `target`."""


@dataclass(frozen=True)
class HostMemory:
    """Bytes at an address in this process. `owner` keeps the memory alive."""

    address: int
    size: int
    owner: object
    device: str = HOST

    def read_into(self, target: memoryview, offset: int) -> None:
        # ctypes lets other threads run during its memmove.
        ctypes.memmove(address_of(target), self.address + offset, len(target))


@dataclass(frozen=True)
class BytesMemory:
    """A `bytes` object, such as a header."""

    data: bytes
    device: str = HOST
    address: None = None

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = memoryview(self.data)[offset : offset + len(target)]


def address_of(buffer: memoryview) -> int:
    """Return the address of a writable buffer."""
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


@dataclass(frozen=True)
class Part:
    """A range of the file: `size` bytes of `memory` from `offset` on."""

    memory: Memory
    offset: int
    size: int


class Segments:
    """A `merkle.Source`: the file that consists of these memories, one after the other.

    Args:
        name: the name of the file, for messages.
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
        """Yield the parts that hold the file's `size` bytes from `offset` on. The range must lie within the file."""
        index = bisect_right(self._starts, offset) - 1
        while size:
            memory, inner = self.memories[index], offset - self._starts[index]
            taken = min(size, memory.size - inner)
            yield Part(memory, inner, taken)
            offset, size, index = offset + taken, size - taken, index + 1
