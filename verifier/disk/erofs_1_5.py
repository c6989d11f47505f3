"""The layout of erofs-utils 1.5 (Debian 12). It differs from that of 1.8.6 and later in order and in choice of groups.

A group gets its address as soon as it is made. The blocks of a folder come before its inode and its children. A
subfolder is laid out completely at its position among its siblings. Inode numbers start at 0.
"""

from __future__ import annotations

from dataclasses import replace

from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES, SLOT_BYTES, Allocator, Group, round_up
from provenance_oracle.verifier.disk.erofs import DirectoryEntry, Inode, Plan, Planner, directory_size, inode_size
from provenance_oracle.verifier.disk.tree import FileKind, Node

_LEFT_OUT = b"lost+found"  # mkfs.erofs 1.5 leaves out names with this prefix, at any depth


def plan_erofs_1_5(root: Node) -> Plan:
    """Lay out a tree as mkfs.erofs 1.5 does.

    Raises:
        FormatError: as `plan_erofs` raises it.
    """
    return _Planner15(_Allocator15()).plan(root)


class _Allocator15(Allocator):
    """An allocator that tries the last placed group and every waiting group in turn, and leaves no stray groups."""

    def add_metadata(self, size: int, inline: int) -> tuple[Group, int] | None:
        return super().add_metadata(size, inline) if size % DISK_BLOCK_BYTES + inline <= DISK_BLOCK_BYTES else None

    def _fill(self, group: Group, size: int, inline: int, align: int) -> int | None:
        """Return the fill as in later releases. Inline bytes after an item at a block's end may use the next block."""
        offset = round_up(group.used, align)
        if offset + size + inline > group.blocks * DISK_BLOCK_BYTES and not self._can_grow(group):
            return None
        fill = (offset + size) % DISK_BLOCK_BYTES + inline
        return fill if fill <= DISK_BLOCK_BYTES else None

    def _choose(self, size: int, inline: int) -> Group | None:
        need = size + inline
        choice, best = self._placed_choice(need)
        last = self._last
        for group in [*([last] if last else []), *self._waiting]:
            used = group.used % DISK_BLOCK_BYTES
            fill = self._fill(group, size, inline, SLOT_BYTES) if used else None
            # If the item starts another block, that must get at least as full as this one is, or as a new group would.
            if fill is not None and fill > best and (fill >= used or fill >= need):
                choice, best = group, fill
        return choice

    def _placed_choice(self, need: int) -> tuple[Group | None, int]:
        """Return the fullest placed group with room, except the last one, and the fill of its block afterwards."""
        if need < DISK_BLOCK_BYTES:
            for group in self._placed_queues.heads((DISK_BLOCK_BYTES - need) // SLOT_BYTES * SLOT_BYTES, 1):
                if group is not self._last:
                    return group, round_up(group.used, SLOT_BYTES) % DISK_BLOCK_BYTES + need
        return None, 0


class _Planner15(Planner):
    def lay_out(self, root: Node) -> Inode:
        return self._tree(root, None)

    def _tree(self, node: Node, parent: Inode | None) -> Inode:
        """Lay out a directory: its blocks, its inode, then every entry completely, in the order of names."""
        children = tuple(child for child in node.children if not child.name.startswith(_LEFT_OUT))
        inode, data = self._made(node, *directory_size(replace(node, children=children)))
        if parent is None:
            self.allocator.place(inode.group)
        by_name: dict[bytes, Node] = {child.name: child for child in children}
        for name in sorted([b".", b"..", *by_name]):
            if name in by_name:
                target = self._entry(by_name[name], inode)
            else:
                target = inode if name == b"." else parent or inode
            self.allocator.place(target.group)  # also its own group, when its turn comes
            inode.entries.append(DirectoryEntry(name, target))
        if data:
            self.allocator.release(data)
        return inode

    def _entry(self, node: Node, parent: Inode) -> Inode:
        if node.kind is FileKind.DIRECTORY:
            return self._tree(node, parent)
        inode, data = self._made(node, node.size, 1)
        if data:
            self.allocator.release(data)
        return inode

    def _made(self, node: Node, size: int, links: int) -> tuple[Inode, Group | None]:
        """Place the full blocks, if any, then find room for the inode, with the tail behind it if it fits."""
        start, data = (0, None) if size == 0 else self._full_blocks(size, self.allocator.add_directory_blocks)
        tail, inode_bytes = size % DISK_BLOCK_BYTES, inode_size(size)
        room = self.allocator.add_metadata(inode_bytes, tail)
        is_inline = room is not None and tail > 0
        if room and tail:
            self.allocator.extend(room[0], tail, 0, 1)
        if room is None:
            if data:
                self._grow(data)
            else:
                data = self.allocator.add_directory_blocks(1)
                start = self.allocator.place(data)
            room = self.allocator.add_metadata(inode_bytes, 0)
        assert room is not None
        inode = Inode(node, len(self.inodes), size, links, inode_bytes, room[0], room[1], is_inline, start)
        self.inodes.append(inode)
        return inode, data
