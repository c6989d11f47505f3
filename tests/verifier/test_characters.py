"""The pinned table of characters is that of Unicode 14.0, less the characters that a display may leave out."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from provenance_oracle.verifier.characters import escape_unacceptable, some_characters, unacceptable_in
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.names import parse_path

# Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 14.0.
_IGNORABLE = """
    AD-AD 34F-34F 61C-61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164-3164 FE00-FE0F FEFF-FEFF
    FFA0-FFA0 FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF
"""
IGNORABLE = {
    code
    for first, last in (word.split("-") for word in _IGNORABLE.split())
    for code in range(int(first, 16), int(last, 16) + 1)
}
EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
ACCEPTED = [char for char in EVERY if not unacceptable_in(char)]


def test_the_table_is_that_of_unicode_14_less_the_ignorable_characters() -> None:
    expected = {char for char in EVERY if char.isprintable() and ord(char) not in IGNORABLE}
    if unicodedata.unidata_version == "14.0.0":
        assert set(ACCEPTED) == expected
    assert set(ACCEPTED) < expected or set(ACCEPTED) == expected  # a later Unicode only adds characters
    assert len(ACCEPTED) == 144_249


def test_the_interpreter_s_tables_decide_nothing() -> None:
    """Normal forms and case folding of accepted characters stay among characters that every Python 3.11+ knows."""
    for char in ACCEPTED:
        for form in ("NFC", "NFD"):
            assert all(map(unicodedata.category, unicodedata.normalize(form, char)))
            assert "Cn" not in {unicodedata.category(c) for c in unicodedata.normalize(form, char).casefold()}


@pytest.mark.parametrize("code", [*sorted(IGNORABLE)[::17], 0xFE0F, 0x3164, 0x034F, 0x200D, 0x115F, 0xFFA0])
def test_no_name_has_an_invisible_character(code: int) -> None:
    with pytest.raises(FormatError) as refused:
        parse_path(f"model{chr(code)}.safetensors", where="x", check=Check.FILE_SET)
    assert f"U+{code:04X}" in refused.value.problem
    assert str(refused.value).isprintable()
    assert chr(code) not in str(refused.value)


@pytest.mark.parametrize("code", [0x1F6DC, 0x1FAE8, 0x31350, 0x2FFC, 0x1C89])  # assigned in Unicode 15.0 and later
def test_characters_that_unicode_14_lacks_are_refused_and_escaped_by_every_interpreter(code: int) -> None:
    assert unacceptable_in(f"a{chr(code)}") == (chr(code),)
    assert escape_unacceptable(chr(code)) in (f"\\u{code:04x}", f"\\U{code:08x}")


def test_a_message_names_the_characters() -> None:
    found = unacceptable_in("Screenshot 9.41\u202fAM \u200d\n\u202f.png")
    assert (
        some_characters(found)
        == "U+202F (narrow no-break space), U+200D (zero width joiner), U+000A (control character)"
    )
    assert some_characters("\x01" * 6).endswith(" and 2 more")


def test_the_cost_of_a_text_is_one_look_at_each_character(monkeypatch: pytest.MonkeyPatch) -> None:
    from provenance_oracle.verifier import characters

    class Counting:
        looks = 0

        def __getitem__(self, _code: int) -> int:
            Counting.looks += 1
            return 1

    monkeypatch.setattr(characters, "_acceptable", Counting)
    for size in (1 << 10, 1 << 11, 1 << 12):
        Counting.looks = 0
        unacceptable_in("é" * size)
        assert Counting.looks == size
