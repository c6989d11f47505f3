"""Match a report with its VEK (product line, chip and TCB) and verify its signature. Its fields are then claims.

Sources: AMD 56860 (structures ATTESTATION_REPORT and TCB_VERSION, format of the signature), AMD 57230 (extensions of a
VEK).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, vek_key
from provenance_oracle.verifier.snp.endorsements import SPL4, VekCertificate
from provenance_oracle.verifier.snp.products import (
    VEK_FORMS,
    Cpuid,
    ProductLine,
    RootKind,
    describe_cpuid,
    line_of_cpuid,
)
from provenance_oracle.verifier.snp.report import Report, SigningKey
from provenance_oracle.verifier.snp.tcb import TCB_LAYOUTS, Tcb, parse_tcb


@dataclass(frozen=True)
class MatchedVek:
    """A verified chain and a report that name the same chip and firmware. The report's signature is not verified yet.

    `chip_id_masked` states that the report's chip_id is zero: the host configured the firmware to hide it.
    """

    chain: VerifiedChain
    report: Report
    reported_tcb: Tcb
    chip_id_masked: bool


@dataclass(frozen=True)
class Claims:
    """The claims of a verified report. They are as trustworthy as AMD's keys and firmware.

    `chip_id` has 64 bytes; it is None if it is masked or the VEK is a VLEK. `cpuid` is None in reports of version 2.
    `csp_id` names the cloud provider of a VLEK and is None for a VCEK. `at` is the time of the judgement.
    """

    report: Report
    line: ProductLine
    root_kind: RootKind
    cpuid: Cpuid | None
    current_tcb: Tcb
    reported_tcb: Tcb
    committed_tcb: Tcb
    launch_tcb: Tcb
    vek_kind: SigningKey
    csp_id: str | None
    chip_id: bytes | None
    at: datetime
    revocation: RevocationStatus


def match_vek_to_report(chain: VerifiedChain, report: Report) -> MatchedVek:
    """Compare the product line, kind of key, reported TCB and chip of a VEK with those of a report.

    Raises:
        VerificationError: the product lines differ (check `product-line`), or the kind of key, TCB or chip differs
            (check `vek-match`).
        FormatError: reserved bytes of the reported TCB are set (check `report-format`).
    """
    vek = chain.endorsements.vek
    # (1) chain, certificate and processor belong to one product line
    _match_product_line(chain.line, vek, report)
    # (2) the report names the kind of key that the certificate is for
    if report.signing_key is not vek.kind:
        _mismatch(vek, "signing key", report.signing_key.name, vek.kind.name)
    # (3) every component of the reported TCB is equal
    reported_tcb = _tcb_of(report, "reported_tcb", chain.line)
    certified = {name: vek.tcb.get(name) for name in TCB_LAYOUTS[chain.line]}
    reported = {name: getattr(reported_tcb, name) for name in TCB_LAYOUTS[chain.line]}
    if certified != reported or vek.tcb.keys() != certified.keys():
        _mismatch(
            vek, "reported TCB", str(reported_tcb), " ".join(f"{name} {value}" for name, value in vek.tcb.items())
        )
    # (4) the chip is the same
    return MatchedVek(chain, report, reported_tcb, chip_id_masked=_match_chip(vek, report))


def verify_report_signature(matched: MatchedVek) -> Claims:
    """Verify the VEK's ECDSA P-384 signature with SHA-384 over the report's first 0x2A0 bytes; return the claims.

    Raises:
        VerificationError: the signature does not verify (check `report-signature`).
        FormatError: reserved bytes of a TCB are set (check `report-format`).
    """
    report, chain = matched.report, matched.chain
    vek = chain.endorsements.vek
    key = vek_key(vek.certificate)
    try:
        key.verify(encode_dss_signature(report.signature_r, report.signature_s), report.signed, ECDSA(SHA384()))
    except InvalidSignature:
        raise VerificationError(
            "the report's signature does not verify",
            check=Check.REPORT_SIGNATURE,
            where=report.where,
            got="another key or other bytes",
            wanted=f"an ECDSA P-384 signature by the {vek.kind.name}",
        ) from None
    return Claims(
        report=report,
        line=chain.line,
        root_kind=chain.root_kind,
        cpuid=report.cpuid,
        current_tcb=_tcb_of(report, "current_tcb", chain.line),
        reported_tcb=matched.reported_tcb,
        committed_tcb=_tcb_of(report, "committed_tcb", chain.line),
        launch_tcb=_tcb_of(report, "launch_tcb", chain.line),
        vek_kind=vek.kind,
        csp_id=vek.csp_id,
        chip_id=None if matched.chip_id_masked or vek.kind is SigningKey.VLEK else report.chip_id,
        at=chain.at,
        revocation=chain.revocation,
    )


def _tcb_of(report: Report, name: str, line: ProductLine) -> Tcb:
    return parse_tcb(getattr(report, name), line, f"{report.where}: {name}")


def _match_product_line(line: ProductLine, vek: VekCertificate, report: Report) -> None:
    form = VEK_FORMS[line]
    if vek.product_name not in form.product_names:
        _wrong_line(vek, "productName", vek.product_name, " or ".join(sorted(form.product_names)))
    if vek.struct_version != form.struct_version:
        _wrong_line(vek, "structVersion", str(vek.struct_version), str(form.struct_version))
    if vek.hwid is not None and len(vek.hwid) != form.hwid_bytes:
        _wrong_line(vek, "hwID", f"{len(vek.hwid)} bytes", f"{form.hwid_bytes} bytes")
    has_spl4 = vek.certificate.extension(SPL4) is not None
    if has_spl4 is not form.has_spl4:
        _wrong_line(vek, "extension .3.4", f"present: {has_spl4}", f"present: {form.has_spl4}")
    if report.cpuid is not None and line_of_cpuid(report.cpuid) is not line:
        raise VerificationError(
            "the processor belongs to another product line",
            check=Check.PRODUCT_LINE,
            where=report.where,
            got=f"CPUID {describe_cpuid(report.cpuid)}",
            wanted=f"a processor of {line}",
        )


def _match_chip(vek: VekCertificate, report: Report) -> bool:
    """Compare the chip ids; return whether the report's is masked. A VLEK belongs to a provider and names no chip."""
    masked = not any(report.chip_id)
    if vek.kind is SigningKey.VLEK:
        if not masked:
            _mismatch(vek, "chip id", report.chip_id.hex(), "zero, as a VLEK names no chip")
        return False
    if masked:
        return True
    chip_id = (vek.hwid or b"").ljust(len(report.chip_id), b"\0")
    if report.chip_id != chip_id:
        _mismatch(vek, "chip id", report.chip_id.hex(), f"the certificate's {chip_id.hex()}")
    return False


def _mismatch(vek: VekCertificate, what: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(
        f"the report does not match the {vek.kind.name} ({what})",
        check=Check.VEK_MATCH,
        where=vek.certificate.where,
        got=got,
        wanted=wanted,
    )


def _wrong_line(vek: VekCertificate, what: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(
        f"the certificate belongs to another product line ({what})",
        check=Check.PRODUCT_LINE,
        where=vek.certificate.where,
        got=got,
        wanted=wanted,
    )
