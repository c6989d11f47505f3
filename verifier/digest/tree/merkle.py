"""The common parts of every fast fs-verity implementation: cut a file into pieces, and finish the tree above them.

A piece is a multiple of 512 KiB, since 128 blocks have 128 digests, which fill one node of the first level. So pieces
can be hashed in any order and on any device. Each gives the digests of its nodes: 32 bytes for every 512 KiB.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from provenance_oracle.verifier.digest.tree.blocks import BlockHash
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES, descriptor_digest
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.files import OpenBytes, OpenFile, changed

NODE_BLOCKS = BLOCK_BYTES // DIGEST_BYTES  # blocks under one node of the first level
NODE_BYTES = NODE_BLOCKS * BLOCK_BYTES

Advance = Callable[[int], None]
"""A callback, called with the size in bytes of every piece that is done."""


class ByteSource(Protocol):
    """Bytes of known size that several threads can read at any offset at once."""

    @property
    def name(self) -> str:
        """The name for messages."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    def read_into(self, target: memoryview, offset: int) -> None:
        """Fill all of `target` with the bytes from `offset` on.

        Raises:
            ChangedError: the source has fewer bytes.
            TemporaryError: the bytes cannot be read.
        """


@dataclass(frozen=True)
class FileSource:
    """A `ByteSource` that reads a file through its open descriptor."""

    file: OpenFile

    @property
    def name(self) -> str:
        return self.file.path

    @property
    def size(self) -> int:
        return self.file.size

    def read_into(self, target: memoryview, offset: int) -> None:
        filled = 0
        while filled < len(target):
            try:
                got = os.preadv(self.file.descriptor, [target[filled:]], offset + filled)
            except OSError as error:
                why = error.strerror or str(error)
                raise TemporaryError("cannot read the file", where=self.name, got=why, wanted="its bytes") from error
            if not got:
                raise changed(self.name)
            filled += got


class StreamSource:
    """A `ByteSource` of bytes that come one after the other, as from a network. One thread reads it, in order."""

    def __init__(self, file: OpenBytes) -> None:
        self.name, self.size = file.path, file.size
        self._file = file
        self._position = 0

    def read_into(self, target: memoryview, offset: int) -> None:
        if offset != self._position:
            raise ValueError("a stream is read in order")
        filled = 0
        while filled < len(target):
            piece = self._file.read(len(target) - filled)
            if not piece:
                raise changed(self.name)
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._position += filled


def read_blocks(source: ByteSource, buffer: memoryview, offset: int) -> tuple[memoryview, int]:
    """Fill `buffer` from `offset` on, or up to the end of the source, and pad the last block with zeros.

    Returns:
        The blocks, and the number of their bytes that come from the source.
    """
    size = min(len(buffer), source.size - offset)
    source.read_into(buffer[:size], offset)
    padding = -size % BLOCK_BYTES
    buffer[size : size + padding] = bytes(padding)
    return buffer[: size + padding], size


class NodeStack:
    """The tree above the first level of nodes, whose digests arrive in order.

    It keeps 32 bytes for every 64 MiB of the file.
    """

    def __init__(self, blocks: BlockHash) -> None:
        self._blocks = blocks
        self._first = bytearray()  # digests of the first level that do not yet fill a node of the second level
        self._second = bytearray()

    def push(self, nodes: bytes) -> None:
        """Take the next digests of the first level, 32 bytes each, concatenated."""
        self._first += nodes
        whole = len(self._first) - len(self._first) % BLOCK_BYTES
        if whole:
            self._second += self._blocks.hash_blocks(bytes(self._first[:whole]))
            del self._first[:whole]

    def root(self) -> bytes:
        """Return the root (32 bytes)."""
        digests = bytes(self._second)
        if not digests:
            digests = bytes(self._first)
        elif self._first:
            digests += hash_nodes(self._blocks, bytes(self._first))
        while len(digests) > DIGEST_BYTES:
            digests = hash_nodes(self._blocks, digests)
        return digests


def hash_nodes(blocks: BlockHash, digests: bytes) -> bytes:
    """Return the digests of the level above, 32 bytes each, concatenated. The last node is padded with zeros."""
    return blocks.hash_blocks(digests + bytes(-len(digests) % BLOCK_BYTES))


def digest_of_one_block(blocks: BlockHash, data: bytes) -> bytes:
    """Return the fs-verity digest (32 bytes) of a file of at most one block, whose tree has no nodes."""
    root = blocks.hash_blocks(data.ljust(BLOCK_BYTES, b"\0")) if data else bytes(DIGEST_BYTES)
    return descriptor_digest(len(data), root)
