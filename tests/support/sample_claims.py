"""Claims that the policy `strict` accepts, and functions to change claims and policies, for tests."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from provenance_oracle.verifier.checks import Check, Finding, Outcome
from provenance_oracle.verifier.judgement.snp_claims import check_claims
from provenance_oracle.verifier.policy import (
    SHIPPED_POLICIES,
    Policy,
    load_policy,
)
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine, RootKind
from provenance_oracle.verifier.snp.report import Report, SigningKey
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb

UNSAFE, DEMO, BASELINE, STRICT = (load_policy(name) for name in SHIPPED_POLICIES[1:])
CHECKS = [
    Check.REPORT_FORMAT,
    Check.PRODUCT_LINE,
    Check.VEK_MATCH,
    Check.GUEST_POLICY,
    Check.PLATFORM_INFO,
    Check.VMPL,
    Check.TCB_FLOOR,
    Check.TCB_CONSISTENCY,
    Check.MITIGATIONS,
    Check.MEASUREMENT,
    Check.HOST_DATA,
    Check.ID_KEY,
    Check.CHIP_ALLOW_LIST,
    Check.KEY_BINDING,
]
CHIP = bytes(range(64))
GOOD_TCB = Tcb(bootloader=10, tee=0, snp=28, microcode=86)
OLD_TCB = replace(GOOD_TCB, snp=27)
TCB_FIELDS = ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb")
TURIN = {"line": ProductLine.TURIN, "cpuid": Cpuid(0x1A, 2, 1)}

REPORT = Report(
    version=5,
    guest_svn=3,
    policy=0x0302013A,  # ABI 1.58, no SMT, ciphertext hiding, page swapping off
    family_id=b"f" * 16,
    image_id=b"i" * 16,
    vmpl=0,
    platform_info=0x34,
    current_tcb=bytes(8),
    author_key_en=True,
    signing_key=SigningKey.VCEK,
    report_data=b"r" * 64,
    measurement=b"m" * 48,
    host_data=b"h" * 32,
    id_key_digest=b"k" * 48,
    author_key_digest=b"a" * 48,
    report_id=b"d" * 32,
    report_id_ma=b"\xff" * 32,
    reported_tcb=bytes(8),
    cpuid=Cpuid(0x19, 0x11, 1),
    chip_id=CHIP,
    committed_tcb=bytes(8),
    current_build=40,
    current_minor=55,
    current_major=1,
    committed_build=40,
    committed_minor=55,
    committed_major=1,
    launch_tcb=bytes(8),
    launch_mit_vector=0b110,
    current_mit_vector=0b110,
    signature_r=1,
    signature_s=1,
    signed=bytes(0x2A0),
)
CLAIMS = Claims(
    report=REPORT,
    line=ProductLine.GENOA,
    root_kind=RootKind.AMD,
    cpuid=REPORT.cpuid,
    current_tcb=GOOD_TCB,
    reported_tcb=GOOD_TCB,
    committed_tcb=GOOD_TCB,
    launch_tcb=GOOD_TCB,
    vek_kind=SigningKey.VCEK,
    csp_id=None,
    chip_id=CHIP,
    at=datetime(2026, 11, 21, tzinfo=UTC),
    revocation=RevocationStatus.NOT_REVOKED,
)


def claims_with(**changes: Any) -> Claims:
    """Return CLAIMS with fields replaced. Fields of the report go by their own names; cpuid changes in both."""
    in_report = {f.name for f in fields(Report)} - {f.name for f in fields(Claims)} | {"cpuid"}
    report = replace(REPORT, **{name: value for name, value in changes.items() if name in in_report})
    mine = {name: value for name, value in changes.items() if name not in in_report or name == "cpuid"}
    return replace(CLAIMS, report=report, **mine)


def policy_with(policy: Policy = STRICT, **changes: Any) -> Policy:
    """Return a policy with rules replaced. A dictionary replaces fields of the group of that name."""
    groups = {k: replace(getattr(policy, k), **v) if isinstance(v, dict) else v for k, v in changes.items()}
    return replace(policy, **groups)


def by_check(findings: tuple[Finding, ...]) -> dict[Check, Finding]:
    """Return findings by check. There must be exactly one for each of CHECKS, in order."""
    assert [finding.check for finding in findings] == CHECKS
    return {finding.check: finding for finding in findings}


def failures(claims: Claims, policy: Policy) -> dict[Check, Finding]:
    """Return the failed findings of claims under a policy, by check."""
    found = by_check(check_claims(claims, policy))
    return {check: finding for check, finding in found.items() if finding.outcome is Outcome.FAILED}
