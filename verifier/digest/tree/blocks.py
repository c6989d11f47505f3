"""SHA-256 of many 4096-byte blocks: the one operation that every hash tree here is made of.

There are two ways, always equal: `PythonBlocks`, which is always there, and `native.NativeBlocks`, which is quicker.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES

Buffer = bytes | bytearray | memoryview


class FileHash(Protocol):
    """The SHA-256 of one whole file, taken in order."""

    def take(self, data: Buffer) -> None:
        """Take the next bytes: whole blocks, or the end of the file."""

    def take_both(self, blocks: Buffer) -> bytes:
        """Take the next whole blocks and return the digest of each, one after the other."""

    def digest(self) -> bytes:
        """Return the digest of the file, once, after the last byte."""


class BlockHash(Protocol):
    """A way to hash blocks. Safe to use from several threads at once."""

    @property
    def path_name(self) -> str:
        """What it is, for people: "sha-ni x4", "avx512 x16", "arm sha2 x4" or "python"."""

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        """Return SHA-256(salt + block) of every 4096-byte block, one after the other."""

    def file_hash(self) -> FileHash:
        """Start the SHA-256 of a file."""


def count_blocks(blocks: Buffer) -> int:
    """Return how many blocks these are.

    Raises:
        ValueError: they are not whole, so a caller would lose the end.
    """
    number, over = divmod(len(blocks), BLOCK_BYTES)
    if over:
        raise ValueError(f"{over} bytes more than whole blocks")
    return number


class PythonBlocks:
    """hashlib, block by block; it lets other threads run during each block."""

    path_name = "python"

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        view, sha256 = memoryview(blocks), hashlib.sha256
        starts = range(0, count_blocks(blocks) * BLOCK_BYTES, BLOCK_BYTES)
        if salt:
            return b"".join([sha256(salt + bytes(view[start : start + BLOCK_BYTES])).digest() for start in starts])
        return b"".join([sha256(view[start : start + BLOCK_BYTES]).digest() for start in starts])

    def file_hash(self) -> FileHash:
        return HashlibFileHash(self)


class HashlibFileHash:
    """A file's SHA-256 by hashlib, and the digests of its blocks by any `BlockHash`."""

    def __init__(self, blocks: BlockHash) -> None:
        self._blocks = blocks
        self._sha256 = hashlib.sha256()

    def take(self, data: Buffer) -> None:
        self._sha256.update(data)

    def take_both(self, blocks: Buffer) -> bytes:
        self._sha256.update(blocks)
        return self._blocks.hash_blocks(blocks)

    def digest(self) -> bytes:
        return self._sha256.digest()
