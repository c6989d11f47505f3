"""The data part of an image as a stream: every byte of every file is read once, in the order of the image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from provenance_oracle.verifier.disk.erofs import Plan
from provenance_oracle.verifier.disk.erofs_bytes import Piece, pieces_of
from provenance_oracle.verifier.disk.tree import Source, identity_of, shown
from provenance_oracle.verifier.errors import ChangedError, TemporaryError, UsageError

CHUNK_BYTES = 4 << 20


def image_chunks(plan: Plan, chunk_bytes: int = CHUNK_BYTES) -> Iterator[memoryview]:
    """Yield the image in chunks of `chunk_bytes`, the last one shorter; the superblock's place is zero.

    All chunks share one buffer: each is gone when the next is asked for.

    Raises:
        ChangedError: a file is not what it was when the tree was read.
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
    def __init__(self, descriptor: int, source: Source, start: int) -> None:
        self._descriptor = descriptor
        self._source = source
        self._start = start

    def __call__(self, start: int, room: memoryview) -> None:
        while room:
            count = os.preadv(self._descriptor, [room], self._start + start)
            if count == 0:
                raise _changed(self._source, "the file ends early")
            room, start = room[count:], start + count


@contextmanager
def _reader(piece: Piece | None) -> Iterator[_Zeros | _Held | _FilePart]:
    if piece is None:
        yield _Zeros()
    elif piece.held is not None:
        yield _Held(piece.held)
    elif piece.inode.node.source is None:
        raise UsageError("only the size of this file is known, not its bytes", where=shown(piece.inode.node.name))
    else:
        with open_source(piece.inode.node.source) as descriptor:
            yield _FilePart(descriptor, piece.inode.node.source, piece.start)


@contextmanager
def open_source(source: Source) -> Iterator[int]:
    """Open a file and make sure, before and after it is read, that it is the one the tree was read from.

    Raises:
        ChangedError: another file, size, mode or time.
        TemporaryError: it cannot be opened or read.
    """
    try:
        descriptor = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise _changed(source, "the file is gone") from error
    except OSError as error:
        raise TemporaryError("cannot open", where=shown(source.path), got=error.strerror or "an error") from error
    try:
        _match_identity(source, descriptor)
        yield descriptor
        _match_identity(source, descriptor)
    except OSError as error:
        raise TemporaryError("cannot read", where=shown(source.path), got=error.strerror or "an error") from error
    finally:
        os.close(descriptor)


def _match_identity(source: Source, descriptor: int) -> None:
    if identity_of(os.fstat(descriptor)) != source.identity:
        raise _changed(source, "another file, size, mode or time")


def _changed(source: Source, got: str) -> ChangedError:
    return ChangedError("changed while it was read", where=shown(source.path), got=got, wanted="the file as planned")
