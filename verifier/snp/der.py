"""Strict DER: one value has one encoding (X.690, sections 8.1.3, 10.1, 11). Reads, never repairs.

Certificates and lists are read through this walker alone, so that nothing depends on what a general X.509 parser
tolerates, and AMD's serial number 0 and raw extension values need no exception anywhere. The one rule that a walker
cannot check is that of defaults, which must be left out: whoever reads a field with a default checks it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from provenance_oracle.verifier.errors import FormatError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
TRUE = b"\xff"

_MAX_DEPTH = 16
# Room for a list of 16,000 revoked certificates; AMD's has had one.
_MAX_VALUES = 50_000
_MAX_INTEGER_BYTES = 21  # RFC 5280, 4.1.2.2: serial numbers of up to 20 octets, and one for the sign
_MAX_OBJECT_ID_BYTES = 32
_CONSTRUCTED = 0x20
_CONTEXT = 0x80
_CLASS = 0xC0
# Numbers in base 128, high bit set in all bytes but the last, and none beginning with a zero digit.
_ARCS = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+")
_UTC_TIME_ENDS_IN = 2050  # RFC 5280, 4.1.2.5: from then on GeneralizedTime, before never

Problem = Callable[[str, str, str], FormatError]
"""Makes the error of a caller out of (what, got, wanted)."""


class Value(NamedTuple):
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
    if tag & _CLASS == _CONTEXT:
        return  # what it may hold, whoever reads it knows
    form = _FORMS.get(tag)
    if form is None:
        raise problem("tag", f"{tag:#x}", "one of those that certificates are made of")
    holds, wanted = form
    if not holds(content):
        raise problem(f"value of tag {tag:#x}", content[:16].hex() or "nothing", wanted)
    if tag == SET and [c.encoding for c in children] != sorted(c.encoding for c in children):
        raise problem("set out of order", content[:16].hex(), "members sorted by their encoding")


def _is_shortest_integer(content: bytes) -> bool:
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] == 0 and content[1] < 0x80) and not (content[0] == 0xFF and content[1] >= 0x80)


def _is_bit_string(content: bytes) -> bool:
    """A count of unused bits, which must be zero; no bits at all have none unused."""
    if len(content) < 2:
        return content == b"\0"
    return content[0] < 8 and not content[-1] & ((1 << content[0]) - 1)


def _is_object_id(content: bytes) -> bool:
    return len(content) <= _MAX_OBJECT_ID_BYTES and _ARCS.fullmatch(content) is not None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _anything(_: bytes) -> bool:
    return True


# Every universal type in AMD's certificates and lists: whether a content is well formed, and how it should be.
# SEQUENCE and SET are always constructed, the others never; a time is judged by `parse_time`.
_FORMS: dict[int, tuple[Callable[[bytes], bool], str]] = {
    BOOLEAN: (lambda content: content in (b"\0", TRUE), "00 or ff"),
    INTEGER: (_is_shortest_integer, "an integer in its shortest form"),
    BIT_STRING: (_is_bit_string, "unused bits counted, and zero"),
    OCTET_STRING: (_anything, ""),
    NULL: (lambda content: not content, "nothing"),
    OBJECT_ID: (_is_object_id, f"at most {_MAX_OBJECT_ID_BYTES} bytes, arcs in their shortest form"),
    UTF8_STRING: (_is_utf8, "UTF-8"),
    PRINTABLE_STRING: (bytes.isascii, "ASCII"),
    IA5_STRING: (bytes.isascii, "ASCII"),
    UTC_TIME: (_anything, ""),
    GENERALIZED_TIME: (_anything, ""),
    SEQUENCE: (_anything, ""),
    SET: (_anything, ""),
}


def parse_unsigned(value: Value, problem: Problem) -> int:
    """Return a non-negative INTEGER of at most 20 octets."""
    if value.tag != INTEGER or value.content[0] & 0x80 or len(value.content) > _MAX_INTEGER_BYTES:
        raise problem("not a number", value.encoding[:16].hex(), "a non-negative INTEGER of at most 20 octets")
    return int.from_bytes(value.content, "big")


def parse_object_id(value: Value, problem: Problem) -> str:
    """Return an OBJECT IDENTIFIER in its dotted form."""
    if value.tag != OBJECT_ID:
        raise problem("not an object identifier", value.encoding[:16].hex(), "an OBJECT IDENTIFIER")
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
    moment = _moment(value.tag, value.content)
    if moment is None:
        wanted = "UTCTime, from 2050 on GeneralizedTime, in seconds and Z"
        raise problem("not a time", value.encoding[:24].hex(), wanted)
    return moment


def _moment(tag: int, content: bytes) -> datetime | None:
    text, zone = content[:-1], content[-1:]
    if not text.isdigit() or zone != b"Z":
        return None
    if tag == UTC_TIME and len(text) == 12:  # RFC 5280, 4.1.2.5.1: 50 to 99 are of the 20th century
        text = (b"20" if text < b"50" else b"19") + text
    elif tag != GENERALIZED_TIME or len(text) != 14 or int(text[:4]) < _UTC_TIME_ENDS_IN:
        return None
    month, day, hour, minute, second = (int(text[i : i + 2]) for i in range(4, 14, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # the 31st of November
        return None


def context_tag(number: int) -> int:
    """The tag byte of an explicit, constructed context field [number]."""
    return _CONTEXT | _CONSTRUCTED | number
