"""Compare verified claims with a policy: all findings at once, one per check, in words for people.

`Claims` exist only after signatures and certificates were verified, so a failed finding here never means "forged". Each
function answers one check (`snp_firmware.py` has those about firmware). The broken rules of one check are joined into
its one finding. Names of bits follow AMD 56860 (SEV-SNP Firmware ABI), guest policy and PLATFORM_INFO.
"""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check, Finding, Outcome, failed, not_checked, passed
from provenance_oracle.verifier.judgement.snp_firmware import (
    check_mitigations,
    check_product_line,
    check_tcb_consistency,
    check_tcb_floor,
)
from provenance_oracle.verifier.judgement.snp_rules import Rules, either
from provenance_oracle.verifier.policy import GRADES, Policy, Word, shipped_policy
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.report import HOST_VMPL, Report, SigningKey
from provenance_oracle.verifier.snp.signature import Claims

GUEST_POLICY_BITS = {
    "smt": 16,
    "migrate_ma": 18,
    "debug": 19,
    "single_socket": 20,
    "cxl_allow": 21,
    "mem_aes_256_xts": 22,
    "rapl_dis": 23,
    "ciphertext_hiding": 24,
    "page_swap_disable": 25,
}
PLATFORM_INFO_BITS = {
    "smt": 0,
    "tsme": 1,
    "ecc": 2,
    "rapl_dis": 3,
    "ciphertext_hiding": 4,
    "alias_check_complete": 5,
    # Published headers reserve this bit, but every real Turin report we have seen sets it; the name is tinfoil-go's.
    "iommu_write_safe": 6,
    "tio": 7,
}
_NO_MIGRATION_AGENT = b"\xff" * 32


def check_claims(claims: Claims, policy: Policy) -> tuple[Finding, ...]:
    """Compare claims with every rule of a policy about the report.

    Returns one finding for each check that has such rules: passed, failed, or not-checked if the policy says `any`.
    Roots, revocation and the key's binding are judged elsewhere. Raises nothing.
    """
    return (
        _report_format(claims, policy),
        check_product_line(claims, policy),
        _vek_match(claims, policy),
        _guest_policy(claims, policy),
        _platform_info(claims, policy),
        _vmpl(claims, policy),
        check_tcb_floor(claims, policy),
        check_tcb_consistency(claims, policy),
        check_mitigations(claims, policy),
        _measurement(claims, policy),
        _host_data(claims, policy),
        _id_key(claims, policy),
        _chip_allow_list(claims, policy),
        _report_data(claims, policy),
    )


def check_revocation(claims: Claims, policy: Policy) -> Finding:
    """Compare the revocation status with the policy. A revoked certificate has raised before, in `verify_chain`."""
    shown = f"revocation: {claims.revocation}"
    if claims.revocation is RevocationStatus.NOT_REVOKED:
        return passed(Check.VEK_REVOCATION, shown, "no certificate of the chain in a current list signed by the root")
    if policy.revocation_required:
        return failed(Check.VEK_REVOCATION, shown, "a current list signed by the root")
    return not_checked(Check.VEK_REVOCATION, shown)


def grade_of(claims: Claims) -> int:
    """Return the grade of evidence: 2 if it meets the shipped policy `strict`, 1 if it meets `baseline`, else 0.

    Roots and revocation count too. Evidence under a simulator's root, or any other root that is not a pinned root of
    AMD, has grade 0. A caller uses this grade only under a policy that is itself `graded`.
    """
    return max((grade for name, grade in GRADES.items() if _meets(claims, shipped_policy(name))), default=0)


def _meets(claims: Claims, policy: Policy) -> bool:
    findings = (check_revocation(claims, policy), *check_claims(claims, policy))
    return claims.root_kind in policy.roots and all(f.outcome is not Outcome.FAILED for f in findings)


# --- the report and its key ----------------------------------------------------------------------------------


def _report_format(claims: Claims, policy: Policy) -> Finding:
    shown = f"report version {claims.report.version}"
    rules = Rules(Check.REPORT_FORMAT, shown)
    rules.ask(claims.report.version in policy.report_versions, shown, f"version {either(policy.report_versions)}")
    return rules.finding()


def _vek_match(claims: Claims, policy: Policy) -> Finding:
    kind = claims.vek_kind.name
    rules = Rules(Check.VEK_MATCH, kind)
    rules.ask(kind.lower() in policy.vek_kinds, kind, either(policy.vek_kinds).upper())
    if policy.masked_chip_id is Word.REFUSED:
        masked = claims.vek_kind is SigningKey.VCEK and claims.chip_id is None
        rules.ask(not masked, "chip id masked by the host", "a chip id with a VCEK")
    return rules.finding()


def _report_data(claims: Claims, policy: Policy) -> Finding:
    return _pinned(Check.KEY_BINDING, claims.report, policy, "report_data")


# --- features that guest and host switched on ----------------------------------------------------------------


def _guest_policy(claims: Claims, policy: Policy) -> Finding:
    report, wanted = claims.report, policy.guest_policy
    rules = Rules(Check.GUEST_POLICY, f"{report.policy:#x}: {_names(report.policy, GUEST_POLICY_BITS)}")
    _ask_bits(rules, report.policy, GUEST_POLICY_BITS, wanted)
    if wanted.minimum_abi is not Word.ANY:
        abi = (report.policy >> 8 & 0xFF, report.policy & 0xFF)
        holds = abi >= (wanted.minimum_abi.major, wanted.minimum_abi.minor)
        rules.ask(holds, f"ABI {abi[0]}.{abi[1]}", f"ABI {wanted.minimum_abi} or later")
    if wanted.migration_agent is Word.FORBIDDEN:
        agent = f"migration agent {report.report_id_ma.hex()}"
        rules.ask(report.report_id_ma == _NO_MIGRATION_AGENT, agent, "no migration agent")
    return rules.finding()


def _platform_info(claims: Claims, policy: Policy) -> Finding:
    bits = claims.report.platform_info
    rules = Rules(Check.PLATFORM_INFO, f"{bits:#x}: {_names(bits, PLATFORM_INFO_BITS)}")
    _ask_bits(rules, bits, PLATFORM_INFO_BITS, policy.platform_info)
    if policy.platform_info.unknown_bits is Word.REFUSED:
        unknown = bits & ~sum(1 << bit for bit in PLATFORM_INFO_BITS.values())
        rules.ask(not unknown, f"unknown bits {unknown:#x}", "no unknown bit")
    return rules.finding()


def _ask_bits(rules: Rules, bits: int, positions: dict[str, int], wanted: object) -> None:
    """Apply the rule of each named bit. `wanted` has a field of the same name: `required`, `forbidden` or `any`."""
    for name, position in positions.items():
        rule = getattr(wanted, name)
        if rule is not Word.ANY:
            is_set = bool(bits >> position & 1)
            rules.ask(is_set == (rule is Word.REQUIRED), f"{name} {'on' if is_set else 'off'}", f"{name} {rule}")


def _vmpl(claims: Claims, policy: Policy) -> Finding:
    level = claims.report.vmpl
    if level == HOST_VMPL:
        return failed(Check.VMPL, "a report that the host asked for", "one that the guest asked for")
    rules = Rules(Check.VMPL, f"VMPL {level}")
    if policy.vmpl is not Word.ANY:
        rules.ask(level in policy.vmpl, f"VMPL {level}", f"VMPL {either(policy.vmpl)}")
    return rules.finding()


# --- pinned values -------------------------------------------------------------------------------------------


def _measurement(claims: Claims, policy: Policy) -> Finding:
    return _pinned(Check.MEASUREMENT, claims.report, policy, "measurement")


def _host_data(claims: Claims, policy: Policy) -> Finding:
    return _pinned(Check.HOST_DATA, claims.report, policy, "host_data")


def _id_key(claims: Claims, policy: Policy) -> Finding:
    report, minimum = claims.report, policy.pins.minimum_guest_svn
    rules = Rules(Check.ID_KEY, f"id_key_digest {report.id_key_digest.hex()}, guest_svn {report.guest_svn}")
    for name in ("id_key_digest", "author_key_digest", "family_id", "image_id"):
        _ask_pin(rules, name, getattr(report, name), getattr(policy.pins, name))
    if minimum is not Word.ANY:
        rules.ask(report.guest_svn >= minimum, f"guest_svn {report.guest_svn}", f"guest_svn {minimum} or more")
    return rules.finding()


def _chip_allow_list(claims: Claims, policy: Policy) -> Finding:
    """Compare the chip's id with the list. A VLEK proves no chip, but a cloud provider, whose id takes its place."""
    chip = f"chip {claims.chip_id.hex()}" if claims.chip_id else f"no chip id, {claims.csp_id or 'masked by the host'}"
    rules = Rules(Check.CHIP_ALLOW_LIST, chip)
    if isinstance(policy.pins.chip_ids, tuple):
        known = {chip_id.ljust(64, b"\0") for chip_id in policy.pins.chip_ids}
        rules.ask(claims.chip_id in known, chip, f"one of {len(known)} chips listed")
    if isinstance(policy.csp_ids, tuple) and claims.vek_kind is SigningKey.VLEK:
        rules.ask(claims.csp_id in policy.csp_ids, f"provider {claims.csp_id}", f"provider {either(policy.csp_ids)}")
    return rules.finding()


def _pinned(check: Check, report: Report, policy: Policy, name: str) -> Finding:
    value: bytes = getattr(report, name)
    rules = Rules(check, f"{name} {value.hex()}")
    _ask_pin(rules, name, value, getattr(policy.pins, name))
    return rules.finding()


def _ask_pin(rules: Rules, name: str, value: bytes, allowed: tuple[bytes, ...] | Word) -> None:
    if isinstance(allowed, tuple):
        listed = allowed[0].hex() if len(allowed) == 1 else f"one of {len(allowed)} listed"
        rules.ask(value in allowed, f"{name} {value.hex()}", f"{name} {listed}")


def _names(bits: int, positions: dict[str, int]) -> str:
    return ", ".join(name for name, position in positions.items() if bits >> position & 1) or "no bit on"
