"""The checks. Each has a stable id in findings, JSON documents and verdicts, and a bit number on chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """The checks by their stable ids. The order gives the bit number on chain: append only, never reorder."""

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
    GPU_EVIDENCE = "gpu-evidence"

    @property
    def bit(self) -> int:
        """The bit number of this check in a record's `checks` word, counted from the lowest bit."""
        return _BITS[self]


_BITS = {check: bit for bit, check in enumerate(Check)}
# Checks of optional evidence. A judgement of a release without that evidence has no finding of them, so that its
# verdict has the same bytes as before the check was added.
OPTIONAL_CHECKS = frozenset({Check.GPU_EVIDENCE})

# The checks of what hardware says. A release that has only a signature passes none of them.
HARDWARE_CHECKS = frozenset(list(Check)[: list(Check).index(Check.MANIFEST_FORMAT)]) | {Check.GPU_EVIDENCE}


class Outcome(StrEnum):
    """The three outcomes of a check. "not-checked" never counts as acceptance."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `got` is the value found and `wanted` the requirement, in words for people."""

    check: Check
    outcome: Outcome
    got: str
    wanted: str


def passed(check: Check, got: str, wanted: str) -> Finding:
    """Return the finding of a check that passed."""
    return Finding(check, Outcome.PASSED, got, wanted)


def failed(check: Check, got: str, wanted: str) -> Finding:
    """Return the finding of a check that failed."""
    return Finding(check, Outcome.FAILED, got, wanted)


def not_checked(check: Check, why: str) -> Finding:
    """Return the finding of a check that was not made; `why` is the reason."""
    return Finding(check, Outcome.NOT_CHECKED, why, "")


def passed_bits(findings: tuple[Finding, ...]) -> int:
    """Return the `checks` word of a record: bit n is set if check n has a finding and all its findings passed."""
    bad = {f.check for f in findings if f.outcome is not Outcome.PASSED}
    return sum(1 << check.bit for check in {f.check for f in findings} - bad)
