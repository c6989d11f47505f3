"""Where a verdict cites its evidence, for the contract that disproves a record by it. Reads no chain.

`contracts/proofs/IDisputes.sol` explains the struct Cited. A verdict is in RFC 8785 form, so each citation has one
encoding. As for manifests, the contract is told places and compares the bytes there.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.judgement.release import REPORT_PATH, VEK_DER_PATH

_LINE = b'"productLine":'
_NOWHERE = 2**256 - 1


class CitedEvidence(NamedTuple):
    """Solidity's struct Cited, in its order. Pass it to web3 as it is."""

    verdict: bytes
    report: bytes
    report_at: int
    vek: bytes
    vek_at: int
    line_at: int


def cite(verdict: bytes, report: bytes, vek: bytes | None, verdict_digest: bytes) -> CitedEvidence:
    """Return the evidence of a verdict, with the places at which the verdict cites it.

    Args:
        verdict: the statement, as the oracle keeps it.
        report: the file `snp/report.bin` of the release.
        vek: its file `snp/vek.der`; None to leave out the reasons that need it, of which a forgery is one.
        verdict_digest: that of the record, 32 bytes.

    Raises:
        VerificationError: the record has another verdict, or the verdict cites other files.
    """
    if hashlib.sha256(verdict).digest() != verdict_digest:
        got, wanted = hashlib.sha256(verdict).hexdigest(), verdict_digest.hex()
        raise VerificationError("the record has another verdict", where="verdict", got=got, wanted=wanted)
    line_at = verdict.find(_LINE)
    return CitedEvidence(
        verdict,
        report,
        _place_of(verdict, report, REPORT_PATH),
        vek or b"",
        _NOWHERE if vek is None else _place_of(verdict, vek, VEK_DER_PATH),
        _NOWHERE if line_at < 0 else line_at,
    )


def _place_of(verdict: bytes, data: bytes, name: str) -> int:
    digest = hashlib.sha256(data).hexdigest()
    found = verdict.find(f'{{"digest":{{"sha256":"{digest}"}},"uri":"{name}"}}'.encode())
    if found < 0:
        problem, wanted = "the verdict does not cite this file", f"{name} as the oracle judged it"
        raise VerificationError(problem, where=name, got=digest, wanted=wanted)
    return found
