"""Break lines to the width of a terminal. A word is never broken, so a digest can be copied whole."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import IO

_COLUMNS = 80  # of a terminal that does not tell
_LEAST_COLUMNS = 20
_LABEL_MAX = 32
_LABEL = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
_WORD = re.compile(r"( *)(\S+)")


def columns_of(stream: IO[str]) -> int | None:
    """Return the width of the terminal that a stream writes to; None for a file or a pipe, where no line is broken."""
    if not stream.isatty():
        return None
    return max(shutil.get_terminal_size((_COLUMNS, 24)).columns, _LEAST_COLUMNS)


def fitted(line: str, columns: int | None, *, hanging: int | None = None) -> Iterator[str]:
    """Yield a line in parts of at most `columns` characters; a longer word, such as a digest, gets a line of its own.

    Args:
        columns: None to leave the line whole.
        hanging: the column at which the parts after the first begin. Default: the column after a label, such as
            `model digest     `, else two more than the line's own.
    """
    if columns is None or len(line) <= columns:
        yield line
        return
    own = len(line) - len(line.lstrip(" "))
    label = _LABEL.match(line)
    start = len(label[0]) if label and len(label[0]) <= _LABEL_MAX else own
    if hanging is None:
        hanging = start if start > own else own + 2
    part = line[:start]
    for gap, word in _WORD.findall(line[start:]):
        spaces = gap if part.strip() else ""
        if len(part) + len(spaces) + len(word) <= columns:
            part += spaces + word
            continue
        if part.strip():
            yield part.rstrip(" ")
        if hanging + len(word) <= columns:
            part = " " * hanging + word
        else:
            yield " " * (own + 2) + word
            part = " " * hanging
    if part.strip():
        yield part
