from __future__ import annotations

import hashlib
import re
import socket
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.errors import UsageError
from verifier.policy import (
    GRADES,
    SHIPPED_POLICIES,
    Floor,
    FloorRow,
    MitigationRow,
    Policy,
    Word,
    load_policy,
    parse_policy,
    shipped_policy,
)
from verifier.policy_schema import build
from verifier.snp.products import Cpuid, ProductLine, RootKind
from verifier.snp.tcb import Tcb, shortfall
from verifier.strict_yaml import Place

_POLICIES = Path(__file__).parent.parent.parent / "verifier" / "policies"
BASELINE = (_POLICIES / "baseline.yaml").read_text()
STRICT = (_POLICIES / "strict.yaml").read_text()


def refused(text: str | bytes, where: str = "my.yaml") -> UsageError:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(UsageError) as caught:
        parse_policy(data, where)
    return caught.value


def edited(old: str, new: str, text: str = BASELINE, count: int = 1) -> str:
    assert old in text
    return text.replace(old, new, count)


# --- the shipped policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED_POLICIES)
def test_shipped_policy_is_named_dated_and_identified_by_its_bytes(name: str) -> None:
    policy = load_policy(name)
    data = (_POLICIES / f"{name}.yaml").read_bytes()
    assert (policy.name, policy.source, policy.digest) == (name, f"policy {name}", hashlib.sha256(data).digest())
    assert policy.date >= date(2026, 11, 1)
    assert policy.graded == (name in GRADES)


def test_every_shipped_file_is_listed() -> None:
    assert {path.stem for path in _POLICIES.iterdir()} == set(SHIPPED_POLICIES)


def test_roots_and_revocation_of_shipped_policies() -> None:
    roots = {name: load_policy(name).roots for name in SHIPPED_POLICIES}
    amd, simulator = frozenset({RootKind.AMD}), frozenset({RootKind.SIMULATOR})
    assert roots == {"unsafe-any": amd, "demo": simulator, "baseline": amd, "strict": amd}
    asked = {name: load_policy(name).revocation_required for name in SHIPPED_POLICIES}
    assert asked == {"unsafe-any": False, "demo": True, "baseline": True, "strict": True}


def test_demo_has_the_rules_of_baseline() -> None:
    apart = {"name", "description", "graded", "roots", "digest", "source"}
    demo, baseline = load_policy("demo"), load_policy("baseline")
    same = {field.name for field in fields(Policy)} - apart
    assert {name: getattr(demo, name) for name in same} == {name: getattr(baseline, name) for name in same}


def test_unsafe_any_checks_nothing_that_may_be_left_unchecked() -> None:
    page = (_POLICIES / "unsafe-any.yaml").read_text()
    assert not re.search("required|forbidden|refused", page)


def _rows(name: str) -> dict[str, FloorRow]:
    floors = load_policy(name).tcb_floors
    assert floors is not Word.ANY
    return {row.part: row for row in floors.rows}


def test_numbers_of_the_floors() -> None:
    def floor(name: str, part: str) -> tuple[object, ...] | str:
        tcb = _rows(name)[part].floor
        if tcb is Word.REFUSED:
            return "refused"
        return tuple(v for v in (tcb.fmc, tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode) if v is not None)

    assert {part: floor("baseline", part) for part in _rows("baseline")} == {
        "Milan": (4, 0, 24, 219),
        "Milan-X": (4, 0, 24, 68),
        "Genoa": (10, 0, 23, 84),
        "Genoa-X": (10, 0, 23, 79),
        "Bergamo and Siena": (10, 0, 23, 25),
        "Turin": (1, 1, 1, 4, 81),
    }
    assert {part: floor("strict", part) for part in _rows("strict")} == {
        "Milan": "refused",
        "Milan-X": "refused",
        "Genoa": (10, 0, 28, 86),
        "Genoa-X": (10, 0, 28, 81),
        "Bergamo and Siena": "refused",
        "Turin": (1, 1, 1, 4, 81),
    }


def test_strict_is_nowhere_below_baseline() -> None:
    strict, baseline = load_policy("strict"), load_policy("baseline")
    for part, row in _rows("strict").items():
        low = _rows("baseline")[part].floor
        assert isinstance(low, Floor)
        assert not (isinstance(row.floor, Floor) and shortfall(row.floor, low))
    assert set(strict.report_versions) <= set(baseline.report_versions)
    for rules in ("guest_policy", "platform_info", "tcb_consistency", "pins"):
        for field in fields(getattr(baseline, rules)):
            asked = getattr(getattr(baseline, rules), field.name)
            assert asked is Word.ANY or getattr(getattr(strict, rules), field.name) == asked


def test_every_number_has_a_basis_and_a_date() -> None:
    for name in ("demo", "baseline", "strict"):
        policy = load_policy(name)
        rows: list[FloorRow | MitigationRow] = list(_rows(name).values())
        rows += [] if policy.mitigations is Word.ANY else policy.mitigations
        for row in rows:
            assert re.search("AMD-SB-3|BadFuse|StackWarp", row.basis)
            assert "2025-02" <= row.date <= policy.date.isoformat()


def test_key_bindings_are_those_that_exist() -> None:
    binding = pytest.importorskip("verifier.binding", reason="verifier/binding.py is not there yet")
    assert set(load_policy("unsafe-any").key_bindings) == set(binding.BINDINGS)


def test_a_policy_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        load_policy("strict").name = "lax"  # type: ignore[misc]
    assert isinstance(hash(load_policy("strict")), int)
    assert replace(load_policy("strict"), roots=frozenset({RootKind.SIMULATOR})) != load_policy("strict")


# --- loading -------------------------------------------------------------------------------------------------


def test_loads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(edited("name: baseline", "name: mine"))
    assert load_policy(path) == load_policy(str(path))
    assert (load_policy(path).name, load_policy(path).source) == ("mine", str(path))


def test_a_file_may_not_pass_for_a_shipped_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(BASELINE)
    assert load_policy(path).digest == shipped_policy("baseline").digest
    path.write_text(edited("debug: forbidden", "debug: any"))
    with pytest.raises(UsageError, match="ships with the project"):
        load_policy(path)


@pytest.mark.parametrize("name", ["nonsense", "", "a\0b", "../policies/strict", "x" * 5000])
def test_no_such_policy(name: str) -> None:
    with pytest.raises(UsageError, match="unsafe-any, demo, baseline, strict"):
        load_policy(name)


def test_a_path_is_never_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no such policy"):
        load_policy(Path("strict"))


def test_folders_and_sockets_are_not_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        for path in (tmp_path, Path("s")):
            with pytest.raises(UsageError, match="no such policy"):
                load_policy(path)


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(BASELINE)

    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(UsageError, match="Permission denied"):
        load_policy(path)


# --- strict YAML ---------------------------------------------------------------------------------------------


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


# --- rules ---------------------------------------------------------------------------------------------------


def _key_paths(tree: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(tree, dict):
        return [p for key, value in tree.items() for p in ((*path, key), *_key_paths(value, (*path, key)))]
    if isinstance(tree, list):
        return [p for i, value in enumerate(tree) for p in _key_paths(value, (*path, i))]
    return []


def _tree_at(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


_STRICT_TREE = yaml.safe_load(STRICT)
_PATHS = _key_paths(_STRICT_TREE)


@pytest.mark.parametrize("path", _PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_rule_left_out_renamed_or_emptied_is_an_error(path: tuple[Any, ...]) -> None:
    key = path[-1]
    is_text = key in ("part", "basis", "description")
    changes: list[dict[str, object]] = [{}, {f"{key}x": 1}, {key: []}, {key: {"x": 1}}, {key: is_text or "Any"}]
    for changed in changes:
        tree = deepcopy(_STRICT_TREE)
        parent = _tree_at(tree, path[:-1])
        del parent[key]
        parent.update(changed)
        with pytest.raises(UsageError) as caught:
            build(Policy, tree, Place("my.yaml"), {"digest": b"", "source": ""})
        assert caught.value.where.startswith("my.yaml")
        assert caught.value.wanted


@pytest.mark.parametrize(
    ("old", "new", "where", "problem"),
    [
        ("\nversion: 1", "\nversion: 0", "version", "out of range"),
        ("\nversion: 1", "\nversion: true", "version", "wrong kind"),
        ("\nversion: 1", '\nversion: "1"', "version", "wrong kind"),
        ("policy/v1", "policy/v2", "schema", "not one of"),
        ("name: baseline", "name: Base line", "name", "wrong form"),
        ('date: "2026-11-21"', 'date: "2026-11-31"', "date", "not a date"),
        ('date: "2026-11-21"', 'date: "20261121"', "date", "not a date"),
        ("graded: true", "graded: any", "graded", "wrong kind"),
        ("graded: true", "graded: 1", "graded", "wrong kind"),
        ("roots: [amd]", "roots: []", "roots", "empty"),
        ("roots: [amd]", "roots: any", "roots", "not a list"),
        ("roots: [amd]", "roots: [unsafe]", "roots[0]", "not one of"),
        ("roots: [amd]", "roots: [amd, amd]", "roots[1]", "given twice"),
        ("revocation: required", "revocation: forbidden", "revocation", "not one of"),
        ("[sha256-spki]", "[sha1-spki]", "key_bindings[0]", "not one of"),
        ("[3, 5]", "[3, 4]", "report_versions[1]", "not one of"),
        ("[3, 5]", "[3, true]", "report_versions[1]", "not one of"),
        ("[vcek]", "[vcek, vlek]", "", "a VLEK proves only its provider"),
        ("vmpl: [0]", "vmpl: [4]", "vmpl[0]", "out of range"),
        ("vmpl: [0]", "vmpl: 0", "vmpl", "not a list"),
        ("debug: forbidden", "debug: refused", "guest_policy.debug", "not one of"),
        ("minimum_abi: any", "minimum_abi: 1.55", "guest_policy.minimum_abi", "YAML reads this as float"),
        ("minimum_abi: any", 'minimum_abi: "1.55"', "guest_policy.minimum_abi", "not a mapping"),
        ("minimum_abi: any", "minimum_abi: {major: 1}", "guest_policy.minimum_abi", "left out"),
        ("minimum_abi: any", "minimum_abi: {major: 1, minor: 256}", "guest_policy.minimum_abi.minor", "out of range"),
        ("microcode: 219", "microcode: 256", "tcb_floors.rows[0].floor.microcode", "out of range"),
        ("microcode: 219", "microcode: 219, fmc: 1", "tcb_floors.rows[0]", "not in the line's layout"),
        ("fmc: 1, ", "", "tcb_floors.rows[5]", "not in the line's layout"),
        ("last: 0x0f", "last: 0x10", "tcb_floors.rows[0]", "not of the line"),
        ("first: 0x10, last: 0x1f", "first: 0x1f, last: 0x10", "tcb_floors.rows[2]", "not of the line"),
        ("family: 0x19", "family: 19", "tcb_floors.rows[0]", "not of the line"),
        ("steppings: [2]", "steppings: [1]", "tcb_floors", "two rows for one processor"),
        ("steppings: [2]", "steppings: any", "tcb_floors", "two rows for one processor"),
        ('date: "2025-02"', 'date: "2025"', "tcb_floors.rows[0].date", "wrong form"),
        ("measurement: any", "measurement: abc", "pins.measurement", "not a list"),
        ("measurement: any", "measurement: [abc]", "pins.measurement[0]", "wrong length"),
        ("measurement: any", f"measurement: [{'AB' * 48}]", "pins.measurement[0]", "not hex"),
        ("measurement: any", f"measurement: [{'12' * 48}]", "pins.measurement[0]", "YAML reads this as int"),
        ("chip_ids: any", f"chip_ids: [{'ab' * 16}]", "pins.chip_ids[0]", "wrong length"),
        ("minimum_guest_svn: any", "minimum_guest_svn: 4294967296", "pins.minimum_guest_svn", "out of range"),
        ("roots: [amd]", "roots: [amd]\nrots: [amd]", "", "unknown key"),
        ("roots: [amd]", "roots: [amd]\ndigest: abc", "", "unknown key"),
        ("roots: [amd]", "roots: [amd]\nsource: AMD", "", "unknown key"),
    ],
)
def test_a_wrong_value_is_named_by_file_and_path(old: str, new: str, where: str, problem: str) -> None:
    error = refused(edited(old, new))
    assert error.where == (f"my.yaml: {where}" if where else "my.yaml")
    assert problem in error.problem
    assert error.got
    assert error.wanted


def test_two_mitigation_rows_for_one_line() -> None:
    page = edited("- line: Milan\n    launch: [1, 2, 4]", "- line: Genoa\n    launch: [1, 2, 4]", STRICT)
    assert "two mitigation rows" in refused(page).problem


def test_pins_are_bytes() -> None:
    page = edited("measurement: any", f'measurement: ["{"01" * 48}", {"ab" * 48}]')
    page = edited("chip_ids: any", f"chip_ids: [{'ab' * 8}, {'cd' * 64}]", page)
    page = edited("minimum_guest_svn: any", "minimum_guest_svn: 7", page)
    pins = parse_policy(page.encode(), "my.yaml").pins
    assert pins.measurement == (b"\x01" * 48, b"\xab" * 48)
    assert pins.chip_ids == (b"\xab" * 8, b"\xcd" * 64)
    assert pins.minimum_guest_svn == 7


def test_a_vlek_needs_its_provider_listed_or_an_ungraded_policy() -> None:
    page = edited("[vcek]", "[vcek, vlek]")
    assert parse_policy(edited("csp_ids: any", "csp_ids: [CN=example]", page).encode(), "x").csp_ids == ("CN=example",)
    assert parse_policy(edited("graded: true", "graded: false", page).encode(), "x").csp_ids is Word.ANY


def test_a_message_names_file_path_got_and_wanted() -> None:
    assert str(refused(edited("debug: forbidden", "debug: allowed"))) == (
        "my.yaml: guest_policy.debug: not one of the words allowed: "
        "got the text 'allowed', wanted required or forbidden or any"
    )


def test_a_union_names_its_word_too() -> None:
    assert refused(edited("vmpl: [0]", "vmpl: 0")).wanted == "any or a list"
    assert refused(edited("vmpl: [0]", "vmpl: [9]")).wanted == "0 to 3"


def test_rows_cover_and_overlap() -> None:
    rows = list(_rows("baseline").values())
    assert [row.part for row in rows if row.covers(Cpuid(0x19, 0x01, 2))] == ["Milan-X"]
    assert [row.part for row in rows if row.covers(Cpuid(0x19, 0xA0, 2))] == ["Bergamo and Siena"]
    assert [row.part for row in rows if row.covers(Cpuid(0x1A, 0x11, 0))] == ["Turin"]
    assert not [row for row in rows if row.covers(Cpuid(0x19, 0x01, 3))]
    assert not any(one.overlaps(two) for one, two in pairwise(rows))
    assert rows[0].overlaps(replace(rows[0], steppings=Word.ANY))


def test_a_floor_is_a_tcb() -> None:
    floor = _rows("baseline")["Turin"].floor
    assert isinstance(floor, Floor)
    assert shortfall(Tcb(1, 1, 4, 80, 1), floor) == ["microcode 80 < 81"]
    assert {row.line for row in _rows("baseline").values()} == set(ProductLine)


# --- properties ----------------------------------------------------------------------------------------------


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
    tree = deepcopy(_STRICT_TREE)
    _tree_at(tree, path[:-1])[path[-1]] = value
    _policy_or_usage_error(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


def _policy_or_usage_error(data: bytes) -> bool:
    try:
        parse_policy(data, "my.yaml")
    except UsageError as error:
        assert error.where.startswith("my.yaml")
        assert str(error)
        return False
    return True
