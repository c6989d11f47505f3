"""Findings and failures, which a document of any schema id may hold."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.verifier.checks import Finding
from provenance_oracle.verifier.errors import ProvenanceError


def findings_json(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the member `findings`: one object per check, in the given order."""
    return [{"check": f.check, "outcome": f.outcome, "got": f.got, "wanted": f.wanted} for f in findings]


def error_json(error: ProvenanceError) -> dict[str, object]:
    """Return the members `error` and `findings` of a document that ends in a failure."""
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
    """Return the members `error` and `findings` of a document that ends in a bug of this program (exit code 1)."""
    return {"error": {"class": "InternalError", "exit_code": 1, "message": message}, "findings": []}
