"""Tests of file, model and version names, and of paths that two readers could take for different files."""

from __future__ import annotations

import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.names import (
    may_hold_code,
    parse_model_name,
    parse_path,
    parse_version,
    refuse_collisions,
)


def path(text: str) -> str:
    return parse_path(text, where="x", check=Check.FILE_SET)


@pytest.mark.parametrize(
    "text",
    [
        "model.safetensors",
        "1_Pooling/config.json",
        "a b/c d.txt",
        ".gitattributes",
        "...",
        "..a/b..",
        "été/模型.bin",
        "ab:c",
        "provenance.txt",
        "docs/provenance/x",
        "x" * 255,
        "/".join(["x" * 255] * 15),
        "/".join(["x"] * 33),
        "é" * 127,
        "😀.txt",
    ],
)
def test_accepts(text: str) -> None:
    assert path(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("/", "empty"),
        ("/etc/passwd", "absolute"),
        ("a//b", "empty"),
        ("a/", "empty"),
        (".", "dot"),
        ("./a", "dot"),
        ("a/./b", "dot"),
        ("..", "dot"),
        ("../a", "dot"),
        ("a/../../b", "dot"),
        ("a/..", "dot"),
        ("a\\b", "backslash"),
        ("..\\a", "backslash"),
        ("C:a", "drive"),
        ("c:/windows", "drive"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\x1b[31mb", "control"),
        ("a\x7fb", "control"),
        ("a\x85b", "control"),
        ("safe\u202egnp.exe", "control"),
        ("a\u2066b", "control"),
        ("a\u200bb", "control"),
        ("a\ufeffb", "control"),
        ("a\u00adb", "control"),
        ("a\u2028b", "control"),
        ("a\u00a0b", "control"),
        ("a\ue000b", "control"),
        ("a\U000e0041b", "control"),
        ("a\udcffb", "control"),
        ("a\uffffb", "control"),
        ("e\u0301", "NFC"),
        ("\u212b", "NFC"),
        ("\uac00\u11a8", "NFC"),
        ("x" * 256, "255"),
        ("é" * 128, "255"),
        ("a/" + "x" * 256, "255"),
        ("/".join(["x" * 200] * 21), "4096"),
        ("/".join(["x"] * 34), "32 folders"),
        ("provenance", "provenance/"),
        ("provenance/x", "provenance/"),
        ("Provenance/manifest.dsse.json", "provenance/"),
        ("PROVENANCE", "provenance/"),
    ],
)
def test_refuses(text: str, why: str) -> None:
    with pytest.raises(FormatError) as raised:
        path(text)
    assert raised.value.check is Check.FILE_SET
    assert why in raised.value.problem
    # The message is printable, even if the name is not.
    assert str(raised.value).isprintable()


@given(st.text())
@example("ﬁ")
def test_what_is_accepted_is_safe_to_join_print_and_compare(text: str) -> None:
    try:
        path(text)
    except FormatError:
        return
    assert text.isprintable()
    assert unicodedata.normalize("NFC", text) == text
    assert not text.startswith("/")
    assert not {"", ".", ".."} & set(text.split("/"))
    assert text.encode().decode() == text


def collide(*paths: str) -> None:
    with pytest.raises(FormatError) as raised:
        refuse_collisions(paths, where="x", check=Check.FILE_SET)
    assert raised.value.check is Check.FILE_SET


def test_collisions() -> None:
    collide("a", "a")
    collide("a", "A")
    collide("a/x", "A/y")
    collide("a/b/x", "a/B/y")
    collide("a", "a/x")
    collide("a/x", "a")
    collide("A", "a/x")
    collide("straße", "STRASSE")
    collide("ﬁ", "fi")
    collide("\u0130", "i\u0307")
    collide("é", "É")


def test_no_collisions() -> None:
    refuse_collisions(["a/x", "a/y", "b/x", "ab", "a.x", "a/z/x", "a/z/y", "é", "e"], where="x", check=Check.FILE_SET)


def test_a_collision_names_both() -> None:
    with pytest.raises(FormatError, match="got x/A, wanted none that collides with x/a"):
        refuse_collisions(["x/a/b", "x/A/c"], where="x", check=Check.FILE_SET)


_FEW_NAMES = st.lists(st.sampled_from(["a", "A", "b", "é", "É"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(_FEW_NAMES, max_size=6))
def test_collisions_are_what_they_are_by_definition(paths: list[str]) -> None:
    """Paths collide if two are equal, if a file is also a folder, or if one folded name has two spellings."""
    folders = {path[:position] for path in paths for position, char in enumerate(path) if char == "/"}
    names = {*paths, *folders}
    collides = len(set(paths)) < len(paths) or bool(folders & set(paths)) or len({*map(_fold, names)}) < len(names)
    try:
        refuse_collisions(paths, where="x", check=Check.FILE_SET)
    except FormatError:
        assert collides
    else:
        assert not collides


def _fold(name: str) -> str:
    return name.casefold()


def test_long_paths_cost_no_more_memory_than_their_text() -> None:
    paths = [f"a{number:06d}/" + "/".join(["x" * 120] * 31) + "/f" for number in range(500)]
    tracemalloc.start()
    try:
        refuse_collisions((path(text) for text in paths), where="x", check=Check.FILE_SET)
        assert tracemalloc.get_traced_memory()[1] < 8 * sum(map(len, paths))
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a/b", "Org-1/my_model.v2", "0/1", "sentence-transformers/all-MiniLM-L6-v2"])
def test_model_names(name: str) -> None:
    assert parse_model_name(name, "x") == name


@pytest.mark.parametrize(
    "name",
    # The last name begins with a Cyrillic letter.
    ["", "a", "a/", "/a", "a/b/c", "a//b", "a/..", "a/b..c", "-a/b", "a-/b", "a/.b", "a b/c", "é/b", "a/b\n", "а/b"],
)
def test_other_model_names_are_refused(name: str) -> None:
    with pytest.raises(FormatError):
        parse_model_name(name, "x")


def test_a_model_name_has_at_most_96_characters_a_part() -> None:
    assert parse_model_name("a" * 96 + "/" + "b" * 96, "x")
    for name in ("a" * 97 + "/b", "a/" + "b" * 97):
        with pytest.raises(FormatError):
            parse_model_name(name, "x")


@pytest.mark.parametrize("version", ["1", "1.0", "2026-11-20", "1.0.0+cu12", "v1_rc-2", "a" * 64])
def test_versions(version: str) -> None:
    assert parse_version(version, "x") == version


@pytest.mark.parametrize("version", ["", ".", "1.", "-1", "1..0", "1 0", "1/0", "1.0\n", "é", "a" * 65, "٣"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(FormatError):
        parse_version(version, "x")


@pytest.mark.parametrize("name", ["a.py", "x/modeling.PY", "pytorch_model.bin", "lib.so", "lib.so.1.2", "t.pt"])
def test_code_by_name(name: str) -> None:
    assert may_hold_code(name)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "pytorch_model.bin.index.json", "a.py/x", "so"])
def test_no_code_by_name(name: str) -> None:
    assert not may_hold_code(name)
