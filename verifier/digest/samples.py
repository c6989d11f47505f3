"""One sample of a data set as bytes. Every value has its kind and length, so different samples have different bytes.

    value      kind     followed by (every count, size and length is a u64, little-endian)
    none       n
    text       t        length, UTF-8
    bytes      b        length, bytes
    array      a        dtype as text, number of dimensions, size of each, length, elements in C order, little-endian
    list       l        number of items, each item
    mapping    d        number of members, each key as text and its value, sorted by the UTF-8 bytes of the keys

A Python bool, int or float is encoded as an array without dimensions of dtype BOOL, I64 or F64, because a data loader
converts it so; a tuple is a list for the same reason. Dtypes have the names that safetensors uses.
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
    """Return the bytes of a sample: the name of the format, a zero byte, the index as u64, sample, label.

    Raises:
        UsageError: the sample or label has a value of another kind than those above.
    """
    return b"".join((format_name, b"\0", _u64(index), *_encode(sample, "sample", 0), *_encode(label, "label", 0)))


def _encode(value: object, where: str, depth: int) -> Iterator[bytes | memoryview]:
    if depth > _MAX_DEPTH:
        raise _sample_error(where, "the value is nested too deeply", f"more than {_MAX_DEPTH} levels", "fewer")
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
            raise _sample_error(where, "a key of the mapping occurs twice", "two keys of one text", "every key once")
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
    """Return the canonical form of a torch tensor on any device, a NumPy array, or a number.

    Raises:
        UsageError: the value has another type, or a kind or dtype without canonical bytes.
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
        raise _sample_error(where, "the integer is too large", str(error), "64 bits") from error
    except VerificationError as error:
        raise _sample_error(where, "a sample cannot hold this value", error.got, _WANTED) from error
    data = memoryview(bytearray(tensor.memory.size))
    if data:
        tensor.memory.read_into(data, 0)
    return Array(tensor.dtype, tensor.shape, data)


def split_batch(values: object, count: int, where: str) -> Sequence[object]:
    """Return the `count` samples of a batch: rows of an array or of each member of a mapping, or texts of a list.

    Raises:
        UsageError: the batch does not have `count` samples, or its samples cannot be told apart.
    """
    if values is None:
        return [None] * count
    if isinstance(values, Mapping):
        columns = {key: split_batch(column, count, f"{where}[{key!r}]") for key, column in values.items()}
        return [{key: column[position] for key, column in columns.items()} for position in range(count)]
    if isinstance(values, list | tuple):
        # A list of tensors can have one tensor for each sample, or one batch for each field. The list does not tell.
        if len(values) == count and all(isinstance(item, str | bytes) for item in values):
            return values
        got = f"a list of {len(values)} items"
        wanted = f"{count} texts, an array, or a mapping of them"
        raise _sample_error(where, "the samples of the batch cannot be told apart", got, wanted)
    array = to_array(values, where)
    if array.shape[:1] != (count,):
        problem = "the batch has another number of samples"
        raise _sample_error(where, problem, f"shape {list(array.shape)}", f"{count} rows")
    size = len(array.data) // count if count else 0
    return [
        Array(array.dtype, array.shape[1:], array.data[position * size : (position + 1) * size])
        for position in range(count)
    ]


def _text(value: object, where: str) -> bytes:
    if not isinstance(value, str):
        raise _sample_error(where, "a key of the mapping is not text", f"a {type(value).__name__}", "text")
    try:
        data = value.encode()
    except UnicodeEncodeError as error:
        problem = "the text cannot be encoded"
        raise _sample_error(where, problem, str(error), "text that UTF-8 has a form for") from error
    return b"t" + _u64(len(data)) + data


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _sample_error(where: str, problem: str, got: str, wanted: str) -> UsageError:
    return UsageError(problem, where=where, got=got, wanted=wanted)
