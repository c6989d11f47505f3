"""SHA-256 of many 4096-byte blocks: the one operation from which every hash tree here is built.

Two implementations give equal results: `PythonBlocks`, which is always available, and the faster `native.NativeBlocks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES

Buffer = bytes | bytearray | memoryview
# Takes the next bytes of a file, to compute another digest of it from the same read. It keeps no reference to them.
Take = Callable[[Buffer], object]


class FileHash(Protocol):
    """The SHA-256 of one whole file, whose bytes arrive in order."""

    def take(self, data: Buffer) -> None:
        """Take the next bytes: whole blocks, or the last bytes of the file."""

    def take_both(self, blocks: Buffer) -> bytes:
        """Take the next whole blocks and return their digests (32 bytes each), concatenated."""

    def digest(self) -> bytes:
        """Return the digest of the file (32 bytes). Call it once, after the last byte."""


class BlockHash(Protocol):
    """An implementation that hashes blocks. Several threads can use it at once."""

    @property
    def path_name(self) -> str:
        """Its name for people: "sha-ni x4", "avx512 x16", "arm sha2 x4" or "python"."""

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        """Return SHA-256(salt + block) of every 4096-byte block, 32 bytes each, concatenated.

        Raises:
            ValueError: `blocks` are not whole blocks.
        """

    def file_hash(self) -> FileHash:
        """Start the SHA-256 of a file."""


def count_blocks(blocks: Buffer) -> int:
    """Return the number of 4096-byte blocks.

    Raises:
        ValueError: the bytes are not whole blocks, so the caller would lose the last ones.
    """
    number, over = divmod(len(blocks), BLOCK_BYTES)
    if over:
        raise ValueError(f"{over} bytes more than whole blocks")
    return number


class PythonBlocks:
    """Hashes block by block with hashlib, which lets other threads run during each block."""

    path_name = "python"

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        view, sha256 = memoryview(blocks), hashlib.sha256
        starts = range(0, count_blocks(blocks) * BLOCK_BYTES, BLOCK_BYTES)
        if salt:
            return b"".join([sha256(salt + bytes(view[start : start + BLOCK_BYTES])).digest() for start in starts])
        return b"".join([sha256(view[start : start + BLOCK_BYTES]).digest() for start in starts])

    def file_hash(self) -> FileHash:
        return HashlibFileHash(self)


class OtherHashes:
    """Passes the bytes of a file to takers of other digests, and to its `FileHash` if one is wanted."""

    def __init__(self, blocks: BlockHash, sha256: FileHash | None, also: Sequence[Take]) -> None:
        self._blocks = blocks
        self._sha256 = sha256
        self._also = also

    def take(self, data: Buffer) -> None:
        for take in self._also:
            take(data)
        if self._sha256:
            self._sha256.take(data)

    def take_both(self, blocks: Buffer) -> bytes:
        for take in self._also:
            take(blocks)
        return self._sha256.take_both(blocks) if self._sha256 else self._blocks.hash_blocks(blocks)


class HashlibFileHash:
    """A `FileHash` that uses hashlib for the file and any `BlockHash` for its blocks."""

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
