"""A piece of a file, and its hashing in a worker of a cluster.

A piece begins at a node of the fs-verity tree (`merkle.NODE_BYTES`), so pieces can be hashed in any order and anywhere.
The result is the digests of its nodes: 32 bytes for every 512 KiB.

A worker opens the file by its path on a file system that it shares with the oracle. The path can lead elsewhere there,
so the worker compares inode, size and times with those of the file that the oracle has open, before and after it reads.
Device numbers differ between machines and are not compared.
"""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from provenance_oracle.verifier.digest.tree.blocks import Buffer, PythonBlocks
from provenance_oracle.verifier.digest.tree.cpu import CPU_PIECE_BYTES, CpuHasher
from provenance_oracle.verifier.digest.tree.merkle import NODE_BYTES, FileSource, hash_nodes, read_blocks
from provenance_oracle.verifier.digest.tree.native import load_native
from provenance_oracle.verifier.errors import ChangedError, ProvenanceError
from provenance_oracle.verifier.strict.files import OpenFile, changed, open_any_file

_GPU_STEP_BYTES = 32 * 1024 * 1024


class _Blocks(Protocol):
    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes: ...


@dataclass(frozen=True)
class FilePiece:
    """A range of a file, and the identity of the file. Offset and sizes are in bytes, times in Unix nanoseconds.

    `path` is absolute and names the file on every machine. `offset` is a multiple of 512 KiB.
    """

    path: str
    inode: int
    file_bytes: int
    modified_ns: int
    changed_ns: int
    offset: int
    size: int


@dataclass(frozen=True)
class PieceResult:
    """A worker's answer: the digests of the nodes (32 bytes each), or a problem in words.

    Attributes:
        is_changed: the file is not the one that the oracle has open, or changed while it was read.
        worker: host and process, for messages.
    """

    nodes: bytes
    problem: str
    is_changed: bool
    worker: str


def piece_to_json(piece: FilePiece) -> dict[str, Any]:
    """Return a piece as the driver's request."""
    return asdict(piece)


def piece_of(file: OpenFile, path: str, offset: int, size: int) -> FilePiece:
    """Return a piece of an open file."""
    found = os.fstat(file.descriptor)
    return FilePiece(path, found.st_ino, file.size, found.st_mtime_ns, found.st_ctime_ns, offset, size)


def hash_piece(piece: FilePiece, on_gpu: bool) -> PieceResult:
    """Hash a piece in this process. A file that cannot be read, or is another one, is a result and no exception."""
    worker = f"{socket.gethostname()} (process {os.getpid()})"
    try:
        with open_any_file(Path(piece.path)) as file:
            _expect(file, piece)
            nodes = hash_range(file, piece, _gpu_blocks() if on_gpu else _cpu_blocks(), on_gpu)
            _expect(file, piece)
    except ProvenanceError as error:
        return PieceResult(b"", str(error), isinstance(error, ChangedError), worker)
    return PieceResult(nodes, "", False, worker)


def hash_range(file: OpenFile, piece: FilePiece, blocks: _Blocks, on_gpu: bool = False) -> bytes:
    """Return the digests of the nodes of a piece, 32 bytes each, concatenated.

    Raises:
        ValueError: the piece does not begin at a node, or ends neither at a node nor with the file.
        ChangedError: the file is shorter. TemporaryError: it cannot be read.
    """
    end = piece.offset + piece.size
    if piece.offset % NODE_BYTES or (end % NODE_BYTES and end != piece.file_bytes):
        raise ValueError(f"bytes {piece.offset} to {end} are no whole nodes")
    source, nodes = FileSource(file), b""
    step = min(_GPU_STEP_BYTES if on_gpu else CPU_PIECE_BYTES, -(-piece.size // NODE_BYTES) * NODE_BYTES)
    buffer = memoryview(bytearray(step))
    for start in range(piece.offset, end, step):
        room = buffer if end == piece.file_bytes else buffer[: end - start]
        padded, _ = read_blocks(source, room, start)
        nodes += hash_nodes(_cpu_blocks(), blocks.hash_blocks(padded))
    return nodes


def _expect(file: OpenFile, piece: FilePiece) -> None:
    found = os.fstat(file.descriptor)
    identity = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if identity != (piece.inode, piece.file_bytes, piece.modified_ns, piece.changed_ns):
        raise changed(piece.path)


@cache
def _cpu_blocks() -> Any:
    return load_native() or PythonBlocks()


@cache
def _gpu_blocks() -> _Blocks:
    from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
    from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice

    return CudaHasher(CupyDevice(), CpuHasher(1))
