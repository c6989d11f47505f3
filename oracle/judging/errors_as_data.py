"""Failures as data, so that a failure in one process is raised in another with the same class."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check, Finding, Outcome
from provenance_oracle.verifier.digest.gpu.device import DeviceFaultError
from provenance_oracle.verifier.errors import (
    AppraisalError,
    ChangedError,
    CrlStaleError,
    CrlUnavailableError,
    FormatError,
    IncompleteError,
    ProvenanceError,
    RecordError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.release import NoReleaseError
from provenance_oracle.verifier.snp.kds import UnknownToAmdError
from provenance_oracle.verifier.strict.patient_socket import TooMuchError

_KINDS: dict[str, type[ProvenanceError]] = {
    kind.__name__: kind
    for kind in (
        ProvenanceError,
        *(UsageError, FormatError, VerificationError, AppraisalError, RecordError, TemporaryError),
        *(CrlUnavailableError, CrlStaleError, IncompleteError, ChangedError, NoReleaseError),
        *(UnknownToAmdError, TooMuchError, DeviceFaultError),
    )
}
_TEXTS = ("problem", "where", "got", "wanted")
_FINDINGS_MAX = 1000


def error_to_json(error: ProvenanceError) -> dict[str, object]:
    """Return a failure as a JSON object. A class that this module does not know becomes its nearest parent."""
    return {
        "kind": next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS),
        **{name: getattr(error, name) for name in _TEXTS},
        "check": error.check,
        "findings": [[one.check, one.outcome, one.got, one.wanted] for one in error.findings],
    }


def error_from_json(value: object) -> ProvenanceError:
    """Return the failure that `error_to_json` wrote; the caller raises it.

    Raises:
        ValueError, TypeError, KeyError: the value is something else.
    """
    if not isinstance(value, dict) or len(value["findings"]) > _FINDINGS_MAX:
        raise ValueError("not a failure")
    check = value["check"]
    return _KINDS[value["kind"]](
        _text(value["problem"]),
        check=None if check is None else Check(check),
        **{name: _text(value[name]) for name in _TEXTS[1:]},
        findings=tuple(
            Finding(Check(kind), Outcome(outcome), _text(got), _text(wanted))
            for kind, outcome, got, wanted in value["findings"]
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
