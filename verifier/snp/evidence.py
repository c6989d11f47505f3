"""Evidence and endorsements as raw bytes, with their names for messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Evidence:
    """A report with the certificates that endorse it, as received. Nothing in it is trusted.

    `report` is the attestation report, 1184 bytes. `vek` is one certificate, and `chain` holds the two certificates
    above it; both are PEM or DER. `crl` is a revocation list in PEM or DER, or None.

    `crl_at` is the time at which the list must be current; None means the time of judgement. A fetched list must be
    current when it is fetched, so that an old release can be judged again with a new list.
    """

    report: bytes
    vek: bytes
    chain: bytes
    crl: bytes | None = None
    report_name: str = "report.bin"
    vek_name: str = "vek"
    chain_name: str = "chain"
    crl_name: str = "crl"
    crl_at: datetime | None = None
