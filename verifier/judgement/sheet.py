"""The check sheet: the outcome of every check so far, so that a refusal reports as much as an acceptance."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from provenance_oracle.verifier.checks import OPTIONAL_CHECKS, Check, Finding, Outcome, failed, not_checked, passed
from provenance_oracle.verifier.errors import ProvenanceError

NOT_REACHED = "not reached"


def was_reached(finding: Finding) -> bool:
    """Return whether a judgement came as far as this check; False if it ended before."""
    return (finding.outcome, finding.got) != (Outcome.NOT_CHECKED, NOT_REACHED)


class CheckSheet:
    """Collects the findings of one judgement. As a context manager it adds them to an error that leaves the block.

    >>> with CheckSheet() as sheet:
    ...     sheet.passed(Check.REPORT_FORMAT, "version 3", "version 2, 3 or 5")

    A `ProvenanceError` that leaves the block carries one finding per check in `.findings`: passed, failed, or
    "not-checked" if the check was not reached. Blocks on one sheet can be nested.
    """

    def __init__(self) -> None:
        self._findings: dict[Check, Finding] = {}

    def passed(self, check: Check, got: str, wanted: str) -> None:
        """Enter that a check passed."""
        self.add([passed(check, got, wanted)])

    def not_checked(self, check: Check, why: str) -> None:
        """Enter that a check was not made, and the reason."""
        self.add([not_checked(check, why)])

    def add(self, findings: Iterable[Finding]) -> None:
        """Enter findings. Two of one check become one: failed outweighs passed, and passed outweighs not-checked."""
        for new in findings:
            old = self._findings.get(new.check)
            self._findings[new.check] = new if old is None else _weightier(old, new)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding per check, in the order of `Check`. An optional check has one only if it was made."""
        due = [check for check in Check if check in self._findings or check not in OPTIONAL_CHECKS]
        return tuple(self._findings.get(check) or not_checked(check, NOT_REACHED) for check in due)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings that failed, in the order of `Check`."""
        return tuple(f for f in self.findings() if f.outcome is Outcome.FAILED)

    def __enter__(self) -> CheckSheet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ProvenanceError):
            if error.check and not self._has_failed(error.check):
                self._findings[error.check] = _finding_of(error, error.check)
            error.findings = self.findings()

    def _has_failed(self, check: Check) -> bool:
        found = self._findings.get(check)
        return found is not None and found.outcome is Outcome.FAILED


def _finding_of(error: ProvenanceError, check: Check) -> Finding:
    if error.retry:  # the check could not be decided, so it did not fail
        return not_checked(check, error.problem)
    got = error.got or error.problem
    return failed(check, f"{error.where}: {got}" if error.where else got, error.wanted)


def _weightier(old: Finding, new: Finding) -> Finding:
    order = (Outcome.FAILED, Outcome.PASSED, Outcome.NOT_CHECKED)
    return old if order.index(old.outcome) < order.index(new.outcome) else new
