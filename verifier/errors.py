"""The failure tree. The class alone decides exit code, retry and HTTP status; nothing parses messages.

    ProvenanceError            .check .where .got .wanted .findings
      x UsageError             the caller's own options, policy or settings are wrong     final   exit 2
      x FormatError            bytes are not what they claim to be                        final   exit 3
      x VerificationError      cryptography or a digest says no                           final   exit 4
      x AppraisalError         genuine, but the policy refuses; .findings has all         final   exit 5
      x RecordError            no record, or revoked                                      final   exit 6
      x TemporaryError         network, chain, disk, not there yet: try again             retry   exit 7
        + CrlUnavailableError  the policy asks for a CRL and there is none
        + CrlStaleError        there is a CRL, but not for this moment
        + IncompleteError      the release has no commit marker yet
        + ChangedError         a file changed while it was read
        + UnknownToAmdError    AMD's service has no such thing (verifier.snp.kds)
        + DeviceError          a GPU is not there, is full or failed (verifier.digest.gpu.device)
      x DeviceFaultError       a GPU computes wrongly: nobody's bytes are to blame        final   exit 1

Anything else that escapes is a bug (exit 1).
"""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.text import printable


class ProvenanceError(Exception):
    """Base of every failure this project reports on purpose.

    Args:
        problem: what is wrong, in one sentence without a full stop.
        check: the check that failed, if one did.
        where: the file, field or address at fault.
        got: what was found.
        wanted: what would have been right.
        findings: outcomes of all checks known when the failure was raised.
    """

    exit_code = 1
    http_status = 500
    retry = False

    def __init__(
        self,
        problem: str,
        *,
        check: Check | None = None,
        where: str = "",
        got: str = "",
        wanted: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.check = check
        self.where = where
        self.got = got
        self.wanted = wanted
        self.findings = findings

    def __str__(self) -> str:
        text = self.problem
        if self.got or self.wanted:
            text += f": got {self.got or 'nothing'}, wanted {self.wanted or 'nothing'}"
        if self.check:
            text = f"{self.check}: {text}"
        if self.where:
            text = f"{self.where}: {text}"
        return printable(text, max_chars=2000)


class UsageError(ProvenanceError):
    """The caller's own options, policy file or settings are wrong."""

    exit_code = 2
    http_status = 400


class FormatError(ProvenanceError):
    """Bytes are not what they claim to be."""

    exit_code = 3
    http_status = 422


class VerificationError(ProvenanceError):
    """Cryptography or a digest says no: forged or damaged."""

    exit_code = 4
    http_status = 422


class AppraisalError(ProvenanceError):
    """Genuine, but the policy refuses. `findings` holds every check, not only the first that failed."""

    exit_code = 5
    http_status = 403


class RecordError(ProvenanceError):
    """The registry has no record, or it was revoked."""

    exit_code = 6
    http_status = 404


class TemporaryError(ProvenanceError):
    """Network, chain or disk: the same call may succeed later."""

    exit_code = 7
    http_status = 503
    retry = True


class CrlUnavailableError(TemporaryError):
    """The policy asks for a certificate revocation list and none is at hand."""


class CrlStaleError(TemporaryError):
    """A revocation list is at hand, but its window does not hold the moment of judgement."""


class IncompleteError(TemporaryError):
    """The release has no signed manifest yet: incomplete, not wrong."""


class ChangedError(TemporaryError):
    """A file changed while it was being read, so no digest of it means anything."""
