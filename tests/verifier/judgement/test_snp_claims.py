from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check, Outcome
from provenance_oracle.verifier.judgement.snp_claims import (
    GUEST_POLICY_BITS,
    PLATFORM_INFO_BITS,
    check_claims,
    check_revocation,
    grade_of,
)
from provenance_oracle.verifier.policy import (
    Abi,
    GuestPolicyRules,
    PlatformInfoRules,
    Word,
)
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.products import Cpuid, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.sample_claims import (
    BASELINE,
    CHECKS,
    CHIP,
    CLAIMS,
    GOOD_TCB,
    OLD_TCB,
    REPORT,
    STRICT,
    TCB_FIELDS,
    TURIN,
    UNSAFE,
    by_check,
    claims_with,
    failures,
    policy_with,
)

# --- accepted ------------------------------------------------------------------------------------------------


def test_strict_accepts_what_it_should() -> None:
    found = by_check(check_claims(CLAIMS, STRICT))
    unasked = {Check.MEASUREMENT, Check.HOST_DATA, Check.ID_KEY, Check.CHIP_ALLOW_LIST, Check.KEY_BINDING}
    assert {c for c, f in found.items() if f.outcome is Outcome.NOT_CHECKED} == unasked
    assert {c for c, f in found.items() if f.outcome is Outcome.PASSED} == set(CHECKS) - unasked
    assert all(f.got and (f.wanted or f.outcome is Outcome.NOT_CHECKED) for f in found.values())


def test_unsafe_any_checks_only_what_can_always_be_said() -> None:
    found = by_check(check_claims(CLAIMS, UNSAFE))
    assert {c for c, f in found.items() if f.outcome is Outcome.PASSED} == {Check.REPORT_FORMAT, Check.VEK_MATCH}
    assert {f.outcome for f in found.values()} == {Outcome.PASSED, Outcome.NOT_CHECKED}
    assert all(f.got for f in found.values())


def test_bits_have_the_names_of_the_rules() -> None:
    assert {f.name for f in fields(GuestPolicyRules)} - {"minimum_abi", "migration_agent"} == set(GUEST_POLICY_BITS)
    assert {f.name for f in fields(PlatformInfoRules)} - {"unknown_bits"} == set(PLATFORM_INFO_BITS)


# --- for every rule a case in which only its check fails -----------------------------------------------------

_PINS = {
    Check.MEASUREMENT: ("measurement", 48),
    Check.HOST_DATA: ("host_data", 32),
    Check.KEY_BINDING: ("report_data", 64),
}
_VLEK: dict[str, Any] = {"vek_kind": SigningKey.VLEK, "csp_id": "CN=a.example", "chip_id": None}
_TAKES_VLEK: dict[str, Any] = {"vek_kinds": ("vcek", "vlek"), "csp_ids": ("CN=a.example",)}

ONLY: list[tuple[str, Check, dict[str, Any], dict[str, Any], str]] = [
    ("version", Check.REPORT_FORMAT, {"report_versions": (3,)}, {}, "version 5"),
    (
        "no row for the stepping",
        Check.PRODUCT_LINE,
        {},
        {"cpuid": Cpuid(0x19, 0x11, 0)},
        "19h/11h/0: not in the policy",
    ),
    (
        "row refused",
        Check.PRODUCT_LINE,
        {},
        {"cpuid": Cpuid(0x19, 0xA0, 2)},
        "Bergamo and Siena is refused: The microcode",
    ),
    ("VLEK", Check.VEK_MATCH, {}, _VLEK, "VLEK"),
    ("masked", Check.VEK_MATCH, {}, {"chip_id": None}, "masked"),
    ("debug", Check.GUEST_POLICY, {}, {"policy": REPORT.policy | 1 << 19}, "debug on"),
    ("migrate_ma", Check.GUEST_POLICY, {}, {"policy": REPORT.policy | 1 << 18}, "migrate_ma on"),
    ("cxl", Check.GUEST_POLICY, {}, {"policy": REPORT.policy | 1 << 21}, "cxl_allow on"),
    ("smt", Check.GUEST_POLICY, {}, {"policy": REPORT.policy | 1 << 16}, "smt on"),
    ("no hiding", Check.GUEST_POLICY, {}, {"policy": REPORT.policy & ~(1 << 24)}, "ciphertext_hiding off"),
    ("swap", Check.GUEST_POLICY, {}, {"policy": REPORT.policy & ~(1 << 25)}, "page_swap_disable off"),
    ("socket", Check.GUEST_POLICY, {"guest_policy": {"single_socket": Word.REQUIRED}}, {}, "single_socket off"),
    ("xts", Check.GUEST_POLICY, {"guest_policy": {"mem_aes_256_xts": Word.REQUIRED}}, {}, "mem_aes_256_xts off"),
    ("rapl", Check.GUEST_POLICY, {"guest_policy": {"rapl_dis": Word.REQUIRED}}, {}, "rapl_dis off"),
    ("abi", Check.GUEST_POLICY, {"guest_policy": {"minimum_abi": Abi(1, 59)}}, {}, "ABI 1.58"),
    ("abi major", Check.GUEST_POLICY, {"guest_policy": {"minimum_abi": Abi(2, 0)}}, {}, "ABI 1.58"),
    ("migration agent", Check.GUEST_POLICY, {}, {"report_id_ma": b"\xff" * 31 + b"\xfe"}, "migration agent ff"),
    ("host smt", Check.PLATFORM_INFO, {}, {"platform_info": 0x35}, "smt on"),
    ("no alias check", Check.PLATFORM_INFO, {}, {"platform_info": 0x14}, "alias_check_complete off"),
    ("host hides nothing", Check.PLATFORM_INFO, {}, {"platform_info": 0x24}, "ciphertext_hiding off"),
    ("unknown bit", Check.PLATFORM_INFO, {}, {"platform_info": 0x134}, "unknown bits 0x100"),
    ("tio", Check.PLATFORM_INFO, {"platform_info": {"tio": Word.REQUIRED}}, {}, "tio off"),
    ("ecc", Check.PLATFORM_INFO, {"platform_info": {"ecc": Word.FORBIDDEN}}, {}, "ecc on"),
    ("vmpl", Check.VMPL, {}, {"vmpl": 1}, "VMPL 1"),
    ("host's report", Check.VMPL, {"vmpl": Word.ANY}, {"vmpl": 0xFFFFFFFF}, "the host asked for"),
    ("launch", Check.TCB_FLOOR, {}, {"launch_tcb": OLD_TCB}, "launch snp 27 < 28"),
    ("reported", Check.TCB_FLOOR, {}, {"reported_tcb": OLD_TCB}, "reported snp 27 < 28"),
    (
        "firmware",
        Check.TCB_FLOOR,
        {},
        {"current_build": 37, "committed_build": 37},
        "current firmware 1.55.37; committed firm",
    ),
    ("reported above", Check.TCB_CONSISTENCY, {}, {"reported_tcb": replace(GOOD_TCB, tee=1)}, "(tee 0 < 1)"),
    ("provisional", Check.TCB_CONSISTENCY, {}, {"current_tcb": replace(GOOD_TCB, snp=29)}, "committed bootloader 10"),
    ("provisional build", Check.TCB_CONSISTENCY, {}, {"current_build": 41}, "current bootloader"),
    ("launch bits", Check.MITIGATIONS, {}, {"launch_mit_vector": 0b010}, "launch 0x2 without 2"),
    ("current bits", Check.MITIGATIONS, {}, {"current_mit_vector": 0b001}, "current 0x1 without 1 or 2"),
    (
        "no row for the line",
        Check.MITIGATIONS,
        {"mitigations": STRICT.mitigations[:1]},
        {},
        "Genoa is not in the policy",
    ),
    ("id key", Check.ID_KEY, {"pins": {"id_key_digest": (b"x" * 48,)}}, {}, "id_key_digest 6b6b"),
    ("author key", Check.ID_KEY, {"pins": {"author_key_digest": (b"x" * 48,)}}, {}, "author_key_digest 6161"),
    ("family", Check.ID_KEY, {"pins": {"family_id": (b"x" * 16,)}}, {}, "family_id 6666"),
    ("image", Check.ID_KEY, {"pins": {"image_id": (b"x" * 16,)}}, {}, "image_id 6969"),
    ("guest svn", Check.ID_KEY, {"pins": {"minimum_guest_svn": 4}}, {}, "guest_svn 3"),
    ("other chip", Check.CHIP_ALLOW_LIST, {"pins": {"chip_ids": (b"x" * 64,)}}, {}, "chip 0001"),
    (
        "no chip",
        Check.CHIP_ALLOW_LIST,
        {"masked_chip_id": Word.ACCEPTED, "pins": {"chip_ids": (CHIP,)}},
        {"chip_id": None},
        "masked by",
    ),
    ("VLEK for a chip", Check.CHIP_ALLOW_LIST, {**_TAKES_VLEK, "pins": {"chip_ids": (CHIP,)}}, _VLEK, "CN=a.example"),
    ("provider", Check.CHIP_ALLOW_LIST, _TAKES_VLEK, {**_VLEK, "csp_id": "CN=b.example"}, "provider CN=b.example"),
    *(
        (name, check, {"pins": {name: (b"x" * size, b"y" * size)}}, {}, f"{name} {getattr(REPORT, name).hex()}")
        for check, (name, size) in _PINS.items()
    ),
]


@pytest.mark.parametrize(("check", "rules", "changes", "got"), [case[1:] for case in ONLY], ids=[c[0] for c in ONLY])
def test_only_this_check_fails(check: Check, rules: dict[str, Any], changes: dict[str, Any], got: str) -> None:
    found = failures(claims_with(**changes), policy_with(**rules))
    assert set(found) == {check}
    assert got in found[check].got
    assert found[check].wanted


def test_every_check_has_a_case() -> None:
    assert {case[1] for case in ONLY} == set(CHECKS)


# --- several reasons --------------------------------------------------------------------------


def test_all_reasons_of_one_check_and_all_checks_are_told() -> None:
    bad = claims_with(policy=0x3F0000, vmpl=2, current_tcb=OLD_TCB, committed_tcb=OLD_TCB, measurement=b"n" * 48)
    found = failures(bad, policy_with(pins={"measurement": (b"m" * 48,)}))
    checks = {Check.GUEST_POLICY, Check.VMPL, Check.TCB_FLOOR, Check.TCB_CONSISTENCY, Check.MEASUREMENT}
    assert set(found) == checks
    said = found[Check.GUEST_POLICY]
    for name in (
        "debug on",
        "migrate_ma on",
        "cxl_allow on",
        "smt on",
        "ciphertext_hiding off",
        "page_swap_disable off",
    ):
        assert name in said.got
    assert said.wanted.count(";") == 5
    assert found[Check.TCB_FLOOR].got == "current snp 27 < 28; committed snp 27 < 28"
    assert found[Check.TCB_FLOOR].wanted == "Genoa at least bootloader 10 tee 0 snp 28 microcode 86"
    assert found[Check.MEASUREMENT].wanted == f"measurement {'6d' * 48}"


def test_pins_pass_when_they_match() -> None:
    pins = {
        "measurement": (b"x" * 48, REPORT.measurement),
        "host_data": (REPORT.host_data,),
        "report_data": (REPORT.report_data,),
        "id_key_digest": (REPORT.id_key_digest,),
        "author_key_digest": (REPORT.author_key_digest,),
        "family_id": (REPORT.family_id,),
        "image_id": (REPORT.image_id,),
        "minimum_guest_svn": 3,
        "chip_ids": (b"x" * 64, CHIP),
    }
    found = by_check(check_claims(CLAIMS, policy_with(pins=pins)))
    assert {f.outcome for f in found.values()} == {Outcome.PASSED}


def test_a_turin_chip_id_may_be_listed_short() -> None:
    chip = CHIP[:8].ljust(64, b"\0")
    policy = policy_with(BASELINE, pins={"chip_ids": (CHIP[:8],)})
    tcb = dict.fromkeys(TCB_FIELDS, Tcb(1, 1, 4, 81, 1))
    assert not failures(claims_with(**TURIN, **tcb, chip_id=chip), policy)
    assert set(failures(claims_with(**TURIN, **tcb, chip_id=CHIP), policy)) == {Check.CHIP_ALLOW_LIST}


def test_a_listed_provider_passes_and_binds_no_vcek() -> None:
    found = by_check(check_claims(claims_with(**_VLEK), policy_with(**_TAKES_VLEK)))
    assert found[Check.CHIP_ALLOW_LIST].outcome is Outcome.PASSED
    assert not failures(CLAIMS, policy_with(**_TAKES_VLEK))


# --- revocation and grade ------------------------------------------------------------------------------------


def test_revocation() -> None:
    outcomes = {
        (policy.name, state): check_revocation(claims_with(revocation=state), policy).outcome
        for policy in (UNSAFE, STRICT)
        for state in RevocationStatus
    }
    assert outcomes == {
        ("unsafe-any", RevocationStatus.NOT_REVOKED): Outcome.PASSED,
        ("unsafe-any", RevocationStatus.UNAVAILABLE): Outcome.NOT_CHECKED,
        ("unsafe-any", RevocationStatus.STALE): Outcome.NOT_CHECKED,
        ("strict", RevocationStatus.NOT_REVOKED): Outcome.PASSED,
        ("strict", RevocationStatus.UNAVAILABLE): Outcome.FAILED,
        ("strict", RevocationStatus.STALE): Outcome.FAILED,
    }


@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({}, 2),
        ({"policy": REPORT.policy | 1 << 16}, 1),
        ({"policy": REPORT.policy | 1 << 19}, 0),
        ({"current_build": 41}, 1),
        ({"cpuid": Cpuid(0x19, 0xA0, 2)}, 1),
        ({"cpuid": Cpuid(0x19, 0x11, 7)}, 0),
        ({"chip_id": None}, 0),
        ({"root_kind": RootKind.SIMULATOR}, 0),
        ({"root_kind": RootKind.UNSAFE}, 0),
        ({"revocation": RevocationStatus.UNAVAILABLE}, 0),
        ({"revocation": RevocationStatus.STALE}, 0),
    ],
)
def test_grades(changes: dict[str, Any], grade: int) -> None:
    assert grade_of(claims_with(**changes)) == grade
