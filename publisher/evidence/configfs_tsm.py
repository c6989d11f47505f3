"""Ask the firmware for a report through Linux' configfs-tsm.

Source: Linux `Documentation/ABI/testing/configfs-tsm-report` (6.7 and later). A request is a directory that the kernel
fills with files. Only root can make one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.binding import REPORT_DATA_BYTES

DEFAULT_BASE = Path("/sys/kernel/config/tsm/report")

_PROVIDER = "sev_guest"
_MAX_BLOB_BYTES = 32 * 1024  # the kernel's own bound on outblob and auxblob
_MAX_TEXT_BYTES = 4096

# The meaning of the kernel's errors that the user must fix. Any other error may go away in another attempt.
_ENVIRONMENT_PROBLEMS = {
    errno.ENOENT: "this kernel offers no attestation report: configfs-tsm is missing, or Linux is older than 6.7",
    errno.ENXIO: "no provider of attestation reports is loaded: this is not a confidential VM",
    errno.EACCES: "a request for a report needs root",
    errno.EPERM: "a request for a report needs root",
    errno.EINVAL: "the kernel refuses the request; perhaps the level is below privlevel_floor: try --vmpl 1, 2 or 3",
}


@dataclass(frozen=True)
class TsmReport:
    """The kernel's answer: the report, and the host's certificate table, which is often empty."""

    report: bytes
    certificate_table: bytes


class TsmFiles:
    """The file operations that a request needs. Tests replace them to simulate the kernel."""

    def make_directory(self, path: Path) -> None:
        path.mkdir()

    def remove_directory(self, path: Path) -> None:
        path.rmdir()

    def write(self, path: Path, data: bytes) -> None:
        """Write once and do not truncate, because the kernel takes an attribute in one write."""
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def read(self, path: Path, max_bytes: int) -> bytes:
        """Return the whole attribute, or the first `max_bytes + 1` bytes of a longer one."""
        with path.open("rb") as file:
            return file.read(max_bytes + 1)


def read_tsm_report(
    report_data: bytes,
    *,
    base: Path = DEFAULT_BASE,
    privlevel: int | None = None,
    files: TsmFiles | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> TsmReport:
    """Ask for a report over 64 bytes of report_data.

    Args:
        base: the directory for requests.
        privlevel: the VMPL to request, 0 to 3; None: the kernel chooses.
        files: the file operations; by default those of the real file system.
        entropy: returns random bytes for the name of the request.

    Raises:
        UsageError: report_data is not 64 bytes, this is no SEV-SNP guest, or the user is not root.
        FormatError: the report is larger than the kernel's limit (check `report-format`).
        TemporaryError: another process wrote into the request, or the firmware or the kernel failed.
    """
    if len(report_data) != REPORT_DATA_BYTES:
        raise UsageError(
            "the report data has the wrong size", got=f"{len(report_data)} bytes", wanted=f"{REPORT_DATA_BYTES} bytes"
        )
    files = files or TsmFiles()
    request = base / f"provenance-{entropy(16).hex()}"
    with _kernel_errors(request):
        files.make_directory(request)
        try:
            return _ask(files, request, report_data, privlevel)
        finally:
            with suppress(OSError):  # a request that stays does no harm
                files.remove_directory(request)


def _ask(files: TsmFiles, request: Path, report_data: bytes, privlevel: int | None) -> TsmReport:
    # (1) the provider must be SEV-SNP
    provider = _read_text(files, request / "provider")
    if provider != _PROVIDER:
        wanted = f"{_PROVIDER}; elsewhere --report FILE of another tool, or --simulator genoa to try"
        raise UsageError("this is not an SEV-SNP guest", where=str(request), got=provider, wanted=wanted)
    # (2) write the request, counting the writes
    options = {"inblob": report_data}
    if privlevel is not None:
        options["privlevel"] = str(privlevel).encode()
    generation = _read_generation(files, request)
    for name, value in options.items():
        files.write(request / name, value)
    # (3) the read makes the firmware answer
    report = TsmReport(_read_blob(files, request / "outblob"), _read_certificate_table(files, request))
    # (4) no other process has written meanwhile
    writes = _read_generation(files, request) - generation
    if writes != len(options):
        raise TemporaryError(
            "another process wrote into the request",
            where=str(request),
            got=f"{writes} writes",
            wanted=f"{len(options)}",
        )
    return report


def _read_certificate_table(files: TsmFiles, request: Path) -> bytes:
    try:
        return _read_blob(files, request / "auxblob")
    except FileNotFoundError:  # some providers do not have this file
        return b""


def _read_blob(files: TsmFiles, path: Path) -> bytes:
    data = files.read(path, _MAX_BLOB_BYTES)
    if len(data) > _MAX_BLOB_BYTES:
        raise OSError(errno.EFBIG, "larger than the kernel's own bound")
    return data


def _read_generation(files: TsmFiles, request: Path) -> int:
    text = _read_text(files, request / "generation")
    if not (text.isascii() and text.isdigit()):
        raise TemporaryError("the kernel's write counter is not a number", where=str(request / "generation"), got=text)
    return int(text)


def _read_text(files: TsmFiles, path: Path) -> str:
    return files.read(path, _MAX_TEXT_BYTES)[:_MAX_TEXT_BYTES].decode("utf-8", "replace").strip()


@contextmanager
def _kernel_errors(request: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explained(error, request) from error


def _explained(error: OSError, request: Path) -> ProvenanceError:
    where, got = str(error.filename or request), os.strerror(error.errno or errno.EIO)
    if error.errno == errno.EFBIG:
        return FormatError("the report is too large", check=Check.REPORT_FORMAT, where=where, got=got)
    problem = _ENVIRONMENT_PROBLEMS.get(error.errno or errno.EIO)
    if problem:
        wanted = "an SEV-SNP guest, as root; elsewhere --report FILE of another tool, or --simulator genoa to try"
        return UsageError(problem, where=where, got=got, wanted=wanted)
    return TemporaryError("the kernel or the firmware did not return a report", where=where, got=got)
