"""Build the dm-verity hash tree while the leaves arrive, with one hash block of memory per level.

Format: Linux kernel, Documentation/admin-guide/device-mapper/verity.rst, section "Hash Tree".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provenance_oracle.verifier.disk.verity import BlockHasher, VerityParameters, block_hasher

# Receives whole hash blocks. Arguments: level (0 is next to the data), number of the first block in the level, bytes.
BlockSink = Callable[[int, int, bytes], None]


@dataclass(frozen=True)
class Tree:
    """A finished tree: its root, and the first hash block of each level, from the leaves up."""

    root: bytes
    first_blocks: tuple[bytes, ...]


class TreeBuilder:
    """Builds the tree from leaves that are added in order, any number at a time.

    The builder hashes a block of digests as soon as it is full, so each level holds at most one unfinished block.

    Args:
        data_blocks: the number of leaves.
        hash_nodes: hashes hash blocks; by default the implementation without native code.
        sink: receives every finished hash block, for callers that need the tree and not only its root.
    """

    def __init__(
        self,
        parameters: VerityParameters,
        data_blocks: int,
        *,
        hash_nodes: BlockHasher | None = None,
        sink: BlockSink | None = None,
    ) -> None:
        self._parameters = parameters
        self._sink = sink
        self._data_blocks = data_blocks
        self._hash = hash_nodes or block_hasher(
            parameters.algorithm, parameters.hash_format, parameters.hash_block_bytes
        )
        self._levels = len(parameters.level_blocks(data_blocks))
        self._open = [bytearray() for _ in range(self._levels + 1)]  # above the top level: the root
        self._blocks = [0] * self._levels
        self._first: list[bytes] = [b""] * self._levels
        self._leaves = 0

    def update(self, leaves: bytes) -> None:
        """Add the digests of the next data blocks, concatenated."""
        self._leaves += len(leaves) // self._parameters.digest_bytes
        self._add(0, leaves)

    def finish(self) -> Tree:
        """Close every level and return the tree. Call it once, after the last leaf."""
        assert self._leaves == self._data_blocks, "a leaf is missing"
        for level in range(self._levels):
            if self._open[level]:
                self._close(level, bytes(self._open[level]))
                self._open[level].clear()
        return Tree(bytes(self._open[-1][: self._parameters.digest_bytes]), tuple(self._first))

    def with_first_leaf(self, tree: Tree, leaf: bytes) -> Tree:
        """Return the tree for the same data with another digest of block 0. Hashes one block per level again."""
        digest = leaf
        blocks = []
        for block in tree.first_blocks:
            slot = digest.ljust(self._parameters.slot_bytes, b"\0")
            blocks.append(slot + block[len(slot) :])
            digest = self._hash(memoryview(blocks[-1]), self._parameters.salt)
        return Tree(digest, tuple(blocks))

    def _add(self, level: int, digests: bytes) -> None:
        pending = self._open[level]
        pending += self._into_slots(digests)
        if level == self._levels:
            return
        full = self._parameters.digests_per_block * self._parameters.slot_bytes
        whole = len(pending) // full * full
        if whole:
            self._close(level, bytes(pending[:whole]))
            del pending[:whole]

    def _close(self, level: int, slots: bytes) -> None:
        """Hash the blocks that `slots` fill (the last may be partly filled) into the level above."""
        full = self._parameters.digests_per_block * self._parameters.slot_bytes
        size = self._parameters.hash_block_bytes
        blocks = b"".join(slots[start : start + full].ljust(size, b"\0") for start in range(0, len(slots), full))
        if self._blocks[level] == 0:
            self._first[level] = blocks[:size]
        if self._sink:
            self._sink(level, self._blocks[level], blocks)
        self._blocks[level] += len(blocks) // size
        self._add(level + 1, self._hash(memoryview(blocks), self._parameters.salt))

    def _into_slots(self, digests: bytes) -> bytes:
        size, slot = self._parameters.digest_bytes, self._parameters.slot_bytes
        if size == slot:
            return digests
        return b"".join(digests[start : start + size].ljust(slot, b"\0") for start in range(0, len(digests), size))


def level_offsets(parameters: VerityParameters, data_blocks: int) -> tuple[tuple[int, ...], int]:
    """Return the offset of each level in the hash area, from the leaves up, and the size of the area, in bytes.

    On disk the top level comes first.
    """
    offsets = []
    position = 0
    for blocks in reversed(parameters.level_blocks(data_blocks)):
        offsets.append(position)
        position += blocks * parameters.hash_block_bytes
    return tuple(reversed(offsets)), position
