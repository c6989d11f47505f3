"""The check ids and bit numbers that other programs rely on, and the sheet that collects findings."""

from __future__ import annotations

import errno
import os

import pytest

from provenance_oracle.verifier.checks import OPTIONAL_CHECKS, Check, Outcome, failed, not_checked, passed, passed_bits
from provenance_oracle.verifier.errors import (
    AppraisalError,
    CrlStaleError,
    FormatError,
    IncompleteError,
    ProvenanceError,
    RecordError,
    TemporaryError,
    UsageError,
    VerificationError,
    unread,
    unwritten,
)
from provenance_oracle.verifier.judgement.sheet import NOT_REACHED, CheckSheet

# The bit numbers are on chain: never edit a line, only add lines at the end.
BITS = [
    "report-format",
    "endorsements-format",
    "product-line",
    "vek-chain",
    "vek-validity",
    "vek-revocation",
    "vek-match",
    "report-signature",
    "guest-policy",
    "platform-info",
    "vmpl",
    "tcb-floor",
    "tcb-consistency",
    "mitigations",
    "measurement",
    "host-data",
    "id-key",
    "chip-allow-list",
    "key-binding",
    "manifest-format",
    "manifest-signature",
    "file-set",
    "file-digests",
    "publisher-signature",
    "publisher-identity",
    "lineage",
    "registry-record",
    "gpu-evidence",
]


def test_a_check_keeps_its_bit() -> None:
    assert [str(check) for check in Check] == BITS
    assert [check.bit for check in Check] == list(range(len(BITS)))


def test_only_what_passed_and_nowhere_failed_has_its_bit_set() -> None:
    findings = (
        passed(Check.VMPL, "0", "0"),
        passed(Check.TCB_FLOOR, "a", "b"),
        failed(Check.TCB_FLOOR, "c", "d"),
        not_checked(Check.MEASUREMENT, "any"),
    )
    assert passed_bits(findings) == 1 << Check.VMPL.bit
    assert passed_bits(()) == 0


@pytest.mark.parametrize(
    ("kind", "exit_code", "retry"),
    [
        (UsageError, 2, False),
        (FormatError, 3, False),
        (VerificationError, 4, False),
        (AppraisalError, 5, False),
        (RecordError, 6, False),
        (TemporaryError, 7, True),
        (CrlStaleError, 7, True),
        (IncompleteError, 7, True),
    ],
)
def test_the_class_decides(kind: type[ProvenanceError], exit_code: int, retry: bool) -> None:
    assert (kind("x").exit_code, kind("x").retry) == (exit_code, retry)


def test_a_message_names_file_check_got_and_wanted_and_cannot_act() -> None:
    error = FormatError("odd", check=Check.FILE_SET, where="a\x1b[2J", got="b\nc", wanted="d")
    assert str(error) == "a\\u001b[2J: file-set: odd: got b\\u000ac, wanted d"
    assert len(str(FormatError("x" * 5000))) == 2000
    assert str(FormatError("odd", wanted="d")) == "odd: got nothing, wanted d"


def outcomes(sheet: CheckSheet) -> dict[Check, Outcome]:
    return {finding.check: finding.outcome for finding in sheet.findings() if finding.got != NOT_REACHED}


def test_a_sheet_has_one_finding_for_every_check_and_an_optional_one_only_once_it_is_made() -> None:
    sheet = CheckSheet()
    assert [finding.check for finding in sheet.findings()] == [check for check in Check if check not in OPTIONAL_CHECKS]
    assert outcomes(sheet) == {}
    sheet.passed(Check.GPU_EVIDENCE, "one GPU", "made for this key")
    assert [finding.check for finding in sheet.findings()] == list(Check)


def test_a_failure_stays_and_a_pass_outweighs_not_checked() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        sheet = CheckSheet()
        kinds = (failed(Check.VMPL, "f", ""), passed(Check.VMPL, "p", ""), not_checked(Check.VMPL, "n"))
        sheet.add(kinds[index] for index in order)
        assert outcomes(sheet) == {Check.VMPL: Outcome.FAILED}
        assert [finding.got for finding in sheet.failures] == ["f"]
    sheet = CheckSheet()
    sheet.not_checked(Check.VMPL, "n")
    sheet.passed(Check.VMPL, "p", "")
    assert outcomes(sheet) == {Check.VMPL: Outcome.PASSED}


def test_an_error_that_leaves_carries_the_sheet() -> None:
    with pytest.raises(VerificationError) as raised, CheckSheet() as sheet:
        sheet.passed(Check.REPORT_FORMAT, "a", "b")
        raise VerificationError("no", check=Check.VEK_CHAIN, where="chain.pem", got="c", wanted="d")
    found = {finding.check: finding for finding in raised.value.findings}
    assert found[Check.REPORT_FORMAT].outcome is Outcome.PASSED
    assert (found[Check.VEK_CHAIN].outcome, found[Check.VEK_CHAIN].got) == (Outcome.FAILED, "chain.pem: c")
    assert found[Check.VMPL].outcome is Outcome.NOT_CHECKED


def test_what_could_not_be_decided_did_not_fail() -> None:
    with pytest.raises(TemporaryError) as raised, CheckSheet():
        raise CrlStaleError("old", check=Check.VEK_REVOCATION)
    found = {finding.check: finding for finding in raised.value.findings}
    assert found[Check.VEK_REVOCATION].outcome is Outcome.NOT_CHECKED


def test_what_is_no_failure_of_ours_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), CheckSheet():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("number", "read", "written"),
    [
        (errno.ENOENT, UsageError, UsageError),
        (errno.EACCES, UsageError, UsageError),
        (errno.EROFS, UsageError, UsageError),
        (errno.ENOSPC, UsageError, TemporaryError),
        (errno.EDQUOT, UsageError, TemporaryError),
        (errno.EIO, TemporaryError, TemporaryError),
        (errno.ESTALE, TemporaryError, TemporaryError),
        (errno.ETIMEDOUT, TemporaryError, TemporaryError),
    ],
)
def test_a_full_or_failing_disk_is_temporary_and_a_wrong_path_is_not(
    number: int, read: type[ProvenanceError], written: type[ProvenanceError]
) -> None:
    error = OSError(number, os.strerror(number))
    for make, kind in ((unread, read), (unwritten, written)):
        made = make("it failed", error, where="path", wanted="another path")
        assert (type(made), made.got) == (kind, os.strerror(number))
        assert (made.wanted == "another path") == (kind is UsageError)
