"""The header of a safetensors file: the name, dtype, shape and byte range of every tensor.

Format: https://github.com/huggingface/safetensors (section "Format"). Integers are little-endian.

    8 bytes    length of the JSON that follows, u64
    JSON       name -> {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__": text -> text; then spaces
    the rest   the tensors' bytes, each in C order, one tensor after the other without a gap

Offsets in the JSON count from the end of the JSON; offsets in this module count from the start of the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.errors import malformed
from provenance_oracle.verifier.strict.files import OpenFile
from provenance_oracle.verifier.strict.parse_json import MAX_INTEGER, Fields, parse_json

# The safetensors library has the same limit of 100 MB.
MAX_HEADER_BYTES = 100_000_000
_MAX_DIMENSIONS = 64
_LENGTH_BYTES = 8
_METADATA = "__metadata__"

# Bits of one element. The meaning of a dtype does not matter here.
DTYPE_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "U16": 16,
    "I16": 16,
    "U32": 32,
    "I32": 32,
    "U64": 64,
    "I64": 64,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "F16": 16,
    "BF16": 16,
    "F32": 32,
    "F64": 64,
    "C64": 64,
}


@dataclass(frozen=True)
class TensorEntry:
    """One tensor as a header states it. Its bytes in the file are those from `begin` up to, not including, `end`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def nbytes(self) -> int:
        """The size of the tensor in bytes."""
        return self.end - self.begin


@dataclass(frozen=True)
class Header:
    """A header as it was read. `data` is the start of the file up to the first byte of the first tensor.

    `tensors` are in the order of their bytes. They fill the file up to its end, at `file_bytes`.
    """

    data: bytes
    tensors: tuple[TensorEntry, ...]
    metadata: tuple[tuple[str, str], ...]
    file_bytes: int


def read_header(file: OpenFile, file_bytes: int) -> Header:
    """Read and parse the header of an open file. No byte behind the header is read.

    Args:
        file_bytes: the size of the whole file from a trusted source, such as the manifest. The open file may be cut
            after its header.

    Raises:
        FormatError: see `parse_header`.
        ChangedError: the file became shorter. TemporaryError: the file cannot be read.
    """
    length = _read(file, 0, _LENGTH_BYTES)
    size = _header_size(length, file.path, file_bytes)
    return parse_header(
        length + _read(file, _LENGTH_BYTES, size - _LENGTH_BYTES), where=file.path, file_bytes=file_bytes
    )


def _read(file: OpenFile, offset: int, size: int) -> bytes:
    if offset + size > file.size:
        raise malformed(
            Check.FILE_DIGESTS,
            "the file ends within its header",
            file.path,
            f"{file.size} bytes",
            f"{offset + size} or more",
        )
    data = bytearray(size)
    FileSource(file).read_into(memoryview(data), offset)
    return bytes(data)


def parse_header(data: bytes, *, where: str, file_bytes: int) -> Header:
    """Parse a header: exactly the bytes before the first tensor, of a file of `file_bytes` bytes.

    Raises:
        FormatError: the bytes are not a header; the tensors leave a gap, overlap, or need more or fewer bytes than the
            file has; a shape does not fit its number of bytes; a dtype is unknown; or a name occurs twice (check
            `file-digests`).
    """
    size = _header_size(data[:_LENGTH_BYTES], where, file_bytes)
    if len(data) != size:
        raise malformed(
            Check.FILE_DIGESTS, "the header is incomplete or too long", where, f"{len(data)} bytes", f"{size} bytes"
        )
    text = data[_LENGTH_BYTES:]
    if not (text.startswith(b"{") and text.rstrip(b" ").endswith(b"}")):
        wanted = "a JSON object, padded with spaces only"
        raise malformed(Check.FILE_DIGESTS, "this is not a safetensors header", where, repr(text[:16]), wanted)
    value = parse_json(text, where=where, check=Check.FILE_DIGESTS, max_bytes=MAX_HEADER_BYTES, max_depth=3)
    if isinstance(value, dict) and value.get(_METADATA, "") is None:  # null is no metadata, as in safetensors itself
        del value[_METADATA]
    fields = Fields(value, where=where, check=Check.FILE_DIGESTS)
    metadata = _parse_metadata(fields)
    entries = [_parse_entry(fields.fields(name), name, size) for name in fields.keys]
    tensors = tuple(sorted(entries, key=lambda entry: (entry.begin, entry.end)))
    _refuse_gaps(tensors, where, size, file_bytes)
    return Header(data, tensors, metadata, file_bytes)


def _header_size(length: bytes, where: str, file_bytes: int) -> int:
    """Return the number of bytes before the first tensor."""
    if len(length) != _LENGTH_BYTES:
        raise malformed(
            Check.FILE_DIGESTS,
            "this is not a safetensors file",
            where,
            f"{len(length)} bytes",
            f"at least {_LENGTH_BYTES}",
        )
    stated = int.from_bytes(length, "little")
    most = min(MAX_HEADER_BYTES, file_bytes - _LENGTH_BYTES)
    if not 2 <= stated <= most:
        raise malformed(
            Check.FILE_DIGESTS,
            "the length of the safetensors header is out of range",
            where,
            f"{stated} bytes",
            f"2 to {most}",
        )
    return _LENGTH_BYTES + stated


def _parse_metadata(fields: Fields) -> tuple[tuple[str, str], ...]:
    metadata = fields.optional_fields(_METADATA)
    if metadata is None:
        return ()
    return tuple((key, metadata.text(key, max_chars=MAX_HEADER_BYTES)) for key in metadata.keys)


def _parse_entry(fields: Fields, name: str, data_begin: int) -> TensorEntry:
    dtype = fields.text("dtype")
    if dtype not in DTYPE_BITS:
        raise fields.error("dtype", "unsupported dtype", got=dtype, wanted=", ".join(DTYPE_BITS))
    shape = parse_shape(fields)
    begin, end = _parse_offsets(fields)
    fields.finish()
    if math.prod(shape) * DTYPE_BITS[dtype] != 8 * (end - begin):
        wanted = f"the bytes of {dtype} {list(shape)}"
        problem = "the offsets do not match the tensor's dtype and shape"
        raise fields.error("data_offsets", problem, got=f"{end - begin} bytes", wanted=wanted)
    return TensorEntry(name, dtype, shape, data_begin + begin, data_begin + end)


def _parse_offsets(fields: Fields) -> tuple[int, int]:
    offsets = _parse_integers(fields, "data_offsets")
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        problem = "the offsets are not a range"
        raise fields.error("data_offsets", problem, got=str(list(offsets))[:80], wanted="[begin, end]")
    return offsets[0], offsets[1]


def parse_shape(fields: Fields) -> tuple[int, ...]:
    """Return the member `shape`: up to 64 sizes, or none for a scalar.

    Raises:
        FormatError: the member is missing, has the wrong type, or has more than 64 sizes.
    """
    shape = _parse_integers(fields, "shape")
    if len(shape) > _MAX_DIMENSIONS:
        raise fields.error("shape", "too many dimensions", got=str(len(shape)), wanted=f"at most {_MAX_DIMENSIONS}")
    return shape


def _parse_integers(fields: Fields, key: str) -> tuple[int, ...]:
    value = fields.value(key)
    if isinstance(value, list) and all(type(item) is int and 0 <= item <= MAX_INTEGER for item in value):
        return tuple(value)
    raise fields.error(key, "wrong type", got=str(value)[:80], wanted="a list of integers, none below 0")


def _refuse_gaps(tensors: Iterable[TensorEntry], where: str, data_begin: int, file_bytes: int) -> None:
    position = data_begin
    for entry in tensors:
        if entry.begin != position:
            kind = "a gap before" if entry.begin > position else "an overlap with"
            got = f"{kind} {entry.name} at byte {entry.begin}"
            raise malformed(
                Check.FILE_DIGESTS, "the tensors do not directly follow each other", where, got, f"byte {position}"
            )
        position = entry.end
    if position != file_bytes:
        size = "more" if position > file_bytes else "fewer"
        problem = f"the header describes {size} bytes than the file has"
        raise malformed(
            Check.FILE_DIGESTS, problem, where, f"tensors up to byte {position}", f"the file's {file_bytes} bytes"
        )
