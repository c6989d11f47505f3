"""The signer of a bundle, known after its signature was verified, and the comparison with an expected identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, VerificationError
from provenance_oracle.verifier.identity.bundle import SigningMethod
from provenance_oracle.verifier.identity.names import PublisherIdentity


class Placed(Protocol):
    """A bundle or a certificate."""

    @property
    def where(self) -> str:
        """Its name, for messages."""


@dataclass(frozen=True)
class ModelSigner:
    """The signer of a bundle.

    Attributes:
        method: how the bundle names its signer.
        lines: the lines of all identities that fit the signer, the narrowest first; none if the certificate has no
            name that a line can hold.
        signed_at: the earliest moment of signing that a log or a timestamp authority vouches for; None if none does.
        log_index: the index in the transparency log, if a log vouches for it.
        sigstore_root: SHA-256 of the trusted root that vouches for a keyless signer, 32 bytes; None for other methods.
        is_old: the signed bytes have the form that signers before version 0.3 wrote.
    """

    method: SigningMethod
    lines: tuple[str, ...]
    signed_at: datetime | None = None
    log_index: int | None = None
    sigstore_root: bytes | None = None
    is_old: bool = False


def match_signer(signer: ModelSigner, expected: PublisherIdentity | None, where: str) -> PublisherIdentity:
    """Return the identity of a signer: the expected one, or the narrowest that fits if none is expected.

    Args:
        where: the name of the bundle, for messages.

    Raises:
        AppraisalError: another identity is expected, or the signer has none (check `publisher-identity`).
    """
    if expected is None and signer.lines:
        return PublisherIdentity(signer.lines[0])
    if expected is None or expected.line not in signer.lines:
        raise AppraisalError(
            "the signature is genuine, and its signer is not the one expected",
            check=Check.PUBLISHER_IDENTITY,
            where=where,
            got=" or ".join(signer.lines) or "a signer without a name",
            wanted=expected.line if expected else "a signer with a name",
        )
    return expected


def forged(culprit: Placed, problem: str, got: str, wanted: str) -> VerificationError:
    """Return the error for a bundle or a certificate that is not genuine; the caller raises it."""
    return VerificationError(problem, check=Check.PUBLISHER_SIGNATURE, where=culprit.where, got=got, wanted=wanted)
