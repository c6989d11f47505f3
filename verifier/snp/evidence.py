"""Evidence and endorsements as raw bytes, with the names to use for them in messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Evidence:
    """A report with the certificates that endorse it, as received; nothing in it is trusted.

    `vek` is one certificate and `chain` the two above it, PEM or DER; `crl` is DER or PEM, or None. `crl_at` is the
    moment for which the list has to be current: None means that of judgement; one that was fetched has to be current
    when it is fetched, so that old records can be judged again with a new list.
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
