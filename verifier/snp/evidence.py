"""Evidence and endorsements as raw bytes, with the names to use for them in messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """A report with the certificates that endorse it, as received; nothing in it is trusted.

    `vek` is one certificate and `chain` the two above it, PEM or DER; `crl` is DER or PEM, or None.
    """

    report: bytes
    vek: bytes
    chain: bytes
    crl: bytes | None = None
    report_name: str = "report.bin"
    vek_name: str = "vek"
    chain_name: str = "chain"
    crl_name: str = "crl"
