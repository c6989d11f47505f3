"""Strict JSON for untrusted input: narrower than RFC 8259, so that every reader sees the same document.

These are valid JSON but refused: duplicate keys, floats, integers beyond 64 bits, lone surrogates, deep nesting, and
so many small values that the parsed document would need far more memory than its text.
`json.loads` accepts these, but they are refused: NaN and infinities, a byte order mark, UTF-16 and UTF-32.
"""

from __future__ import annotations

import base64
import json
import re
from typing import NoReturn

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

MAX_INTEGER = 2**63 - 1
# Tokens are strings, brackets and commas. A manifest with the largest permitted number of files has some two million.
MAX_TOKENS = 3_000_000
_MIN_INTEGER = -(2**63)
_MAX_INTEGER_CHARS = 20

# Each string is one token, so that a bracket inside it does not count. An unterminated string matches up to the end of
# the text: the pattern scans no part of the text twice, so hostile input cannot slow it down.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]|,', re.DOTALL)


class RefusedJsonError(ValueError):
    """The JSON breaks a rule of this module. `parse_json` turns it into a FormatError."""


def parse_json(
    data: bytes,
    *,
    where: str,
    check: Check,
    max_bytes: int,
    max_depth: int = 32,
    max_tokens: int = MAX_TOKENS,
    whole_floats: bool = False,
) -> object:
    """Parse one UTF-8 JSON value made of objects, lists, strings, integers, true, false and null.

    Args:
        where: the name of the document, for messages.
        check: the check that fails if the document is refused.
        max_bytes: the most bytes that `data` may have.
        max_depth: the most levels of objects and lists.
        max_tokens: the most strings, brackets and commas.
        whole_floats: read numbers such as `1000.0` as integers; some signers write their sizes so.

    Raises:
        FormatError: the document breaks a rule of this module; the error carries `where` and `check`.
    """
    if len(data) > max_bytes:
        raise FormatError(
            "too large", check=check, where=where, got=f"{len(data)} bytes", wanted=f"at most {max_bytes} bytes"
        )
    try:
        text = data.decode("utf-8")
        refuse_structure(text, max_depth=max_depth, max_tokens=max_tokens)
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_whole_float if whole_floats else _refuse_number,
            parse_constant=_refuse_number,
        )
        if "\\u" in text:  # only an escape can carry a lone surrogate past the UTF-8 decoder
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise FormatError(
            "not strict JSON",
            check=check,
            where=where,
            got=str(error),
            wanted="one UTF-8 JSON value: unique keys, 64-bit integers, no floats, no lone surrogates",
        ) from error
    return value


def refuse_structure(text: str, *, max_depth: int, max_tokens: int) -> None:
    """Refuse a text whose parsed form would take too much stack or memory. Nothing is parsed yet.

    Raises:
        RefusedJsonError: the text has more than `max_tokens` strings, brackets and commas, or more than `max_depth`
            levels.
    """
    depth = 0
    for count, match in enumerate(_TOKEN.finditer(text), 1):
        if count > max_tokens:
            raise RefusedJsonError(f"more than {max_tokens} strings, brackets and commas")
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise RefusedJsonError(f"nested more than {max_depth} deep at character {match.start()}")
        elif first in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RefusedJsonError(f"key {twice!r} occurs twice")
    return members


def _integer(digits: str) -> int:
    # Check the length first: int() is slow on many digits, and refuses more than 4300 with a message of its own.
    if len(digits) <= _MAX_INTEGER_CHARS:
        number = int(digits)
        if _MIN_INTEGER <= number <= MAX_INTEGER:
            return number
    raise RefusedJsonError(f"integer {digits[:_MAX_INTEGER_CHARS]}… does not fit 64 bits")


def _whole_float(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return _integer(whole) if fraction == "0" else _refuse_number(text)


def _refuse_number(text: str) -> NoReturn:
    raise RefusedJsonError(f"number {text[:_MAX_INTEGER_CHARS]} is not an integer")


class Fields:
    """A JSON object whose members are taken one by one, by name and type. `finish` refuses members that are left.

    Every message names the member by its path, as in `subject[3].digest.sha256`. Every getter removes the member that
    it returns, and raises FormatError if the member is missing, of another type or out of bounds. The getters whose
    names begin with `optional_` return None if the member is missing.

    Args:
        value: the parsed JSON value.
        where: the name of the document, for messages.
        check: the check that fails if the document is refused.
        path: the path of this object inside the document.

    Raises:
        FormatError: `value` is not an object.
    """

    def __init__(self, value: object, *, where: str, check: Check, path: str = "") -> None:
        self._where = where
        self._check = check
        self._path = path
        if not isinstance(value, dict):
            raise self.error("", "wrong type", got=_kind(value), wanted="an object")
        self._left: dict[str, object] = dict(value)

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the members that are not taken yet, in the document's order."""
        return tuple(self._left)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def where(self, key: str = "") -> str:
        """Return document and path of the member `key`, or of this object if `key` is empty, for a message."""
        path = self._path_of(key)
        return f"{self._where}, {path}" if path else self._where

    def error(self, key: str, problem: str, *, got: str, wanted: str) -> FormatError:
        """Return (do not raise) a FormatError about the member `key`, or about this object if `key` is empty."""
        return FormatError(problem, check=self._check, where=self.where(key), got=got, wanted=wanted)

    def value(self, key: str) -> object:
        """Take a member of any type."""
        if key not in self._left:
            raise self.error(key, "missing", got="no such key", wanted=key)
        return self._left.pop(key)

    def text(self, key: str, *, max_chars: int = 1024) -> str:
        """Take a string of at most `max_chars` characters."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self.error(key, "wrong type", got=_kind(value), wanted="a string")
        if len(value) > max_chars:
            raise self.error(key, "too long", got=f"{len(value)} characters", wanted=f"at most {max_chars}")
        return value

    def optional_text(self, key: str, *, max_chars: int = 1024) -> str | None:
        """Take a string as `text` does, or return None if the member is missing."""
        return self.text(key, max_chars=max_chars) if key in self._left else None

    def constant(self, key: str, wanted: str) -> None:
        """Take a string that must equal `wanted`."""
        got = self.text(key)
        if got != wanted:
            raise self.error(key, "unknown value", got=got, wanted=wanted)

    def integer(self, key: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
        """Take an integer from `minimum` to `maximum`, both included. true and false are not integers here."""
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "wrong type", got=_kind(value), wanted="an integer")
        if not minimum <= value <= maximum:
            raise self.error(key, "out of range", got=str(value), wanted=f"{minimum} to {maximum}")
        return value

    def hex_bytes(self, key: str, size_bytes: int) -> bytes:
        """Take exactly `size_bytes` bytes, written as lower-case hex digits."""
        text = self.text(key)
        if len(text) != 2 * size_bytes or not re.fullmatch("[0-9a-f]*", text):
            raise self.error(key, "not a digest", got=text, wanted=f"{2 * size_bytes} lower-case hex digits")
        return bytes.fromhex(text)

    def optional_hex_bytes(self, key: str, size_bytes: int) -> bytes | None:
        """Take bytes as `hex_bytes` does, or return None if the member is missing."""
        return self.hex_bytes(key, size_bytes) if key in self._left else None

    def base64_bytes(self, key: str, *, max_bytes: int) -> bytes:
        """Take at most `max_bytes` bytes in canonical standard base64 (RFC 4648, section 4, padded)."""
        text = self.text(key, max_chars=4 * (max_bytes // 3 + 1))
        data = canonical_base64(text)
        if data is None or len(data) > max_bytes:
            wanted = "standard alphabet, padded, no stray bits"
            raise self.error(key, "not canonical base64", got=text[-8:], wanted=wanted)
        return data

    def fields(self, key: str) -> Fields:
        """Take a nested object."""
        return self._nested(self.value(key), key)

    def optional_fields(self, key: str) -> Fields | None:
        """Take a nested object, or return None if the member is missing."""
        return self.fields(key) if key in self._left else None

    def fields_list(self, key: str, *, minimum: int = 0, maximum: int) -> list[Fields]:
        """Take a list of `minimum` to `maximum` objects."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self.error(key, "wrong type", got=_kind(value), wanted="a list")
        if not minimum <= len(value) <= maximum:
            wanted = f"{minimum} to {maximum}" if minimum != maximum else f"exactly {minimum}"
            raise self.error(key, "wrong number of entries", got=str(len(value)), wanted=wanted)
        return [self._nested(item, f"{key}[{index}]") for index, item in enumerate(value)]

    def pass_over(self, *keys: str, max_chars: int) -> None:
        """Take the optional members `keys` of any form, and ignore them. None may have more JSON than `max_chars`."""
        for key in keys:
            if key in self._left:
                self._refuse_large(key, self._left.pop(key), max_chars)

    def pass_over_rest(self, *, max_chars: int) -> None:
        """Take all members that are left, and ignore them, as `pass_over` does."""
        for key, value in self._left.items():
            self._refuse_large(key, value, max_chars)
        self._left.clear()

    def finish(self) -> None:
        """Raise FormatError if a member was not taken: the format does not define it."""
        if self._left:
            key = min(self._left)
            raise self.error(key, "unknown key", got=key, wanted="only keys that the format defines")

    def _refuse_large(self, key: str, value: object, max_chars: int) -> None:
        chars = len(json.dumps(value))
        if chars > max_chars:
            raise self.error(key, "too large", got=f"{chars} characters", wanted=f"at most {max_chars}")

    def _path_of(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path and key else self._path or key

    def _nested(self, value: object, key: str) -> Fields:
        return Fields(value, where=self._where, check=self._check, path=self._path_of(key))


def canonical_base64(text: str) -> bytes | None:
    """Return the bytes of canonical standard base64 (RFC 4648, section 4, padded); None for any other text."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data) == text.encode() else None


def _kind(value: object) -> str:
    """Describe a value for a message: objects and lists by type, strings cut to 40 characters, the rest as JSON."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    return json.dumps(value)
