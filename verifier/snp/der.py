"""Strict DER: one value has one encoding (X.690, sections 8.1.3, 10.1, 11). Reads, never repairs.

Certificates and lists are read through this walker alone, so that nothing depends on what a general X.509 parser
tolerates, and AMD's serial number 0 and raw extension values need no exception anywhere. The one rule that a walker
cannot check is that of defaults, which must be left out: whoever reads a field with a default checks it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from verifier.errors import FormatError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
TRUE = b"\xff"

_MAX_DEPTH = 16
# A list of 1 MiB whose entries are as small as they can be has some 160,000 values.
_MAX_VALUES = 200_000
_MAX_INTEGER_BYTES = 21  # RFC 5280, 4.1.2.2: serial numbers of up to 20 octets, and one for the sign
_CONSTRUCTED = 0x20
_CONTEXT = 0x80
_CLASS = 0xC0
_UTC_TIME_ENDS_IN = 2050  # RFC 5280, 4.1.2.5: from then on GeneralizedTime, before never

Problem = Callable[[str, str, str], FormatError]
"""Makes the error of a caller out of (what, got, wanted)."""


@dataclass(frozen=True, slots=True)
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
    value, end = _Walk(data, problem).value(0, len(data), 0)
    if end != len(data):
        raise problem("bytes after the end", f"{len(data) - end} bytes", "none")
    return value


class _Walk:
    """One pass over `data`, bounded in depth and in number of values."""

    def __init__(self, data: bytes, problem: Problem) -> None:
        self._data = data
        self._problem = problem
        self._left = _MAX_VALUES

    def value(self, start: int, limit: int, depth: int) -> tuple[Value, int]:
        """Return the value at `start` and where it ends, which is not after `limit`."""
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise self._problem("too deep or too much", "more", f"at most {_MAX_DEPTH} levels and {_MAX_VALUES} values")
        tag, begin, end = self._header(start, limit)
        children: list[Value] = []
        position = begin if tag & _CONSTRUCTED else end
        while position < end:
            child, position = self.value(position, end, depth + 1)
            children.append(child)
        content = self._data[begin:end]
        _check_content(tag, content, children, self._problem)
        return Value(tag, content, self._data[start:end], tuple(children)), end

    def _header(self, start: int, limit: int) -> tuple[int, int, int]:
        """Return tag, and begin and end of the content; the length in its shortest form, never indefinite."""
        data, problem = self._data, self._problem
        if start + 2 > limit:
            raise problem("cut short", f"{limit - start} bytes", "a tag and a length")
        tag, length = data[start], data[start + 1]
        if tag & 0x1F == 0x1F or tag == 0:
            raise problem("tag", f"{tag:#x}", "a tag in one byte, not zero")
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
    shown = content[:16].hex() or "nothing"
    if tag == BOOLEAN and content not in (b"\x00", TRUE):
        raise problem("boolean", shown, "00 or ff")
    if tag == INTEGER and not _is_shortest_integer(content):
        raise problem("integer not in its shortest form", shown, "the shortest form")
    if tag == BIT_STRING and not _is_bit_string(content):
        raise problem("bit string", shown, "unused bits zero")
    if tag == NULL and content:
        raise problem("null", shown, "nothing in it")
    if tag == OBJECT_ID and not _is_object_id(content):
        raise problem("object identifier", shown, "arcs in their shortest form")
    if tag == SET and [c.encoding for c in children] != sorted(c.encoding for c in children):
        raise problem("set out of order", shown, "members sorted by their encoding")
    if tag in (SEQUENCE & ~_CONSTRUCTED, SET & ~_CONSTRUCTED):
        raise problem("sequence or set marked primitive", f"{tag:#x}", "constructed")
    if tag & _CLASS == 0 and tag & _CONSTRUCTED and tag not in (SEQUENCE, SET):
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
    """Return a non-negative INTEGER of at most 20 octets."""
    if value.tag != INTEGER or value.content[0] & 0x80 or len(value.content) > _MAX_INTEGER_BYTES:
        raise problem("not a number", value.encoding[:16].hex(), "a non-negative INTEGER of at most 20 octets")
    return int.from_bytes(value.content, "big")


def parse_object_id(value: Value, problem: Problem) -> str:
    """Return an OBJECT IDENTIFIER in its dotted form."""
    if value.tag != OBJECT_ID or len(value.content) > 32:
        raise problem("not an object identifier", value.encoding[:16].hex(), "one of at most 32 bytes")
    arcs, arc = [], 0
    for byte in value.content:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))


def parse_time(value: Value, problem: Problem) -> datetime:
    """Return a time of RFC 5280: UTCTime before 2050, GeneralizedTime from then on, whole seconds, Z."""
    wrong = problem("not a time", value.encoding[:24].hex(), "UTCTime, from 2050 on GeneralizedTime, in seconds and Z")
    text, zone = value.content[:-1], value.content[-1:]
    if value.tag == UTC_TIME and len(text) == 12:  # RFC 5280, 4.1.2.5.1: 50 to 99 are of the 20th century
        text = (b"20" if text < b"50" else b"19") + text
    elif value.tag != GENERALIZED_TIME or text < str(_UTC_TIME_ENDS_IN).encode():
        raise wrong
    if len(text) != 14 or not text.isdigit() or zone != b"Z":
        raise wrong
    year, (month, day, hour, minute, second) = int(text[:4]), (int(text[i : i + 2]) for i in range(4, 14, 2))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise wrong from None


def context_tag(number: int) -> int:
    """The tag byte of an explicit, constructed context field [number]."""
    return _CONTEXT | _CONSTRUCTED | number
