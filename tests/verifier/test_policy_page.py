"""The tables in docs/policy.md match the shipped policies. Run this file as a script to rewrite them."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, FloorRow, Policy, Word, load_policy, parse_policy

_ROOT = Path(__file__).parent.parent.parent
_PAGE = _ROOT / "docs" / "policy.md"
# Fields that the page shows elsewhere, or that are not rules.
_LEFT_OUT = {"schema", "name", "version", "date", "description", "digest", "source", "page"}


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rules(value: object, prefix: str = "") -> dict[str, str]:
    if is_dataclass(value) and prefix not in ("tcb_floors", "mitigations"):
        names = [f.name for f in fields(value) if prefix or f.name not in _LEFT_OUT]
        return {
            path: word
            for name in names
            for path, word in _rules(getattr(value, name), f"{prefix}.{name}".lstrip(".")).items()
        }
    if prefix in ("tcb_floors", "mitigations"):
        return {prefix: str(value) if value is Word.ANY else "by row"}
    if isinstance(value, tuple | frozenset):
        return {prefix: ", ".join(map(str, value))}
    return {prefix: str(value).lower()}


def rules_table() -> str:
    columns = {name: _rules(load_policy(name)) for name in SHIPPED_POLICIES}
    rules = columns["strict"]
    unasked = [rule for rule in rules if all(column[rule] == "any" for column in columns.values())]
    rows = [[f"`{rule}`", *(columns[name][rule] for name in columns)] for rule in rules if rule not in unasked]
    note = "`any` in all four: " + ", ".join(f"`{rule}`" for rule in unasked) + "."
    return _table(["rule", *(f"`{name}`" for name in columns)], rows) + f"\n\n{note}"


def _rows(name: str) -> dict[str, FloorRow]:
    floors = load_policy(name).tcb_floors
    assert floors is not Word.ANY
    return {row.part: row for row in floors.rows}


def _floor(row: FloorRow) -> str:
    if row.floor is Word.REFUSED:
        return "refused"
    parts = (row.floor.fmc, row.floor.bootloader, row.floor.tee, row.floor.snp, row.floor.microcode)
    firmware = "" if row.firmware is Word.ANY else f", firmware {row.firmware}"
    return "/".join(str(part) for part in parts if part is not None) + firmware


def _mitigations(policy: Policy, row: FloorRow) -> str:
    rows = () if policy.mitigations is Word.ANY else policy.mitigations
    bits = [m.launch for m in rows if m.line is row.line and isinstance(m.launch, tuple)]
    return ", ".join(map(str, bits[0])) if bits else "any"


def floors_table() -> str:
    strict = load_policy("strict")
    rows = []
    for part, row in _rows("baseline").items():
        steppings = "any" if row.steppings is Word.ANY else ", ".join(map(str, row.steppings))
        cpuid = f"{row.family:02x}h / {row.models.first:02x}h-{row.models.last:02x}h / {steppings}"
        top = _rows("strict")[part]
        rows.append([part, cpuid, _floor(row), row.date, _floor(top), _mitigations(strict, top), top.date])
    head = ["part", "family / model / stepping", "`baseline`, `demo`", "source", "`strict`", "mitigations", "source"]
    return _table(head, rows)


def digests_table() -> str:
    policies = [load_policy(name) for name in SHIPPED_POLICIES]
    rows = [[f"`{one.name}`", str(one.version), one.date.isoformat(), f"`0x{one.digest.hex()}`"] for one in policies]
    return _table(["policy", "version", "date", "digest"], rows)


def _filled(page: str) -> str:
    for name, table in (("rules", rules_table()), ("digests", digests_table()), ("floors", floors_table())):
        page = re.sub(
            rf"(<!-- {name}: begin [^\n]*-->\n).*?(<!-- {name}: end -->)",
            lambda match, table=table: f"{match[1]}{table}\n{match[2]}",  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
    return page


def test_the_tables_are_those_of_the_shipped_policies() -> None:
    page = _PAGE.read_text()
    assert _filled(page) == page, "run: python tests/verifier/test_policy_page.py"


def test_every_rule_is_explained() -> None:
    explained = _PAGE.read_text().partition("## Reading a policy")[2].partition("## Writing")[0]
    words = set(re.findall("[a-z][a-z0-9_]+", explained))
    missing = [rule for rule in _rules(load_policy("strict")) if rule != "graded" and not set(rule.split(".")) <= words]
    missing = [rule for rule in missing if not rule.startswith("tcb_consistency.")]
    assert missing == []


def test_checks_named_exist() -> None:
    rows = re.findall(r"^\| `[^|]*\| ([^|]*) \|", _PAGE.read_text().partition("## Reading a policy")[2], re.MULTILINE)
    named = {check for row in rows for check in re.findall("`([a-z-]+)`", row)}
    assert named <= set(Check)


def test_the_message_shown_is_the_one_printed() -> None:
    page = (_ROOT / "verifier" / "policies" / "baseline.yaml").read_bytes()
    try:
        parse_policy(page.replace(b"debug: forbidden", b"debug: allowed"), "my-policy.yaml")
    except UsageError as error:
        assert str(error) in _PAGE.read_text()


if __name__ == "__main__":
    _PAGE.write_text(_filled(_PAGE.read_text()))
