"""fs-verity digests on an NVIDIA GPU: of files, and of bytes already in its memory, such as a live model's weights.

For files on disk the disk is the limit, and the CPU keeps up with it; the gain is with memory on the device. The GPU
hashes the leaves and the first level of nodes (`tree.cu`) in batches, several at once. The CPU hashes the rest of the
tree, which is 32 bytes for every 512 KiB. It also hashes a random sample of every file's blocks again, to detect a GPU
that computes wrongly.

This module has no CUDA code; `device.py` defines the interface of a device.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from random import Random, SystemRandom
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.gpu.device import Device, DeviceError, DeviceFaultError, Lane, Lanes
from provenance_oracle.verifier.digest.tree.blocks import Buffer, Take, count_blocks
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES, FileDigest, descriptor_digest
from provenance_oracle.verifier.digest.tree.merkle import (
    NODE_BLOCKS,
    Advance,
    ByteSource,
    FileSource,
    NodeStack,
    read_blocks,
)
from provenance_oracle.verifier.digest.tree.segments import Memory, Segments
from provenance_oracle.verifier.strict.files import OpenBytes, OpenFile

_FILE_BATCH_BLOCKS = 32 * 1024 * 1024 // BLOCK_BYTES
_MEMORY_BATCH_BLOCKS = 4 * 1024**3 // BLOCK_BYTES
_WORTH_BYTES = 8 * 1024 * 1024  # the CPU finishes a smaller file before the GPU has started
_SAMPLED_BLOCKS = 64
_ELSEWHERE_MAX_BYTES = 256 * 1024 * 1024  # the most that is copied to the device for one file


def _ignore(size: int) -> None:
    """An `Advance` callback that does nothing."""


class CudaHasher:
    """A `files.FileHasher` for GPUs. Small files, streams, and files whose SHA-256 is requested too, go to the CPU.

    The SHA-256 of a whole file is serial, and the CPU can hash the tree in the same pass. A stream comes in order, from
    a network: the CPU keeps up with it, and could not begin it again after a failure of the GPU.

    Args:
        device: the GPU.
        cpu: hashes the rest.
        sampled_blocks: the number of random blocks of each file to hash again on the CPU; the last block always is.
        random: chooses the blocks.
        worth_bytes: files smaller than this go to the CPU.
    """

    def __init__(
        self,
        device: Device,
        cpu: CpuHasher,
        *,
        sampled_blocks: int = _SAMPLED_BLOCKS,
        random: Random | None = None,
        worth_bytes: int = _WORTH_BYTES,
    ) -> None:
        self._device = device
        self._cpu = cpu
        self._sampled_blocks = sampled_blocks
        self._random = random or SystemRandom()
        self._worth_bytes = worth_bytes
        self._file_lanes = Lanes(partial(device.open_lane, with_data=True), _FILE_BATCH_BLOCKS)
        self._memory_lanes = Lanes(partial(device.open_lane, with_data=False), _MEMORY_BATCH_BLOCKS)

    @property
    def files_at_once(self) -> int:
        return self._cpu.files_at_once

    @property
    def path_name(self) -> str:
        """The name of the implementation that runs, for people."""
        return f"cuda ({self._device.name})"

    def __call__(self, file: OpenBytes, *, sha256: bool, advance: Advance, also: Sequence[Take] = ()) -> FileDigest:
        """Hash one open file.

        Raises:
            ChangedError: the file has fewer than `file.size` bytes. TemporaryError: the file cannot be read.
            DeviceError: the GPU failed; the file has no digest yet. DeviceFaultError: the GPU computes wrongly.
        """
        if sha256 or also or file.size < self._worth_bytes or not isinstance(file, OpenFile):
            return self._cpu(file, sha256=sha256, advance=advance, also=also)
        return FileDigest(file.path, file.size, self.digest(FileSource(file), advance=advance, file=file))

    def digest(self, source: ByteSource, *, advance: Advance = _ignore, file: OpenFile | None = None) -> bytes:
        """Return the fs-verity digest (32 bytes) of a source. Raises the same errors as a call.

        Args:
            advance: called in this thread with the size of every batch that is done.
            file: the open file of the source, so that the device can read it directly if it can.
        """
        if source.size <= BLOCK_BYTES:
            return self._cpu.digest(source, advance=advance).fsverity
        direct = self._device.open_direct(file) if file else None
        return self._digest(_FileWork(source, direct), self._file_lanes, advance)

    def digest_segments(self, segments: Segments) -> bytes:
        """Return the fs-verity digest (32 bytes) of a file in memory, most of it on this device, without a copy.

        The call waits for all earlier work of the device. The caller must keep the bytes unchanged until it returns.

        Raises:
            DeviceError: the GPU failed, or more than 256 MiB of the file lie outside it.
            DeviceFaultError: the GPU computes wrongly.
        """
        if segments.size <= BLOCK_BYTES:
            return self._cpu.digest(segments).fsverity
        self._device.finish_all()
        return self._digest(_MemoryWork(self._device, segments), self._memory_lanes, _ignore)

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        """Return SHA-256(salt + block) of every 4096-byte block, as in `blocks.BlockHash`.

        Raises:
            ValueError: `blocks` are not whole blocks.
            DeviceError: the GPU failed. DeviceFaultError: the GPU computes wrongly.
        """
        lanes, found = self._file_lanes, b""
        uploaded = self._device.upload(salt or bytes(1))
        with lanes.open().job(), lanes.lend() as lane:
            for first in range(0, count_blocks(blocks), lanes.blocks):
                part = memoryview(blocks)[first * BLOCK_BYTES : (first + lanes.blocks) * BLOCK_BYTES]
                lane.host[: len(part)] = part
                digests = lane.hash_salted(uploaded, len(salt), len(part) // BLOCK_BYTES)
                for at in self._choose(len(part) // BLOCK_BYTES):
                    block = bytes(part[at * BLOCK_BYTES : (at + 1) * BLOCK_BYTES])
                    _confirm("block", salt + block, _nth(digests, at), "blocks")
                found += digests
        return found

    def _choose(self, count: int) -> set[int]:
        """Return the numbers of the blocks to hash again on the CPU: random ones, and the last."""
        return {self._random.randrange(count) for _ in range(self._sampled_blocks)} | {count - 1}

    def _digest(self, work: _Work, lanes: Lanes, advance: Advance) -> bytes:
        count = -(-work.size // BLOCK_BYTES)
        chosen = self._choose(count)
        nodes = NodeStack(self._cpu.blocks)
        with lanes.open().job() as job:
            for first in range(0, count, lanes.blocks):
                blocks = min(lanes.blocks, count - first)
                sample = [index for index in chosen if first <= index < first + blocks]
                job.add(partial(_run, work, lanes, first, blocks, sample))
                _take(job.results(), nodes, advance)
            _take(job.results(rest=True), nodes, advance)
        return descriptor_digest(work.size, nodes.root())


def _take(batches: Iterator[tuple[bytes, int]], nodes: NodeStack, advance: Advance) -> None:
    for found, size in batches:
        nodes.push(found)
        advance(size)


def _run(work: _Work, lanes: Lanes, first: int, blocks: int, sample: list[int]) -> tuple[bytes, int]:
    """Hash one batch, check the sample in it, and return the digests of its nodes and its size in bytes."""
    with lanes.lend() as lane:
        nodes = work.run(lane, first, blocks)
        for index in sample:
            _check_block(work, lane, index - first, work.block(lane, first, index), nodes)
    return nodes, min(blocks * BLOCK_BYTES, work.size - first * BLOCK_BYTES)


def _check_block(work: _Work, lane: Lane, at: int, block: bytes, nodes: bytes) -> None:
    """Hash block `at` of the batch, and the node above it, on the CPU, and compare the digests."""
    node = at // NODE_BLOCKS
    leaves = lane.leaves(node * NODE_BLOCKS, NODE_BLOCKS)
    _confirm("block", block.ljust(BLOCK_BYTES, b"\0"), _nth(leaves, at % NODE_BLOCKS), work.name)
    _confirm("node", leaves, _nth(nodes, node), work.name)


def _confirm(what: str, data: bytes, got: bytes, where: str) -> None:
    """Hash `data` on the CPU, and compare the digest with the GPU's.

    Raises:
        DeviceFaultError: the digests differ.
    """
    wanted = hashlib.sha256(data).digest()
    if got != wanted:
        raise DeviceFaultError(
            f"the GPU computes wrongly: its digest of a {what} differs from the CPU's",
            check=Check.FILE_DIGESTS,
            where=where,
            got=got.hex(),
            wanted=wanted.hex(),
        )


def _nth(digests: bytes, index: int) -> bytes:
    return digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]


class _Work(Protocol):
    """A file to hash in batches of blocks."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def run(self, lane: Lane, first: int, blocks: int) -> bytes:
        """Hash `blocks` blocks from number `first` on, and return the digests of the nodes above them."""

    def block(self, lane: Lane, first: int, index: int) -> bytes:
        """Return the bytes of block `index`, which belongs to the batch that just ran."""


@dataclass(frozen=True)
class _FileWork:
    source: ByteSource
    direct: object | None

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def size(self) -> int:
        return self.source.size

    def run(self, lane: Lane, first: int, blocks: int) -> bytes:
        offset = first * BLOCK_BYTES
        if self.direct is not None:
            return lane.hash_direct(self.direct, offset, min(blocks * BLOCK_BYTES, self.size - offset))
        read_blocks(self.source, lane.host[: blocks * BLOCK_BYTES], offset)
        return lane.hash_host(blocks)

    def block(self, lane: Lane, first: int, index: int) -> bytes:
        if self.direct is None:
            return bytes(lane.host[(index - first) * BLOCK_BYTES :][:BLOCK_BYTES])
        found = memoryview(bytearray(BLOCK_BYTES))
        read_blocks(self.source, found, index * BLOCK_BYTES)
        return bytes(found)


class _MemoryWork:
    """A file in memory. The kernel gets a table of its segments: (offset in the file, address on the device), u64 each.

    Bytes that do not lie on the device, such as a header, are copied there.
    """

    def __init__(self, device: Device, segments: Segments) -> None:
        self.name, self.size = segments.name, segments.size
        self._segments = segments
        self._device = device
        self._uploaded: list[object] = []  # keeps the copies on the device until the last batch is done
        self._elsewhere_bytes = 0
        offsets = accumulate((memory.size for memory in segments.memories), initial=0)
        addresses = [*(self._address(memory) for memory in segments.memories), 0]
        self._table = device.upload(b"".join(struct.pack("<QQ", *row) for row in zip(offsets, addresses, strict=True)))

    def _address(self, memory: Memory) -> int:
        if memory.device == self._device.id and memory.address is not None:
            return memory.address
        self._elsewhere_bytes += memory.size
        if self._elsewhere_bytes > _ELSEWHERE_MAX_BYTES:
            got, wanted = f"more than {_ELSEWHERE_MAX_BYTES} bytes elsewhere", f"bytes on {self._device.id}"
            raise DeviceError("too much of the file is not on this GPU", where=self.name, got=got, wanted=wanted)
        data = bytearray(memory.size)
        memory.read_into(memoryview(data), 0)
        self._uploaded.append(self._device.upload(bytes(data)))
        return self._device.address_of(self._uploaded[-1])

    def run(self, lane: Lane, first: int, blocks: int) -> bytes:
        return lane.hash_segments(self._table, len(self._segments.memories), first, blocks)

    def block(self, lane: Lane, first: int, index: int) -> bytes:
        """Read the block from the memories, so that the table on the device is checked too."""
        start = index * BLOCK_BYTES
        block = bytearray(min(BLOCK_BYTES, self.size - start))
        self._segments.read_into(memoryview(block), start)
        return bytes(block)
