"""DER, JSON, names and envelopes: the explorer accepts what Python accepts, and reads the same in it."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import der
from tests.explorer.check.cases import statement
from tests.explorer.check.changes import PATHS, VALUES, places_in
from tests.explorer.check.engines import NodeEngine
from tests.explorer.check.parsers import compare

# --- DER -----------------------------------------------------------------------------------------------------

_CONTENTS = (
    *("", "007f", "0080", "ff7f", "ff80", "8001", "8100", "8180", "0100", "0780", "0781", "0800", "c3a9", "0500"),
    *("05000500", "020102020101", "05000101ff", "30800000"),
)
_BYTES = (*range(10), 0x1F, 0x20, 0x2A, 0x30, 0x31, *range(0x7E, 0x83), 0xA0, 0xC0, 0xC3, *range(0xFD, 0x100))
_RESTS = ("", "05", "7f", "80", "0080", "0100", "000100", "00000080", "0000000000")


def _encodings() -> Iterator[bytes]:
    contents = [*map(bytes.fromhex, _CONTENTS), *(bytes([byte]) for byte in _BYTES)]
    for tag, content in itertools.product(range(256), contents):
        yield bytes([tag, len(content)]) + content
    for length, rest in itertools.product(range(256), map(bytes.fromhex, _RESTS)):
        yield bytes([4, length]) + rest
        yield bytes([4, length]) + rest + bytes(int.from_bytes(rest, "big") % 512)
    data = b"\x05\x00"
    for _ in range(20):
        data = der.sequence(data)
        yield data
    yield from (der.tlv(6, b"\x2a" * size) for size in (31, 32, 33))
    yield from (der.tlv(0x30, b"\x05\x00" * count) for count in (49_998, 49_999, 50_000))
    yield from map(bytes.fromhex, ("", "30", "05000500", "30030500", "3003050005"))


def test_der(node: NodeEngine) -> None:
    compare(node, "der", _encodings())


def test_numbers_and_object_identifiers(node: NodeEngine) -> None:
    numbers = [0, 1, 127, 128, 255, 256, 2**63, 2**160 - 1, 2**160, 2**167 - 1, 2**167, 2**200]
    compare(node, "number", [*map(der.integer, numbers), der.tlv(2, b"\x80"), der.tlv(2, b"\xff" * 20), der.null()])
    rng, digits = random.Random(1), (0, 1, 0x27, 0x28, 0x4F, 0x50, 0x7F, 0x80, 0x81, 0xFF)
    texts = [bytes(rng.choices(digits, k=number % 6)) for number in range(3000)]
    compare(node, "oid", [*(der.tlv(6, text) for text in texts), der.null()])


_YEARS = ("00", "49", "50", "99", "2026", "2049", "2050", "2096", "9999", "0000", "1950")
_MOMENTS = (
    *("0228000000", "0229000000", "0230235959", "1131000000", "1130235960", "1130236000", "1130240000"),
    *("0010000000", "1300000000", "0100000000", "01010000", "010100000", "01010000000", "010100000 "),
    *("01010000.0", "0101-10000"),
)


def test_times(node: NodeEngine) -> None:
    texts = [f"{year}{moment}Z" for year, moment in itertools.product(_YEARS, _MOMENTS)]
    texts += ["260101000000", "260101000000z", "2601010000+0000", "", "Z", "\u0662" * 12 + "Z"]
    compare(node, "time", [der.tlv(tag, text.encode()) for tag in (0x17, 0x18, 0x16) for text in texts])


# --- JSON ----------------------------------------------------------------------------------------------------

_TOKENS = (
    *("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\u0061"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\n"', '"\\x"'),
    *('"\n"', '"', "1", "0", "-", "-0", "01", "1.0", "2.5", "1e3", "1.0e1", ".5", "5.", "-1.0", "9223372036854775807"),
    *("9223372036854775808", "-9223372036854775808", "-9223372036854775809", "000000000000000000001", "1" * 21),
    *("1" * 5000, "true", "false", "null", "NaN", "Infinity", "-Infinity", "nul", " ", "\t", "\r", "\n", "\f"),
    *("\u00a0", "\ufeff", "\x00", "é", '"__proto__"', "//"),
)
_FRAMES = ("X", "[X]", '{"a":X}', "[X,1]", "{X:1}", "[1X]", "X{}", "{}X")


def _documents() -> Iterator[bytes]:
    rng = random.Random(2)
    for token, frame in itertools.product(_TOKENS, _FRAMES):
        yield frame.replace("X", token).encode()
    for _ in range(20_000):
        yield "".join(rng.choices(_TOKENS[:25], k=rng.randrange(1, 9))).encode()
    for _ in range(5_000):
        yield _document(rng, 3).encode()
    for depth in (31, 32, 33, 34, 5000):
        yield b"[" * depth + b"]" * depth
        yield b'{"a":' * depth + b"1" + b"}" * depth
    yield from (b"\xff", b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xf4\x90\x80\x80"', "{}".encode("utf-16"), b'"\x7f"', b"")
    yield b"[" + b" " * ((1 << 20) - 2) + b"]"
    yield b"[" + b" " * ((1 << 20) - 1) + b"]"
    yield from (b'{1a":1}', b'{x":1}', b"{'a\":1}", b'{"a"1}', b'{"a":1 "b":2}', b"[1 2]")
    yield from (b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"a":{"b":1},"c":{"b":1}}')
    yield from (b'"\\uD83D\\uDE00"', b'"\\uDE00\\uD83D"', b'"\\u00e9"', b'"\\u00E9"', b'"\\u00g9"', b'"\\u00 9"')


def _document(rng: random.Random, depth: int) -> str:
    """Return JSON, mostly a valid one."""
    if depth == 0 or rng.randrange(4) == 0:
        return rng.choice(_TOKENS[6:30])
    items = [_document(rng, depth - 1) for _ in range(rng.randrange(4))]
    if rng.randrange(2):
        return f"[{', '.join(items)}]"
    members = [json.dumps(rng.choice("abcd")) + f": {item}" for item in items]
    return "{" + ", ".join(members) + "}"


@pytest.mark.parametrize("name", ["json", "floats"])
def test_json(node: NodeEngine, name: str) -> None:
    compare(node, name, _documents())


def test_small_values_are_counted(node: NodeEngine) -> None:
    """At most ten strings, brackets and commas."""
    lists = ["[" + ",".join("1" * count) + "]" for count in range(1, 13)]
    strings = ["[" + ",".join(['"["'] * count) + "]" for count in range(1, 8)]
    objects = ["{" + ",".join(f'"{n}":1' for n in range(count)) + "}" for count in range(1, 8)]
    compare(node, "tokens", [text.encode() for text in (*lists, *strings, *objects)])


def test_envelopes(node: NodeEngine) -> None:
    entry = {"sig": "AAAA", "keyid": "k"}
    good: dict[str, Any] = {"payload": "AAAA", "payloadType": "application/vnd.in-toto+json", "signatures": [entry]}
    others: list[Any] = [good, {**good, "x": 1}, {**good, "payloadType": "x"}, [], None, {}]
    for text in ("", "AA==", "AB==", "AA=", "AA", "A\nAA", "AAA=", "AAB=", "é", "AAA-", "=AAA", "A===", 1, None):
        others += [{**good, "payload": text}, {**good, "signatures": [{"sig": text}]}]
    for signatures in ([], [{}], [entry, entry], {}, ["AAAA"], [{**entry, "x": 1}], [{**entry, "keyid": 1}]):
        others.append({**good, "signatures": signatures})
    for size in (255, 256, 257):
        sized = {"sig": base64.b64encode(bytes(size)).decode()}
        for signature in (sized, {**sized, "keyid": "k" * size}, {**entry, "keyid": "😀" * size}):
            others.append({**good, "signatures": [signature]})
    others.append({**good, **{str(number): number for number in range(30)}})
    compare(node, "envelope", [json.dumps(one).encode() for one in others])


def _statements() -> Iterator[bytes]:
    """Yield a statement with one value replaced, removed, repeated, renamed or added, at every place of it."""
    good = statement(bytes(0x2A0))
    good["predicate"]["buildDefinition"]["internalParameters"]["publisher"] = {"identity": f"key {'ab' * 32}"}
    text = json.dumps(good)
    yield text.encode()
    for number in range(len(list(places_in(good)))):
        for change in (*(partial(_put, value=value) for value in VALUES), _remove, _repeat, *_RENAMES, _add):
            tree = json.loads(text)
            change(*next(itertools.islice(places_in(tree), number, None)))
            yield json.dumps(tree).encode()


def _put(inside: Any, key: Any, value: Any) -> None:
    inside[key] = value


def _remove(inside: Any, key: Any) -> None:
    del inside[key]


def _repeat(inside: Any, key: Any) -> None:
    if isinstance(inside, list):
        inside.append(inside[key])


def _rename(inside: Any, key: Any, more: str) -> None:
    if isinstance(inside, dict):
        inside[f"{key}{more}"] = inside.pop(key)


# the name of a digest may have letters, digits and _, and at most 64 of them
_RENAMES = [partial(_rename, more=more) for more in ("x", "_1", "-1", "x" * 54, "x" * 64)]


def _add(inside: Any, key: Any) -> None:
    if isinstance(inside[key], dict):
        inside[key]["x"] = "x"


def test_statements(node: NodeEngine) -> None:
    compare(node, "statement", _statements())


# --- names ---------------------------------------------------------------------------------------------------


def test_paths(node: NodeEngine) -> None:
    paths = [*PATHS, "a/b.c", "provenance", "PROVENANCE/a", "provenance/a", "xprovenance/a", "c:", "1:a", ".", ".."]
    paths += ["a/../b", "a/./b", "...", "a/" * 2048 + "b", "é" * 127, "é" * 128]
    encoded = [path.encode("utf-8", "replace") for path in paths]
    compare(node, "path", encoded)
    compare(node, "provenance", encoded)


def test_collisions(node: NodeEngine) -> None:
    names = ["a", "A", "a/b", "A/b", "a/B", "a/b/c", "b", "ß", "SS", "ss/x", "é", "e\u0301", "Ω", "\u2126"]
    names += ["ı", "i", "I"]
    compare(node, "paths", ["\n".join(pair).encode() for pair in itertools.product(names, repeat=2)])
    compare(node, "paths", [b"x/a\ny/a\nx/b", b"x/a\ny/a\nx/A", b"x\ny\nX/a"])
