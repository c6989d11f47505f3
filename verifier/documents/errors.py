"""Findings and failures. A document of any schema id can hold them."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.verifier.checks import Finding
from provenance_oracle.verifier.errors import ProvenanceError


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the member `findings`: one object for each check, in the given order."""
    return [{"check": f.check, "outcome": f.outcome, "got": f.got, "wanted": f.wanted} for f in findings]


def error_json(error: ProvenanceError) -> dict[str, object]:
    """Return the members `error` and `findings` for a failure that this project reports on purpose."""
    return {
        "error": {
            "class": type(error).__name__,
            "exit_code": error.exit_code,
            "retry": error.retry,
            "check": error.check,
            "where": error.where,
            "message": str(error),
            "got": error.got,
            "wanted": error.wanted,
        },
        "findings": findings_json(error.findings),
    }


def internal_error_json(message: str) -> dict[str, object]:
    """Return the members `error` and `findings` for a bug in this program (exit code 1)."""
    return {"error": {"class": "InternalError", "exit_code": 1, "message": message}, "findings": []}
