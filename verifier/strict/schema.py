"""Build frozen dataclasses from trees of plain values, such as `parse_yaml` returns.

The dataclasses are the schema: each field without a default is a required key, and no other key is allowed. Every
error names the file, the path of the key, the value found and the value wanted.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.parse_yaml import KeyPath, shown_value

_MAX_LIST = 1024
_KIND_WORDS = {str: "text", int: "a whole number", bool: "true or false"}

_T = TypeVar("_T")


@dataclass(frozen=True)
class Between:
    """Bounds of a whole number, both included, for `Annotated[int, ...]`."""

    least: int
    most: int


@dataclass(frozen=True)
class HexOf:
    """Accepted lengths, in bytes, of a value written in hex, for `Annotated[bytes, ...]`."""

    sizes_bytes: tuple[int, ...]


@dataclass(frozen=True)
class Like:
    """A regular expression that the whole text must match, and the same rule in words, for `Annotated[str, ...]`."""

    pattern: str
    words: str


class RuleError(ValueError):
    """Raised by a dataclass's `__post_init__` if each key is fine but their combination is not.

    `build` turns it into a UsageError with the place of the mapping.
    """

    def __init__(self, problem: str, got: object, wanted: str) -> None:
        super().__init__(problem)
        self.problem, self.got, self.wanted = problem, got, wanted


def build(kind: type[_T], tree: object, place: KeyPath, given: Mapping[str, object] | None = None) -> _T:
    """Build the dataclass `kind` from a tree, by its type hints.

    Supported hints: dataclasses, `tuple[X, ...]` and `frozenset[X]` (lists of 1 to 1024 items, none repeated),
    `dict[name, X]` (mappings of 1 to 1024 members), `Literal`, enums, `str`, `int`, `bool`, `date`, `bytes` (hex,
    always `Annotated` with `HexOf`), unions of `Literal` words with one other hint, and `Annotated` with `Between`,
    `HexOf` or `Like`. The file may leave out a field that has a default.

    Args:
        tree: the mapping to read.
        place: the file and path of `tree`, for messages.
        given: values of fields that do not come from the file; the file must not name them.

    Raises:
        UsageError: a key is missing or unknown, a value does not fit its hint, or the dataclass raised `RuleError`.
    """
    hints = get_type_hints(kind, include_extras=True)
    outside = given or {}
    names = [f.name for f in fields(cast(Any, kind)) if f.name not in outside]
    needed = {f.name for f in fields(cast(Any, kind)) if f.default is MISSING} - outside.keys()
    if not isinstance(tree, dict):
        place.refuse("not a mapping", shown_value(tree), "the keys " + ", ".join(names))
    if unknown := sorted(tree.keys() - set(names)):
        place.refuse("unknown key", ", ".join(unknown), "only " + ", ".join(names))
    if missing := [name for name in names if name in needed and name not in tree]:
        place.refuse("rule left out", "no " + ", ".join(missing), "every rule; `any` for what is not checked")
    values = {name: _value(hints[name], tree[name], place.key(name)) for name in names if name in tree}
    try:
        return kind(**values, **outside)
    except RuleError as error:
        place.refuse(error.problem, error.got, error.wanted)


def _value(hint: Any, tree: object, place: KeyPath) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _annotated(hint, tree, place)
    if origin in (Union, types.UnionType):
        return _union(hint, tree, place)
    if origin is Literal:
        return _word(get_args(hint), tree, place)
    if origin in (tuple, frozenset):
        return origin(_items(get_args(hint)[0], tree, place))
    if origin is dict:
        return _members(hint, tree, place)
    if is_dataclass(hint):
        return build(cast(type[Any], hint), tree, place)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _word(tuple(hint), tree, place)
    if hint is date:
        return _date(tree, place)
    if type(tree) is not hint:
        place.refuse("wrong kind of value", shown_value(tree), _KIND_WORDS[hint])
    return tree


def _union(hint: Any, tree: object, place: KeyPath) -> Any:
    """Return one of the union's words, such as `any`, or a value of its one other hint.

    None in a union only means that the key may be left out; it is never a value.
    """
    parts = [part for part in get_args(hint) if part is not types.NoneType]
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    (other,) = (part for part in parts if get_origin(part) is not Literal)
    if isinstance(tree, str) and tree in words:
        return _word(tuple(words), tree, place)
    try:
        return _value(other, tree, place)
    except UsageError as error:
        if error.where == str(place):  # the value itself is wrong, so one of the words would fit too
            error.wanted = " or ".join([*map(str, words), error.wanted])
        raise


def _word(words: tuple[Any, ...], tree: object, place: KeyPath) -> Any:
    for word in words:
        plain = word.value if isinstance(word, Enum) else word
        if type(plain) is type(tree) and plain == tree:
            return word
    return place.refuse("not one of the words allowed", shown_value(tree), " or ".join(str(word) for word in words))


def _items(hint: Any, tree: object, place: KeyPath) -> list[Any]:
    if not isinstance(tree, list):
        place.refuse("not a list", shown_value(tree), "a list")
    if not 1 <= len(tree) <= _MAX_LIST:
        place.refuse("the list is empty or too long", f"{len(tree)} items", f"1 to {_MAX_LIST} items")
    items: dict[Any, None] = {}  # every value that a hint allows can be hashed
    for index, item in enumerate(tree):
        value = _value(hint, item, place.item(index))
        if value in items:
            place.item(index).refuse("given twice", shown_value(item), "each item once")
        items[value] = None
    return list(items)


def _members(hint: Any, tree: object, place: KeyPath) -> dict[Any, Any]:
    if not isinstance(tree, dict):
        place.refuse("not a mapping", shown_value(tree), "names, each with its value")
    if not 1 <= len(tree) <= _MAX_LIST:
        place.refuse("the mapping is empty or too long", f"{len(tree)} members", f"1 to {_MAX_LIST} members")
    of_name, of_value = get_args(hint)
    return {_value(of_name, n, place.key(n)): _value(of_value, value, place.key(n)) for n, value in tree.items()}


def _annotated(hint: Any, tree: object, place: KeyPath) -> Any:
    base, limit = get_args(hint)
    if isinstance(limit, HexOf):
        return _hex(limit, tree, place)
    value = _value(base, tree, place)
    if isinstance(limit, Between) and not limit.least <= value <= limit.most:
        place.refuse("number out of range", value, f"{limit.least} to {limit.most}")
    if isinstance(limit, Like) and not re.fullmatch(limit.pattern, value):
        place.refuse("the text has the wrong form", value, limit.words)
    return value


def _hex(limit: HexOf, tree: object, place: KeyPath) -> bytes:
    digits = " or ".join(str(2 * size) for size in limit.sizes_bytes)
    wanted = f"{digits} lower-case hex digits in quotes"
    if not isinstance(tree, str) or not re.fullmatch("[0-9a-f]*", tree):
        place.refuse("not hex", shown_value(tree), wanted)
    if len(tree) not in [2 * size for size in limit.sizes_bytes]:
        place.refuse("hex of the wrong length", f"{len(tree)} digits", wanted)
    return bytes.fromhex(tree)


def _date(tree: object, place: KeyPath) -> date:
    if isinstance(tree, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", tree):
        try:
            return date.fromisoformat(tree)
        except ValueError:
            pass
    return place.refuse("not a date", shown_value(tree), 'a date in quotes, such as "2026-11-21"')
