"""AMD's endorsements of a report: VCEK or VLEK with AMD's extensions, ASK or ASVK, ARK, and the ARK's CRL.

Sources: AMD 57230 (Versioned Chip Endorsement Key Certificate and KDS Interface Specification) for the extensions
under 1.3.6.1.4.1.3704.1, compared with some 45 real certificates of the three product lines. Parsing only: what the
parts say of each other is judged in `chain` and `signature`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cryptography import x509

from verifier.snp.certificates import (
    Certificate,
    Signed,
    malformed,
    parse_certificate,
    parse_strictly,
    parse_x509_crl,
    split_certificates,
)
from verifier.snp.der import IA5_STRING, parse_unsigned
from verifier.snp.report import SigningKey

AMD_ARC = "1.3.6.1.4.1.3704.1."
_STRUCT_VERSION, _PRODUCT_NAME, _HWID, _CSP_ID = (AMD_ARC + suffix for suffix in ("1", "2", "4", "5"))
# Components of the TCB version by their extension; spl4 to spl7 are reserved and zero. Turin has fmc and no spl4.
TCB_EXTENSIONS = MappingProxyType(
    {
        AMD_ARC + "3.1": "bootloader",
        AMD_ARC + "3.2": "tee",
        AMD_ARC + "3.3": "snp",
        AMD_ARC + "3.8": "microcode",
        AMD_ARC + "3.9": "fmc",
    }
)
_RESERVED_SPLS = {AMD_ARC + f"3.{number}" for number in (4, 5, 6, 7)}
_OPTIONAL = {AMD_ARC + "3.4", AMD_ARC + "3.9"}
_KINDS = {"SEV-VCEK": SigningKey.VCEK, "SEV-VLEK": SigningKey.VLEK}
_TEXT_MAX_BYTES = 256
_CRL_NUMBER = "2.5.29.20"
_AUTHORITY_KEY_ID = "2.5.29.35"
_REVOKED_MAX = 100_000


@dataclass(frozen=True)
class VekCertificate:
    """A VCEK or VLEK certificate and what AMD's extensions say. `tcb` maps component names to numbers 0 to 255.

    `hwid` (64 bytes, 8 on Turin) is a VCEK's chip, `csp_id` a VLEK's cloud provider; the other one is None.
    """

    certificate: Certificate
    kind: SigningKey
    struct_version: int
    product_name: str
    tcb: Mapping[str, int]
    hwid: bytes | None
    csp_id: str | None


@dataclass(frozen=True)
class Crl:
    """A certificate revocation list. `issuer` is the DER name."""

    der: bytes
    x509: x509.CertificateRevocationList
    signed: Signed
    issuer: bytes
    number: int
    this_update: datetime
    next_update: datetime
    revoked_serials: frozenset[int]
    where: str


@dataclass(frozen=True)
class Endorsements:
    """The certificates above a report, parsed and not trusted."""

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
    """Parse a VEK, its chain (ASK or ASVK, and ARK, in either order) and a CRL if there is one; PEM or DER each.

    Raises:
        FormatError: anything that is not exactly that in exactly one encoding (check `endorsements-format`).
    """
    veks, above = split_certificates(vek, vek_where), split_certificates(chain, chain_where)
    if len(veks) != 1:
        raise malformed(vek_where, "certificates", str(len(veks)), "one, the VCEK or VLEK")
    if len(above) != 2:
        raise malformed(chain_where, "certificates", str(len(above)), "two, ASK or ASVK and ARK")
    parsed = [parse_certificate(der, chain_where) for der in above]
    self_issued = [certificate for certificate in parsed if certificate.subject == certificate.issuer]
    others = [certificate for certificate in parsed if certificate.subject != certificate.issuer]
    if len(self_issued) != 1:
        raise malformed(chain_where, "self-issued certificates", str(len(self_issued)), "one, the ARK")
    return Endorsements(
        vek=parse_vek(parse_certificate(veks[0], vek_where)),
        intermediate=others[0],
        ark=self_issued[0],
        crl=None if crl is None else parse_crl(crl, crl_where),
    )


def parse_vek(certificate: Certificate) -> VekCertificate:
    """Read AMD's extensions: each known one exactly once, no other at all, every value in its one form.

    Raises:
        FormatError: otherwise (check `endorsements-format`).
    """
    where = certificate.where
    kind = _KINDS.get(certificate.common_name)
    if kind is None:
        raise malformed(where, "subject", certificate.common_name, " or ".join(_KINDS))
    values = {oid: value for oid, _, value in certificate.extensions}
    last = {SigningKey.VCEK: _HWID, SigningKey.VLEK: _CSP_ID}[kind]
    needed = {_STRUCT_VERSION, _PRODUCT_NAME, last, *TCB_EXTENSIONS, *_RESERVED_SPLS} - _OPTIONAL
    if not needed <= values.keys() <= needed | _OPTIONAL or any(critical for _, critical, _ in certificate.extensions):
        odd = sorted((values.keys() ^ needed) - _OPTIONAL) or ["one marked critical"]
        raise malformed(
            where, "extensions", f"missing, foreign or critical: {', '.join(odd)}", f"those of a {kind.name}"
        )
    for oid in _RESERVED_SPLS & values.keys():
        if _parse_number(values[oid], oid, where):
            raise malformed(where, f"reserved extension {oid}", "not zero", "zero")
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


def parse_crl(data: bytes, where: str) -> Crl:
    """Parse a CRL: AKI and CRL number and no other extension, so no delta and no partial scope.

    Raises:
        FormatError: otherwise, or an entry with extensions, a serial twice, or no next update.
    """
    der, parsed, signed = parse_x509_crl(data, where)
    try:
        present = {extension.oid.dotted_string for extension in parsed.extensions}
        number = parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        issuer, this_update, next_update = parsed.issuer.public_bytes(), parsed.last_update_utc, parsed.next_update_utc
        if len(parsed) > _REVOKED_MAX:
            raise malformed(where, "entries", str(len(parsed)), f"at most {_REVOKED_MAX}")
        serials = [(entry.serial_number, len(entry.extensions)) for entry in parsed]
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise malformed(where, "revocation list", str(error), "a well-formed list with a number") from error
    if present != {_CRL_NUMBER, _AUTHORITY_KEY_ID}:
        raise malformed(where, "extensions", ", ".join(sorted(present)) or "none", "authority key id and CRL number")
    if next_update is None:
        raise malformed(where, "next update", "none", "a time")
    revoked = frozenset(serial for serial, _ in serials)
    if len(revoked) != len(serials) or any(extensions for _, extensions in serials):
        raise malformed(where, "entries", "a serial twice, or an entry with extensions", "plain entries")
    return Crl(der, parsed, signed, issuer, number, this_update, next_update, revoked, where)


def _parse_number(value: bytes, oid: str, where: str) -> int:
    number = parse_unsigned(
        parse_strictly(value, where), lambda what, got, wanted: malformed(where, f"{what} in {oid}", got, wanted)
    )
    if number > 0xFF:
        raise malformed(where, f"extension {oid}", str(number), "0 to 255")
    return number


def _parse_text(value: bytes, oid: str, where: str) -> str:
    parsed = parse_strictly(value, where)
    text = parsed.content
    if (
        parsed.tag != IA5_STRING
        or not 0 < len(text) <= _TEXT_MAX_BYTES
        or not all(0x20 <= byte < 0x7F for byte in text)
    ):
        raise malformed(where, f"extension {oid}", value[:32].hex(), "a short printable IA5String")
    return text.decode("ascii")


def _parse_hwid(value: bytes, where: str) -> bytes:
    """The chip's id is raw bytes without a tag. Told by length alone: a raw id may begin like a tag."""
    if len(value) not in (8, 64):
        raise malformed(where, "hwID", f"{len(value)} bytes", "64 raw bytes (8 on Turin)")
    return value
