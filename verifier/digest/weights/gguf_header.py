"""The header of a GGUF file (version 2 or 3): the name, type, shape and byte range of every tensor.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Integers are little-endian.

    "GGUF", version u32, number of tensors u64, number of keys u64
    keys        name, type u32, value; `general.alignment` (u32, else 32) is the alignment of what follows
    tensors     name, number of dimensions u32, each dimension u64 (the fastest first), type u32, offset u64
    zeros up to the alignment, then the tensors' bytes, each followed by zeros up to the alignment

The published package `gguf` knows the block sizes of each type. Its reader trusts the counts and lengths in a file. So
this module walks the header of a stranger's file under limits of its own, and checks every entry. Like that reader, it
gives a tensor of a quantised type, and of BF16, as rows of bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from functools import cache

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights.safetensors_header import MAX_HEADER_BYTES, Header, TensorEntry
from provenance_oracle.verifier.digest.weights.tensor_table import MAX_TENSORS
from provenance_oracle.verifier.errors import FormatError, malformed, naming_extras
from provenance_oracle.verifier.strict.files import OpenFile
from provenance_oracle.verifier.text import printable

MAX_KEYS = 100_000
MAX_ITEMS = 4_000_000  # values in all lists; a vocabulary of 256,000 tokens with its merges has a million
MAX_ALIGNMENT = 64 * 1024
_MAX_DIMENSIONS = 4  # GGML_MAX_DIMS
_MAX_NAME_BYTES = 64 * 1024
_MAX_DEPTH = 4  # lists in lists
_PIECE_BYTES = 1024 * 1024
_ALIGNMENT, _DEFAULT_ALIGNMENT = "general.alignment", 32

# Types of values in keys, and the bytes of one.
_UINT32, _STRING, _LIST = 4, 8, 9
_VALUE_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, _UINT32: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

# The types whose elements NumPy has; all others are rows of bytes.
_PLAIN = {"F32": "F32", "F16": "F16", "F64": "F64", "I8": "I8", "I16": "I16", "I32": "I32", "I64": "I64"}


def read_gguf_header(file: OpenFile, file_bytes: int) -> Header:
    """Read and parse the header of an open file. No byte of a tensor is needed.

    Args:
        file_bytes: the size of the whole file from a trusted source, such as the manifest. The open file may be cut
            after its header.

    Raises:
        FormatError: the header breaks the format or a limit of this module, its tensors overlap, leave more than the
            alignment between them, or end elsewhere than the file (check `file-digests`).
        UsageError: the package `gguf` is not installed.
        ChangedError: the file became shorter. TemporaryError: the file cannot be read.
    """
    types = _types()
    reader = _Reader(file)
    magic, version = reader.take(4), reader.integer("<I")
    if magic != b"GGUF" or version not in (2, 3):
        raise reader.error("this is no GGUF file of a known version", f"{magic!r}, version {version}", "version 2 or 3")
    tensors = reader.count("tensors", MAX_TENSORS)
    alignment = _alignment(reader, reader.count("keys", MAX_KEYS))
    found = [_read_entry(reader, types) for _ in range(tensors)]
    if not found:
        raise reader.error("the file holds no tensor", "0 tensors", "a file with weights")
    reader.take(-reader.position % alignment)
    begin = reader.position
    entries = [
        TensorEntry(name, dtype, shape, begin + offset, begin + offset + size)
        for name, dtype, shape, size, offset in found
    ]
    entries.sort(key=lambda entry: (entry.begin, entry.end))
    if len({entry.name for entry in entries}) != len(entries):
        raise reader.error("two tensors have one name", "a name twice", "unique names")
    _refuse_wide_gaps(reader, entries, begin, alignment, file_bytes)
    return Header(bytes(reader.data[:begin]), tuple(entries), (), file_bytes)


@cache
def _types() -> Mapping[int, tuple[str, int, int]]:
    """Return the name, elements of a block, and bytes of a block of every type, as the package `gguf` has them."""
    with naming_extras():
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
    return {
        int(kind): (kind.name, *GGML_QUANT_SIZES[kind]) for kind in GGMLQuantizationType if kind in GGML_QUANT_SIZES
    }


class _Reader:
    """Reads the start of a file piece by piece, and never more than MAX_HEADER_BYTES of it."""

    def __init__(self, file: OpenFile) -> None:
        self.data = bytearray()
        self.position = 0
        self._file = file
        self._most = min(file.size, MAX_HEADER_BYTES)

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        end = self.position + size
        if end > self._most:
            wanted = f"a header of at most {self._most} bytes"
            raise self.error("the file ends within its header, or the header is too large", f"{end} bytes", wanted)
        if end > len(self.data):
            piece = bytearray(min(max(end - len(self.data), _PIECE_BYTES), self._most - len(self.data)))
            FileSource(self._file).read_into(memoryview(piece), len(self.data))
            self.data += piece
        taken = bytes(memoryview(self.data)[self.position : end])
        self.position = end
        return taken

    def integer(self, form: str) -> int:
        """Return the next integer; `form` is that of `struct`."""
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def count(self, name: str, most: int) -> int:
        """Return the next integer of 64 bits, a number of things."""
        found = self.integer("<Q")
        if found > most:
            raise self.error(f"the file has too many {name}", str(found), f"at most {most}")
        return found

    def text(self) -> str:
        """Return the next name."""
        data = self.take(self.count("bytes in a name", _MAX_NAME_BYTES))
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.error("a name is not UTF-8", repr(data[:40]), "UTF-8") from error

    def error(self, problem: str, got: str, wanted: str) -> FormatError:
        """Return the error for this file, at the present position."""
        return malformed(Check.FILE_DIGESTS, problem, f"{self._file.path}, byte {self.position}", got, wanted)


def _alignment(reader: _Reader, keys: int) -> int:
    """Read past all keys, and return the alignment that they state."""
    alignment, names, left = _DEFAULT_ALIGNMENT, set(), [MAX_ITEMS]
    for _ in range(keys):
        name, kind = reader.text(), reader.integer("<I")
        if name in names:
            raise reader.error("a key stands twice", printable(name), "unique keys")
        names.add(name)
        if name == _ALIGNMENT:
            alignment = reader.integer("<I") if kind == _UINT32 else 0
            if not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
                wanted = f"a power of two from 8 to {MAX_ALIGNMENT}, as an integer of 32 bits"
                raise reader.error("the alignment is unusable", f"{alignment}, type {kind}", wanted)
        else:
            _pass_value(reader, kind, left, 0)
    return alignment


def _pass_value(reader: _Reader, kind: int, left: list[int], depth: int) -> None:
    """Read past one value. `left` holds the number of list items that may still come."""
    if kind in _VALUE_BYTES:
        reader.take(_VALUE_BYTES[kind])
    elif kind == _STRING:
        reader.take(reader.count("bytes in a value", MAX_HEADER_BYTES))
    elif kind == _LIST and depth < _MAX_DEPTH:
        inner, items = reader.integer("<I"), reader.count("items in lists", left[0])
        left[0] -= items
        if inner in _VALUE_BYTES:
            reader.take(items * _VALUE_BYTES[inner])
        else:
            for _ in range(items):
                _pass_value(reader, inner, left, depth + 1)
    else:
        got, wanted = f"type {kind} at depth {depth}", f"types 0 to 12, lists to depth {_MAX_DEPTH}"
        raise reader.error("a key has a value of an unknown type", got, wanted)


def _read_entry(
    reader: _Reader, types: Mapping[int, tuple[str, int, int]]
) -> tuple[str, str, tuple[int, ...], int, int]:
    """Return name, dtype, shape, bytes and offset of the next tensor."""
    name, dimensions = reader.text(), reader.integer("<I")
    if dimensions > _MAX_DIMENSIONS:
        raise reader.error("a tensor has too many dimensions", str(dimensions), f"at most {_MAX_DIMENSIONS}")
    shape = tuple(reversed([reader.integer("<Q") for _ in range(dimensions)]))
    kind, offset = reader.integer("<I"), reader.integer("<Q")
    if kind not in types:
        wanted = f"one of {', '.join(known for known, _, _ in types.values())}; a newer package gguf may know it"
        raise reader.error("a tensor has an unknown type", f"type {kind}, {printable(name)}", wanted)
    type_name, block, block_bytes = types[kind]
    row = shape[-1] if shape else 1
    if row % block:
        got = f"{row} elements in a row of {printable(name)}"
        raise reader.error("a row is no whole number of blocks", got, f"a multiple of {block} ({type_name})")
    size = math.prod(shape) // block * block_bytes
    if type_name in _PLAIN:
        return name, _PLAIN[type_name], shape, size, offset
    return name, "U8", (*shape[:-1], row // block * block_bytes), size, offset


def _refuse_wide_gaps(reader: _Reader, entries: list[TensorEntry], begin: int, alignment: int, file_bytes: int) -> None:
    """Refuse tensors that overlap, are not aligned, or have more than the padding between them or after them."""
    position = begin
    for entry in entries:
        if entry.begin % alignment != begin % alignment or not 0 <= entry.begin - position < alignment:
            got = f"{printable(entry.name)} at byte {entry.begin}"
            wanted = f"byte {position}, or the next multiple of {alignment}"
            raise reader.error("the tensors do not follow each other", got, wanted)
        position = entry.end
    if not 0 <= file_bytes - position < alignment:
        got, wanted = f"tensors up to byte {position}", f"the file's {file_bytes} bytes, less padding"
        raise reader.error("the tensors do not end where the file ends", got, wanted)
