"""The failure tree. The class alone decides exit code, retry and HTTP status; no code parses messages.

    ProvenanceError            .check .where .got .wanted .findings
      x UsageError             the caller's own options, policy or settings are wrong     final   exit 2
      x FormatError            bytes do not have the format that they claim               final   exit 3
      x VerificationError      cryptography or a digest says no                           final   exit 4
      x AppraisalError         genuine, but the policy refuses it                         final   exit 5
      x RecordError            no record, or a revoked one                                final   exit 6
      x TemporaryError         network, chain, disk, not there yet: try again             retry   exit 7
        + CrlUnavailableError  the policy requires a CRL and none is at hand
        + CrlStaleError        the CRL at hand does not cover the moment of judgement
        + IncompleteError      the release has no signed manifest yet
        + ChangedError         a file changed while it was read
        + TooMuchError         a server's answer has too many bytes or values (verifier.strict.patient_socket)
        + UnknownToAmdError    AMD's key service has no answer for an address (verifier.snp.kds)
        + DeviceError          a GPU is missing, full or failed (verifier.digest.gpu.device)
      x DeviceFaultError       a GPU computes wrongly: the bytes are not to blame         final   exit 1
      x WorkerFaultError       a worker of a cluster does (oracle.cluster.hasher)         final   exit 1
      x DemoError              a step of the demo had an unexpected outcome               final   exit 1

Any other exception that escapes is a bug (exit 1).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.text import printable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
DISK_FAILED = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT)  # a broken disk, or a network file system without its server


class ProvenanceError(Exception):
    """Base class of every failure that this project reports on purpose.

    Args:
        problem: the problem in one sentence without a full stop.
        check: the check that failed, if one did.
        where: the file, field or address at fault.
        got: the value found.
        wanted: the value or form that would be right.
        findings: the outcomes of all checks that were known when the failure was raised.
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
    """Bytes do not have the format that they claim."""

    exit_code = 3
    http_status = 422


class VerificationError(ProvenanceError):
    """A signature, a certificate or a digest does not match: the input is forged or damaged."""

    exit_code = 4
    http_status = 422


class AppraisalError(ProvenanceError):
    """The evidence is genuine, but the policy refuses it. `findings` holds every check, not only the first failure."""

    exit_code = 5
    http_status = 403


class RecordError(ProvenanceError):
    """The registry has no record, or the record was revoked or closed."""

    exit_code = 6
    http_status = 404


class TemporaryError(ProvenanceError):
    """The network, the chain or the disk failed; the same call may succeed later."""

    exit_code = 7
    http_status = 503
    retry = True


class CrlUnavailableError(TemporaryError):
    """The policy requires a certificate revocation list and none is at hand."""


class CrlStaleError(TemporaryError):
    """A revocation list is at hand, but its validity period does not include the moment of judgement."""


class IncompleteError(TemporaryError):
    """The release has no signed manifest yet, so it is incomplete, not wrong."""


class ChangedError(TemporaryError):
    """A file changed while it was read, so a digest of it has no meaning."""


def malformed(check: Check, problem: str, where: str, got: str, wanted: str) -> FormatError:
    """Return the error for bytes that `check` cannot read; the caller raises it."""
    return FormatError(problem, check=check, where=where, got=got, wanted=wanted)


def unread(problem: str, error: OSError, *, where: str, wanted: str) -> UsageError | TemporaryError:
    """Return the error for a file, named by the caller, that cannot be read; the caller raises it.

    A failing disk is temporary. Anything else is the caller's choice of the path.
    """
    got = error.strerror or str(error)
    if error.errno in DISK_FAILED:
        return TemporaryError(problem, where=where, got=got, wanted="a disk that works")
    return UsageError(problem, where=where, got=got, wanted=wanted)


def unwritten(problem: str, error: OSError, *, where: str, wanted: str) -> UsageError | TemporaryError:
    """Return the error for a path, named by the caller, that cannot be written; the caller raises it.

    A full disk and a failing one are temporary. Anything else is the caller's choice of the path.
    """
    if error.errno in DISK_FULL:
        return TemporaryError(problem, where=where, got=error.strerror or str(error), wanted="room")
    return unread(problem, error, where=where, wanted=wanted)


# The extra that installs a package that some code imports late.
_EXTRA_OF = {
    **dict.fromkeys(("web3", "eth_account", "eth_abi", "eth_hash", "eth_keys", "eth_utils", "requests"), "chain"),
    **dict.fromkeys(("watchdog", "prometheus_client", "starlette", "uvicorn", "PIL"), "oracle"),
    **dict.fromkeys(("torch", "safetensors"), "torch"),
    **dict.fromkeys(("gguf",), "gguf"),
    **dict.fromkeys(("huggingface_hub",), "hf"),
    **dict.fromkeys(("cupy",), "cuda"),
    **dict.fromkeys(("sigstore", "sigstore_models", "rfc3161_client", "OpenSSL", "blake3"), "identity"),
    **dict.fromkeys(("pkcs11",), "hsm"),
    **dict.fromkeys(("boto3", "botocore"), "aws"),
    **dict.fromkeys(("google",), "gcp"),
    **dict.fromkeys(("oasis_rofl_client", "cbor2", "httpx"), "rofl"),
    **dict.fromkeys(("psycopg",), "postgres"),
    **dict.fromkeys(("sevsnpmeasure",), "measure"),
}


@contextmanager
def naming_extras() -> Iterator[None]:
    """Turn the ModuleNotFoundError for a package of an extra into a UsageError that names the extra.

    Late imports belong in such a block, and outside every `except Exception`: there a missing package would look like
    a wrong input.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = _EXTRA_OF.get(package)
        if extra is None:
            raise
        wanted = f"pip install 'provenance-oracle[{extra}]'"
        raise UsageError(f"this needs the extra '{extra}'", got=f"no {package}", wanted=wanted) from error
