"""The file digest `fsverity_sha256_4096` and the model digest `provenance-model-v1`: definition and CPU reference.

The file digest is the Linux kernel's fs-verity file digest, version 1, SHA-256, 4096-byte blocks, no salt
(Documentation/filesystems/fsverity.rst, "Merkle tree" and "fs-verity descriptor"). `fsverity digest FILE` prints it.

    block     4096 bytes of the file, the last one padded with zeros
    leaf      SHA-256 of a block
    node      SHA-256 of up to 128 digests of the level below, padded with zeros to 4096 bytes
    root      the one digest left; the only leaf for a file of one block; 32 zero bytes for an empty file
    digest    SHA-256 of a 256-byte descriptor that holds the root, the size and the parameters

Never use a bare root to identify a file: it binds neither the size nor the difference between data and digests.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

BLOCK_BYTES = 4096
DIGEST_BYTES = 32


@dataclass(frozen=True)
class FileDigest:
    """One file: path, size in bytes, fs-verity digest, and whole-file SHA-256 if requested (32 bytes each)."""

    path: str
    size: int
    fsverity: bytes
    sha256: bytes | None = None


class FsVerityHasher:
    """The fs-verity digest of a stream. It keeps less than one block for each level of the tree."""

    def __init__(self) -> None:
        self._size = 0
        # The unfinished block of each level: [0] holds data, every further one holds digests of the level below.
        self._pending = [b""]

    def update(self, data: bytes) -> None:
        """Take the next bytes of the file. Pieces of whole blocks are fastest."""
        self._size += len(data)
        self._push(0, data)

    def _push(self, level: int, data: bytes) -> None:
        if level == len(self._pending):
            self._pending.append(b"")
        data = self._pending[level] + data
        whole = len(data) - len(data) % BLOCK_BYTES
        self._pending[level] = data[whole:]
        if whole:
            self._push(level + 1, hash_blocks(memoryview(data)[:whole]))

    def digest(self) -> bytes:
        """Return the digest (32 bytes) of the bytes taken so far. You can take more after that."""
        return descriptor_digest(self._size, self._root())

    def _root(self) -> bytes:
        if not self._size:
            return bytes(DIGEST_BYTES)
        last = b""  # digest of the unfinished block of the level below, if there is one
        for level, pending in enumerate(self._pending):
            rest = pending + last
            is_top = level == len(self._pending) - 1
            if is_top and level > 0 and len(rest) == DIGEST_BYTES:
                return rest
            last = _hash_padded(rest) if rest else b""
        return last


def hash_blocks(blocks: memoryview) -> bytes:
    """Return the SHA-256 digests of whole 4096-byte blocks, 32 bytes each, concatenated."""
    sha256 = hashlib.sha256
    starts = range(0, len(blocks), BLOCK_BYTES)
    return b"".join([sha256(blocks[start : start + BLOCK_BYTES]).digest() for start in starts])


def _hash_padded(data: bytes) -> bytes:
    return hashlib.sha256(data.ljust(BLOCK_BYTES, b"\0")).digest()


def descriptor_digest(size: int, root: bytes) -> bytes:
    """Return the file digest (32 bytes): SHA-256 of struct fsverity_descriptor, 256 bytes, little-endian."""
    version, sha256, log2_block_bytes, salt_bytes = 1, 1, 12, 0
    descriptor = struct.pack(
        "<BBBBIQ64s32s144s", version, sha256, log2_block_bytes, salt_bytes, 0, size, root, b"", b""
    )
    return hashlib.sha256(descriptor).digest()


def fsverity_digest(data: bytes) -> bytes:
    """Return the fs-verity digest (32 bytes) of a file with the content `data`."""
    hasher = FsVerityHasher()
    hasher.update(data)
    return hasher.digest()


def model_digest(files: Iterable[FileDigest]) -> bytes:
    """Return the digest `provenance-model-v1` (32 bytes). It binds the names, sizes and bytes of all files.

    SHA-256 of a text: the line `provenance-model-v1`, then one line `<fs-verity hex> <size> <path>` per file, sorted by
    the UTF-8 bytes of the path. Every line ends with a newline. The order of `files` does not matter.

    Raises:
        FormatError: a path has a newline or occurs twice, so the text would be ambiguous (check `file-set`).
    """
    ordered = sorted(files, key=lambda file: file.path.encode())
    if len({file.path for file in ordered}) != len(ordered) or any("\n" in file.path for file in ordered):
        raise FormatError("a path has a newline or occurs twice", check=Check.FILE_SET, where="model digest")
    lines = [f"{file.fsverity.hex()} {file.size} {file.path}\n" for file in ordered]
    return hashlib.sha256("".join(["provenance-model-v1\n", *lines]).encode()).digest()
