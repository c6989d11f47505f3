"""The checks: one stable id each, used in findings, JSON, verdicts and, as bit numbers, on chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """Every check by its stable id. The order gives the bit number on chain: append only, never reorder."""

    REPORT_FORMAT = "report-format"
    ENDORSEMENTS_FORMAT = "endorsements-format"
    PRODUCT_LINE = "product-line"
    VEK_CHAIN = "vek-chain"
    VEK_VALIDITY = "vek-validity"
    VEK_REVOCATION = "vek-revocation"
    VEK_MATCH = "vek-match"
    REPORT_SIGNATURE = "report-signature"
    GUEST_POLICY = "guest-policy"
    PLATFORM_INFO = "platform-info"
    VMPL = "vmpl"
    TCB_FLOOR = "tcb-floor"
    TCB_CONSISTENCY = "tcb-consistency"
    MITIGATIONS = "mitigations"
    MEASUREMENT = "measurement"
    HOST_DATA = "host-data"
    ID_KEY = "id-key"
    CHIP_ALLOW_LIST = "chip-allow-list"
    KEY_BINDING = "key-binding"
    MANIFEST_FORMAT = "manifest-format"
    MANIFEST_SIGNATURE = "manifest-signature"
    FILE_SET = "file-set"
    FILE_DIGESTS = "file-digests"
    PUBLISHER_SIGNATURE = "publisher-signature"
    PUBLISHER_IDENTITY = "publisher-identity"
    LINEAGE = "lineage"
    REGISTRY_RECORD = "registry-record"

    @property
    def bit(self) -> int:
        """Bit number of this check in a record's `checks` word."""
        return list(Check).index(self)


class Outcome(StrEnum):
    """How a check ended. There is no fourth way, and "not-checked" is never acceptance."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Finding:
    """One named check with its outcome, what it got and what it wanted, in words for people."""

    check: Check
    outcome: Outcome
    got: str
    wanted: str


def passed(check: Check, got: str, wanted: str) -> Finding:
    return Finding(check, Outcome.PASSED, got, wanted)


def failed(check: Check, got: str, wanted: str) -> Finding:
    return Finding(check, Outcome.FAILED, got, wanted)


def not_checked(check: Check, why: str) -> Finding:
    return Finding(check, Outcome.NOT_CHECKED, why, "")


def passed_bits(findings: tuple[Finding, ...]) -> int:
    """The `checks` word of a record: bit n is set when check n passed and no finding of it failed."""
    bad = {f.check for f in findings if f.outcome is not Outcome.PASSED}
    return sum(1 << check.bit for check in {f.check for f in findings} - bad)
