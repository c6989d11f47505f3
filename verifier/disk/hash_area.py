"""Keep the hash tree in a file, in the order of the disk: levels from the top down, written while they grow.

Format: Linux kernel, Documentation/admin-guide/device-mapper/verity.rst, section "On-disk format".
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from provenance_oracle.verifier.disk.verity import VerityParameters
from provenance_oracle.verifier.disk.verity_tree import Tree, level_offsets

_READ_BYTES = 4 << 20


class HashArea:
    """Keeps the blocks of the tree in a file, from the offset `start` on.

    The builder finishes blocks from the lowest level up, but the disk has the top level first. The lowest level (1/128
    of the data) is not kept in memory, so each block is written to its final position in the file.

    Attributes:
        size_bytes: the size of the area.
    """

    def __init__(self, descriptor: int, start: int, parameters: VerityParameters, data_blocks: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._block_bytes = parameters.hash_block_bytes
        self._offsets, self.size_bytes = level_offsets(parameters, data_blocks)

    def write(self, level: int, first: int, blocks: bytes) -> None:
        """Write blocks to their position. This is the `BlockSink` of a `TreeBuilder`."""
        write_at(self._descriptor, blocks, self._start + self._offsets[level] + first * self._block_bytes)

    def select(self, tree: Tree) -> None:
        """Turn the area into that of the variant `tree`. Variants differ in the first block of each level only."""
        for level, block in enumerate(tree.first_blocks):
            self.write(level, 0, block)

    def read(self) -> Iterator[bytes]:
        """Yield the area from its beginning to its end."""
        position = 0
        while position < self.size_bytes:
            part = os.pread(self._descriptor, min(_READ_BYTES, self.size_bytes - position), self._start + position)
            assert part, "the hash area is shorter than the tree"
            position += len(part)
            yield part


def write_at(descriptor: int, data: bytes | memoryview, position: int) -> None:
    """Write all of `data` at `position`."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, position)
        rest, position = rest[written:], position + written
