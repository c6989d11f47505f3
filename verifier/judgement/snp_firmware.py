"""Compare a platform's firmware with a policy: the kind of processor, TCB floors, order of TCBs, mitigations.

TCB versions are compared component by component, in the layout of the product line, with the policy's row for this kind
of processor. Microcode numbers of different steppings cannot be compared with each other.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from provenance_oracle.verifier.checks import Check, Finding, not_checked
from provenance_oracle.verifier.judgement.snp_rules import Rules, either
from provenance_oracle.verifier.policy import Firmware, Floor, FloorRow, Policy, TcbFloors, TcbKind, Word
from provenance_oracle.verifier.snp.report import Report
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb, shortfall


def check_product_line(claims: Claims, policy: Policy) -> Finding:
    """Look for the processor among the policy's floor rows. No row, or a row that refuses it, fails the check."""
    shown = f"{claims.line} {claims.cpuid or 'of unknown stepping'}"
    if policy.tcb_floors is Word.ANY:
        return not_checked(Check.PRODUCT_LINE, f"{shown}; the policy says any")
    rows = _rows(claims, policy.tcb_floors)
    accepted = ", ".join(row.part for row in policy.tcb_floors.rows if row.floor is not Word.REFUSED) or "none"
    rules = Rules(Check.PRODUCT_LINE, f"{shown}: {_parts(rows)}")
    rules.ask(bool(rows), f"{shown}: not in the policy", f"one of {accepted}")
    for row in rows:
        if row.floor is Word.REFUSED:
            rules.ask(False, f"{shown}: {row.part} is refused: {row.basis}", f"one of {accepted}")
    return rules.finding()


def check_tcb_floor(claims: Claims, policy: Policy) -> Finding:
    """Compare the TCB versions that the policy lists, and the firmware versions, with the processor's floor."""
    if policy.tcb_floors is Word.ANY:
        return not_checked(Check.TCB_FLOOR, f"reported {claims.reported_tcb}; the policy says any")
    rows = _rows(claims, policy.tcb_floors)
    floors = [row.floor for row in rows if isinstance(row.floor, Floor)]
    if not floors or len(floors) < len(rows):
        return not_checked(Check.TCB_FLOOR, f"no floor for this processor, see {Check.PRODUCT_LINE}")
    name = _parts(rows)
    floor = _strictest(floors)
    rules = Rules(Check.TCB_FLOOR, f"{name}: reported {claims.reported_tcb}")
    for kind in policy.tcb_floors.compared:
        low = shortfall(_tcb(claims, kind), floor)
        rules.ask(not low, f"{kind} {', '.join(low)}", f"{name} at least {floor}")
    if versions := [row.firmware for row in rows if isinstance(row.firmware, Firmware)]:
        for kind, version in _firmware(claims.report).items():
            if kind in policy.tcb_floors.compared:
                rules.ask(version >= max(versions), f"{kind} firmware {version}", f"firmware {max(versions)} or later")
    return rules.finding()


def _rows(claims: Claims, floors: TcbFloors) -> tuple[FloorRow, ...]:
    """Return the row for the processor, if any. A version 2 report names none: return all rows of its line."""
    if claims.cpuid is None:
        return tuple(row for row in floors.rows if row.line is claims.line)
    return tuple(row for row in floors.rows if row.covers(claims.cpuid))


def _strictest(floors: list[Floor]) -> Floor:
    """Return the floor with the highest version of each component among several floors of one product line."""
    columns = {field.name: [getattr(floor, field.name) for floor in floors] for field in fields(Floor)}
    highest: dict[str, Any] = {name: None if None in values else max(values) for name, values in columns.items()}
    return Floor(**highest)


def _parts(rows: tuple[FloorRow, ...]) -> str:
    names = ", ".join(row.part for row in rows)
    return names if len(rows) < 2 else f"strictest of {names} (a version 2 report names no processor)"


def check_tcb_consistency(claims: Claims, policy: Policy) -> Finding:
    """Compare the TCB versions of one report with each other."""
    wanted, versions = policy.tcb_consistency, _firmware(claims.report)
    current, committed = versions[TcbKind.CURRENT], versions[TcbKind.COMMITTED]
    rules = Rules(Check.TCB_CONSISTENCY, f"current {claims.current_tcb}")
    if wanted.reported_at_most_current is Word.REQUIRED:
        low = shortfall(claims.current_tcb, claims.reported_tcb)
        rules.ask(not low, f"current below reported ({', '.join(low)})", "reported <= current")
    if wanted.committed_at_most_current is Word.REQUIRED:
        low = shortfall(claims.current_tcb, claims.committed_tcb)
        if current < committed:
            low.append(f"firmware {current} < {committed}")
        rules.ask(not low, f"current below committed ({', '.join(low)})", "committed <= current")
    if wanted.committed_equals_current is Word.REQUIRED:
        holds = claims.committed_tcb == claims.current_tcb and committed == current
        got = f"committed {claims.committed_tcb} firmware {committed}, current {claims.current_tcb} firmware {current}"
        rules.ask(holds, got, "committed = current (no provisional firmware)")
    return rules.finding()


def _tcb(claims: Claims, kind: TcbKind) -> Tcb:
    return {
        TcbKind.CURRENT: claims.current_tcb,
        TcbKind.COMMITTED: claims.committed_tcb,
        TcbKind.REPORTED: claims.reported_tcb,
        TcbKind.LAUNCH: claims.launch_tcb,
    }[kind]


def _firmware(report: Report) -> dict[TcbKind, Firmware]:
    return {
        TcbKind.CURRENT: Firmware(report.current_major, report.current_minor, report.current_build),
        TcbKind.COMMITTED: Firmware(report.committed_major, report.committed_minor, report.committed_build),
    }


def check_mitigations(claims: Claims, policy: Policy) -> Finding:
    """Check that the report has the mitigation bits that the policy requires. Only version 5 reports have any."""
    vectors = {"launch": claims.report.launch_mit_vector, "current": claims.report.current_mit_vector}
    has_none = f"report version {claims.report.version} has no mitigation vectors"
    shown = ", ".join(f"{name} {vector:#x}" for name, vector in vectors.items() if vector is not None) or has_none
    rules = Rules(Check.MITIGATIONS, shown)
    if policy.mitigations is Word.ANY:
        return rules.finding()
    rows = [row for row in policy.mitigations if row.line is claims.line]
    rules.ask(bool(rows), f"{claims.line} is not in the policy", "a line the policy has mitigations for")
    for row in rows:
        for name, vector in vectors.items():
            bits: tuple[int, ...] | Word = getattr(row, name)
            if isinstance(bits, tuple):
                missing = [bit for bit in bits if vector is None or not vector >> bit & 1]
                got = has_none if vector is None else f"{name} {vector:#x} without {either(missing)}"
                rules.ask(not missing, got, f"{name} bits {', '.join(map(str, bits))}")
    return rules.finding()
