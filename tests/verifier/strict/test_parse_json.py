"""Tests of every rule of the strict JSON parser and of the typed getters of `Fields`."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.parse_json import MAX_INTEGER, Fields, parse_json


def parse(data: bytes, max_bytes: int = 1 << 20, max_depth: int = 32) -> object:
    return parse_json(data, where="x.json", check=Check.MANIFEST_FORMAT, max_bytes=max_bytes, max_depth=max_depth)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":1}', "'a' occurs twice"),
        (b'{"x":[{"a":1,"b":2,"b":3}]}', "'b' occurs twice"),
        (b'{"a":1,"\\u0061":2}', "'a' occurs twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1.0]", "1.0"),
        (b"[1e400]", "1e400"),
        (b"[1E2]", "1E2"),
        (b"[-0.0]", "-0.0"),
        (b"[9223372036854775808]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"[" + b"9" * 5000 + b"]", "64 bits"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'["\\udc00\\ud800"]', "surrogates not allowed"),
        (b'{"\\uDBFF":1}', "surrogates not allowed"),
        (b'{"a":{"b":["\\uD800x"]}}', "surrogates not allowed"),
        (b'"\xed\xa0\x80"', "utf-8"),
        (b'"\xff"', "utf-8"),
        (b'"\xc0\xaf"', "utf-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ("{}".encode("utf-16"), "utf-8"),
        ("{}".encode("utf-16-le"), "Expecting"),
        ("{}".encode("utf-16-be"), "Expecting"),
        ("{}".encode("utf-32"), "utf-8"),
        (b"[" * 33 + b"]" * 33, "deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deep"),
        (b"[" * 500_000, "deep"),
        (b'{"a":' * 100_000, "deep"),
        (b"", "Expecting"),
        (b"{} {}", "Extra data"),
        (b"{'a':1}", "Expecting"),
        (b'{"a":1,}', ""),
        (b"[1,]", ""),
        (b"[01]", ""),
        (b"[+1]", ""),
        (b'"\n"', "control character"),
        (b'"\\x41"', "escape"),
        (b"// a comment\n{}", ""),
        ("[\u0661]".encode(), ""),
        (b"\x00", ""),
    ],
)
def test_refuses(data: bytes, why: str) -> None:
    with pytest.raises(FormatError) as raised:
        parse(data)
    error = raised.value
    assert error.check is Check.MANIFEST_FORMAT
    assert error.where == "x.json"
    assert error.wanted
    assert why in error.got


def test_refuses_too_large_before_anything_else() -> None:
    assert parse(b"[1234567]", max_bytes=9) == [1234567]
    with pytest.raises(FormatError, match="too large: got 10 bytes, wanted at most 9 bytes"):
        parse(b"\xff" * 10, max_bytes=9)


def test_depth_counts_brackets_outside_strings_only() -> None:
    assert parse(b"[" * 32 + b"]" * 32)
    assert parse(b'["' + b"[" * 1000 + b'\\"[[[{", "]"]') == ["[" * 1000 + '"[[[{', "]"]
    assert parse(b"[[],[],[[]]]", max_depth=3) == [[], [], [[]]]
    with pytest.raises(FormatError, match="deep"):
        parse(b"[[],[],[[]]]", max_depth=2)


@pytest.mark.parametrize("item", [b"{}", b"[]", b"1", b'""', b'{"a":{}}'])
def test_many_small_values_are_refused_before_they_take_memory(item: bytes) -> None:
    data = b"[" + b",".join([item] * 1_000_000) + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than 1000 strings, brackets and commas"):
            parse_json(data, where="x", check=Check.MANIFEST_FORMAT, max_bytes=1 << 24, max_tokens=1000)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data)
    finally:
        tracemalloc.stop()


def test_tokens_count_what_is_outside_strings() -> None:
    def parse_few(data: bytes) -> object:
        return parse_json(data, where="x", check=Check.MANIFEST_FORMAT, max_bytes=1 << 20, max_tokens=7)

    assert parse_few(b'{"a":[1,2]}') == {"a": [1, 2]}  # four brackets, a string, a comma
    assert parse_few(b'["a",1,2,3]') == ["a", 1, 2, 3]
    with pytest.raises(FormatError, match="more than 7"):
        parse_few(b'["a",1,2,3,4,5]')
    assert parse_few(b'["[,]{}\\",,"]') == ['[,]{}",,']


def test_accepts_what_it_should() -> None:
    assert parse(b' {"a": [1, -2, true, false, null, "\\u00e9\\ud83d\\ude00"]} ') == {
        "a": [1, -2, True, False, None, "é😀"]
    }
    assert parse(str(MAX_INTEGER).encode()) == MAX_INTEGER


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 400_000, b'"' * 800_001, b'["' + b"\\" * 800_001, b"[0" * 400_000])
def test_hostile_text_takes_no_longer_than_its_size(data: bytes) -> None:
    start = time.monotonic()
    with pytest.raises(FormatError):
        parse(data)
    assert time.monotonic() - start < 5


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_reads_back_what_json_writes(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary() | st.text(alphabet='[]{}",:\\u01ad8e-+.eEtrfalsn \n').map(str.encode))
@example(b'{"a":' * 40)
def test_never_anything_but_a_format_error(data: bytes) -> None:
    try:
        value = parse(data)
    except FormatError:
        return
    # The strict parser accepts nothing that the standard library refuses as text.
    assert value == json.loads(data.decode())


def fields(value: object) -> Fields:
    return Fields(value, where="x.json", check=Check.MANIFEST_FORMAT)


SUBJECT = {"subject": [{}, {}, {}, {"digest": {"sha256": "AB"}}]}


def test_messages_name_the_path() -> None:
    digest = fields(SUBJECT).fields_list("subject", maximum=4)[3].fields("digest")
    with pytest.raises(FormatError) as raised:
        digest.hex_bytes("sha256", 1)
    expected = "x.json, subject[3].digest.sha256: manifest-format: not a digest: got AB, wanted 2 lower-case hex digits"
    assert str(raised.value) == expected


@pytest.mark.parametrize(
    ("take", "value", "wanted"),
    [
        (lambda f: f.text("k"), 1, "a string"),
        (lambda f: f.text("k"), None, "a string"),
        (lambda f: f.text("k", max_chars=2), "abc", "at most 2"),
        (lambda f: f.optional_text("k"), None, "a string"),
        (lambda f: f.constant("k", "a"), "b", "a"),
        (lambda f: f.integer("k"), True, "an integer"),
        (lambda f: f.integer("k"), "1", "an integer"),
        (lambda f: f.integer("k"), -1, "0 to"),
        (lambda f: f.integer("k", maximum=5), 6, "0 to 5"),
        (lambda f: f.hex_bytes("k", 2), "abc", "4 lower-case"),
        (lambda f: f.hex_bytes("k", 1), "aB", "2 lower-case"),
        (lambda f: f.hex_bytes("k", 1), "é1", "2 lower-case"),
        (lambda f: f.hex_bytes("k", 1), " 1", "2 lower-case"),
        (lambda f: f.hex_bytes("k", 1), "1\n", "2 lower-case"),
        (lambda f: f.optional_hex_bytes("k", 1), "", "2 lower-case"),
        (lambda f: f.base64_bytes("k", max_bytes=9), "YQ", "standard"),
        (lambda f: f.base64_bytes("k", max_bytes=9), "YR==", "no stray bits"),
        (lambda f: f.base64_bytes("k", max_bytes=9), "YQ==\n", "standard"),
        (lambda f: f.base64_bytes("k", max_bytes=9), "-_-_", "standard"),
        (lambda f: f.base64_bytes("k", max_bytes=9), "YQ=é", "standard"),
        (lambda f: f.base64_bytes("k", max_bytes=1), "YWI=", "no stray bits"),
        (lambda f: f.base64_bytes("k", max_bytes=1), "YWIx" * 9, "at most"),
        (lambda f: f.fields("k"), [], "an object"),
        (lambda f: f.optional_fields("k"), None, "an object"),
        (lambda f: f.fields_list("k", maximum=2), {}, "a list"),
        (lambda f: f.fields_list("k", maximum=2), [{}, {}, {}], "0 to 2"),
        (lambda f: f.fields_list("k", minimum=1, maximum=1), [], "exactly 1"),
        (lambda f: f.fields_list("k", maximum=2), [{}, 7], "an object"),
    ],
)
def test_getters_refuse(take, value: object, wanted: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FormatError) as raised:
        take(fields({"k": value}))
    assert wanted in raised.value.wanted
    assert raised.value.where.startswith("x.json, k")


def test_getters_refuse_what_is_missing_unless_optional() -> None:
    empty = fields({})
    for take in (empty.text, empty.integer, empty.fields, empty.value):
        with pytest.raises(FormatError, match="missing"):
            take("k")
    assert empty.optional_text("k") is None
    assert empty.optional_hex_bytes("k", 1) is None
    assert empty.optional_fields("k") is None
    empty.finish()


def test_finish_refuses_what_nobody_took() -> None:
    both = fields({"a": 1, "b": 2})
    assert both.integer("a") == 1
    with pytest.raises(FormatError, match="unknown key: got b"):
        both.finish()


def test_an_object_is_wanted_at_the_top() -> None:
    with pytest.raises(FormatError, match="got a list, wanted an object"):
        fields([])


@given(st.binary(max_size=50))
def test_base64_and_hex_round_trip(data: bytes) -> None:
    import base64

    assert fields({"k": base64.b64encode(data).decode()}).base64_bytes("k", max_bytes=50) == data
    assert fields({"k": data.hex()}).hex_bytes("k", len(data)) == data
