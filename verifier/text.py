"""Escape untrusted text before it reaches a terminal, a log or an error message."""

from __future__ import annotations

from collections.abc import Sequence

from provenance_oracle.verifier.characters import escape_unacceptable

_MAX_CHARS = 300


def printable(text: str, max_chars: int = _MAX_CHARS) -> str:
    """Return `text` cut to `max_chars`, with every character escaped that acts, is invisible or is unknown.

    These are the characters that `verifier.characters` does not accept. Unescaped, a name from a release could forge a
    line of output with ANSI sequences, newlines or bidi overrides.
    """
    shown = escape_unacceptable(text[: max_chars + 1])
    return shown if len(text) <= max_chars else shown[: max_chars - 1] + "…"


def first_of(names: Sequence[str], most: int) -> str:
    """Return the first `most` names, and the number of the others if there are any."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
