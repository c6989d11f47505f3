"""Strict DER: one value has one encoding (X.690, sections 8.1.3, 10.1, 11). Reads, never repairs.

`cryptography` parses certificates; this walker makes sure that no second encoding of the same certificate exists,
and reads what that parser does not show: raw algorithm identifiers and AMD's extension values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verifier.errors import FormatError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_ID = 0x01, 0x02, 0x03, 0x04, 0x06
IA5_STRING, SEQUENCE, SET = 0x16, 0x30, 0x31

_MAX_DEPTH = 16
_CONSTRUCTED = 0x20
_CONTEXT = 0x80

Problem = Callable[[str, str, str], FormatError]
"""Makes the error of a caller out of (what, got, wanted)."""


@dataclass(frozen=True)
class Value:
    """One DER value. `children` are the values inside a constructed one; `encoding` is the value whole."""

    tag: int
    content: bytes
    encoding: bytes
    children: tuple[Value, ...]


def parse_der(data: bytes, problem: Problem) -> Value:
    """Parse exactly one value that fills `data`, checking every encoding rule on the way down.

    Raises:
        FormatError: made by `problem`.
    """
    value, end = _parse_value(data, 0, len(data), problem, 0)
    if end != len(data):
        raise problem("bytes after the end", f"{len(data) - end} bytes", "none")
    return value


def _parse_value(data: bytes, start: int, limit: int, problem: Problem, depth: int) -> tuple[Value, int]:
    if depth > _MAX_DEPTH:
        raise problem("nested too deeply", f"more than {_MAX_DEPTH} levels", "a certificate")
    tag, begin, end = _parse_header(data, start, limit, problem)
    content = data[begin:end]
    children: list[Value] = []
    if tag & _CONSTRUCTED:
        position = begin
        while position < end:
            child, position = _parse_value(data, position, end, problem, depth + 1)
            children.append(child)
    _check_content(tag, content, children, problem)
    return Value(tag, content, data[start:end], tuple(children)), end


def _parse_header(data: bytes, start: int, limit: int, problem: Problem) -> tuple[int, int, int]:
    """Return tag, and begin and end of the content; the length in its shortest form, never indefinite."""
    if start + 2 > limit:
        raise problem("cut short", f"{limit - start} bytes", "a tag and a length")
    tag, length = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise problem("tag in several bytes", f"{tag:#x}", "a low tag number")
    begin = start + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or begin + count > limit:
            raise problem("length", f"{length:#x}", "definite, at most four bytes")
        length = int.from_bytes(data[begin : begin + count], "big")
        if length < 0x80 or length.bit_length() <= 8 * (count - 1):
            raise problem("length not in its shortest form", data[start : begin + count].hex(), "the shortest form")
        begin += count
    if begin + length > limit:
        raise problem("cut short", f"{limit - begin} bytes", f"{length} bytes")
    return tag, begin, begin + length


def _check_content(tag: int, content: bytes, children: list[Value], problem: Problem) -> None:
    if tag == BOOLEAN and content not in (b"\x00", b"\xff"):
        raise problem("boolean", content.hex(), "00 or ff")
    if tag == INTEGER and not _is_shortest_integer(content):
        raise problem("integer not in its shortest form", content.hex() or "nothing", "the shortest form")
    if tag == BIT_STRING and not _is_bit_string(content):
        raise problem("bit string", content[:8].hex() or "nothing", "unused bits zero")
    if tag == OBJECT_ID and not _is_object_id(content):
        raise problem("object identifier", content.hex() or "nothing", "arcs in their shortest form")
    if tag == SET and [c.encoding for c in children] != sorted(c.encoding for c in children):
        raise problem("set out of order", content.hex()[:32], "members sorted by their encoding")
    if tag in (SEQUENCE & ~_CONSTRUCTED, SET & ~_CONSTRUCTED):
        raise problem("sequence or set marked primitive", f"{tag:#x}", "constructed")
    universal = tag & 0xC0 == 0
    if universal and tag & _CONSTRUCTED and tag not in (SEQUENCE, SET):
        raise problem("constructed where primitive is due", f"tag {tag:#x}", "a primitive value")


def _is_shortest_integer(content: bytes) -> bool:
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] == 0 and content[1] < 0x80) and not (content[0] == 0xFF and content[1] >= 0x80)


def _is_bit_string(content: bytes) -> bool:
    if not content or content[0] > 7 or (len(content) == 1 and content[0]):
        return False
    return not content[-1] & ((1 << content[0]) - 1) if len(content) > 1 else True


def _is_object_id(content: bytes) -> bool:
    if not content or content[-1] & 0x80:
        return False
    starts = [0, *(i + 1 for i, byte in enumerate(content[:-1]) if not byte & 0x80)]
    return all(content[i] != 0x80 for i in starts)


def parse_unsigned(value: Value, problem: Problem) -> int:
    """Return a non-negative INTEGER."""
    if value.tag != INTEGER or value.content[0] & 0x80:
        raise problem("not a number", value.encoding.hex()[:32], "a non-negative INTEGER")
    return int.from_bytes(value.content, "big")


def context_tag(number: int) -> int:
    """The tag byte of an explicit, constructed context field [number]."""
    return _CONTEXT | _CONSTRUCTED | number
