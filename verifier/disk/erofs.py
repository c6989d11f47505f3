"""Plan the layout of an uncompressed EROFS image from names, kinds and sizes alone. No file is read.

The layout equals that of `mkfs.erofs -T0 -x-1 --all-root` of erofs-utils 1.8.6 to 1.9.x with 4096-byte blocks. On-disk
format: Linux kernel, Documentation/filesystems/erofs.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES, SLOT_BYTES, Allocator, Group
from provenance_oracle.verifier.disk.tree import FileKind, Node, path_text
from provenance_oracle.verifier.errors import FormatError

SUPERBLOCK_OFFSET = 1024
EROFS_SUPERBLOCK_BYTES = 128
NO_BLOCK = 0xFFFFFFFF  # start block of an inode with content but without blocks of its own

_COMPACT_BYTES = 32
_EXTENDED_BYTES = 64
_DIRENT_BYTES = 12
_MAX_LINKS = 0xFFFF
_MAX_ROOT_NUMBER = 0xFFFF
_MAX_BLOCKS = 2**32 - 1


@dataclass(slots=True, eq=False)
class Inode:
    """An inode with the position of itself and of its content. The planner fills it in; nobody changes it afterwards.

    Attributes:
        ino: the inode number, in the order of allocation.
        size: the size of the content in bytes.
        links: the link count.
        inode_bytes: the size of the inode, 32 or 64.
        group: the group that holds the inode, at `offset` bytes.
        is_inline: whether the tail of the content is directly behind the inode.
        start_block: the number of the first block of the content.
        entries: the entries of a directory in order, `.` and `..` included.
    """

    node: Node
    ino: int
    size: int
    links: int
    inode_bytes: int
    group: Group
    offset: int
    is_inline: bool
    start_block: int
    entries: list[DirectoryEntry] = field(default_factory=list)

    @property
    def position(self) -> int:
        """Offset in the image, in bytes. It is valid once the group is placed."""
        return (self.group.address or 0) * DISK_BLOCK_BYTES + self.offset

    @property
    def nid(self) -> int:
        """The number of this inode in directories: its position in units of 32 bytes."""
        return self.position // SLOT_BYTES

    @property
    def tail_bytes(self) -> int:
        """Number of bytes after the last full block."""
        return self.size % DISK_BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A name in a directory, and the inode that it refers to."""

    name: bytes
    inode: Inode


@dataclass(frozen=True)
class Plan:
    """A planned image of `blocks` data blocks of 4096 bytes, with a position for every inode."""

    root: Inode
    inodes: tuple[Inode, ...]
    blocks: int

    @property
    def size_bytes(self) -> int:
        """Size of the image in bytes. It is the offset of the verity superblock (`hash_offset`)."""
        return self.blocks * DISK_BLOCK_BYTES


def plan_erofs(root: Node) -> Plan:
    """Lay out a tree as erofs-utils 1.8.6 to 1.9.x does.

    Raises:
        FormatError: the layout is not proven for such a tree: a directory has more than 65533 subdirectories, or the
            image has 2^32 blocks or more, or its root inode is above 65535 (check `file-set`).
    """
    return Planner(Allocator()).plan(root)


def split_entries(entries: list[DirectoryEntry]) -> Iterator[list[DirectoryEntry]]:
    """Split the entries of a directory into blocks. An entry that would cross a block's end starts the next block."""
    block: list[DirectoryEntry] = []
    used = 0
    for entry in entries:
        cost = _DIRENT_BYTES + len(entry.name)
        if used + cost > DISK_BLOCK_BYTES:
            yield block
            block, used = [], 0
        block.append(entry)
        used += cost
    yield block


class Planner:
    """Lays out one tree as erofs-utils 1.8.6 and later does. Use a planner once."""

    def __init__(self, allocator: Allocator) -> None:
        self.inodes: list[Inode] = []
        self.allocator = allocator
        first = self.allocator.add_metadata(SUPERBLOCK_OFFSET + EROFS_SUPERBLOCK_BYTES, 0)
        assert first is not None
        self.allocator.place(first[0])

    def plan(self, root: Node) -> Plan:
        """Lay out the tree below `root` and return the plan.

        Raises:
            FormatError: as `plan_erofs` raises it.
        """
        top = self.lay_out(root)
        self.allocator.place_all()
        blocks = self.allocator.tail
        if blocks > _MAX_BLOCKS or top.nid > _MAX_ROOT_NUMBER:
            wanted = "fewer than 2^32 blocks, root inode 65535"
            raise _unproven("image", f"{blocks} blocks, root inode {top.nid}", wanted)
        return Plan(top, tuple(self.inodes), blocks)

    def lay_out(self, root: Node) -> Inode:
        """Lay out everything below `root` and return its inode."""
        top = self._directory(root)
        self.allocator.place(top.group)
        self._fill_directory(top, parent=top)
        return top

    def _fill_directory(self, inode: Inode, parent: Inode) -> None:
        """Lay out, depth first, the directory's children, its own entries, then each subdirectory with its subtree."""
        children = [self._child(node) for node in inode.node.children]
        entries = [
            DirectoryEntry(b".", inode),
            DirectoryEntry(b"..", parent),
            *(DirectoryEntry(c.node.name, c) for c in children),
        ]
        inode.entries = sorted(entries, key=lambda entry: entry.name)
        self._entries(inode)
        for child in children:
            if child.node.kind is FileKind.DIRECTORY:
                self._fill_directory(child, inode)

    def _child(self, node: Node) -> Inode:
        return self._directory(node) if node.kind is FileKind.DIRECTORY else self._file(node)

    def _file(self, node: Node) -> Inode:
        """Lay out a file or link: first the full blocks, then the inode, with the tail behind it if it fits."""
        start, data = (0, None) if node.size == 0 else self._full_blocks(node.size, self.allocator.add_file_blocks)
        inode = self._inode(node, node.size, 1, start, data)
        self._finish_content(inode, data, self.allocator.add_file_blocks)
        return inode

    def _directory(self, node: Node) -> Inode:
        """Allocate only the inode of a directory. Its entries follow when its children have their positions."""
        size, links = directory_size(node)
        return self._inode(node, size, links, NO_BLOCK, None)

    def _entries(self, inode: Inode) -> None:
        """Lay out the blocks of a directory, and place all its entries' inodes, whose positions the blocks contain."""
        inode.start_block, data = self._full_blocks(inode.size, self.allocator.add_directory_blocks)
        for entry in inode.entries:
            self.allocator.place(entry.inode.group)
        if data and inode.tail_bytes and not inode.is_inline:
            self._grow(data)
        self._finish_content(inode, data, self.allocator.add_directory_blocks)

    def _inode(self, node: Node, size: int, links: int, start: int, data: Group | None) -> Inode:
        inode_bytes = inode_size(size)
        tail = size % DISK_BLOCK_BYTES
        room = self.allocator.add_metadata(inode_bytes, tail)
        is_inline = room is not None and tail > 0
        if room and tail:
            self.allocator.extend(room[0], tail, 0, 1)
        if room is None:
            if data:
                self._grow(data)
            room = self.allocator.add_metadata(inode_bytes, 0)
        assert room is not None
        inode = Inode(node, len(self.inodes) + 1, size, links, inode_bytes, room[0], room[1], is_inline, start)
        self.inodes.append(inode)
        return inode

    def _full_blocks(self, size: int, add: Callable[[int], Group]) -> tuple[int, Group | None]:
        if size < DISK_BLOCK_BYTES:
            return NO_BLOCK, None
        data = add(size // DISK_BLOCK_BYTES)
        return self.allocator.place(data), data

    def _finish_content(self, inode: Inode, data: Group | None, add: Callable[[int], Group]) -> None:
        """Allocate a block for a tail that is neither inline nor behind full blocks."""
        if data is None and inode.tail_bytes and not inode.is_inline:
            data = add(1)
            inode.start_block = self.allocator.place(data)
        if data:
            self.allocator.release(data)

    def _grow(self, data: Group) -> None:
        grown = self.allocator.extend(data, DISK_BLOCK_BYTES, 0, DISK_BLOCK_BYTES)
        assert grown is not None


def directory_size(node: Node) -> tuple[int, int]:
    """Return the size of a directory in bytes (its last block ends with the last name) and its link count.

    Raises:
        FormatError: the directory has more than 65533 subdirectories (check `file-set`).
    """
    position = 0
    for name in sorted([b".", b"..", *(child.name for child in node.children)]):
        cost = _DIRENT_BYTES + len(name)
        if position % DISK_BLOCK_BYTES + cost > DISK_BLOCK_BYTES:
            position += DISK_BLOCK_BYTES - position % DISK_BLOCK_BYTES
        position += cost
    links = 2 + sum(child.kind is FileKind.DIRECTORY for child in node.children)
    if links > _MAX_LINKS:
        raise _unproven(path_text(node.name), f"{links - 2} subdirectories", f"at most {_MAX_LINKS - 2}")
    return position, links


def inode_size(size: int) -> int:
    """Return the size in bytes of the inode for content of `size` bytes: 32, or 64 from 4 GiB on."""
    return _COMPACT_BYTES if size <= 0xFFFFFFFF else _EXTENDED_BYTES


def _unproven(where: str, got: str, wanted: str) -> FormatError:
    return FormatError(
        "the layout of such a tree is not proven", check=Check.FILE_SET, where=where, got=got, wanted=wanted
    )
