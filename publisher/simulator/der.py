"""A small DER encoder with just the parts needed to write AMD's certificates and lists byte for byte.

Source: ITU-T X.690, sections 8 to 11. The encoder also writes values that a certificate authority would not: serial
number 0, an encoded default, a bit string with any number of unused bits.
"""

from __future__ import annotations

from datetime import UTC, datetime

_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _NULL, _OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
_UTF8_STRING, _PRINTABLE_STRING, _IA5_STRING, _UTC_TIME, _GENERALIZED_TIME = 0x0C, 0x13, 0x16, 0x17, 0x18
_SEQUENCE, _SET = 0x30, 0x31
_CONTEXT, _CONSTRUCTED = 0x80, 0x20

_UTC_TIME_ENDS_IN = 2050  # RFC 5280, 4.1.2.5: GeneralizedTime from this year on


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one element: tag, length in the shortest form, contents concatenated."""
    value = b"".join(contents)
    return bytes([tag]) + _length(len(value)) + value


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes([count])
    digits = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def boolean(value: bool) -> bytes:
    return tlv(_BOOLEAN, b"\xff" if value else b"\x00")


def integer(value: int) -> bytes:
    """Return an INTEGER, two's complement in the fewest bytes: 0 is `02 01 00`, 219 is `02 02 00 db`."""
    bits = (value if value >= 0 else ~value).bit_length()
    return tlv(_INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def bit_string(data: bytes, unused_bits: int = 0) -> bytes:
    return tlv(_BIT_STRING, bytes([unused_bits]), data)


def octet_string(data: bytes) -> bytes:
    return tlv(_OCTET_STRING, data)


def null() -> bytes:
    return tlv(_NULL)


def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER from text such as `1.2.840.10045`.

    The first two numbers share a byte; the others are written in base 128.
    """
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(_OID, bytes([first * 40 + second]), *(_base128(number) for number in rest))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))


def utf8_string(text: str) -> bytes:
    return tlv(_UTF8_STRING, text.encode())


def printable_string(text: str) -> bytes:
    return tlv(_PRINTABLE_STRING, text.encode("ascii"))


def ia5_string(text: str) -> bytes:
    return tlv(_IA5_STRING, text.encode("ascii"))


def time(at: datetime) -> bytes:
    """Return a UTCTime before 2050, else a GeneralizedTime. Fractions of a second are dropped."""
    utc = at.astimezone(UTC)
    if utc.year < _UTC_TIME_ENDS_IN:
        return tlv(_UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(_GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode())


def sequence(*items: bytes) -> bytes:
    return tlv(_SEQUENCE, *items)


def set_of_one(item: bytes) -> bytes:
    """Return a SET OF with one member, as in every name here, so the order of members does not matter."""
    return tlv(_SET, item)


def explicit(number: int, item: bytes) -> bytes:
    """Return `[number] EXPLICIT item`."""
    return tlv(_CONTEXT | _CONSTRUCTED | number, item)


def implicit(number: int, content: bytes, *, constructed: bool = False) -> bytes:
    """Return `[number] IMPLICIT` with `content`, which is without a tag and length of its own."""
    return tlv(_CONTEXT | (_CONSTRUCTED if constructed else 0) | number, content)
