"""Stream the data part of an image. Every byte of every file is read once, in the order of the image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from provenance_oracle.verifier.disk.erofs import Plan
from provenance_oracle.verifier.disk.erofs_bytes import Piece, pieces_of
from provenance_oracle.verifier.disk.tree import FileBytes, path_text
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.files import OpenFile, changed
from provenance_oracle.verifier.strict.release_folder import FoundFile, open_release_folder

CHUNK_BYTES = 4 << 20


def image_chunks(plan: Plan, chunk_bytes: int = CHUNK_BYTES) -> Iterator[memoryview]:
    """Yield the image in chunks of `chunk_bytes` bytes; the last may be shorter. The superblock is left zero.

    All chunks share one buffer, so a chunk is valid only until the next one is requested.

    Raises:
        ChangedError: a file changed after the tree was read.
        TemporaryError: a file cannot be read.
        UsageError: the plan was made from sizes, without files.
    """
    buffer = memoryview(bytearray(chunk_bytes))
    filled = 0
    for length, piece in _without_gaps(plan):
        with _reader(piece) as fill:
            done = 0
            while done < length:
                count = min(length - done, chunk_bytes - filled)
                fill(done, buffer[filled : filled + count])
                done, filled = done + count, filled + count
                if filled == chunk_bytes:
                    yield buffer
                    filled = 0
    if filled:
        yield buffer[:filled]


def _without_gaps(plan: Plan) -> Iterator[tuple[int, Piece | None]]:
    """Yield every piece with its length, and None for the zeros between pieces."""
    position = 0
    for piece in pieces_of(plan):
        if piece.offset > position:
            yield piece.offset - position, None
        yield piece.length, piece
        position = piece.offset + piece.length
    if position < plan.size_bytes:
        yield plan.size_bytes - position, None


class _Zeros:
    def __call__(self, start: int, room: memoryview) -> None:
        room[:] = bytes(len(room))


class _Held:
    def __init__(self, held: bytes) -> None:
        self._held = held

    def __call__(self, start: int, room: memoryview) -> None:
        room[:] = self._held[start : start + len(room)]


class _FilePart:
    def __init__(self, file: OpenFile, start: int) -> None:
        self._file = file
        self._start = start

    def __call__(self, start: int, room: memoryview) -> None:
        while room:
            count = os.preadv(self._file.descriptor, [room], self._start + start)
            if count == 0:
                raise changed(self._file.path)
            room, start = room[count:], start + count


@contextmanager
def _reader(piece: Piece | None) -> Iterator[_Zeros | _Held | _FilePart]:
    if piece is None:
        yield _Zeros()
    elif piece.held is not None:
        yield _Held(piece.held)
    elif piece.inode.node.source is None:
        raise UsageError("only the size of this file is known, not its bytes", where=path_text(piece.inode.node.name))
    else:
        with open_source(piece.inode.node.source) as file:
            yield _FilePart(file, piece.start)


@contextmanager
def open_source(source: FileBytes) -> Iterator[OpenFile]:
    """Open a file of the tree, folder by folder from the tree's root. Its identity is checked before and after.

    Raises:
        ChangedError: the file no longer exists, or its inode, size, mode or time differs from that in the tree.
        FormatError: a link or special file is in the place of the file or of a folder (check `file-set`).
        UsageError: the tree's folder no longer exists.
        TemporaryError: the operating system cannot open it, or a read inside the block fails.
    """
    with open_release_folder(source.root) as folder, folder.open(source.path, FoundFile(source.identity)) as file:
        yield file
