from __future__ import annotations

import hashlib
import os
import re
import socket
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import (
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
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine, RootKind
from provenance_oracle.verifier.snp.tcb import Tcb, shortfall
from provenance_oracle.verifier.strict.parse_yaml import KeyPath
from provenance_oracle.verifier.strict.schema import build
from tests.support.policy_pages import BASELINE, POLICIES, STRICT, STRICT_TREE, edited, key_paths, refused, tree_at

# --- the shipped policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED_POLICIES)
def test_shipped_policy_is_named_dated_and_identified_by_its_bytes(name: str) -> None:
    policy = load_policy(name)
    data = (POLICIES / f"{name}.yaml").read_bytes()
    assert (policy.name, policy.source, policy.digest) == (name, f"policy {name}", hashlib.sha256(data).digest())
    assert policy.date >= date(2026, 11, 1)
    assert policy.graded == (name in {*GRADES, "signed"})


def test_every_shipped_file_is_listed() -> None:
    assert {path.stem for path in POLICIES.glob("*.yaml")} == set(SHIPPED_POLICIES)


def test_roots_and_revocation_of_shipped_policies() -> None:
    roots = {name: load_policy(name).roots for name in SHIPPED_POLICIES}
    amd, simulator = frozenset({RootKind.AMD}), frozenset({RootKind.SIMULATOR})
    assert roots == {"signed": amd, "unsafe-any": amd, "demo": simulator, "baseline": amd, "strict": amd}
    asked = {name: load_policy(name).revocation_required for name in SHIPPED_POLICIES}
    assert asked == {"signed": True, "unsafe-any": False, "demo": True, "baseline": True, "strict": True}


def test_demo_has_the_rules_of_baseline() -> None:
    apart = {"name", "description", "graded", "roots", "digest", "source", "page"}
    demo, baseline = load_policy("demo"), load_policy("baseline")
    same = {field.name for field in fields(Policy)} - apart
    assert {name: getattr(demo, name) for name in same} == {name: getattr(baseline, name) for name in same}


def test_signed_has_the_rules_of_baseline_and_takes_signed_releases() -> None:
    apart = {"name", "description", "date", "digest", "source", "page", "signed_releases"}
    signed, baseline = load_policy("signed"), load_policy("baseline")
    same = {field.name for field in fields(Policy)} - apart
    assert {name: getattr(signed, name) for name in same} == {name: getattr(baseline, name) for name in same}
    accepted = {name for name in SHIPPED_POLICIES if load_policy(name).signed_releases is Word.ACCEPTED}
    assert accepted == {"signed"}


def test_unsafe_any_checks_nothing_that_may_be_left_unchecked() -> None:
    page = (POLICIES / "unsafe-any.yaml").read_text()
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
    binding = pytest.importorskip(
        "provenance_oracle.verifier.judgement.binding", reason="verifier/binding.py is not there yet"
    )
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

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(UsageError, match="Permission denied"):
        load_policy(path)


# --- rules ---------------------------------------------------------------------------------------------------


_PATHS = key_paths(STRICT_TREE)


@pytest.mark.parametrize("path", _PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_rule_left_out_renamed_or_emptied_is_an_error(path: tuple[Any, ...]) -> None:
    key = path[-1]
    is_text = key in ("part", "basis", "description")
    changes: list[dict[str, object]] = [{}, {f"{key}x": 1}, {key: []}, {key: {"x": 1}}, {key: is_text or "Any"}]
    for changed in changes:
        tree = deepcopy(STRICT_TREE)
        parent = tree_at(tree, path[:-1])
        del parent[key]
        parent.update(changed)
        with pytest.raises(UsageError) as caught:
            build(Policy, tree, KeyPath("my.yaml"), {"digest": b"", "source": "", "page": b""})
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
        ("[3, 5]", "[3, 6]", "report_versions[1]", "not one of"),
        ("[3, 5]", "[3, true]", "report_versions[1]", "not one of"),
        ("[vcek]", "[vcek, vlek]", "", "a VLEK proves the cloud provider"),
        ("report_reuse: refused", "report_reuse: any", "", "a report that another release has used"),
        ("vmpl: [0]", "vmpl: [4]", "vmpl[0]", "out of range"),
        ("vmpl: [0]", "vmpl: 0", "vmpl", "not a list"),
        ("debug: forbidden", "debug: refused", "guest_policy.debug", "not one of"),
        ("minimum_abi: any", "minimum_abi: 1.55", "guest_policy.minimum_abi", "YAML reads this as float"),
        ("minimum_abi: any", 'minimum_abi: "1.55"', "guest_policy.minimum_abi", "not a mapping"),
        ("minimum_abi: any", "minimum_abi: {major: 1}", "guest_policy.minimum_abi", "left out"),
        ("minimum_abi: any", "minimum_abi: {major: 1, minor: 256}", "guest_policy.minimum_abi.minor", "out of range"),
        ("microcode: 219", "microcode: 256", "tcb_floors.rows[0].floor.microcode", "out of range"),
        ("microcode: 219", "microcode: 219, fmc: 1", "tcb_floors.rows[0]", "the TCB components of the product line"),
        ("fmc: 1, ", "", "tcb_floors.rows[5]", "the TCB components of the product line"),
        ("last: 0x0f", "last: 0x10", "tcb_floors.rows[0]", "not a range of the product line"),
        ("first: 0x10, last: 0x1f", "first: 0x1f, last: 0x10", "tcb_floors.rows[2]", "not a range of the product line"),
        ("family: 0x19", "family: 19", "tcb_floors.rows[0]", "not a range of the product line"),
        ("steppings: [2]", "steppings: [1]", "tcb_floors", "two rows apply to one processor"),
        ("steppings: [2]", "steppings: any", "tcb_floors", "two rows apply to one processor"),
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
    assert all(set(one.processors()).isdisjoint(two.processors()) for one, two in pairwise(rows))
    assert not set(rows[0].processors()).isdisjoint(replace(rows[0], steppings=Word.ANY).processors())


def test_a_floor_is_a_tcb() -> None:
    floor = _rows("baseline")["Turin"].floor
    assert isinstance(floor, Floor)
    assert shortfall(Tcb(1, 1, 4, 80, 1), floor) == ["microcode 80 < 81"]
    assert {row.line for row in _rows("baseline").values()} == set(ProductLine)
