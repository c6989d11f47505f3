"""Parse AMD's endorsements of a report: VCEK or VLEK with AMD's extensions, ASK or ASVK, ARK, and the ARK's CRL.

Source: AMD 57230 (Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification) for the extensions
under 1.3.6.1.4.1.3704.1. They were compared with some 45 real certificates of the three product lines. This module only
parses. `chain` and `signature` check that the parts agree with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from provenance_oracle.verifier.snp.certificates import (
    Certificate,
    malformed_endorsement,
    parse_certificate,
    problem_at,
    split_certificates,
)
from provenance_oracle.verifier.snp.crl import Crl, parse_crl
from provenance_oracle.verifier.snp.der import IA5_STRING, parse_der, parse_unsigned
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.report import SigningKey

AMD_ARC = "1.3.6.1.4.1.3704.1."
_STRUCT_VERSION, _PRODUCT_NAME, _HWID, _CSP_ID = (AMD_ARC + suffix for suffix in ("1", "2", "4", "5"))
# Extensions for the components of the TCB version. spl4 to spl7 are reserved and zero. Turin has fmc and no spl4.
TCB_EXTENSIONS = MappingProxyType(
    {
        AMD_ARC + "3.1": "bootloader",
        AMD_ARC + "3.2": "tee",
        AMD_ARC + "3.3": "snp",
        AMD_ARC + "3.8": "microcode",
        AMD_ARC + "3.9": "fmc",
    }
)
SPL4 = AMD_ARC + "3.4"
_RESERVED_SPLS = {SPL4, AMD_ARC + "3.5", AMD_ARC + "3.6", AMD_ARC + "3.7"}
_OPTIONAL = {SPL4, AMD_ARC + "3.9"}  # `signature` checks them, because it knows the product line
_KINDS = {"SEV-VCEK": SigningKey.VCEK, "SEV-VLEK": SigningKey.VLEK}
_TEXT_MAX_BYTES = 256


@dataclass(frozen=True)
class VekCertificate:
    """A VCEK or VLEK certificate with the values of AMD's extensions. Nothing in it is trusted.

    `tcb` maps the names of the TCB's components to numbers from 0 to 255. `hwid` is the chip of a VCEK (64 bytes, 8 on
    Turin) and None in a VLEK. `csp_id` is the cloud provider of a VLEK and None in a VCEK.
    """

    certificate: Certificate
    kind: SigningKey
    struct_version: int
    product_name: str
    tcb: Mapping[str, int]
    hwid: bytes | None
    csp_id: str | None


@dataclass(frozen=True)
class Endorsements:
    """The certificates that endorse a report, parsed. Nothing in them is trusted."""

    vek: VekCertificate
    intermediate: Certificate
    ark: Certificate
    crl: Crl | None


def parse_endorsements(
    vek: bytes,
    chain: bytes,
    crl: bytes | None,
    *,
    vek_where: str = "vek",
    chain_where: str = "chain",
    crl_where: str = "crl",
) -> Endorsements:
    """Parse the endorsements of a report. Each file is in PEM or DER.

    Args:
        vek: one certificate, the VCEK or VLEK.
        chain: two certificates in any order: ASK or ASVK, and the ARK.
        crl: the ARK's revocation list, or None.
        vek_where: the name of `vek` in messages; likewise `chain_where` and `crl_where`.

    Raises:
        FormatError: a file holds anything else, or another encoding of it (check `endorsements-format`).
    """
    veks, above = split_certificates(vek, vek_where), split_certificates(chain, chain_where)
    if len(veks) != 1:
        raise malformed_endorsement(vek_where, "wrong number of certificates", str(len(veks)), "one, the VCEK or VLEK")
    if len(above) != 2:
        raise malformed_endorsement(
            chain_where, "wrong number of certificates", str(len(above)), "two, ASK or ASVK and ARK"
        )
    parsed = [parse_certificate(der, chain_where) for der in above]
    self_issued = [certificate for certificate in parsed if certificate.subject == certificate.issuer]
    others = [certificate for certificate in parsed if certificate.subject != certificate.issuer]
    if len(self_issued) != 1:
        raise malformed_endorsement(
            chain_where, "wrong number of self-issued certificates", str(len(self_issued)), "one, the ARK"
        )
    return Endorsements(
        vek=parse_vek(parse_certificate(veks[0], vek_where)),
        intermediate=others[0],
        ark=self_issued[0],
        crl=None if crl is None else parse_crl(crl, crl_where),
    )


def endorsements_of(evidence: Evidence) -> Endorsements:
    """Parse the endorsements in `evidence`.

    Raises:
        FormatError: as `parse_endorsements` raises it.
    """
    return parse_endorsements(
        evidence.vek,
        evidence.chain,
        evidence.crl,
        vek_where=evidence.vek_name,
        chain_where=evidence.chain_name,
        crl_where=evidence.crl_name,
    )


def parse_vek(certificate: Certificate) -> VekCertificate:
    """Parse the extensions of a VCEK or VLEK certificate (AMD 57230).

    The certificate must have each extension of its kind exactly once and no other extension. Each value has one
    accepted form.

    Raises:
        FormatError: the common name is not that of a VEK, or the extensions break a rule (check `endorsements-format`).
    """
    where = certificate.where
    kind = _KINDS.get(certificate.common_name)
    if kind is None:
        raise malformed_endorsement(where, "subject", certificate.common_name, " or ".join(_KINDS))
    values = _extension_values(certificate, kind)
    for oid in _RESERVED_SPLS & values.keys():
        if _parse_number(values[oid], oid, where):
            raise malformed_endorsement(where, f"reserved extension {oid} is set", "not zero", "zero")
    return VekCertificate(
        certificate=certificate,
        kind=kind,
        struct_version=_parse_number(values[_STRUCT_VERSION], _STRUCT_VERSION, where),
        product_name=_parse_text(values[_PRODUCT_NAME], _PRODUCT_NAME, where),
        tcb=MappingProxyType(
            {name: _parse_number(values[oid], oid, where) for oid, name in TCB_EXTENSIONS.items() if oid in values}
        ),
        hwid=_parse_hwid(values[_HWID], where) if kind is SigningKey.VCEK else None,
        csp_id=_parse_text(values[_CSP_ID], _CSP_ID, where) if kind is SigningKey.VLEK else None,
    )


def _extension_values(certificate: Certificate, kind: SigningKey) -> Mapping[str, bytes]:
    """Return the values by identifier. Raise FormatError unless the extensions are those of this kind of VEK."""
    last = {SigningKey.VCEK: _HWID, SigningKey.VLEK: _CSP_ID}[kind]
    needed = {_STRUCT_VERSION, _PRODUCT_NAME, last, *TCB_EXTENSIONS, *_RESERVED_SPLS} - _OPTIONAL
    present = {extension.oid for extension in certificate.extensions}
    odd = (needed - present) | (present - needed - _OPTIONAL)
    odd |= {extension.oid for extension in certificate.extensions if extension.critical}
    if odd:
        got = f"missing, foreign or critical: {', '.join(sorted(odd))}"
        raise malformed_endorsement(certificate.where, "wrong set of extensions", got, f"those of a {kind.name}")
    return {extension.oid: extension.value for extension in certificate.extensions}


def _parse_number(value: bytes, oid: str, where: str) -> int:
    problem = problem_at(where, f" in extension {oid}")
    number = parse_unsigned(parse_der(value, problem), problem)
    if number > 0xFF:
        raise malformed_endorsement(where, f"extension {oid} is out of range", str(number), "0 to 255")
    return number


def _parse_text(value: bytes, oid: str, where: str) -> str:
    parsed = parse_der(value, problem_at(where, f" in extension {oid}"))
    text = parsed.content
    if (
        parsed.tag != IA5_STRING
        or not 0 < len(text) <= _TEXT_MAX_BYTES
        or not all(0x20 <= byte < 0x7F for byte in text)
    ):
        raise malformed_endorsement(
            where, f"extension {oid} is not a valid text", value[:32].hex(), "a short printable IA5String"
        )
    return text.decode("ascii")


def _parse_hwid(value: bytes, where: str) -> bytes:
    """Return the chip's id, which is raw bytes without a DER tag.

    Only the length is checked, because the first byte of a raw id may look like a tag.
    """
    if len(value) not in (8, 64):
        raise malformed_endorsement(where, "wrong size of hwID", f"{len(value)} bytes", "64 raw bytes (8 on Turin)")
    return value
