"""JSON from strangers, read more narrowly than RFC 8259 allows, so that every reader sees the same document.

Refused although they are JSON: duplicate keys, floats, integers beyond 64 bits, lone surrogates, deep nesting, and so
many small values that the parsed document would need far more memory than its text.
Refused although `json.loads` takes them: NaN and infinities, a byte order mark, UTF-16 and UTF-32.
"""

from __future__ import annotations

import base64
import json
import re
from typing import NoReturn

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

MAX_INTEGER = 2**63 - 1
# Strings, brackets and commas. A manifest of the most files that it may name has some two million.
MAX_TOKENS = 3_000_000
_MIN_INTEGER = -(2**63)
_MAX_INTEGER_CHARS = 20

# Strings are skipped whole, so that a bracket inside one does not count. An unterminated string is matched to the
# end: no part of the text is scanned twice, whatever it holds.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]|,', re.DOTALL)


class _RefusedError(ValueError):
    """Valid JSON, perhaps, but not what we take."""


def parse_json(
    data: bytes, *, where: str, check: Check, max_bytes: int, max_depth: int = 32, max_tokens: int = MAX_TOKENS
) -> object:
    """Read one JSON value made of objects, lists, strings, integers, true, false and null.

    Raises:
        FormatError: anything that breaks a rule of this module, with `where` and `check`.
    """
    if len(data) > max_bytes:
        raise FormatError(
            "too large", check=check, where=where, got=f"{len(data)} bytes", wanted=f"at most {max_bytes} bytes"
        )
    try:
        text = data.decode("utf-8")
        _refuse_structure(text, max_depth, max_tokens)
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        if "\\u" in text:  # only an escape can bring a lone surrogate past the UTF-8 decoder
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


def _refuse_structure(text: str, max_depth: int, max_tokens: int) -> None:
    """Refuse what would take too much stack or memory, before anything is made of it."""
    depth = 0
    for count, match in enumerate(_TOKEN.finditer(text), 1):
        if count > max_tokens:
            raise _RefusedError(f"more than {max_tokens} strings, brackets and commas")
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > max_depth:
                raise _RefusedError(f"nested more than {max_depth} deep at character {match.start()}")
        elif first in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RefusedError(f"key {twice!r} occurs twice")
    return members


def _integer(digits: str) -> int:
    # Length first: int() refuses more than 4300 digits in words of its own, and takes long over fewer.
    if len(digits) <= _MAX_INTEGER_CHARS:
        number = int(digits)
        if _MIN_INTEGER <= number <= MAX_INTEGER:
            return number
    raise _RefusedError(f"integer {digits[:_MAX_INTEGER_CHARS]}… does not fit 64 bits")


def _refuse_number(text: str) -> NoReturn:
    raise _RefusedError(f"number {text[:_MAX_INTEGER_CHARS]} is not an integer")


class Fields:
    """A JSON object whose members are taken out by name and type; `finish` refuses what is left.

    Every message names the member by its path, as in `subject[3].digest.sha256`. All getters raise FormatError
    when the member is missing or of another type; `optional_` ones return None when it is missing.
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
        """The members not taken yet, in the document's order."""
        return tuple(self._left)

    def where(self, key: str = "") -> str:
        """Return the place of the member `key`, or of this object, for a message."""
        path = self._path_of(key)
        return f"{self._where}, {path}" if path else self._where

    def error(self, key: str, problem: str, *, got: str, wanted: str) -> FormatError:
        """Return, not raise, a FormatError about the member `key`, or about this object when `key` is empty."""
        return FormatError(problem, check=self._check, where=self.where(key), got=got, wanted=wanted)

    def value(self, key: str) -> object:
        """Take a member of whatever type."""
        if key not in self._left:
            raise self.error(key, "missing", got="no such key", wanted=key)
        return self._left.pop(key)

    def text(self, key: str, *, max_chars: int = 1024) -> str:
        """Take a string."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self.error(key, "wrong type", got=_kind(value), wanted="a string")
        if len(value) > max_chars:
            raise self.error(key, "too long", got=f"{len(value)} characters", wanted=f"at most {max_chars}")
        return value

    def optional_text(self, key: str, *, max_chars: int = 1024) -> str | None:
        return self.text(key, max_chars=max_chars) if key in self._left else None

    def constant(self, key: str, wanted: str) -> None:
        """Take a string that must be `wanted`."""
        got = self.text(key)
        if got != wanted:
            raise self.error(key, "unknown value", got=got, wanted=wanted)

    def integer(self, key: str, *, minimum: int = 0, maximum: int = MAX_INTEGER) -> int:
        """Take an integer within bounds; true and false are none."""
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "wrong type", got=_kind(value), wanted="an integer")
        if not minimum <= value <= maximum:
            raise self.error(key, "out of range", got=str(value), wanted=f"{minimum} to {maximum}")
        return value

    def hex_bytes(self, key: str, size_bytes: int) -> bytes:
        """Take `size_bytes` bytes in lower-case hex."""
        text = self.text(key)
        if len(text) != 2 * size_bytes or not re.fullmatch("[0-9a-f]*", text):
            raise self.error(key, "not a digest", got=text, wanted=f"{2 * size_bytes} lower-case hex digits")
        return bytes.fromhex(text)

    def optional_hex_bytes(self, key: str, size_bytes: int) -> bytes | None:
        return self.hex_bytes(key, size_bytes) if key in self._left else None

    def base64_bytes(self, key: str, *, max_bytes: int) -> bytes:
        """Take bytes in the one canonical form of standard base64 (RFC 4648 section 4, padded)."""
        text = self.text(key, max_chars=4 * (max_bytes // 3 + 1))
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise self.error(key, "not base64", got=str(error), wanted="standard alphabet, padded") from error
        if base64.b64encode(data) != text.encode() or len(data) > max_bytes:
            raise self.error(key, "not canonical base64", got=text[-8:], wanted="no stray bits, no missing padding")
        return data

    def fields(self, key: str) -> Fields:
        """Take an object."""
        return self._nested(self.value(key), key)

    def optional_fields(self, key: str) -> Fields | None:
        return self.fields(key) if key in self._left else None

    def fields_list(self, key: str, *, minimum: int = 0, maximum: int) -> list[Fields]:
        """Take a list of objects, `minimum` to `maximum` of them."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self.error(key, "wrong type", got=_kind(value), wanted="a list")
        if not minimum <= len(value) <= maximum:
            wanted = f"{minimum} to {maximum}" if minimum != maximum else f"exactly {minimum}"
            raise self.error(key, "wrong number of entries", got=str(len(value)), wanted=wanted)
        return [self._nested(item, f"{key}[{index}]") for index, item in enumerate(value)]

    def finish(self) -> None:
        """Refuse members that nobody took."""
        if self._left:
            key = min(self._left)
            raise self.error(key, "unknown key", got=key, wanted="only keys that the format defines")

    def _path_of(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path and key else self._path or key

    def _nested(self, value: object, key: str) -> Fields:
        return Fields(value, where=self._where, check=self._check, path=self._path_of(key))


def _kind(value: object) -> str:
    """Name a value for a message: its type when it is long or nested, else the value as JSON."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    return json.dumps(value)
