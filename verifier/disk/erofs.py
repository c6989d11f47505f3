"""The layout of an uncompressed EROFS image, planned from names, kinds and sizes alone.

Equals `mkfs.erofs -T0 -x-1 --all-root` of erofs-utils 1.8.6 to 1.9.x with 4096-byte blocks. On-disk format: Linux
kernel, Documentation/filesystems/erofs.rst. No byte of a file is needed to know where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.allocator import BLOCK_BYTES, SLOT_BYTES, Allocator, Group
from provenance_oracle.verifier.disk.tree import Kind, Node, shown
from provenance_oracle.verifier.errors import FormatError

SUPERBLOCK_OFFSET = 1024
SUPERBLOCK_BYTES = 128
NO_BLOCK = 0xFFFFFFFF  # start block of an inode without full blocks

_COMPACT_BYTES = 32
_EXTENDED_BYTES = 64
_DIRENT_BYTES = 12
_MAX_LINKS = 0xFFFF
_MAX_ROOT_NUMBER = 0xFFFF
_MAX_BLOCKS = 2**32 - 1


@dataclass(slots=True, eq=False)
class Inode:
    """One inode and where it and its content lie. Filled in while planning, only read afterwards."""

    node: Node
    ino: int
    size: int
    links: int
    inode_bytes: int
    group: Group
    offset: int
    is_inline: bool
    start_block: int
    entries: list[Entry] = field(default_factory=list)  # of a directory, in order, `.` and `..` included

    @property
    def position(self) -> int:
        """Offset in the image. Known once the group is placed."""
        return (self.group.address or 0) * BLOCK_BYTES + self.offset

    @property
    def nid(self) -> int:
        """The number that directories name this inode by: its position in slots of 32 bytes."""
        return self.position // SLOT_BYTES

    @property
    def tail_bytes(self) -> int:
        """Bytes behind the last full block."""
        return self.size % BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a directory and the inode it leads to."""

    name: bytes
    inode: Inode


@dataclass(frozen=True)
class Plan:
    """A planned image: `blocks` data blocks of 4096 bytes, in which every inode has its place."""

    root: Inode
    inodes: tuple[Inode, ...]
    blocks: int

    @property
    def size_bytes(self) -> int:
        """Size of the image, which is where the hash tree begins (`hash_offset`)."""
        return self.blocks * BLOCK_BYTES


def plan_erofs(root: Node) -> Plan:
    """Lay out a tree.

    Raises:
        FormatError: the tree is beyond what the layout was compared for (links of a directory, size of the image).
    """
    return Planner(Allocator()).plan(root)


def split_entries(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut a directory's entries into blocks: an entry that would cross the border starts the next one."""
    block: list[Entry] = []
    used = 0
    for entry in entries:
        cost = _DIRENT_BYTES + len(entry.name)
        if used + cost > BLOCK_BYTES:
            yield block
            block, used = [], 0
        block.append(entry)
        used += cost
    yield block


class Planner:
    """Lays one tree out, as releases from 1.8.6 on do."""

    def __init__(self, allocator: Allocator) -> None:
        self.inodes: list[Inode] = []
        self.allocator = allocator
        first = self.allocator.add_metadata(SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES, 0)
        assert first is not None
        self.allocator.place(first[0])

    def plan(self, root: Node) -> Plan:
        top = self.lay_out(root)
        self.allocator.place_all()
        blocks = self.allocator.tail
        if blocks > _MAX_BLOCKS or top.nid > _MAX_ROOT_NUMBER:
            wanted = "fewer than 2^32 blocks, root inode 65535"
            raise _unproven("image", f"{blocks} blocks, root inode {top.nid}", wanted)
        return Plan(top, tuple(self.inodes), blocks)

    def lay_out(self, root: Node) -> Inode:
        """Place everything below `root` and return its inode."""
        top = self._directory(root)
        self.allocator.place(top.group)
        self._fill_directory(top, parent=top)
        return top

    def _fill_directory(self, inode: Inode, parent: Inode) -> None:
        """Depth first: the directory's children, its own entries, then each subdirectory with all below it."""
        children = [self._child(node) for node in inode.node.children]
        entries = [Entry(b".", inode), Entry(b"..", parent), *(Entry(c.node.name, c) for c in children)]
        inode.entries = sorted(entries, key=lambda entry: entry.name)
        self._entries(inode)
        for child in children:
            if child.node.kind is Kind.DIRECTORY:
                self._fill_directory(child, inode)

    def _child(self, node: Node) -> Inode:
        return self._directory(node) if node.kind is Kind.DIRECTORY else self._file(node)

    def _file(self, node: Node) -> Inode:
        """Place a file or link completely: full blocks first, then the inode with or without the tail behind it."""
        start, data = (0, None) if node.size == 0 else self._full_blocks(node.size, self.allocator.add_file_blocks)
        inode = self._inode(node, node.size, 1, start, data)
        self._finish_content(inode, data, self.allocator.add_file_blocks)
        return inode

    def _directory(self, node: Node) -> Inode:
        """Make room for a directory's inode only; its entries follow when its children have their places."""
        size, links = directory_size(node)
        return self._inode(node, size, links, NO_BLOCK, None)

    def _entries(self, inode: Inode) -> None:
        """Place a directory's own blocks; the entries name inodes by position, so all of those are placed too."""
        inode.start_block, data = self._full_blocks(inode.size, self.allocator.add_directory_blocks)
        for entry in inode.entries:
            self.allocator.place(entry.inode.group)
        if data and inode.tail_bytes and not inode.is_inline:
            self._grow(data)
        self._finish_content(inode, data, self.allocator.add_directory_blocks)

    def _inode(self, node: Node, size: int, links: int, start: int, data: Group | None) -> Inode:
        inode_bytes = inode_size(size)
        tail = size % BLOCK_BYTES
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
        if size < BLOCK_BYTES:
            return NO_BLOCK, None
        data = add(size // BLOCK_BYTES)
        return self.allocator.place(data), data

    def _finish_content(self, inode: Inode, data: Group | None, add: Callable[[int], Group]) -> None:
        """Give a tail that is neither inline nor behind full blocks a block of its own."""
        if data is None and inode.tail_bytes and not inode.is_inline:
            data = add(1)
            inode.start_block = self.allocator.place(data)
        if data:
            self.allocator.release(data)

    def _grow(self, data: Group) -> None:
        grown = self.allocator.extend(data, BLOCK_BYTES, 0, BLOCK_BYTES)
        assert grown is not None


def directory_size(node: Node) -> tuple[int, int]:
    """Return a directory's size (full blocks up to the last, which ends with its last name) and its link count."""
    position = 0
    for name in sorted([b".", b"..", *(child.name for child in node.children)]):
        cost = _DIRENT_BYTES + len(name)
        if position % BLOCK_BYTES + cost > BLOCK_BYTES:
            position += BLOCK_BYTES - position % BLOCK_BYTES
        position += cost
    links = 2 + sum(child.kind is Kind.DIRECTORY for child in node.children)
    if links > _MAX_LINKS:
        raise _unproven(shown(node.name), f"{links - 2} subdirectories", f"at most {_MAX_LINKS - 2}")
    return position, links


def inode_size(size: int) -> int:
    """Return the bytes of an inode for content of `size`."""
    return _COMPACT_BYTES if size <= 0xFFFFFFFF else _EXTENDED_BYTES


def _unproven(where: str, got: str, wanted: str) -> FormatError:
    return FormatError("no layout is proven for this", check=Check.FILE_SET, where=where, got=got, wanted=wanted)
