"""One sample of a data set as bytes: every value with its kind and length, so that no two samples share them.

    value      kind     then (every count, size and length is a u64, little-endian)
    none       n
    text       t        length, UTF-8
    bytes      b        length, bytes
    array      a        dtype as text, number of dimensions, size of each, length, elements in C order, little-endian
    list       l        number of items, each item
    mapping    d        number of members, each key as text and its value, sorted by the UTF-8 bytes of the keys

A truth value, an integer and a float of Python are arrays without dimensions of BOOL, I64 and F64, because that is
what a data loader makes of them; a tuple is a list for the same reason. Dtypes are named as safetensors names them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provenance_oracle.verifier.digest.weights.tensors import view_tensor
from provenance_oracle.verifier.errors import UsageError, VerificationError

_MAX_DEPTH = 32
_WANTED = "arrays or tensors, text, bytes, numbers, None; lists, tuples and mappings of them"


@dataclass(frozen=True)
class Array:
    """An array's dtype, shape and canonical bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


def encode_sample(index: int, sample: object, label: object, *, format_name: bytes) -> bytes:
    """Return the bytes that stand for a sample: the name of the format, a zero byte, index, sample, label.

    Raises:
        UsageError: it holds something else than the values above.
    """
    return b"".join((format_name, b"\0", _u64(index), *_encode(sample, "sample", 0), *_encode(label, "label", 0)))


def _encode(value: object, where: str, depth: int) -> Iterator[bytes | memoryview]:
    if depth > _MAX_DEPTH:
        raise _refused(where, "nested too deep", f"more than {_MAX_DEPTH} levels", "fewer")
    if value is None:
        yield b"n"
    elif isinstance(value, str):
        yield _text(value, where)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        yield b"b" + _u64(len(data))
        yield data
    elif isinstance(value, Mapping):
        keys = [(_text(key, where), key) for key in value]
        if len({encoded for encoded, _ in keys}) != len(keys):
            raise _refused(where, "not a mapping of texts", "two keys of one text", "every key once")
        yield b"d" + _u64(len(keys))
        for encoded, key in sorted(keys, key=lambda item: item[0][9:]):
            yield encoded
            yield from _encode(value[key], f"{where}[{key!r}]", depth + 1)
    elif isinstance(value, list | tuple):
        yield b"l" + _u64(len(value))
        for position, item in enumerate(value):
            yield from _encode(item, f"{where}[{position}]", depth + 1)
    else:
        array = to_array(value, where)
        sizes = (len(array.shape), *array.shape, len(array.data))
        yield b"a" + _text(array.dtype, where) + struct.pack(f"<{len(sizes)}Q", *sizes)
        yield array.data


def to_array(value: object, where: str) -> Array:
    """Return the canonical form of a torch tensor, on whatever device, of a NumPy array, or of a number.

    Raises:
        UsageError: it is none of them, or of a kind that has no canonical bytes.
    """
    if isinstance(value, Array):
        return value
    try:
        if isinstance(value, bool):
            return Array("BOOL", (), struct.pack("<?", value))
        if isinstance(value, int):
            return Array("I64", (), struct.pack("<q", value))
        if isinstance(value, float):
            return Array("F64", (), struct.pack("<d", value))
        tensor = view_tensor(value, where)
    except struct.error as error:
        raise _refused(where, "too large an integer", str(error), "64 bits") from error
    except VerificationError as error:
        raise _refused(where, "no value of a sample", error.got, _WANTED) from error
    data = memoryview(bytearray(tensor.memory.size))
    if data:
        tensor.memory.read_into(data, 0)
    return Array(tensor.dtype, tensor.shape, data)


def split_batch(values: object, count: int, where: str) -> Sequence[object]:
    """Return the samples of a batch: the rows of an array, the rows of every member of a mapping, or texts of a list.

    Raises:
        UsageError: there are not `count` of them, or it is not clear what is a sample and what a batch.
    """
    if values is None:
        return [None] * count
    if isinstance(values, Mapping):
        columns = {key: split_batch(column, count, f"{where}[{key!r}]") for key, column in values.items()}
        return [{key: column[position] for key, column in columns.items()} for position in range(count)]
    if isinstance(values, list | tuple):
        # A list of tensors may be one tensor for each sample or one batch for each field; nothing tells which.
        if len(values) == count and all(isinstance(item, str | bytes) for item in values):
            return values
        got = f"a list of {len(values)} items"
        raise _refused(where, "not clear what is one sample", got, f"{count} texts, an array, or a mapping of them")
    array = to_array(values, where)
    if array.shape[:1] != (count,):
        raise _refused(where, "another number of samples", f"shape {list(array.shape)}", f"{count} rows")
    size = len(array.data) // count if count else 0
    return [
        Array(array.dtype, array.shape[1:], array.data[position * size : (position + 1) * size])
        for position in range(count)
    ]


def _text(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise _refused(where, "not a key", f"a {type(value).__name__}", "text")
    try:
        data = value.encode()
    except UnicodeEncodeError as error:
        raise _refused(where, "not text", str(error), "text that UTF-8 has a form for") from error
    return b"t" + _u64(len(data)) + data


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _refused(where: str, problem: str, got: str, wanted: str) -> UsageError:
    return UsageError(problem, where=where, got=got, wanted=wanted)
