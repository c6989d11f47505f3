"""Strict YAML: bytes to a tree of mappings, lists, text, whole numbers and booleans.

A policy must mean the same to every reader. The parser therefore refuses constructs that YAML readers interpret
differently: `yes`, `010`, `1.55`, an unquoted date, an empty value, a duplicate key, an anchor, a tag. Plain scalars
are typed by the rules of YAML 1.1, as PyYAML's `SafeLoader` implements them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

YAML_MAX_BYTES = 64 * 1024
_MAX_DEPTH = 16
_INTEGER = re.compile(r"0|[1-9][0-9]{0,18}|0x[0-9a-fA-F]{1,16}")
_STRING_TAG = "tag:yaml.org,2002:str"
_INTEGER_TAG = "tag:yaml.org,2002:int"


@dataclass(frozen=True)
class KeyPath:
    """A file and the path of a key in it, for messages such as `my.yaml: tcb_floors.rows[2].floor`.

    `steps` has the names of keys and the numbers of items. They are joined only for a message: a long key would
    otherwise be copied for each value below it.
    """

    file: str
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return f"{self.file}: {path.removeprefix('.')}" if path else self.file

    def key(self, name: str) -> KeyPath:
        """Return the place of the key `name` in this mapping."""
        return KeyPath(self.file, (*self.steps, name))

    def item(self, index: int) -> KeyPath:
        """Return the place of the item number `index`, from 0, of this list."""
        return KeyPath(self.file, (*self.steps, index))

    def refuse(self, problem: str, got: object = "", wanted: str = "") -> NoReturn:
        """Raise UsageError for the value at this place."""
        raise UsageError(problem, where=printable(str(self)), got=printable(str(got), 120), wanted=wanted)


class TooDeepError(yaml.YAMLError):
    """Lists or mappings are nested too deeply."""


class ShallowFlow(yaml.scanner.Scanner):
    """A part of a loader. It refuses `[[[[…` and the like before PyYAML looks for keys among all open brackets."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level > _MAX_DEPTH:
            raise TooDeepError(f"nested too deeply: more than {_MAX_DEPTH} levels")
        super().fetch_flow_collection_start(token)


class _Loader(ShallowFlow, yaml.SafeLoader):
    pass


def parse_yaml(data: bytes, where: str) -> object:
    """Parse one strict YAML document into nested `dict[str, ...]`, `list`, `str`, `int` and `bool` values.

    Args:
        where: the name of the file, for messages.

    Raises:
        UsageError: the data has more than 64 KiB, is not UTF-8 or not YAML, has more than 16 levels or more than one
            document, or uses a construct that this module refuses.
    """
    place = KeyPath(where)
    if len(data) > YAML_MAX_BYTES:
        place.refuse("file is too large", "more than that", f"at most {YAML_MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise UsageError("not UTF-8 text", where=where, got=f"byte {problem.start}", wanted="UTF-8") from problem
    try:
        return _document(yaml.parse(text, Loader=_Loader), place)
    except TooDeepError:
        return _refuse_depth(place)
    except yaml.YAMLError as problem:
        said = printable(" ".join(str(problem).split()))
        raise UsageError("not YAML", where=where, got=said, wanted="YAML") from problem
    except (ValueError, OverflowError) as problem:
        # PyYAML does not wrap these errors: the escape "\U00110000" raises one, for example.
        raise UsageError("not YAML", where=where, got=type(problem).__name__, wanted="YAML") from problem


def _document(events: Iterator[Any], place: KeyPath) -> object:
    next(events)  # StreamStartEvent
    start = next(events)
    if not isinstance(start, yaml.DocumentStartEvent):
        place.refuse("file is empty", "nothing", "a mapping")
    if start.version or start.tags:
        place.refuse("YAML directives are not allowed here", "a line that starts with %", "none")
    tree = _node(next(events), events, place, 0)
    next(events)  # DocumentEndEvent
    if not isinstance(next(events), yaml.StreamEndEvent):
        place.refuse("more than one document", "---", "one document")
    return tree


def _node(event: Any, events: Iterator[Any], place: KeyPath, depth: int) -> object:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        place.refuse("anchors and aliases are not allowed here", event.anchor, "the value itself")
    if event.tag is not None:
        place.refuse("tags are not allowed here", event.tag, "the value itself")
    if depth > _MAX_DEPTH:
        _refuse_depth(place)
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, place)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, place, depth)
    return _mapping(events, place, depth)


def _refuse_depth(place: KeyPath) -> NoReturn:
    place.refuse("nested too deeply", f"more than {_MAX_DEPTH} levels", f"at most {_MAX_DEPTH}")


def _sequence(events: Iterator[Any], place: KeyPath, depth: int) -> list[object]:
    items: list[object] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_node(event, events, place.item(len(items)), depth + 1))
    return items


def _mapping(events: Iterator[Any], place: KeyPath, depth: int) -> dict[str, object]:
    entries: dict[str, object] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, place, depth + 1)
        if not isinstance(key, str):
            place.refuse("a key is not text", shown_value(key), "the name of a rule")
        if key in entries:
            place.refuse("a key is given twice", key, "each key once")
        entries[key] = _node(next(events), events, place.key(key), depth + 1)
    return entries


def _scalar(event: Any, place: KeyPath) -> str | int | bool:
    text: str = event.value
    if printable(text, len(text) + 1) != text:
        place.refuse("text holds characters that cannot be shown", text, "one line of printable text")
    tag = _tag_of_plain(text) if event.implicit[0] else _STRING_TAG
    if tag == _STRING_TAG:
        return text
    if text in ("true", "false"):
        return text == "true"
    if tag == _INTEGER_TAG and _INTEGER.fullmatch(text):
        return int(text, 0)
    kind = tag.rpartition(":")[2]
    return place.refuse(
        f"YAML reads this as {kind}, and YAML readers disagree on such values",
        text or "nothing",
        "text in quotes, a whole number such as 10 or 0x0a, true or false",
    )


def _tag_of_plain(text: str) -> str:
    """Return the tag of the type that YAML 1.1 gives a scalar without quotes."""
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], []):
        if pattern.match(text):
            return str(tag)
    return _STRING_TAG


def shown_value(tree: object) -> str:
    """Describe a value of the tree in a few words, for a message."""
    if isinstance(tree, dict):
        return "a mapping" if tree else "an empty mapping"
    if isinstance(tree, list):
        return f"a list of {len(tree)}"
    return f"the text {tree!r}" if isinstance(tree, str) else str(tree).lower()
