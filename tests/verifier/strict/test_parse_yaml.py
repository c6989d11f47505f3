"""Tests of the strict YAML parser, through the policy page that it reads."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import (
    parse_policy,
)
from tests.support.policy_pages import BASELINE, STRICT, STRICT_TREE, edited, key_paths, refused, tree_at


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("yes", "bool"),
        ("on", "bool"),
        ("True", "bool"),
        ("", "null"),
        ("~", "null"),
        ("null", "null"),
        ("010", "int"),
        ("0b11", "int"),
        ("1_000", "int"),
        ("+1", "int"),
        ("-1", "int"),
        ("1:30", "int"),
        ("99999999999999999999", "int"),
        ("1.5", "float"),
        (".inf", "float"),
        (".nan", "float"),
        ("2026-11-21", "timestamp"),
        ("=", "value"),
    ],
)
def test_what_yaml_would_guess_is_refused(value: str, kind: str) -> None:
    error = refused(edited("\nversion: 1\n", f"\nversion: {value}\n"))
    assert (error.where, error.got) == ("my.yaml: version", value or "nothing")
    assert f"YAML reads this as {kind}" in error.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "file is empty"),
        (b"# only a comment\n", "file is empty"),
        (b"{}", "rule left out"),
        (b"[]", "not a mapping"),
        (b"text", "not a mapping"),
        (b"{", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"\t- x", "not YAML"),
        (b"x: \xff", "not UTF-8"),
        (b'x: "\\U00110000"', "not YAML"),
        (b'x: "\\ud800"', "cannot be shown"),
        (b'x: "\\e[31m"', "cannot be shown"),
        ("x: '\u202e'".encode(), "cannot be shown"),
        (b"x: |\n  two\n  lines\n", "cannot be shown"),
        (b"--- {}\n--- {}\n", "more than one document"),
        (b"%YAML 1.1\n--- {}\n", "directives"),
        (b"%TAG ! tag:x,2000:\n--- {}\n", "directives"),
        (b"%YAML 1." + b"9" * 5000 + b"\n--- {}\n", "not YAML"),
        (b"x: &a 1\ny: *a\n", "anchors"),
        (b"x: *a\n", "anchors"),
        (b"x: !!str 1\n", "tags"),
        (b"x: !!python/object/apply:os.system [ls]\n", "tags"),
        (b"x: ! 1\n", "tags"),
        (b"<<: {a: 1}\n", "YAML reads this as merge"),
        (b"1: x\n", "a key is not text"),
        (b"? [a]\n: x\n", "a key is not text"),
        (b"x: 1\nx: 1\n", "given twice"),
        (b"x: {y: 1, y: 2}\n", "given twice"),
        (b"x: {y: 1, 'y': 2}\n", "given twice"),
        (b"[" * 40 + b"]" * 40, "nested too deeply"),
        (b"[" * 60000, "nested too deeply"),
        (b"? " * 30000, "nested too deeply"),
        (b"- " * 30000, "nested too deeply"),
        (b"#" * (64 * 1024 + 1), "too large"),
    ],
    ids=range(34),
)
def test_not_strict_yaml(text: bytes, problem: str) -> None:
    error = refused(text)
    assert problem in error.problem
    assert error.where.startswith("my.yaml")


def test_where_a_key_twice_was_found() -> None:
    error = refused(edited("  debug: forbidden\n", "  debug: forbidden\n  debug: any\n"))
    assert (error.where, error.got) == ("my.yaml: guest_policy", "debug")


_PATHS = key_paths(STRICT_TREE)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_page_is_a_policy_or_a_usage_error(data: st.DataObject) -> None:
    page = bytearray(data.draw(st.sampled_from([BASELINE, STRICT])).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(page) - 1))
        cut = data.draw(st.integers(0, 6))
        page[at : at + cut] = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from(_SNIPPETS)))
    _policy_or_usage_error(bytes(page))


_SNIPPETS = [
    snippet.encode() for snippet in ("&a ", "*a", "!!int ", "---\n", "%", *"{}[]'|>#", "? ", ": ", "- ", '"\\x')
]
_TEXT_BYTES = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=400), _TEXT_BYTES))
def test_random_bytes_are_a_usage_error(data: bytes) -> None:
    assert not _policy_or_usage_error(data)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(BASELINE) - 1))
def test_a_truncated_page_is_a_usage_error(length: int) -> None:
    if BASELINE[length:].strip():
        assert not _policy_or_usage_error(BASELINE[:length].encode())


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(["any", "required", "refused", "amd", "00" * 48]),
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(_PATHS), _TREES)
def test_any_value_at_any_key_is_a_policy_or_a_usage_error(path: tuple[Any, ...], value: object) -> None:
    tree = deepcopy(STRICT_TREE)
    tree_at(tree, path[:-1])[path[-1]] = value
    _policy_or_usage_error(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


def _policy_or_usage_error(data: bytes) -> bool:
    try:
        parse_policy(data, "my.yaml")
    except UsageError as error:
        assert error.where.startswith("my.yaml")
        assert str(error)
        return False
    return True
