"""Collect evidence in the confidential VM: from the kernel, from files of other tools, or from the simulator.

All three give the same `Evidence`: the report, its VCEK or VLEK in DER, ASK or ASVK and ARK in PEM, and optionally a
revocation list in DER. Certificates are identified by their common names, never by their order or file. If the caller
passes a fetcher, missing certificates and the list are fetched from AMD. Nothing is verified here.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from provenance_oracle.publisher.evidence.certificate_table import parse_certificate_table
from provenance_oracle.publisher.evidence.configfs_tsm import DEFAULT_BASE, TsmFiles, read_tsm_report
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.snp.certificates import parse_certificate, split_certificates
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.kds import Fetcher, fetch_chain, fetch_crl, fetch_vcek
from provenance_oracle.verifier.snp.products import ProductLine, line_of_cpuid
from provenance_oracle.verifier.snp.report import Report, SigningKey, parse_report
from provenance_oracle.verifier.snp.tcb import parse_tcb


def evidence_from_kernel(
    report_data: bytes,
    crl: bytes | None = None,
    *,
    fetcher: Fetcher | None = None,
    base: Path = DEFAULT_BASE,
    privlevel: int | None = None,
    files: TsmFiles | None = None,
) -> Evidence:
    """Ask this VM's firmware for a report over 64 bytes of report_data.

    The host may add certificates to the report; it never adds a revocation list.

    Args:
        crl: AMD's revocation list, PEM or DER.
        fetcher: fetches missing certificates and the list from AMD; None: nothing is fetched.
        base, privlevel, files: see `read_tsm_report`.

    Raises:
        UsageError: this is no SEV-SNP guest, the user is not root, or certificates are missing and there is no fetcher.
        FormatError: the answer of kernel, host or AMD is malformed.
        TemporaryError: the kernel, the firmware or the network failed.
    """
    answer = read_tsm_report(report_data, base=base, privlevel=privlevel, files=files)
    certificates = parse_certificate_table(answer.certificate_table, "auxblob")
    return evidence_from_files(answer.report, certificates, crl, fetcher=fetcher)


def evidence_from_files(
    report: bytes, certificates: Iterable[bytes], crl: bytes | None = None, *, fetcher: Fetcher | None = None
) -> Evidence:
    """Build evidence from the files of other tools (snpguest, openssl, go-sev-guest).

    Args:
        report: the attestation report, 1184 bytes.
        certificates: contents of files, PEM or DER, with one or more certificates each, in any order.
        crl: AMD's revocation list, PEM or DER.
        fetcher: fetches missing certificates and the list from AMD; None: nothing is fetched, and only the list may be
            missing.

    Raises:
        UsageError: a certificate is missing and there is no fetcher.
        FormatError: the report, a certificate or the list is malformed.
        TemporaryError: AMD could not be reached.
    """
    parsed = parse_report(report)
    found = _certificates_by_name(certificates)
    line = _line_of(parsed, found)
    wanted = _wanted_names(line, parsed.signing_key)
    if fetcher is not None:
        found = {**_fetch_missing(parsed, line, [name for name in wanted if name not in found], fetcher), **found}
        crl = fetch_crl(fetcher, line, parsed.signing_key) if crl is None else crl
    if not found.keys() >= set(wanted):
        raise _missing(f"{', '.join(sorted(found)) or 'no certificate'}", ", ".join(wanted))
    vek, intermediate, ark = (found[name] for name in wanted)
    return Evidence(
        report=report,
        vek=vek,
        chain="".join(map(ssl.DER_cert_to_PEM_cert, (intermediate, ark))).encode(),
        crl=None if crl is None else parse_crl(crl, "revocation list").der,
    )


def evidence_from_simulator(line: ProductLine, report_data: bytes, *, at: datetime) -> Evidence:
    """Return evidence that has AMD's formats and proves nothing. Only the policy `demo` accepts it."""
    return FakeGuest.on(FakeAmd.load(line), at=at).evidence(report_data)


def _certificates_by_name(files: Iterable[bytes]) -> dict[str, bytes]:
    """Return the certificates in DER by common name. The same certificate may occur twice.

    Raises:
        FormatError: a certificate is malformed, or two different certificates have the same name.
    """
    found: dict[str, bytes] = {}
    for number, data in enumerate(files, 1):
        where = f"certificate file {number}"
        for der in split_certificates(data, where):
            name = parse_certificate(der, where).common_name
            if found.setdefault(name, der) != der:
                raise FormatError(
                    "two different certificates have the same name",
                    check=Check.ENDORSEMENTS_FORMAT,
                    where=where,
                    got=name,
                    wanted="one of each",
                )
    return found


def _line_of(report: Report, found: Mapping[str, bytes]) -> ProductLine:
    """Return the product line that the report names, or the line of the certificates for a version 2 report."""
    if report.cpuid is not None:
        line = line_of_cpuid(report.cpuid)
        candidates = [] if line is None else [line]
    else:
        candidates = [line for line in ProductLine if found.keys() & {f"ARK-{line}", f"SEV-{line}", f"SEV-VLEK-{line}"}]
    if len(candidates) != 1:
        raise _missing(f"processor {report.cpuid or 'not named in a version 2 report'}", "ASK or ASVK of a known line")
    return candidates[0]


def _wanted_names(line: ProductLine, kind: SigningKey) -> tuple[str, str, str]:
    """Return the common names of VEK, intermediate and root."""
    intermediate = f"SEV-{line}" if kind is SigningKey.VCEK else f"SEV-VLEK-{line}"
    return f"SEV-{kind.name}", intermediate, f"ARK-{line}"


def _fetch_missing(report: Report, line: ProductLine, missing: list[str], fetcher: Fetcher) -> dict[str, bytes]:
    """Fetch only the certificates with these common names from AMD."""
    fetched = []
    if f"SEV-{SigningKey.VLEK.name}" in missing:
        raise _missing("a report signed by a VLEK, which AMD does not hand out", "the cloud provider's VLEK")
    if f"SEV-{SigningKey.VCEK.name}" in missing:
        tcb = parse_tcb(report.reported_tcb, line, "report.bin")
        fetched.append(fetch_vcek(fetcher, line, report.chip_id, tcb))
    if any(name.endswith(f"-{line}") for name in missing):
        fetched.append(fetch_chain(fetcher, line, report.signing_key))
    return _certificates_by_name(fetched)


def _missing(got: str, wanted: str) -> UsageError:
    return UsageError("certificates are missing and were not fetched from AMD", got=got, wanted=wanted)
