"""The facts about a release that a user insists on, besides the policy: its name, its publisher, its measurement."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.record_of import publisher_of


@dataclass(frozen=True)
class Expected:
    """What a release must be; None leaves a fact open.

    Attributes:
        name: `namespace/model`, or `namespace/model@version`.
        publisher: the publisher's identity, 32 bytes.
        measurement: the launch measurement, 48 bytes.
    """

    name: str | None = None
    publisher: bytes | None = None
    measurement: bytes | None = None


ANYTHING = Expected()


def match_expected(result: AttestationResult, expected: Expected) -> None:
    """Compare an accepted release with what the user insists on.

    Raises:
        AppraisalError: a fact differs. The release is genuine, but it is another one.
    """
    manifest, claims = result.manifest, result.claims
    name = f"{manifest.name}@{manifest.version}" if "@" in (expected.name or "") else manifest.name
    measurement = claims.report.measurement
    if expected.name not in (None, name):
        raise _another("name", None, name, expected.name or "")
    publisher = publisher_of(claims)
    if expected.publisher not in (None, publisher):
        raise _another("publisher", Check.PUBLISHER_IDENTITY, publisher.hex(), (expected.publisher or b"").hex())
    if expected.measurement not in (None, measurement):
        raise _another("measurement", Check.MEASUREMENT, measurement.hex(), (expected.measurement or b"").hex())


def _another(fact: str, check: Check | None, got: str, wanted: str) -> AppraisalError:
    return AppraisalError(f"the release has another {fact} than you ask for", check=check, got=got, wanted=wanted)
