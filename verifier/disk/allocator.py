"""The placement rules of mkfs.erofs: it allocates blocks, and space inside metadata blocks.

An image is a list of groups of whole blocks. A data group holds full blocks of one file; a metadata group holds inodes
and the tails of files. The fill of the open groups decides which group an inode joins, so the order of the calls
decides every address. The rules equal those of erofs-utils 1.8.6 to 1.9.x for uncompressed images with 4096-byte
blocks. They were found by experiment, and the tests compare them with images that mkfs.erofs made.
"""

from __future__ import annotations

from collections.abc import Iterator

DISK_BLOCK_BYTES = 4096
SLOT_BYTES = 32  # alignment of inodes


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is not below `value`."""
    return -(-value // multiple) * multiple


class Group:
    """Consecutive blocks of an image.

    Attributes:
        is_metadata: whether the group holds inodes, tails or the blocks of a directory.
        address: the number of the first block, or None until the group is placed.
        used: the number of bytes in use.
        blocks: the number of blocks.
    """

    __slots__ = ("address", "blocks", "is_metadata", "used")

    def __init__(self, *, is_metadata: bool, used: int = 0) -> None:
        self.is_metadata = is_metadata
        self.address: int | None = None
        self.used = used
        self.blocks = used // DISK_BLOCK_BYTES


class _Queues:
    """Metadata groups by the number of bytes used in their last block. Each queue is first in, first out.

    A bit mask of the queues that are not empty avoids a search through 4096 queues.
    """

    def __init__(self) -> None:
        self._queues: dict[int, dict[Group, None]] = {}
        self._mask = 0
        self._key_of: dict[Group, int] = {}

    def join(self, group: Group) -> None:
        """Move a group to the end of the queue of its fill."""
        self.leave(group)
        key = group.used % DISK_BLOCK_BYTES
        self._queues.setdefault(key, {})[group] = None
        self._key_of[group] = key
        self._mask |= 1 << key

    def leave(self, group: Group) -> None:
        key = self._key_of.pop(group, None)
        if key is None:
            return
        queue = self._queues[key]
        del queue[group]
        if not queue:
            self._mask ^= 1 << key

    def heads(self, high: int, low: int, but: Group | None = None) -> Iterator[Group]:
        """Yield the first group of every queue from `high` down to `low`, or the second if `but` is the first."""
        window = (self._mask & ((2 << high) - 1)) >> low
        while window:
            top = window.bit_length() - 1
            window ^= 1 << top
            for group in self._queues[low + top]:
                if group is not but:
                    yield group
                    break


class Allocator:
    """The groups of an image in order: first the placed groups, whose addresses are fixed, then the waiting ones.

    Attributes:
        tail: the number of the next free block.
    """

    def __init__(self) -> None:
        self.tail = 0
        self._placed: dict[Group, None] = {}
        self._waiting: dict[Group, None] = {}
        self._placed_queues = _Queues()
        self._waiting_queues = _Queues()

    def add_metadata(self, size: int, inline: int) -> tuple[Group, int] | None:
        """Allocate an inode of `size` bytes that has `inline` bytes behind it in the same block.

        Returns the group and the offset in it, or None if no block can hold it. In that case an empty group stays in
        the list, as in mkfs.erofs; it is placed later and may then grow.
        """
        group = self._choose(size, inline)
        if group is None:
            group = Group(is_metadata=True)
            self._waiting[group] = None
        offset = self.extend(group, size, inline, SLOT_BYTES)
        return None if offset is None else (group, offset)

    def add_file_blocks(self, count: int) -> Group:
        """Add `count` full blocks of a file after the placed groups and before the waiting ones."""
        group = Group(is_metadata=False, used=count * DISK_BLOCK_BYTES)
        self._put(group)
        return group

    def add_directory_blocks(self, count: int) -> Group:
        """Add `count` full blocks of a directory after all groups."""
        group = Group(is_metadata=True, used=count * DISK_BLOCK_BYTES)
        self._waiting[group] = None
        self.place(group)
        return group

    def extend(self, group: Group, size: int, inline: int, align: int) -> int | None:
        """Allocate `size` more bytes of a group, aligned to `align`. `inline` more bytes must fit but stay unused.

        Returns the offset in the group, or None if the bytes do not fit.
        """
        if self._fill(group, size, inline, align) is None:
            return None
        offset = round_up(group.used, align)
        group.used = offset + size
        needed = -(-group.used // DISK_BLOCK_BYTES)
        if needed > group.blocks:
            group.blocks = needed
            if group.address is not None:
                self.tail = group.address + needed
        self._requeue(group)
        return offset

    def place(self, group: Group) -> int:
        """Fix the address of a group and of all groups that wait before it. Returns the number of its first block."""
        while group.address is None:
            first = next(iter(self._waiting))
            del self._waiting[first]
            self._put(first)
        return group.address

    def place_all(self) -> None:
        """Fix the addresses of all waiting groups."""
        for group in list(self._waiting):
            self.place(group)

    def release(self, group: Group) -> None:
        """Remove a finished group from the list.

        The group before it becomes the last one, but it cannot grow, because the block after it is in use.
        """
        self._placed_queues.leave(group)
        del self._placed[group]

    def _put(self, group: Group) -> None:
        self._waiting_queues.leave(group)
        group.address = self.tail
        self.tail += group.blocks
        self._placed[group] = None
        self._requeue(group)

    def _requeue(self, group: Group) -> None:
        if group.is_metadata:
            (self._waiting_queues if group.address is None else self._placed_queues).join(group)

    @property
    def _last(self) -> Group | None:
        return next(reversed(self._placed), None)

    def _fill(self, group: Group, size: int, inline: int, align: int) -> int | None:
        """Return the fill of the block in which the item would end, inline bytes included; None if it does not fit."""
        offset = round_up(group.used, align)
        end = (offset + size - 1) % DISK_BLOCK_BYTES
        if end + inline > DISK_BLOCK_BYTES - 1:
            return None
        if offset + size + inline > group.blocks * DISK_BLOCK_BYTES and not self._can_grow(group):
            return None
        return end + 1 + inline

    def _can_grow(self, group: Group) -> bool:
        """Return whether a group can grow. A placed group can only grow at the end of the image."""
        return group.address is None or (group is self._last and group.address + group.blocks == self.tail)

    def _choose(self, size: int, inline: int) -> Group | None:
        """Return the group that an inode and its inline bytes fill most, or None. Ties go to the earlier step."""
        need = size + inline
        ideal = (
            (DISK_BLOCK_BYTES - need % DISK_BLOCK_BYTES) // SLOT_BYTES * SLOT_BYTES
        )  # the highest fill that leaves enough room
        choice: Group | None = None
        best = 0
        if need < DISK_BLOCK_BYTES:
            last = self._last
            for group in self._placed_queues.heads(min(ideal, DISK_BLOCK_BYTES - 1), 1, but=last):
                if fill := self._fill(group, size, inline, SLOT_BYTES):
                    choice, best = group, fill
                    break
            if last and last.is_metadata and (fill := self._fill(last, size, inline, SLOT_BYTES)) and fill > best:
                choice, best = last, fill
        for group in self._waiting_heads(ideal, wraps=need < DISK_BLOCK_BYTES):
            if fill := self._fill(group, size, inline, SLOT_BYTES):
                return group if fill > best else choice
        return choice

    def _waiting_heads(self, ideal: int, *, wraps: bool) -> Iterator[Group]:
        queues = self._waiting_queues
        if ideal == DISK_BLOCK_BYTES:
            yield from queues.heads(0, 0)
            yield from queues.heads(DISK_BLOCK_BYTES - 1, 1)
        elif wraps:
            yield from queues.heads(ideal, 0)
            yield from queues.heads(DISK_BLOCK_BYTES - 1, ideal + SLOT_BYTES)
        else:
            yield from queues.heads(ideal, 1)
