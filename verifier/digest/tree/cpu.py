"""Hash files on every core in one pass: the fs-verity digest and, on request, the whole-file SHA-256.

    only the tree     each idle thread takes a range of the file, reads it and hashes it
    both digests      idle threads read pieces and hash their blocks, while one thread adds the pieces to the file's
                      SHA-256, which is serial; without an idle thread, one thread computes both at once
    a stream          one thread reads the pieces in order, and idle threads hash their blocks

Memory does not grow with the file: a few buffers of 1 MiB for each thread. Results equal `fsverity.FsVerityHasher`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from provenance_oracle.verifier.digest.tree.blocks import BlockHash, OtherHashes, Take
from provenance_oracle.verifier.digest.tree.crew import Crew, Job
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, FileDigest, descriptor_digest
from provenance_oracle.verifier.digest.tree.merkle import (
    NODE_BYTES,
    Advance,
    ByteSource,
    FileSource,
    NodeStack,
    StreamSource,
    digest_of_one_block,
    hash_nodes,
    read_blocks,
)
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.digest.tree.processes import ProcessBlocks
from provenance_oracle.verifier.strict.files import OpenBytes, OpenFile

CPU_PIECE_BYTES = 2 * NODE_BYTES
_RANGE_BYTES = 4 * CPU_PIECE_BYTES
_THREADS_MAX = 32


@dataclass(frozen=True)
class Digests:
    """The digests of one source, 32 bytes each. `sha256` is None if it was not requested."""

    fsverity: bytes
    sha256: bytes | None


@dataclass(frozen=True)
class _Piece:
    """A piece of a file whose part of the tree is done. `nodes` are the digests of its nodes."""

    nodes: bytes
    size: int
    buffer: memoryview | None = None  # begins with the bytes of the piece, if the file's SHA-256 needs them


class CpuHasher:
    """A `files.FileHasher` for CPUs. Call it from up to `threads` threads at once to hash files side by side.

    Args:
        threads: the number of cores to use, at most 32; by default all of them.
        blocks: hashes the blocks; by default the compiled part if it can be used, else hashlib.
    """

    def __init__(self, threads: int | None = None, blocks: BlockHash | None = None) -> None:
        self.threads = max(1, min(threads or len(os.sched_getaffinity(0)), _THREADS_MAX))
        self.blocks = blocks or load_native() or ProcessBlocks(self.threads - 1)
        self._crew = Crew(self.threads)
        self._idle_buffers: list[memoryview] = []

    @property
    def files_at_once(self) -> int:
        return self.threads

    @property
    def path_name(self) -> str:
        """The name of the implementation that runs, for people."""
        return self.blocks.path_name

    def __call__(self, file: OpenBytes, *, sha256: bool, advance: Advance, also: Sequence[Take] = ()) -> FileDigest:
        source = FileSource(file) if isinstance(file, OpenFile) else StreamSource(file)
        found = self.digest(source, sha256=sha256, advance=advance, also=also)
        return FileDigest(file.path, file.size, found.fsverity, found.sha256)

    def digest(
        self,
        source: ByteSource,
        *,
        sha256: bool = False,
        advance: Advance = lambda size: None,
        also: Sequence[Take] = (),
    ) -> Digests:
        """Read the source once and return its digests.

        Args:
            sha256: whether to compute the whole-file SHA-256 too.
            advance: called in this thread with the size of every piece that is done.
            also: each called in this thread with all bytes of the source, piece by piece in their order.

        Raises:
            ChangedError: the source has fewer bytes than `source.size`. TemporaryError: the source cannot be read.
        """
        if source.size <= BLOCK_BYTES:
            return self._digest_one_block(source, sha256, advance, also)
        nodes = NodeStack(self.blocks)
        file = self.blocks.file_hash() if sha256 else None
        serial = OtherHashes(self.blocks, file, also) if sha256 or also else None
        with self._crew.job() as job:
            for piece in self._pieces(job, source, serial):
                nodes.push(piece.nodes)
                advance(piece.size)
        return Digests(descriptor_digest(source.size, nodes.root()), file.digest() if file else None)

    def _digest_one_block(self, source: ByteSource, sha256: bool, advance: Advance, also: Sequence[Take]) -> Digests:
        data = bytearray(source.size)
        source.read_into(memoryview(data), 0)
        for take in also:
            take(data)
        advance(source.size)
        fsverity = digest_of_one_block(self.blocks, bytes(data))
        return Digests(fsverity, hashlib.sha256(data).digest() if sha256 else None)

    def _pieces(self, job: Job[_Piece], source: ByteSource, serial: OtherHashes | None) -> Iterator[_Piece]:
        if isinstance(source, StreamSource):
            return self._hash_stream(job, source, serial)
        return self._hash_both(job, source, serial) if serial else self._hash_tree(job, source)

    def _hash_tree(self, job: Job[_Piece], source: ByteSource) -> Iterator[_Piece]:
        for offset in range(0, source.size, _RANGE_BYTES):
            job.add(partial(self._hash_range, source, offset))
            yield from job.results()
        yield from job.results(rest=True)

    def _hash_range(self, source: ByteSource, offset: int) -> _Piece:
        buffer, leaves = self._borrow(), b""
        size = min(_RANGE_BYTES, source.size - offset)
        for start in range(offset, offset + size, CPU_PIECE_BYTES):
            blocks, _ = read_blocks(source, buffer, start)
            leaves += self.blocks.hash_blocks(blocks)
        self._idle_buffers.append(buffer)
        return _Piece(hash_nodes(self.blocks, leaves), size)

    def _hash_both(self, job: Job[_Piece], source: ByteSource, serial: OtherHashes) -> Iterator[_Piece]:
        for offset in range(0, source.size, CPU_PIECE_BYTES):
            if job.has_help():
                job.add(partial(self._hash_piece, source, offset))
                yield from self._take(job.results(), serial)
            else:
                yield from self._take(job.results(rest=True), serial)
                yield self._hash_piece_alone(source, offset, serial)
        yield from self._take(job.results(rest=True), serial)

    def _hash_stream(self, job: Job[_Piece], source: StreamSource, serial: OtherHashes | None) -> Iterator[_Piece]:
        """Read the pieces in this thread, in order, while idle threads hash those that were read."""
        for offset in range(0, source.size, CPU_PIECE_BYTES):
            buffer = self._borrow()
            blocks, size = read_blocks(source, buffer, offset)
            job.add(partial(self._hash_read, blocks, size, buffer))
            yield from self._take(job.results(), serial)
        yield from self._take(job.results(rest=True), serial)

    def _hash_read(self, blocks: memoryview, size: int, buffer: memoryview) -> _Piece:
        """Hash the part of the tree of a piece that was read."""
        return _Piece(hash_nodes(self.blocks, self.blocks.hash_blocks(blocks)), size, buffer)

    def _hash_piece(self, source: ByteSource, offset: int) -> _Piece:
        """Read a piece and hash its part of the tree."""
        buffer = self._borrow()
        blocks, size = read_blocks(source, buffer, offset)
        return self._hash_read(blocks, size, buffer)

    def _take(self, pieces: Iterator[_Piece], serial: OtherHashes | None) -> Iterator[_Piece]:
        """Add the pieces, which arrive in order, to the digest of the whole serial, if one is wanted."""
        for piece in pieces:
            assert piece.buffer is not None
            if serial:
                serial.take(piece.buffer[: piece.size])
            self._idle_buffers.append(piece.buffer)
            yield piece

    def _hash_piece_alone(self, source: ByteSource, offset: int, serial: OtherHashes) -> _Piece:
        """Read a piece and hash it for both digests at once."""
        buffer = self._borrow()
        blocks, size = read_blocks(source, buffer, offset)
        if size % BLOCK_BYTES:
            leaves = self.blocks.hash_blocks(blocks)
            serial.take(blocks[:size])
        else:
            leaves = serial.take_both(blocks)
        self._idle_buffers.append(buffer)
        return _Piece(hash_nodes(self.blocks, leaves), size)

    def _borrow(self) -> memoryview:
        try:
            return self._idle_buffers.pop()
        except IndexError:
            return memoryview(bytearray(CPU_PIECE_BYTES))
