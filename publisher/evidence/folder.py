"""The folder of evidence that `provenance attest` writes and `provenance pack` reads: one file for each part."""

from __future__ import annotations

from itertools import takewhile, zip_longest
from pathlib import Path

from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError, unwritten
from provenance_oracle.verifier.judgement.release import GPU_PATHS
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.strict.files import pieces_of_file
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder, followed, open_release_folder

REPORT, VEK, CHAIN, CRL = "report.bin", "vek.der", "chain.pem", "ark.crl"
GPUS = tuple(path.rpartition("/")[2] for path in GPU_PATHS)
_MAX_BYTES = 2 << 20


def write_evidence(folder: Path, evidence: Evidence, gpus: tuple[bytes, ...] = ()) -> None:
    """Write the parts of `evidence` and the files of GPUs into `folder`, and replace the parts of earlier evidence.

    Raises:
        UsageError: the folder cannot be written. TemporaryError: the disk is full or fails.
    """
    parts = {REPORT: evidence.report, VEK: evidence.vek, CHAIN: evidence.chain, CRL: evidence.crl}
    parts |= dict(zip_longest(GPUS, gpus))
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
        UsageError: a part is missing or cannot be read.
        FormatError: a part is larger than 2 MiB, or is no regular file.
    """
    problem, wanted = "the evidence cannot be read", "a folder by `provenance attest`"
    try:
        with open_release_folder(followed(folder)) as opened:
            return Evidence(
                report=_read(opened, REPORT),
                vek=_read(opened, VEK),
                chain=_read(opened, CHAIN),
                crl=_read(opened, CRL) if opened.find(CRL) else None,
                report_name=str(folder / REPORT),
            )
    except (UsageError, TemporaryError) as error:
        raise UsageError(problem, where=str(folder), got=str(error), wanted=wanted) from error


def read_gpus(folder: Path) -> tuple[bytes, ...]:
    """Read the evidence of GPUs that `write_evidence` wrote. Nothing is verified.

    Raises:
        UsageError, FormatError: as `read_evidence`.
    """
    try:
        with open_release_folder(followed(folder)) as opened:
            return tuple(_read(opened, name) for name in takewhile(opened.find, GPUS))
    except TemporaryError as error:
        problem, wanted = "the evidence cannot be read", "a folder by `provenance attest`"
        raise UsageError(problem, where=str(folder), got=str(error), wanted=wanted) from error


def _read(folder: ReleaseFolder, name: str) -> bytes:
    with folder.open_named(name) as file:
        if file.size > _MAX_BYTES:
            got = f"{file.size} bytes"
            raise FormatError("the file is too large", where=name, got=got, wanted=f"at most {_MAX_BYTES} bytes")
        return b"".join(pieces_of_file(file))
