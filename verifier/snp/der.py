"""A strict DER parser: each value has exactly one accepted encoding (X.690, sections 8.1.3, 10.1 and 11).

The project parses certificates and revocation lists only with this module. The result therefore does not depend on the
tolerance of a general X.509 parser, and AMD's serial number 0 and raw extension values need no exception.

The parser does not know the schema, so it cannot check that a field with its default value is left out (X.690, section
11.5). The code that reads such a field checks it.
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
# Enough for a list of 16,000 revoked certificates. AMD's lists have had at most one.
_MAX_VALUES = 50_000
_MAX_INTEGER_BYTES = 21  # RFC 5280, 4.1.2.2: serial numbers of up to 20 octets, plus one for the sign
_MAX_OBJECT_ID_BYTES = 32
_CONSTRUCTED = 0x20
_CONTEXT = 0x80
_CLASS = 0xC0
# Numbers in base 128: the high bit is set in every byte but the last, and no number begins with a zero digit.
_ARCS = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+")
_UTC_TIME_ENDS_IN = 2050  # RFC 5280, 4.1.2.5: UTCTime before this year, GeneralizedTime from it on

Problem = Callable[[str, str, str], FormatError]
"""Builds the caller's error from a problem, the value found and the value wanted."""


class Value(NamedTuple):
    """One DER value.

    `tag` is the identifier octet, `content` the contents octets, and `encoding` the whole value with tag and length.
    `children` are the values inside a constructed value.
    """

    tag: int
    content: bytes
    encoding: bytes
    children: tuple[Value, ...]


def parse_der(data: bytes, problem: Problem, levels: int = _MAX_DEPTH) -> Value:
    """Parse one DER value that fills `data` exactly, with all values inside it.

    The value may have at most `levels` levels inside it, and at most 50,000 values in all.

    Raises:
        FormatError: `data` breaks an encoding rule or a limit; `problem` builds the error.
    """
    value, end = _Walk(data, problem, levels).value(0, len(data), 0)
    if end != len(data):
        raise problem("extra bytes after the value", f"{len(data) - end} bytes", "none")
    return value


class _Walk:
    """One pass over `data`, limited in depth and in number of values."""

    def __init__(self, data: bytes, problem: Problem, levels: int) -> None:
        self._data = data
        self._problem = problem
        self._levels = levels
        self._left = _MAX_VALUES

    def value(self, start: int, limit: int, depth: int) -> tuple[Value, int]:
        """Return the value at `start` and the position of its end, which is at most `limit`."""
        self._left -= 1
        if depth > self._levels or self._left < 0:
            raise self._problem(
                "too many levels or values", "more", f"at most {self._levels} levels and {_MAX_VALUES} values"
            )
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
        """Return the tag and the begin and end of the content. The length must be definite and in its shortest form."""
        data, problem = self._data, self._problem
        if start + 2 > limit:
            raise problem("the value is cut short", f"{limit - start} bytes", "a tag and a length")
        tag, length = data[start], data[start + 1]
        if tag & 0x1F == 0x1F or tag == 0:
            raise problem("unsupported tag", f"{tag:#x}", "a tag in one byte, not zero")
        begin = start + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or begin + count > limit:
                raise problem("unsupported length", f"{length:#x}", "definite, at most four bytes")
            length = int.from_bytes(data[begin : begin + count], "big")
            if length < 0x80 or length.bit_length() <= 8 * (count - 1):
                raise problem("length is not minimal", data[start : begin + count].hex(), "the shortest form")
            begin += count
        if begin + length > limit:
            raise problem("the value is cut short", f"{limit - begin} bytes", f"{length} bytes")
        return tag, begin, begin + length


def _check_content(tag: int, content: bytes, children: list[Value], problem: Problem) -> None:
    if tag & _CLASS == _CONTEXT:
        return  # the code that reads the field knows its type
    form = _FORMS.get(tag)
    if form is None:
        raise problem("unsupported tag", f"{tag:#x}", "one of those that certificates are made of")
    holds, wanted = form
    if not holds(content):
        raise problem(f"malformed value of tag {tag:#x}", content[:16].hex() or "nothing", wanted)
    if tag == SET and [c.encoding for c in children] != sorted(c.encoding for c in children):
        raise problem("members of a SET are out of order", content[:16].hex(), "members sorted by their encoding")


def _is_shortest_integer(content: bytes) -> bool:
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] == 0 and content[1] < 0x80) and not (content[0] == 0xFF and content[1] >= 0x80)


def _is_bit_string(content: bytes) -> bool:
    """Return whether the count of unused bits is 0 to 7 and those bits are zero. An empty string has none unused."""
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


# Every universal type in AMD's certificates and lists, with a function that checks the content and the rule in words.
# SEQUENCE and SET are always constructed, the other types never. `parse_asn1_time` checks times.
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
    """Return the number in a non-negative INTEGER of at most 20 octets, plus one for the sign.

    Raises:
        FormatError: the value is anything else; `problem` builds the error.
    """
    if value.tag != INTEGER or value.content[0] & 0x80 or len(value.content) > _MAX_INTEGER_BYTES:
        raise problem("not a number", value.encoding[:16].hex(), "a non-negative INTEGER of at most 20 octets")
    return int.from_bytes(value.content, "big")


def parse_object_id(value: Value, problem: Problem) -> str:
    """Return an OBJECT IDENTIFIER in its dotted form, such as `2.5.29.35`.

    Raises:
        FormatError: the value is anything else; `problem` builds the error.
    """
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


def parse_asn1_time(value: Value, problem: Problem) -> datetime:
    """Return a time in UTC, as RFC 5280, section 4.1.2.5, writes it.

    The time is a UTCTime before 2050 and a GeneralizedTime from then on, in whole seconds and with `Z`.

    Raises:
        FormatError: the value is anything else; `problem` builds the error.
    """
    moment = _moment(value.tag, value.content)
    if moment is None:
        wanted = "UTCTime, from 2050 on GeneralizedTime, in seconds and Z"
        raise problem("not a time", value.encoding[:24].hex(), wanted)
    return moment


def _moment(tag: int, content: bytes) -> datetime | None:
    text, zone = content[:-1], content[-1:]
    if not text.isdigit() or zone != b"Z":
        return None
    if tag == UTC_TIME and len(text) == 12:  # RFC 5280, 4.1.2.5.1: 50 to 99 mean 1950 to 1999
        text = (b"20" if text < b"50" else b"19") + text
    elif tag != GENERALIZED_TIME or len(text) != 14 or int(text[:4]) < _UTC_TIME_ENDS_IN:
        return None
    month, day, hour, minute, second = (int(text[i : i + 2]) for i in range(4, 14, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # no such day or hour, such as the 31st of November
        return None


def context_tag(number: int) -> int:
    """Return the tag byte of the explicit, constructed context field [number]."""
    return _CONTEXT | _CONSTRUCTED | number
