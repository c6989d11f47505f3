"""Untrusted text is escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 模型 😀", "plain é 模型 😀"),
        ("a\nb\tc", "a\\u000ab\\u0009c"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\x9b2J", "\\u009b2J"),
        ("safe\u202egnp", "safe\\u202egnp"),
        ("a\u2028b\u00a0c", "a\\u2028b\\u00a0c"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ue000\uffff", "\\ue000\\uffff"),
        ("", ""),
    ],
)
def test_shows(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_cuts_and_says_so() -> None:
    assert printable("x" * 10, 10) == "x" * 10
    assert printable("x" * 11, 10) == "x" * 9 + "…"
    assert printable("\x1b" * 1000, 10) == "\\u001b\\u0…"


@given(st.text(st.characters()), st.integers(1, 50))
def test_nothing_is_left_that_acts(text: str, max_chars: int) -> None:
    shown = printable(text, max_chars)
    assert shown.isprintable()
    shown.encode()  # no surrogate
