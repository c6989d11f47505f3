"""The parameters of the API's paths and queries: each has one kind, which parses its text and describes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

LIMIT_MAX, LIMIT_DEFAULT = 100, 20
TEXT_MAX_CHARS = 200
_HEX32 = re.compile("[0-9a-f]{64}")
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
_CURSOR = re.compile("[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True)
class TextKind:
    """A kind of parameters.

    Attributes:
        wanted: the texts that fit, in words.
        schema: the same as JSON Schema.
        parse: returns the value of a text; None for one that does not fit.
        has_slashes: whether a text in a path may hold more than one segment.
    """

    wanted: str
    schema: Mapping[str, object]
    parse: Callable[[str], Any]
    has_slashes: bool = False


def _parse_digest(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX32.fullmatch(text) else None


def _parse_limit(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) and 1 <= int(text) <= LIMIT_MAX else None


def _parse_text(text: str) -> str | None:
    return text if 0 < len(text) <= TEXT_MAX_CHARS else None


DIGEST_KIND = TextKind("64 lower-case hex digits", {"type": "string", "pattern": "^[0-9a-f]{64}$"}, _parse_digest)
INDEX_KIND = TextKind(
    "a whole number",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    lambda text: int(text) if _NUMBER.fullmatch(text) else None,
)
LIMIT_KIND = TextKind(
    f"a whole number, 1 to {LIMIT_MAX}",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    _parse_limit,
)
CURSOR_KIND = TextKind(
    "the member next_cursor of an earlier answer to the same question",
    {"type": "string", "pattern": f"^{_CURSOR.pattern}$"},
    lambda text: text if _CURSOR.fullmatch(text) else None,
)
WORDS_KIND = TextKind(
    f"a text of 1 to {TEXT_MAX_CHARS} characters",
    {"type": "string", "minLength": 1, "maxLength": TEXT_MAX_CHARS},
    _parse_text,
)
PATH_KIND = TextKind(WORDS_KIND.wanted, WORDS_KIND.schema, _parse_text, has_slashes=True)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a path or of a query. Those of a path are always required."""

    name: str
    kind: TextKind
    help: str
    default: object = None
    is_required: bool = False

    def parse(self, text: str) -> Any:
        """Return the value of a text. Raises UsageError if it does not fit."""
        value = self.kind.parse(text)
        if value is None:
            got = printable(repr(text), 100)
            raise UsageError("the parameter has a wrong value", where=self.name, got=got, wanted=self.kind.wanted)
        return value


PAGE_PARAMETERS = (
    Parameter("cursor", CURSOR_KIND, "Where the page begins; left out: at the beginning."),
    Parameter("limit", LIMIT_KIND, "How many items a page has at most.", default=LIMIT_DEFAULT),
)


def values_of_query(parameters: Sequence[Parameter], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the value of each parameter of a query.

    Args:
        pairs: names and values as the request has them.

    Raises:
        UsageError: a name is unknown or stands twice, a required one is missing, or a value does not fit.
    """
    known = {one.name: one for one in parameters}
    values = {one.name: one.default for one in parameters if not one.is_required}
    given: set[str] = set()
    for name, text in pairs:
        if name not in known or name in given:
            wanted = f"each at most once: {', '.join(known) or 'no parameter'}"
            raise UsageError("the query has another parameter", where=printable(name, 100), wanted=wanted)
        given.add(name)
        values[name] = known[name].parse(text)
    for one in parameters:
        if one.name not in values:
            raise UsageError("a parameter is missing", where=one.name, got="nothing", wanted=one.kind.wanted)
    return values
