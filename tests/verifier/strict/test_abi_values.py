"""Values out of an ABI decoder: each parser takes its own type and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.abi_values import (
    ValueParser,
    parse_account,
    parse_arguments,
    parse_bytes,
    parse_flag,
    parse_items,
    parse_members,
    parse_number,
    parse_text,
    parse_word,
)

GOOD: dict[ValueParser, tuple[object, object]] = {
    parse_number: (2**256 - 1, 2**256 - 1),
    parse_flag: (False, False),
    parse_text: ("\x1b", "\x1b"),
    parse_bytes: (b"", b""),
    parse_word: (b"\x07" * 32, b"\x07" * 32),
    parse_account: ("0x" + "aB" * 20, b"\xab" * 20),
    parse_items: ([1, "a"], (1, "a")),
}


@pytest.mark.parametrize("parse", GOOD)
def test_each_parser_takes_its_own_type(parse: ValueParser) -> None:
    told, wanted = GOOD[parse]
    assert parse(told, "contract") == wanted


WRONG: dict[ValueParser, tuple[object, ...]] = {
    parse_number: (-1, 2**256, 1 << 20_000, True, 1.0, "1", b"1", None),
    parse_flag: (1, 0, None, "true"),
    parse_text: (b"text", None, 1),
    parse_bytes: ("0x", bytearray(2), None, 1),
    parse_word: (b"\x07" * 31, b"\x07" * 33, "0x" + "07" * 32, None),
    parse_account: ("0x" + "ab" * 19, "0x" + "ab" * 21, "0x" + "zz" * 20, b"\xab" * 20, "", None),
    parse_items: ({1: 2}, "ab", b"ab", 1, None),
}


@pytest.mark.parametrize("parse", WRONG)
def test_each_parser_refuses_other_types(parse: ValueParser) -> None:
    for told in WRONG[parse]:
        with pytest.raises(FormatError) as caught:
            parse(told, "contract")
        assert (caught.value.check, caught.value.where) == (Check.REGISTRY_RECORD, "contract")


def test_members_are_counted_and_each_is_parsed() -> None:
    parsers = (parse_number, parse_account)
    assert parse_members((1, "0x" + "ab" * 20), parsers, "c") == (1, b"\xab" * 20)
    for told in ((1,), (1, "0x" + "ab" * 20, 2), ("0x" + "ab" * 20, 1), None):
        with pytest.raises(FormatError):
            parse_members(told, parsers, "c")


def test_arguments_are_found_by_name_and_others_are_left_out() -> None:
    parsers = {"second": parse_flag, "first": parse_number}
    told: dict[str, Any] = {"first": 1, "more": None, "second": True}
    assert parse_arguments(told, parsers, "c") == (True, 1)
    for wrong in ({"first": 1}, told | {"first": "1"}, {}):
        with pytest.raises(FormatError):
            parse_arguments(wrong, parsers, "c")
