"""Files hashed on every core in one pass: fs-verity digest and, when asked, whole-file SHA-256.

    only the tree     ranges of the file go to whichever threads are idle; each reads and hashes its own
    both digests      one thread reads and takes each piece into the file's SHA-256, which is serial, while idle
                      threads hash the same piece's blocks; where none is idle, one pass over the piece does both

Memory does not grow with the file: a few buffers of 1 MiB for each thread. Results equal `fsverity.FsVerityHasher`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from verifier.digest.blocks import BlockHash
from verifier.digest.crew import Crew, Job
from verifier.digest.fsverity import BLOCK_BYTES, FileDigest, descriptor_digest
from verifier.digest.native import load_native
from verifier.digest.processes import ProcessBlocks
from verifier.digest.tree import (
    NODE_BYTES,
    Advance,
    FileSource,
    NodeStack,
    Source,
    digest_of_one_block,
    hash_nodes,
    read_blocks,
)
from verifier.walk import OpenFile

PIECE_BYTES = 2 * NODE_BYTES
_RANGE_BYTES = 4 * PIECE_BYTES
_THREADS_MAX = 32


@dataclass(frozen=True)
class Digests:
    """Of one source, 32 bytes each."""

    fsverity: bytes
    sha256: bytes | None


@dataclass(frozen=True)
class _Piece:
    nodes: bytes
    size: int  # bytes of the source
    buffer: memoryview | None = None  # free again once the piece is taken


class CpuHasher:
    """A `files.FileHasher`. Call it from up to `threads` threads at once to hash files side by side.

    Args:
        threads: how many cores to use; all of them by default, 32 at most.
        blocks: how blocks are hashed; the compiled part by default where there is one.
    """

    def __init__(self, threads: int | None = None, blocks: BlockHash | None = None) -> None:
        self.threads = max(1, min(threads or len(os.sched_getaffinity(0)), _THREADS_MAX))
        self.blocks = blocks or load_native() or ProcessBlocks(self.threads - 1)
        self._crew = Crew(self.threads)
        self._buffers: list[memoryview] = []

    @property
    def path_name(self) -> str:
        """Which path runs, for people."""
        return self.blocks.path_name

    def __call__(self, file: OpenFile, *, sha256: bool, advance: Advance) -> FileDigest:
        found = self.digest(FileSource(file), sha256=sha256, advance=advance)
        return FileDigest(file.path, file.size, found.fsverity, found.sha256)

    def digest(self, source: Source, *, sha256: bool = False, advance: Advance = lambda size: None) -> Digests:
        """Read the source once and return its digests; `advance` is called in this thread.

        Raises:
            ChangedError: the source is shorter than it says. TemporaryError: it cannot be read.
        """
        with self._crew.job() as job:
            if source.size <= BLOCK_BYTES:
                return self._digest_one_block(source, sha256, advance)
            finished = _Finished(NodeStack(self.blocks), advance, self._buffers)
            whole = None
            if sha256:
                whole = self._digest_both(job, source, finished)
            else:
                self._digest_tree(job, source, finished)
            return Digests(descriptor_digest(source.size, finished.nodes.root()), whole)

    def _digest_one_block(self, source: Source, sha256: bool, advance: Advance) -> Digests:
        data = bytearray(source.size)
        source.read_into(memoryview(data), 0)
        advance(source.size)
        fsverity = digest_of_one_block(self.blocks, bytes(data))
        return Digests(fsverity, self.blocks.file_hash().finish(data) if sha256 else None)

    def _digest_tree(self, job: Job[_Piece], source: Source, finished: _Finished) -> None:
        for offset in range(0, source.size, _RANGE_BYTES):
            job.add(partial(self._hash_range, source, offset))
            finished.take(job.ready())
        finished.take(job.rest())

    def _digest_both(self, job: Job[_Piece], source: Source, finished: _Finished) -> bytes:
        """Hand on the pieces of the tree as they are there, and return the SHA-256 of the whole source."""
        file = self.blocks.file_hash()
        rest = b""
        for offset in range(0, source.size, PIECE_BYTES):
            finished.take(job.ready())
            buffer = self._borrow()
            blocks, size = read_blocks(source, buffer, offset)
            if size == len(blocks) and not job.has_help():
                job.add_result(_Piece(hash_nodes(self.blocks, file.take_both(blocks)), size, buffer))
                continue
            job.add(partial(self._hash_piece, blocks, size, buffer))
            whole = size - size % BLOCK_BYTES
            file.take(blocks[:whole])
            rest = bytes(blocks[whole:size])
        finished.take(job.rest())
        return file.finish(rest)

    def _hash_range(self, source: Source, offset: int) -> _Piece:
        buffer = self._borrow()
        end = min(offset + _RANGE_BYTES, source.size)
        pieces = [self._hash_piece(*read_blocks(source, buffer, start)) for start in range(offset, end, PIECE_BYTES)]
        return _Piece(b"".join(piece.nodes for piece in pieces), end - offset, buffer)

    def _hash_piece(self, blocks: memoryview, size: int, buffer: memoryview | None = None) -> _Piece:
        return _Piece(hash_nodes(self.blocks, self.blocks.hash_blocks(blocks)), size, buffer)

    def _borrow(self) -> memoryview:
        """Return a buffer that nobody uses; `_Finished` gives it back."""
        try:
            return self._buffers.pop()
        except IndexError:
            return memoryview(bytearray(PIECE_BYTES))


@dataclass(frozen=True)
class _Finished:
    """Where finished pieces go, in order: nodes up the tree, sizes to whoever watches, buffers back."""

    nodes: NodeStack
    advance: Advance
    buffers: list[memoryview]

    def take(self, pieces: Iterable[_Piece]) -> None:
        for piece in pieces:
            self.nodes.push(piece.nodes)
            self.advance(piece.size)
            if piece.buffer is not None:
                self.buffers.append(piece.buffer)
