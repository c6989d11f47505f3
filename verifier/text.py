"""Escape untrusted text before it reaches a terminal, a log or an error message."""

from __future__ import annotations

import unicodedata

_MAX_CHARS = 300


def printable(text: str, max_chars: int = _MAX_CHARS) -> str:
    """Return `text` cut to `max_chars`, with Unicode characters of the categories C and Z escaped, except the space.

    These are control, format (bidi), surrogate, private-use and unassigned characters, and separators. Unescaped, a
    name from a release could forge a line of output with ANSI sequences, newlines or bidi overrides.
    """
    shown = "".join(_escape(char) for char in text[: max_chars + 1])
    return shown if len(text) <= max_chars else shown[: max_chars - 1] + "…"


def _escape(char: str) -> str:
    if unicodedata.category(char)[0] in "CZ" and char != " ":
        return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
    return char
