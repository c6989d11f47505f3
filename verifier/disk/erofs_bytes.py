"""The bytes of an EROFS image: superblock, inodes, directories, and the position of each piece.

Format: Linux kernel, fs/erofs/erofs_fs.h. Integers are little-endian. Owner, group and all times are 0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES
from provenance_oracle.verifier.disk.erofs import (
    EROFS_SUPERBLOCK_BYTES,
    SUPERBLOCK_OFFSET,
    DirectoryEntry,
    Inode,
    Plan,
    split_entries,
)
from provenance_oracle.verifier.disk.tree import FileKind
from provenance_oracle.verifier.strict.crc32c import uninverted_crc32c

MAGIC = 0xE0F5E1E2
BLOCKS_OFFSET = SUPERBLOCK_OFFSET + 36  # u32: number of blocks

_CHECKSUM_OFFSET = SUPERBLOCK_OFFSET + 4
_FEATURE_COMPAT = 3  # superblock checksum, mtime
_BLOCK_BITS = 12
_FILE_TYPES = {FileKind.FILE: 0o100000, FileKind.DIRECTORY: 0o040000, FileKind.SYMLINK: 0o120000}
_LAYOUT_PLAIN, _LAYOUT_INLINE = 0, 2


@dataclass(frozen=True, slots=True)
class Piece:
    """`length` bytes of the image at `offset`: the bytes `held`, or if None, bytes of the inode's file from `start`."""

    offset: int
    length: int
    inode: Inode
    held: bytes | None = None
    start: int = 0


def pieces_of(plan: Plan) -> Iterator[Piece]:
    """Yield every piece of the image except its superblock, in the order of offsets. The gaps between them are zero.

    The bytes of inodes and directories are made one by one, so that little memory is needed.
    """
    places = []
    for inode in plan.inodes:
        places.append((inode.position, False, inode))
        if _block_bytes(inode):
            places.append((inode.start_block * DISK_BLOCK_BYTES, True, inode))
    places.sort(key=lambda place: place[0])
    for offset, is_content, inode in places:
        if is_content:
            yield _content(inode, offset, 0, _block_bytes(inode))
            continue
        yield Piece(offset, inode.inode_bytes, inode, held=inode_record(inode))
        if inode.is_inline:
            yield _content(inode, offset + inode.inode_bytes, inode.size - inode.tail_bytes, inode.tail_bytes)


def _block_bytes(inode: Inode) -> int:
    """Return the number of content bytes in blocks of their own, without the zeros that fill the last block."""
    return inode.size - inode.tail_bytes if inode.is_inline else inode.size


def _content(inode: Inode, offset: int, start: int, length: int) -> Piece:
    held = directory_content(inode) if inode.node.kind is FileKind.DIRECTORY else inode.node.content
    if held is not None:
        return Piece(offset, length, inode, held=held[start : start + length])
    return Piece(offset, length, inode, start=start)


def inode_record(inode: Inode) -> bytes:
    """Return the 32 bytes of a compact inode, or the 64 of an extended one (for content of 4 GiB or more)."""
    mode = _FILE_TYPES[inode.node.kind] | inode.node.permissions
    layout = _LAYOUT_INLINE if inode.is_inline else _LAYOUT_PLAIN
    place = (inode.start_block, inode.ino)
    if inode.inode_bytes == 32:
        return struct.pack("<4HI4xII8x", layout * 2, 0, mode, inode.links, inode.size, *place)
    return struct.pack("<4HQII20xI16x", layout * 2 + 1, 0, mode, 0, inode.size, *place, inode.links)


def directory_content(inode: Inode) -> bytes:
    """Return the content of a directory. Each block has the records of its entries, then their names."""
    blocks = [_directory_block(entries) for entries in split_entries(inode.entries)]
    return b"".join(block.ljust(DISK_BLOCK_BYTES, b"\0") for block in blocks[:-1]) + blocks[-1]


def _directory_block(entries: list[DirectoryEntry]) -> bytes:
    records = []
    name_offset = 12 * len(entries)
    for entry in entries:
        records.append(struct.pack("<QHBx", entry.inode.nid, name_offset, entry.inode.node.kind))
        name_offset += len(entry.name)
    return b"".join(records) + b"".join(entry.name for entry in entries)


def seal_first_block(block: bytes, plan: Plan, uuid: UUID, feature_incompat: int) -> bytes:
    """Return block 0 (4096 bytes) with the superblock and its checksum filled in.

    Everything else in the block must be there already, because the checksum covers it.
    """
    superblock = struct.pack(
        "<IIIBBHQQIIII16s16sI44x",
        MAGIC,
        0,
        _FEATURE_COMPAT,
        _BLOCK_BITS,
        0,
        plan.root.nid,
        len(plan.inodes),
        0,  # epoch
        0,
        plan.blocks,
        0,  # metadata starts at block 0
        0,  # no extended attributes
        uuid.bytes,
        b"",  # volume name
        feature_incompat,
    )
    end = SUPERBLOCK_OFFSET + EROFS_SUPERBLOCK_BYTES
    sealed = bytearray(block[:SUPERBLOCK_OFFSET] + superblock + block[end:])
    struct.pack_into("<I", sealed, _CHECKSUM_OFFSET, uninverted_crc32c(bytes(sealed[SUPERBLOCK_OFFSET:])))
    return bytes(sealed)
