"""The facts about a release that a user insists on, besides the policy: its name, its publisher, its measurement."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.appraise import AttestationResult


@dataclass(frozen=True)
class Expected:
    """What a release must be; None leaves a fact open.

    Attributes:
        name: `namespace/model`, or `namespace/model@version`.
        publisher: the digest of the publisher's identity, 32 bytes.
        identities: lines of identities, one of which the publisher must have; empty for any publisher.
        measurement: the launch measurement, 48 bytes.
    """

    name: str | None = None
    publisher: bytes | None = None
    measurement: bytes | None = None
    identities: tuple[PublisherIdentity, ...] = ()


ANYTHING = Expected()


def match_expected(result: AttestationResult, expected: Expected) -> None:
    """Compare an accepted release with what the user insists on.

    Raises:
        AppraisalError: a fact differs. The release is genuine, but it is another one.
    """
    match_name(result.manifest.name, result.manifest.version, expected)
    match_identities(result.publisher, _lines_of(result), expected)
    measurement = result.claims.report.measurement
    if expected.measurement not in (None, measurement):
        raise _another("measurement", Check.MEASUREMENT, measurement.hex(), (expected.measurement or b"").hex())


def match_name(name: str, version: str, expected: Expected) -> None:
    """Raise AppraisalError if a release has another name, or another version where one is expected."""
    got = f"{name}@{version}" if "@" in (expected.name or "") else name
    if expected.name not in (None, got):
        raise _another("name", None, got, expected.name or "")


def match_identities(publisher: PublisherIdentity, lines: tuple[str, ...], expected: Expected) -> None:
    """Raise AppraisalError if a release has another publisher (check `publisher-identity`).

    Args:
        publisher: the identity on chain. lines: all identities that fit the publisher.
    """
    check = Check.PUBLISHER_IDENTITY
    if expected.publisher not in (None, publisher.digest):
        raise _another("publisher", check, publisher.digest.hex(), (expected.publisher or b"").hex())
    if expected.identities and not any(one.line in lines for one in expected.identities):
        raise _another("publisher", check, " or ".join(lines), " or ".join(one.line for one in expected.identities))


def _lines_of(result: AttestationResult) -> tuple[str, ...]:
    """Return the lines of all identities that fit the publisher."""
    signature = result.signature
    return signature.signer.lines if signature is not None and signature.is_named else (result.publisher.line,)


def _another(fact: str, check: Check | None, got: str, wanted: str) -> AppraisalError:
    return AppraisalError(f"the release has another {fact} than you ask for", check=check, got=got, wanted=wanted)
