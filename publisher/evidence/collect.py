"""Collecting evidence in the confidential VM: from the kernel, from files of other tools, or from the simulator.

All three give the same `Evidence`: the report, its VCEK or VLEK in DER, ASK or ASVK and ARK in PEM, and perhaps a
revocation list in DER. Certificates are told apart by their names, never by the order or the file they came in. What
is missing can be fetched from AMD, if the caller says so by passing a fetcher. Nothing is verified here.
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

    Its certificates come with it where the host gives them; a revocation list never does.

    Raises:
        UsageError: not an SEV-SNP guest, not root, or certificates are missing and there is no fetcher.
        FormatError: what kernel, host or AMD gave is malformed.
        TemporaryError: kernel, firmware or network failed.
    """
    answer = read_tsm_report(report_data, base=base, privlevel=privlevel, files=files)
    certificates = parse_certificate_table(answer.certificate_table, "auxblob")
    return evidence_from_files(answer.report, certificates, crl, fetcher=fetcher)


def evidence_from_files(
    report: bytes, certificates: Iterable[bytes], crl: bytes | None = None, *, fetcher: Fetcher | None = None
) -> Evidence:
    """Put together what other tools (snpguest, openssl, go-sev-guest) left in files.

    Args:
        report: 1184 bytes.
        certificates: contents of files, PEM or DER, with one certificate or several each, in any order.
        crl: AMD's revocation list, PEM or DER.
        fetcher: gets from AMD what is missing; None: nothing is fetched, and only the list may be missing.

    Raises:
        UsageError: a certificate is missing and there is no fetcher.
        FormatError: report, certificate or list is malformed, or not one of AMD's by its name.
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
    """Evidence that looks real and proves nothing; only the policy `demo` accepts it."""
    return FakeGuest.on(FakeAmd.load(line), at=at).evidence(report_data)


def _certificates_by_name(files: Iterable[bytes]) -> dict[str, bytes]:
    """Return DER certificates by common name; the same one twice is one, two different of one name are refused."""
    found: dict[str, bytes] = {}
    for number, data in enumerate(files, 1):
        where = f"certificate file {number}"
        for der in split_certificates(data, where):
            name = parse_certificate(der, where).common_name
            if found.setdefault(name, der) != der:
                raise FormatError(
                    "two different certificates of one name",
                    check=Check.ENDORSEMENTS_FORMAT,
                    where=where,
                    got=name,
                    wanted="one of each",
                )
    return found


def _line_of(report: Report, found: Mapping[str, bytes]) -> ProductLine:
    """The line that the report names or, as version 2 does not, the one whose certificates are there."""
    if report.cpuid is not None:
        line = line_of_cpuid(report.cpuid)
        candidates = [] if line is None else [line]
    else:
        candidates = [line for line in ProductLine if found.keys() & {f"ARK-{line}", f"SEV-{line}", f"SEV-VLEK-{line}"}]
    if len(candidates) != 1:
        raise _missing(f"processor {report.cpuid or 'not named in a version 2 report'}", "ASK or ASVK of a known line")
    return candidates[0]


def _wanted_names(line: ProductLine, kind: SigningKey) -> tuple[str, str, str]:
    """Common names of VEK, intermediate and root."""
    intermediate = f"SEV-{line}" if kind is SigningKey.VCEK else f"SEV-VLEK-{line}"
    return f"SEV-{kind.name}", intermediate, f"ARK-{line}"


def _fetch_missing(report: Report, line: ProductLine, missing: list[str], fetcher: Fetcher) -> dict[str, bytes]:
    """Ask AMD for the certificates of these names, and for nothing else."""
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
    return UsageError("certificates are missing, and cannot be fetched or were not to be", got=got, wanted=wanted)
