"""The compiled part, `_native.c`: build it, load it, and use it through ctypes.

The compiled part is optional. The build hook of the distribution compiles it next to this file if there is a compiler.
`load_native` returns None, and the caller uses hashlib, if the library is missing or built from other source, if the
processor lacks the instructions, or if a digest is wrong in the test at load time.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from provenance_oracle.verifier.digest.tree.blocks import (
    BlockHash,
    Buffer,
    FileHash,
    HashlibFileHash,
    PythonBlocks,
    count_blocks,
)
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES
from provenance_oracle.verifier.errors import UsageError

_HERE = Path(__file__).parent
LIBRARY = _HERE / "_native.so"
SOURCES = (_HERE / "_native.c", _HERE / "_native_avx512.h")
# A number of blocks and lengths of salts that take every branch of the C code.
_TEST_BLOCKS = 17
_TEST_SALTS = (b"", b"\0", bytes(range(32)), bytes(range(60)), bytes(range(200)))
_TIMED_BLOCKS = 64


def build_library(target: Path = LIBRARY) -> Path:
    """Compile `_native.c` with the machine's C compiler (`CC`, or `cc`) into the library `target`, and return its path.

    Raises:
        UsageError: there is no compiler, or it failed.
    """
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    flags = ["-O3", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", f'-DSOURCE_SHA256="{_source_sha256()}"']
    command = [*shlex.split(os.environ.get("CC") or "cc"), *flags, "-o", str(unfinished), str(SOURCES[0])]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        unfinished.replace(target)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise UsageError("cannot build the compiled part", where=str(target), got=said, wanted="a library") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def load_native(library: Path = LIBRARY) -> BlockHash | None:
    """Return the fastest implementation for this processor, or None if the compiled part cannot be used."""
    found = [way for way in load_ways(library) if _equals_hashlib(way)]
    return min(found, key=_seconds, default=None)


def load_ways(library: Path) -> list[NativeBlocks]:
    """Return every implementation that the library and this processor support; none if its source differs from ours."""
    try:
        loaded = _declare(ctypes.CDLL(str(library)))
        if loaded.provenance_source() != _source_sha256().encode():
            return []
    except (OSError, AttributeError):
        return []
    return list(_present(loaded))


def _source_sha256() -> str:
    return hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    """Declare the types of the functions in `_native.c`."""
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, arguments, result in (
        ("source", [], ctypes.c_char_p),
        ("way", [size], ctypes.c_char_p),
        ("hash_blocks", [size, pointer, size, pointer, size, pointer], None),
        ("has_file_hash", [], ctypes.c_int),
        ("start", [pointer], None),
        ("take", [pointer, pointer, size], None),
        ("take_both", [pointer, pointer, size, pointer], None),
        ("finish", [pointer, pointer, size, ctypes.c_uint64, pointer], None),
    ):
        function = getattr(library, f"provenance_{name}")
        function.argtypes, function.restype = arguments, result
    return library


def _present(library: ctypes.CDLL) -> Iterator[NativeBlocks]:
    for index in count():
        name = library.provenance_way(index)
        if name is None:
            return
        if name:
            yield NativeBlocks(library, index, name.decode())


@dataclass(frozen=True)
class NativeBlocks:
    """A `BlockHash` that uses one implementation of the compiled part."""

    _library: ctypes.CDLL
    _way: int
    path_name: str

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        number = count_blocks(blocks)
        digests = ctypes.create_string_buffer(number * DIGEST_BYTES)
        self._library.provenance_hash_blocks(self._way, _memory(blocks), number, salt, len(salt), digests)
        return digests.raw

    def file_hash(self) -> FileHash:
        return _NativeFileHash(self._library) if self._library.provenance_has_file_hash() else HashlibFileHash(self)


class _NativeFileHash:
    """A `FileHash` that uses the SHA instructions, where both digests share one message schedule."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._state = (ctypes.c_uint32 * 8)()
        self._size = 0
        self._rest = b""
        library.provenance_start(self._state)

    def take(self, data: Buffer) -> None:
        number, over = divmod(len(data), BLOCK_BYTES)
        self._library.provenance_take(self._state, _memory(data), number)
        self._add(number * BLOCK_BYTES)
        self._rest = bytes(data[len(data) - over :])

    def take_both(self, blocks: Buffer) -> bytes:
        number = count_blocks(blocks)
        digests = ctypes.create_string_buffer(number * DIGEST_BYTES)
        self._library.provenance_take_both(self._state, _memory(blocks), number, digests)
        self._add(number * BLOCK_BYTES)
        return digests.raw

    def digest(self) -> bytes:
        digest = ctypes.create_string_buffer(DIGEST_BYTES)
        total, rest = self._size + len(self._rest), self._rest
        self._library.provenance_finish(self._state, rest, len(rest), total, digest)
        return digest.raw

    def _add(self, size: int) -> None:
        if self._rest:
            raise ValueError("bytes after the end of the file")
        self._size += size


def _memory(data: Buffer) -> ctypes.Array[ctypes.c_char] | bytes:
    """Return a form of `data` that ctypes can point to. Only a read-only view must be copied."""
    if isinstance(data, bytes):
        return data
    if memoryview(data).readonly:
        return bytes(data)
    return (ctypes.c_char * len(data)).from_buffer(data)


def _equals_hashlib(way: NativeBlocks) -> bool:
    """Return whether every function of an implementation has the same results as hashlib."""
    data = bytes(range(251)) * (_TEST_BLOCKS * BLOCK_BYTES // 251 + 1)
    blocks, rest = data[: _TEST_BLOCKS * BLOCK_BYTES], data[:1000]
    wanted = PythonBlocks()
    file, wanted_file = way.file_hash(), wanted.file_hash()
    for taker in (file, wanted_file):
        taker.take(blocks)
    both, wanted_both = file.take_both(blocks), wanted_file.take_both(blocks)
    for taker in (file, wanted_file):
        taker.take(rest)
    return (
        all(way.hash_blocks(blocks, salt) == wanted.hash_blocks(blocks, salt) for salt in _TEST_SALTS)
        and both == wanted_both
        and file.digest() == wanted_file.digest()
    )


def _seconds(way: NativeBlocks) -> float:
    """Return the seconds for a few blocks. Processors that have both implementations differ in the faster one."""
    blocks = bytes(_TIMED_BLOCKS * BLOCK_BYTES)
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        way.hash_blocks(blocks)
        taken.append(time.perf_counter() - started)
    return min(taken)
