from __future__ import annotations

from dataclasses import replace
from typing import Any

from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.judgement.snp_claims import check_claims
from provenance_oracle.verifier.policy import (
    Firmware,
    TcbFloors,
    TcbKind,
    Word,
)
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.sample_claims import (
    BASELINE,
    GOOD_TCB,
    OLD_TCB,
    STRICT,
    TCB_FIELDS,
    TURIN,
    by_check,
    claims_with,
    failures,
    policy_with,
)


def test_a_rule_for_one_tcb_says_nothing_of_the_others() -> None:
    old = claims_with(
        launch_tcb=OLD_TCB, reported_tcb=OLD_TCB, committed_tcb=OLD_TCB, committed_build=30, current_tcb=GOOD_TCB
    )
    policy = policy_with(
        tcb_floors={"compared": (TcbKind.CURRENT,)}, tcb_consistency={"committed_equals_current": Word.ANY}
    )
    assert not failures(old, policy)
    for kind in (TcbKind.LAUNCH, TcbKind.REPORTED, TcbKind.COMMITTED):
        found = failures(old, policy_with(policy, tcb_floors={"compared": (kind,)}))
        assert set(found) == {Check.TCB_FLOOR}
        assert found[Check.TCB_FLOOR].got.startswith(f"{kind} snp 27 < 28")


def test_committed_above_current_is_inconsistent() -> None:
    rules = policy_with(tcb_consistency={"committed_equals_current": Word.ANY})
    for changes in ({"committed_tcb": replace(GOOD_TCB, snp=29)}, {"committed_build": 41}, {"committed_major": 2}):
        found = failures(claims_with(**changes), rules)
        assert set(found) == {Check.TCB_CONSISTENCY}
        assert "current below committed" in found[Check.TCB_CONSISTENCY].got
    assert not failures(claims_with(current_build=41), rules)


def test_no_floor_is_compared_where_the_processor_is_refused() -> None:
    found = by_check(check_claims(claims_with(cpuid=Cpuid(0x19, 0xA0, 2), reported_tcb=Tcb(0, 0, 0, 0)), STRICT))
    assert found[Check.PRODUCT_LINE].outcome is Outcome.FAILED
    assert found[Check.PRODUCT_LINE].wanted == "one of Genoa, Genoa-X, Turin"
    assert found[Check.TCB_FLOOR].outcome is Outcome.NOT_CHECKED


def test_the_row_is_chosen_by_stepping() -> None:
    genoa_x = claims_with(cpuid=Cpuid(0x19, 0x11, 2), **dict.fromkeys(TCB_FIELDS, replace(GOOD_TCB, microcode=81)))
    assert not failures(genoa_x, STRICT)
    assert set(failures(replace(genoa_x, cpuid=Cpuid(0x19, 0x11, 1)), STRICT)) == {Check.TCB_FLOOR}


def test_turin_compares_fmc() -> None:
    tcb = Tcb(bootloader=1, tee=1, snp=4, microcode=81, fmc=1)
    assert not failures(claims_with(**TURIN, **dict.fromkeys(TCB_FIELDS, tcb)), STRICT)
    found = failures(claims_with(**TURIN, **dict.fromkeys(TCB_FIELDS, replace(tcb, fmc=0))), STRICT)
    assert set(found) == {Check.TCB_FLOOR}
    assert "reported fmc 0 < 1" in found[Check.TCB_FLOOR].got


def _version_2(**changes: Any) -> Claims:
    return claims_with(version=2, cpuid=None, launch_mit_vector=None, current_mit_vector=None, **changes)


def test_a_version_2_report_meets_the_strictest_row_of_its_line() -> None:
    policy = policy_with(BASELINE, report_versions=(2, 3, 5))
    found = by_check(check_claims(_version_2(), policy))
    assert found[Check.TCB_FLOOR].outcome is Outcome.PASSED
    assert "strictest of Genoa, Genoa-X, Bergamo and Siena" in found[Check.TCB_FLOOR].got
    low = dict.fromkeys(TCB_FIELDS, replace(GOOD_TCB, microcode=83))  # enough for Genoa-X and Bergamo
    assert "microcode 83 < 84" in failures(_version_2(**low), policy)[Check.TCB_FLOOR].got
    assert set(failures(_version_2(), BASELINE)) == {Check.REPORT_FORMAT}


def test_a_version_2_report_of_a_line_with_a_refused_row_is_refused() -> None:
    policy = policy_with(STRICT, report_versions=(2, 3, 5), mitigations=Word.ANY)
    found = failures(_version_2(), policy)
    assert set(found) == {Check.PRODUCT_LINE}
    assert "Genoa of unknown stepping: Bergamo and Siena is refused" in found[Check.PRODUCT_LINE].got


def test_the_strictest_row_takes_the_highest_of_each_part_and_of_firmware() -> None:
    assert isinstance(BASELINE.tcb_floors, TcbFloors)
    rows = [row for row in BASELINE.tcb_floors.rows if row.line is ProductLine.GENOA]
    rows[1] = replace(rows[1], floor=replace(rows[1].floor, snp=29), firmware=Firmware(1, 55, 41))  # type: ignore[type-var]
    policy = policy_with(BASELINE, report_versions=(2,), tcb_floors={"rows": tuple(rows)})
    found = failures(_version_2(), policy)
    assert set(found) == {Check.TCB_FLOOR}
    assert "snp 28 < 29" in found[Check.TCB_FLOOR].got
    assert "current firmware 1.55.40" in found[Check.TCB_FLOOR].got


def test_before_version_5_required_mitigations_fail() -> None:
    old = claims_with(version=3, launch_mit_vector=None, current_mit_vector=None)
    found = failures(old, policy_with(report_versions=(3,)))
    assert set(found) == {Check.MITIGATIONS}
    assert "report version 3 has no mitigation vectors" in found[Check.MITIGATIONS].got
    assert not failures(old, policy_with(report_versions=(3,), mitigations=Word.ANY))


def test_a_mitigation_vector_may_be_left_unchecked() -> None:
    assert isinstance(STRICT.mitigations, tuple)
    rows = tuple(replace(row, launch=Word.ANY) for row in STRICT.mitigations)
    assert not failures(claims_with(launch_mit_vector=0), policy_with(mitigations=rows))
    assert set(failures(claims_with(current_mit_vector=0), policy_with(mitigations=rows))) == {Check.MITIGATIONS}
