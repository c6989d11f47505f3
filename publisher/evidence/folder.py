"""The folder of evidence that `provenance attest` writes and `provenance pack` reads: one file for each part."""

from __future__ import annotations

from pathlib import Path

from provenance_oracle.verifier.errors import FormatError, UsageError, unwritten
from provenance_oracle.verifier.snp.evidence import Evidence

REPORT, VEK, CHAIN, CRL = "report.bin", "vek.der", "chain.pem", "ark.crl"
_MAX_BYTES = 2 << 20


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Write the parts of `evidence` into `folder`, and replace the parts of earlier evidence.

    Raises:
        UsageError: the folder cannot be written. TemporaryError: the disk is full.
    """
    parts = {REPORT: evidence.report, VEK: evidence.vek, CHAIN: evidence.chain, CRL: evidence.crl}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in parts.items():
            if data is None:
                (folder / name).unlink(missing_ok=True)
            else:
                (folder / name).write_bytes(data)
    except OSError as error:
        raise unwritten("the evidence cannot be written", error, where=str(folder), wanted="a folder") from error


def read_evidence(folder: Path) -> Evidence:
    """Read the evidence that `write_evidence` wrote. Nothing is verified.

    Raises:
        UsageError: a part is missing or cannot be read. FormatError: a part is larger than 2 MiB.
    """
    return Evidence(
        report=_read(folder / REPORT),
        vek=_read(folder / VEK),
        chain=_read(folder / CHAIN),
        crl=_read(folder / CRL) if (folder / CRL).exists() else None,
        report_name=str(folder / REPORT),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            "the evidence cannot be read",
            where=str(path),
            got=error.strerror or str(error),
            wanted="a folder by `provenance attest`",
        ) from error
    if len(data) > _MAX_BYTES:
        got = f"more than {_MAX_BYTES} bytes"
        raise FormatError("the file is too large", where=str(path), got=got, wanted="evidence")
    return data
