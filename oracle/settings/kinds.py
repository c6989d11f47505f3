"""Kinds of settings: each parses a value of the YAML file, the environment or the command line, and shows it again.

Every command that takes settings imports this module for its help, so it imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TEXTS_MAX = 64
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_PORT_MAX = 65_535
_LOOPBACK = "127.0.0.1"
_HIDDEN = "***"
# A scheme, the user, and the value of a parameter, such as pin-value in pkcs11:token=oracle?pin-value=1234
_URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_USER = re.compile(r"(?<=//)[^/?#]*@")
_PARAMETERS = re.compile(r"[?#].*", re.DOTALL)


@dataclass(frozen=True)
class ValueKind:
    """A kind of values.

    Attributes:
        wanted: the values that fit, for messages and the documentation.
        parse: returns the value of a text or of a value from the YAML file; None for one that does not fit.
        metavar: the place of a value in help.
        choices: all values, if they are few words.
        is_flag: whether the values are true and false.
        is_path: whether a value is the path of a file.
        is_list: whether a value is a tuple of texts.
        is_plain: whether the meaning of a setting says enough about its values.
    """

    wanted: str
    parse: Callable[[object], Any]
    metavar: str
    choices: tuple[str, ...] = ()
    is_flag: bool = False
    is_path: bool = False
    is_list: bool = False
    is_plain: bool = False


def whole(least: int, most: int, metavar: str = "N") -> ValueKind:
    """Return the kind of whole numbers from `least` to `most`."""

    def parse(value: object) -> int | None:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole and least <= value <= most else None  # type: ignore[operator,return-value]

    return ValueKind(f"a whole number, {least} to {most}", parse, metavar)


def whole_or(least: int, most: int, choice: str) -> ValueKind:
    """Return the kind of whole numbers from `least` to `most`, and one word."""
    numbers = whole(least, most, f"N|{choice}")
    return replace(
        numbers,
        wanted=f"{numbers.wanted}, or {choice}",
        parse=lambda value: choice if value == choice else numbers.parse(value),
    )


def text(metavar: str) -> ValueKind:
    """Return the kind of texts that are not empty."""
    return ValueKind("text", _text, metavar, is_plain=True)


def word(*choices: str) -> ValueKind:
    """Return the kind of these words."""
    return ValueKind(
        ", ".join(choices[:-1]) + f" or {choices[-1]}",
        lambda value: value if value in choices else None,
        "WORD",
        choices,
    )


def texts(metavar: str) -> ValueKind:
    """Return the kind of lists of 1 to TEXTS_MAX texts, none given twice.

    One text of the environment holds them all: one on each line, or on one line with spaces between. A single text in
    the YAML file is a list of one, whatever spaces it has.
    """

    def parse(value: object) -> tuple[str, ...] | None:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not 1 <= len(items) <= TEXTS_MAX:
            return None
        if not all(isinstance(item, str) and item for item in items) or len(set(items)) != len(items):
            return None
        return tuple(items)

    return ValueKind(f"a list of 1 to {TEXTS_MAX} different texts", parse, metavar, is_list=True, is_plain=True)


def split_variable(value: str) -> list[str]:
    """Split the value of an environment variable that holds a list: at line ends if it has any, else at spaces."""
    lines = value.splitlines() if "\n" in value else value.split()
    return [line.strip() for line in lines if line.strip()]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _address(value: object) -> str | None:
    """Return HOST:PORT in full, or "" for no server. A port alone is one of the loopback interface."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        return "" if value == "" else None
    host, _, port = value.rpartition(":")
    is_port = _WHOLE.fullmatch(port) is not None and 1 <= int(port) <= _PORT_MAX
    is_host = "/" not in host and "@" not in host and not any(map(str.isspace, host))
    return f"{host or _LOOPBACK}:{port}" if is_port and is_host else None


PATH = ValueKind(
    "a path",
    lambda value: Path(value) if isinstance(value, str | Path) and str(value) else None,
    "FILE",
    is_path=True,
    is_plain=True,
)
FLAG = ValueKind(
    "true or false",
    lambda value: {"true": True, "false": False}.get(str(value).lower()),
    "true|false",
    is_flag=True,
    is_plain=True,
)
ADDRESS = ValueKind(f"HOST:PORT, or a port of {_LOOPBACK}; empty for none", _address, "HOST:PORT")


def masked(value: str) -> str:
    """Return a text with `***` in place of the user and the parameters of a URL or URI, which may be secret."""
    if not _URL.match(value):
        return value
    return _PARAMETERS.sub(lambda found: found[0][0] + _HIDDEN, _USER.sub(f"{_HIDDEN}@", value))


def masked_endpoint(value: str) -> str:
    """Return a URL with `***` in place of its path too, which holds the key of many providers."""
    shown = masked(value)
    try:
        parts = urlsplit(shown)
    except ValueError:
        return _HIDDEN
    has_path = bool(parts.path.strip("/") or parts.query or parts.fragment)
    return f"{parts.scheme}://{parts.netloc}/{_HIDDEN}" if has_path and parts.netloc else shown
