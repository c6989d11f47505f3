"""AMD's forms: the contents of each product line's certificates, field by field.

Sources: AMD 57230 (VCEK certificate and key distribution service), AMD's published ARK, ASK and ASVK of Milan, Genoa
and Turin, and VEKs issued by its key distribution service. The forms reproduce these certificates byte for byte, except
for keys, signatures and dates of issue.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import provenance_oracle.publisher.simulator.der as der
from provenance_oracle.publisher.simulator.certificates import (
    CertificateTemplate,
    CrlTemplate,
    Name,
    Pss,
    X509Extension,
)
from provenance_oracle.verifier.snp.kds import crl_url
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

KEY_USAGE, BASIC_CONSTRAINTS = "2.5.29.15", "2.5.29.19"
SUBJECT_KEY_ID, AUTHORITY_KEY_ID = "2.5.29.14", "2.5.29.35"
CRL_NUMBER, CRL_DISTRIBUTION_POINTS = "2.5.29.20", "2.5.29.31"

AMD_OID_ARC = "1.3.6.1.4.1.3704.1"
STRUCT_VERSION, PRODUCT_NAME = f"{AMD_OID_ARC}.1", f"{AMD_OID_ARC}.2"
HWID, CSP_ID = f"{AMD_OID_ARC}.4", f"{AMD_OID_ARC}.5"
SPL = {
    "bootloader": f"{AMD_OID_ARC}.3.1",
    "tee": f"{AMD_OID_ARC}.3.2",
    "snp": f"{AMD_OID_ARC}.3.3",
    "spl4": f"{AMD_OID_ARC}.3.4",
    "spl5": f"{AMD_OID_ARC}.3.5",
    "spl6": f"{AMD_OID_ARC}.3.6",
    "spl7": f"{AMD_OID_ARC}.3.7",
    "microcode": f"{AMD_OID_ARC}.3.8",
    "fmc": f"{AMD_OID_ARC}.3.9",
}
_RESERVED_SPL = ("spl4", "spl5", "spl6", "spl7")
_LEGACY_ORDER = ("bootloader", "tee", *_RESERVED_SPL, "snp", "microcode")
_TURIN_ORDER = ("fmc", "bootloader", "tee", "snp", *_RESERVED_SPL[1:], "microcode")

_CERT_SIGN_BIT, _CRL_SIGN_BIT = 0x04, 0x02


class CaRole(StrEnum):
    """A certificate authority: AMD's root key, the signing key of VCEKs, the signing key of VLEKs."""

    ARK = "ark"
    ASK = "ask"
    ASVK = "asvk"


# Serial number and start of validity of AMD's own certificates; each is valid for 25 years.
_SERIALS_AND_STARTS = {
    (ProductLine.MILAN, CaRole.ARK): (0x010000, datetime(2020, 10, 22, 17, 23, 5, tzinfo=UTC)),
    (ProductLine.MILAN, CaRole.ASK): (0x010001, datetime(2020, 10, 22, 18, 24, 20, tzinfo=UTC)),
    (ProductLine.MILAN, CaRole.ASVK): (0x010101, datetime(2022, 11, 16, 22, 45, 24, tzinfo=UTC)),
    (ProductLine.GENOA, CaRole.ARK): (0x020000, datetime(2022, 1, 26, 15, 34, 37, tzinfo=UTC)),
    (ProductLine.GENOA, CaRole.ASK): (0x020002, datetime(2022, 10, 31, 13, 33, 48, tzinfo=UTC)),
    (ProductLine.GENOA, CaRole.ASVK): (0x020101, datetime(2022, 11, 18, 20, 48, 34, tzinfo=UTC)),
    (ProductLine.TURIN, CaRole.ARK): (0x030000, datetime(2023, 5, 15, 20, 3, 12, tzinfo=UTC)),
    (ProductLine.TURIN, CaRole.ASK): (0x030001, datetime(2023, 5, 15, 20, 25, 21, tzinfo=UTC)),
    (ProductLine.TURIN, CaRole.ASVK): (0x030101, datetime(2023, 5, 15, 21, 9, 41, tzinfo=UTC)),
}
_AUTHORITY_YEARS = 25
ISSUERS = {SigningKey.VCEK: CaRole.ASK, SigningKey.VLEK: CaRole.ASVK}
_VEK_YEARS = {SigningKey.VCEK: 7, SigningKey.VLEK: 1}


def authority_name(line: ProductLine, role: CaRole) -> Name:
    """Return the name of an authority: `ARK-Milan`, `SEV-Milan` for the ASK, `SEV-VLEK-Milan` for the ASVK."""
    return Name({CaRole.ARK: f"ARK-{line}", CaRole.ASK: f"SEV-{line}", CaRole.ASVK: f"SEV-VLEK-{line}"}[role])


def authority_template(
    line: ProductLine, role: CaRole, key: rsa.RSAPublicKey, ark_key: rsa.RSAPublicKey
) -> CertificateTemplate:
    """Return the certificate of an ARK (to be signed by itself), ASK or ASVK (to be signed by the ARK)."""
    serial, start = _SERIALS_AND_STARTS[line, role]
    return CertificateTemplate(
        serial=serial,
        issuer=authority_name(line, CaRole.ARK),
        subject=authority_name(line, role),
        not_before=start,
        not_after=start.replace(year=start.year + _AUTHORITY_YEARS),
        spki=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extensions=_authority_extensions(line, role, key, ark_key),
        pss=Pss(explicit_trailer=True),
    )


def _authority_extensions(
    line: ProductLine, role: CaRole, key: rsa.RSAPublicKey, ark_key: rsa.RSAPublicKey
) -> tuple[X509Extension, ...]:
    """Return AMD's extensions in AMD's order. As in AMD's ASK, the key usage has one unused bit; DER would have two."""
    subject_key_id = X509Extension(SUBJECT_KEY_ID, der.octet_string(key_id(key)))
    url = crl_url(line, SigningKey.VLEK if role is CaRole.ASVK else SigningKey.VCEK)
    full_name = der.implicit(0, der.implicit(6, url.encode()), constructed=True)
    crl_points = X509Extension(
        CRL_DISTRIBUTION_POINTS, der.sequence(der.sequence(der.implicit(0, full_name, constructed=True)))
    )
    if role is CaRole.ARK:
        return (key_usage(_CERT_SIGN_BIT | _CRL_SIGN_BIT), subject_key_id, basic_constraints(ca=True), crl_points)
    return (
        subject_key_id,
        authority_key_id(ark_key),
        basic_constraints(ca=True, path_length=0),
        key_usage(_CERT_SIGN_BIT),
        crl_points,
    )


def key_id(key: rsa.RSAPublicKey) -> bytes:
    """Return the key identifier by RFC 5280, 4.2.1.2, method 1: SHA-1 of the PKCS #1 key. It is only a name."""
    return hashlib.sha1(key.public_bytes(Encoding.DER, PublicFormat.PKCS1), usedforsecurity=False).digest()


def authority_key_id(key: rsa.RSAPublicKey) -> X509Extension:
    return X509Extension(AUTHORITY_KEY_ID, der.sequence(der.implicit(0, key_id(key))))


def key_usage(bits: int) -> X509Extension:
    return X509Extension(KEY_USAGE, der.bit_string(bytes([bits]), unused_bits=1), critical=True)


def basic_constraints(*, ca: bool, path_length: int | None = None) -> X509Extension:
    parts = [der.boolean(True)] if ca else []
    if path_length is not None:
        parts.append(der.integer(path_length))
    return X509Extension(BASIC_CONSTRAINTS, der.sequence(*parts), critical=True)


def vcek_template(
    line: ProductLine, hwid: bytes, tcb: Tcb, *, spki: bytes, not_before: datetime
) -> CertificateTemplate:
    """Return the certificate of a chip's own key: valid for seven years, hwID of 64 bytes (Turin 8) without a tag."""
    product_name = "Milan-B0" if line is ProductLine.MILAN else str(line)
    extensions = (*_vek_extensions(line, product_name, tcb), X509Extension(HWID, hwid))
    return _vek_template(line, SigningKey.VCEK, extensions, spki, not_before)


def vlek_template(
    line: ProductLine, csp_id: str, tcb: Tcb, *, spki: bytes, not_before: datetime
) -> CertificateTemplate:
    """Return the certificate of a cloud provider's key: valid for one year, the provider's name instead of hwID."""
    extensions = (*_vek_extensions(line, str(line), tcb), X509Extension(CSP_ID, der.ia5_string(csp_id)))
    return _vek_template(line, SigningKey.VLEK, extensions, spki, not_before)


def _vek_template(
    line: ProductLine, kind: SigningKey, extensions: tuple[X509Extension, ...], spki: bytes, not_before: datetime
) -> CertificateTemplate:
    """Return a VEK certificate: serial number 0, no default trailerField, only AMD's own extensions."""
    return CertificateTemplate(
        serial=0,
        issuer=authority_name(line, ISSUERS[kind]),
        subject=Name(f"SEV-{kind.name}"),
        not_before=not_before,
        not_after=_years_later(not_before, _VEK_YEARS[kind]),
        spki=spki,
        extensions=extensions,
    )


def _years_later(moment: datetime, years: int) -> datetime:
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year + years, day=28)


def _vek_extensions(line: ProductLine, product_name: str, tcb: Tcb) -> tuple[X509Extension, ...]:
    turin = line is ProductLine.TURIN
    levels = vars(tcb) | dict.fromkeys(_RESERVED_SPL, 0)
    return (
        X509Extension(STRUCT_VERSION, der.integer(1 if turin else 0)),
        X509Extension(PRODUCT_NAME, der.ia5_string(product_name)),
        *(X509Extension(SPL[part], der.integer(levels[part])) for part in (_TURIN_ORDER if turin else _LEGACY_ORDER)),
    )


def crl_template(
    line: ProductLine,
    ark_key: rsa.RSAPublicKey,
    *,
    this_update: datetime,
    next_update: datetime | None,
    revoked: tuple[int, ...],
    number: int,
) -> CrlTemplate:
    """Return the ARK's list of revoked serial numbers."""
    return CrlTemplate(
        issuer=authority_name(line, CaRole.ARK),
        this_update=this_update,
        next_update=next_update,
        revoked=revoked,
        extensions=(authority_key_id(ark_key), X509Extension(CRL_NUMBER, der.integer(number))),
    )
