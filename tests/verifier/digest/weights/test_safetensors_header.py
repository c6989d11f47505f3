"""The strict reader of safetensors headers: it accepts those that the library writes, and refuses malformed ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.safetensors_header import (
    DTYPE_BITS,
    MAX_HEADER_BYTES,
    Header,
    parse_header,
    read_header,
)
from provenance_oracle.verifier.errors import FormatError, ProvenanceError
from provenance_oracle.verifier.strict.files import open_any_file


def pack_header(value: object) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


GOOD = {
    "b": entry("F32", [2, 3], 0, 24),
    "a": entry("BF16", [5], 24, 34),
    "none": entry("F64", [7, 0], 34, 34),
    "scalar": entry("I64", [], 34, 42),
    "__metadata__": {"format": "pt"},
}


def parse(value: object, data_bytes: int) -> Header:
    data = pack_header(value)
    return parse_header(data, where="m.safetensors", file_bytes=len(data) + data_bytes)


def test_names_dtypes_shapes_and_places_are_read() -> None:
    header = parse(GOOD, 42)
    start = len(header.data)
    assert [(e.name, e.dtype, e.shape, e.begin - start, e.nbytes) for e in header.tensors] == [
        ("b", "F32", (2, 3), 0, 24),
        ("a", "BF16", (5,), 24, 10),
        ("none", "F64", (7, 0), 34, 0),
        ("scalar", "I64", (), 34, 8),
    ]
    assert header.metadata == (("format", "pt"),)
    assert header.file_bytes == start + 42


def test_a_file_may_have_no_tensors() -> None:
    assert parse({}, 0).tensors == ()


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    save = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save
    names = ["float32", "bfloat16", "int64", "uint8", "bool", "complex64", "float8_e4m3fn", "uint32"]
    tensors = {name: torch.zeros(3, 5).to(getattr(torch, name)) for name in names}
    data = save(tensors, metadata={"format": "pt"})
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with open_any_file(path) as file:
        header = read_header(file, len(data))
    assert {e.name: e.shape for e in header.tensors} == dict.fromkeys(names, (3, 5))
    for e in header.tensors:
        assert e.nbytes * 8 == 15 * DTYPE_BITS[e.dtype]


BAD: dict[str, tuple[object, int]] = {
    "a gap": ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 5, 9)}, 9),
    "a gap at the start": ({"a": entry("U8", [4], 1, 5)}, 5),
    "an overlap": ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 3, 7)}, 7),
    "one range twice": ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [4], 0, 4)}, 4),
    "an empty tensor within another": ({"a": entry("U8", [4], 0, 4), "b": entry("U8", [0], 2, 2)}, 4),
    "more than the file": ({"a": entry("U8", [9], 0, 9)}, 8),
    "less than the file": ({"a": entry("U8", [7], 0, 7)}, 8),
    "a terabyte": ({"a": entry("U8", [2**40], 0, 2**40)}, 8),
    "bytes and no tensor": ({}, 8),
    "too few bytes for the shape": ({"a": entry("F32", [2], 0, 4)}, 4),
    "a shape that overflows 64 bits": ({"a": entry("F32", [2**62, 2**62, 2**62], 0, 0)}, 0),
    "half a byte": ({"a": entry("F4", [3], 0, 1)}, 1),
    "an unknown dtype": ({"a": entry("F128", [1], 0, 16)}, 16),
    "a lower-case dtype": ({"a": entry("f32", [1], 0, 4)}, 4),
    "an end before its begin": ({"a": entry("U8", [0], 4, 0)}, 4),
    "one offset": ({"a": {"dtype": "U8", "shape": [4], "data_offsets": [4]}}, 4),
    "a negative size": ({"a": entry("U8", [-2, -2], 0, 4)}, 4),
    "a truth value as a size": ({"a": entry("U8", [True, 4], 0, 4)}, 4),
    "a float as a size": ({"a": {"dtype": "U8", "shape": [4.0], "data_offsets": [0, 4]}}, 4),
    "a text as a size": ({"a": {"dtype": "U8", "shape": ["4"], "data_offsets": [0, 4]}}, 4),
    "65 dimensions": ({"a": entry("U8", [1] * 65, 0, 1)}, 1),
    "no shape": ({"a": {"dtype": "U8", "data_offsets": [0, 4]}}, 4),
    "an unknown key": ({"a": entry("U8", [4], 0, 4) | {"strides": [1]}}, 4),
    "an entry that is a list": ({"a": [1]}, 0),
    "metadata that is no text": ({"__metadata__": {"a": 1}}, 0),
    "metadata that nests": ({"__metadata__": {"a": {"b": "c"}}}, 0),
    "a name twice": (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
                     b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0),
    "a key twice": (b'{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}', 0),
    "an escaped name twice": (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
                              b'"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0),
    "a space before it": (b' {}     ', 0),
    "a line end behind it": (b'{}\n', 0),
    "text behind it": (b'{} {}', 0),
    "a list": (b'[]', 0),
    "no JSON": (b'{"a"}', 0),
    "no UTF-8": (b'{"\xff": 1}', 0),
    "deep nesting": (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", 0),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_refused(case: str) -> None:
    value, data_bytes = BAD[case]
    with pytest.raises(FormatError) as caught:
        parse(value, data_bytes)
    assert caught.value.check is Check.FILE_DIGESTS
    assert caught.value.where.startswith("m.safetensors")


@pytest.mark.parametrize("length", [0, 1, 2**64 - 1, MAX_HEADER_BYTES + 1])
def test_the_length_is_refused_before_anything_is_read(length: int, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(length.to_bytes(8, "little"))
    with (
        open_any_file(path) as file,
        pytest.raises(FormatError, match="the length of the safetensors header is out of range"),
    ):
        read_header(file, 2**50)


def test_a_length_beyond_the_file_is_refused() -> None:
    data = pack_header({})
    with pytest.raises(FormatError, match="the length of the safetensors header is out of range"):
        parse_header(data, where="m", file_bytes=len(data) - 1)


@pytest.mark.parametrize("size", [0, 7, 8, 9, 500])
def test_no_more_and_no_less_than_the_header_is_parsed(size: int) -> None:
    data = pack_header(GOOD)
    with pytest.raises(FormatError):
        parse_header(data.ljust(500, b" ")[:size], where="m", file_bytes=len(data) + 42)


def test_only_the_header_of_a_file_is_needed(tmp_path: Path) -> None:
    data = pack_header(GOOD)
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with open_any_file(path) as file:
        assert read_header(file, len(data) + 42) == parse(GOOD, 42)
    for size in (0, 7, 8, len(data) - 1):
        path.write_bytes(data[:size])
        with open_any_file(path) as file, pytest.raises(FormatError, match="ends within its header"):
            read_header(file, len(data) + 42)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_random_bytes_are_refused(data: bytes, file_bytes: int) -> None:
    with pytest.raises(ProvenanceError):
        parse_header(data, where="m", file_bytes=file_bytes)


@given(st.data())
@example(None)
def test_a_changed_header_is_refused_or_still_tiles_the_file(draws: Any) -> None:
    data = bytearray(pack_header(GOOD))
    if draws is not None:
        for _ in range(draws.draw(st.integers(1, 3))):
            data[draws.draw(st.integers(8, len(data) - 1))] = draws.draw(st.sampled_from(b'0123456789",:[]{} \\u-a'))
    try:
        header = parse_header(bytes(data), where="m", file_bytes=len(data) + 42)
    except ProvenanceError:
        return
    position = len(header.data)
    for tensor in header.tensors:
        assert tensor.begin == position
        position = tensor.end
    assert position == header.file_bytes == len(data) + 42


def test_null_metadata_is_no_metadata_as_in_the_reference_implementation() -> None:
    header = parse({"__metadata__": None, "a": entry("U8", [4], 0, 4)}, 4)
    assert header.metadata == ()
    assert [tensor.name for tensor in header.tensors] == ["a"]
