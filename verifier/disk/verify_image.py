"""Verify an existing image against its record: every field, then every block."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES
from provenance_oracle.verifier.disk.disk_digest import DiskDigest, match_disk_digests
from provenance_oracle.verifier.disk.erofs import SUPERBLOCK_OFFSET
from provenance_oracle.verifier.disk.erofs_bytes import BLOCKS_OFFSET, MAGIC
from provenance_oracle.verifier.disk.verity import BlockHasher, block_hasher, parse_superblock, superblock
from provenance_oracle.verifier.disk.verity_tree import TreeBuilder, level_offsets
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError, unread

_CHUNK_BYTES = 4 << 20  # a multiple of every block size


def verify_image(
    image: Path,
    record: DiskDigest,
    *,
    hash_leaves: BlockHasher | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DiskDigest:
    """Verify that a file is the disk of a record: its size, both superblocks, the root over all data, and the tree.

    The file hash of the record is not checked; the result is the record without it.

    Args:
        image: a file with data, superblock and hash tree, as `digest_disk` writes it.
        record: the identity that the image must have.
        hash_leaves: hashes 4096-byte blocks with SHA-256 after the salt. Records with other parameters use the
            implementation without native code.
        progress: called with (bytes done, bytes in all) of the image's data.

    Raises:
        FormatError: there is no verity superblock at the record's offset (check `file-digests`).
        VerificationError: a field or a block differs from the record (check `file-digests`).
        UsageError: the path cannot be opened or is not a regular file.
        TemporaryError: a read fails.
    """
    where = str(image)
    with _opened(image) as descriptor:
        # 1. The size and both superblocks agree with the record. The root does not authenticate them.
        _match_size(descriptor, record, where)
        claimed = _claimed(descriptor, record, where)
        match_disk_digests(record, claimed, where)
        # 2. The root over all data is that of the record, and the tree on the disk is the tree of the data.
        root = _root(descriptor, record, hash_leaves, progress, where)
        if root != record.root:
            raise _differs("root_hash", where, root.hex(), record.root.hex())
    return claimed


def _match_size(descriptor: int, record: DiskDigest, where: str) -> None:
    _, tree_bytes = level_offsets(record.verity, record.data_blocks)
    wanted = record.hash_offset + record.verity.hash_block_bytes + tree_bytes
    got = os.fstat(descriptor).st_size
    if got != wanted:
        raise _differs("size", where, f"{got} bytes", f"{wanted} bytes")


def _claimed(descriptor: int, record: DiskDigest, where: str) -> DiskDigest:
    """Return the record with the parameters and number of blocks that the image's own superblocks state."""
    block = os.pread(descriptor, record.verity.hash_block_bytes, record.hash_offset)
    verity, data_blocks = parse_superblock(block, where)
    if any(block[len(superblock(verity, data_blocks)) :]):
        raise _differs("superblock", where, "stray bytes behind it", "zeros")
    magic, blocks = (_u32(descriptor, offset) for offset in (SUPERBLOCK_OFFSET, BLOCKS_OFFSET))
    if magic != MAGIC or blocks * DISK_BLOCK_BYTES != record.hash_offset:
        wanted = f"{MAGIC:#x}, {record.hash_offset // DISK_BLOCK_BYTES} blocks"
        raise _differs("EROFS superblock", where, f"{magic:#x}, {blocks} blocks", wanted)
    return DiskDigest(record.recipe, record.layout, verity, data_blocks, record.root)


def _root(
    descriptor: int,
    record: DiskDigest,
    hash_leaves: BlockHasher | None,
    progress: Callable[[int, int], None] | None,
    where: str,
) -> bytes:
    verity = record.verity
    offsets, _ = level_offsets(verity, record.data_blocks)
    area = record.hash_offset + verity.hash_block_bytes

    def compare(level: int, first: int, blocks: bytes) -> None:
        position = area + offsets[level] + first * verity.hash_block_bytes
        if os.pread(descriptor, len(blocks), position) != blocks:
            raise _differs("hash tree", where, f"other bytes at {position}", "the tree of the data")

    shape = (verity.algorithm, verity.hash_format, verity.data_block_bytes)
    hash_data = hash_leaves if hash_leaves and shape == ("sha256", 1, 4096) else block_hasher(*shape)
    builder = TreeBuilder(verity, record.data_blocks, sink=compare)
    for position in range(0, record.hash_offset, _CHUNK_BYTES):
        chunk = _read(descriptor, min(_CHUNK_BYTES, record.hash_offset - position), position)
        builder.update(hash_data(memoryview(chunk), verity.salt))
        if progress:
            progress(position + len(chunk), record.hash_offset)
    return builder.finish().root


def _read(descriptor: int, count: int, position: int) -> bytes:
    data = os.pread(descriptor, count, position)
    if len(data) != count:
        raise OSError(0, "the file ends early")
    return data


def _u32(descriptor: int, offset: int) -> int:
    (value,) = struct.unpack("<I", os.pread(descriptor, 4, offset))
    return int(value)


@contextmanager
def _opened(image: Path) -> Iterator[int]:
    try:
        descriptor = os.open(image, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise unread("cannot open the image", error, where=str(image), wanted="an image in a file") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError("not a regular file", where=str(image), wanted="an image in a file")
        yield descriptor
    except OSError as error:
        raise TemporaryError("cannot read the image", where=str(image), got=error.strerror or "an error") from error
    finally:
        os.close(descriptor)


def _differs(what: str, where: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(f"{what} differs", check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
