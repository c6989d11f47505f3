"""From a VCEK or VLEK up to AMD's root: pinned root, exact names and algorithms, validity at a stated time, CRL.

Sources: AMD 57230 for the chain's form, RFC 5280 for validity, CA rules and CRLs, RFC 4055 for RSASSA-PSS
parameters. General path builders do not fit: a VEK has no authority key id and serial number 0.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384

from verifier.checks import Check
from verifier.errors import VerificationError
from verifier.snp.certificates import Certificate, Signed, parse_certificate, split_certificates
from verifier.snp.crl import AUTHORITY_KEY_ID, Crl
from verifier.snp.der import OBJECT_ID, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING
from verifier.snp.endorsements import Endorsements
from verifier.snp.products import ProductLine, RootKind, TrustedRoot
from verifier.snp.report import SigningKey
from verifier.timestamps import format_time

# AlgorithmIdentifier of RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, in the two forms that AMD
# writes: plainly, and (ARK, ASK, ASVK, many VCEKs of Milan) with the default trailerField a3 03 02 01 01, which strict
# DER would leave away.
_PSS_PARAMETERS = (
    "a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"
)
_PSS_OID = "06092a864886f70d01010a"
PSS_PLAIN = bytes.fromhex(f"3041{_PSS_OID}3034{_PSS_PARAMETERS}")
PSS_WITH_TRAILER = bytes.fromhex(f"3046{_PSS_OID}3039{_PSS_PARAMETERS}a303020101")
_RSA_BITS, _RSA_EXPONENT, _SALT_BYTES = 4096, 65537, 48

# Extensions of an authority by name, and the only values that some of them may have (DER, RFC 5280, 4.2.1).
_SUBJECT_KEY_ID, _KEY_USAGE, _BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.19"
_CRL_DISTRIBUTION_POINTS = "2.5.29.31"
_CA_EXTENSIONS = {
    _SUBJECT_KEY_ID: "SubjectKeyIdentifier",
    _KEY_USAGE: "KeyUsage",
    _BASIC_CONSTRAINTS: "BasicConstraints",
    _CRL_DISTRIBUTION_POINTS: "CRLDistributionPoints",
    AUTHORITY_KEY_ID: "AuthorityKeyIdentifier",
}
_CA = bytes.fromhex("30030101ff")
_CA_OVER_LEAVES = bytes.fromhex("30060101ff020100")  # path length 0
_BIT_STRING_START = bytes.fromhex("0302")  # of two bytes: a count of unused bits and eight bits
_KEY_CERT_SIGN = 0x04  # bit 5, counted from the highest


class Revocation(StrEnum):
    """What is known of the intermediate's revocation; "revoked" is not here because it raises."""

    NOT_REVOKED = "not revoked"
    UNAVAILABLE = "unavailable"
    STALE = "stale"


@dataclass(frozen=True)
class VerifiedChain:
    """Endorsements that hold up to a trusted root at moment `at`."""

    line: ProductLine
    root_kind: RootKind
    endorsements: Endorsements
    at: datetime
    revocation: Revocation


def verify_chain(endorsements: Endorsements, *, roots: tuple[TrustedRoot, ...], at: datetime) -> VerifiedChain:
    """Verify the certificates above a report.

    The order is from the root down, so that a revoked intermediate is called revoked whatever is below it.

    Args:
        roots: the ARKs to accept; a certificate that comes with the evidence is only compared with them.
        at: the moment to judge for, aware.

    Raises:
        VerificationError: checks `vek-chain`, `vek-validity`, `vek-revocation`.
    """
    vek, intermediate, ark = endorsements.vek.certificate, endorsements.intermediate, endorsements.ark
    # (1) the ARK is one of the trusted roots, and signs itself
    root = _match_root(ark, roots)
    line = root.line
    _expect_name(ark, ark.subject, f"ARK-{line}")
    _verify_authority(ark, ark, _CA)
    # (2) ASK over VCEKs, ASVK over VLEKs, signed by the ARK
    kind = endorsements.vek.kind
    _expect_name(
        intermediate, intermediate.subject, {SigningKey.VCEK: f"SEV-{line}", SigningKey.VLEK: f"SEV-VLEK-{line}"}[kind]
    )
    _verify_authority(intermediate, ark, _CA_OVER_LEAVES)
    # (3) both in their time, and the intermediate not revoked
    _check_validity(ark, at)
    _check_validity(intermediate, at)
    revocation = _verify_revocation(intermediate, ark, endorsements.crl, at)
    # (4) the VEK: a P-384 key, signed by the intermediate, in its time
    _expect_name(vek, vek.subject, f"SEV-{kind.name}")
    _verify_issued(vek, intermediate)
    if not isinstance(vek.key, EllipticCurvePublicKey) or not isinstance(vek.key.curve, SECP384R1):
        _refuse(vek, "kind of key", "another key", "elliptic curve P-384")
    _check_validity(vek, at)
    return VerifiedChain(line, root.kind, endorsements, at, revocation)


def unsafe_root(data: bytes, where: str) -> TrustedRoot:
    """Make a root of whatever ARK somebody supplies. Everything judged under it is marked `unsafe`.

    Raises:
        FormatError: not one certificate. VerificationError: its name is not that of an ARK.
    """
    ders = split_certificates(data, where)
    certificate = parse_certificate(ders[0], where)
    for line in ProductLine:
        if len(ders) == 1 and certificate.common_name == f"ARK-{line}":
            return TrustedRoot(line, hashlib.sha256(certificate.der).digest(), RootKind.UNSAFE)
    return _refuse(certificate, "subject", certificate.common_name, "one ARK, named ARK-Milan, ARK-Genoa or ARK-Turin")


def _match_root(ark: Certificate, roots: tuple[TrustedRoot, ...]) -> TrustedRoot:
    digest = hashlib.sha256(ark.der).digest()
    for root in roots:
        if root.ark_sha256 == digest:
            return root
    kinds = sorted({str(root.kind) for root in roots})
    return _refuse(
        ark, "root is not trusted", f"{ark.common_name} {digest.hex()}", f"a pinned root ({', '.join(kinds)})"
    )


def _verify_authority(certificate: Certificate, issuer: Certificate, constraints: bytes) -> None:
    """An authority's certificate: RSA-4096, CA, the path length AMD uses, allowed to sign, no foreign extension."""
    if not _is_amd_rsa(certificate):
        _refuse(certificate, "kind of key", "another key", "RSA-4096, exponent 65537")
    foreign = {extension.oid for extension in certificate.extensions} - _CA_EXTENSIONS.keys()
    if foreign:
        _refuse(certificate, "extensions", ", ".join(sorted(foreign)), "only those of an authority")
    if _extension(certificate, _BASIC_CONSTRAINTS) != constraints:
        got = _extension(certificate, _BASIC_CONSTRAINTS).hex()
        _refuse(certificate, "basic constraints", got, f"{constraints.hex()}: a CA with AMD's path length")
    if not _may_sign_certificates(certificate):
        _refuse(certificate, "key usage", "may not sign certificates", "keyCertSign")
    if certificate is not issuer:
        authority = _extension(certificate, AUTHORITY_KEY_ID)
        if authority != _authority_key_id_of(issuer):
            _refuse(certificate, "authority key id", authority.hex(), _authority_key_id_of(issuer).hex())
    _verify_issued(certificate, issuer)


def _may_sign_certificates(certificate: Certificate) -> bool:
    """KeyUsage is a BIT STRING: tag, length, count of unused bits, bits. AMD counts fewer unused than DER."""
    usage = _extension(certificate, _KEY_USAGE)
    return len(usage) == 4 and usage[:2] == _BIT_STRING_START and bool(usage[3] & _KEY_CERT_SIGN)


def _authority_key_id_of(issuer: Certificate) -> bytes:
    """What a certificate or list by `issuer` must say in its authority key id: the issuer's own key id."""
    key_id = _extension(issuer, _SUBJECT_KEY_ID)
    return b"\x30\x16\x80" + key_id[1:]


def _verify_issued(certificate: Certificate, issuer: Certificate) -> None:
    if certificate.issuer != issuer.subject:
        _refuse(certificate, "issuer", "another name", issuer.common_name)
    verify_pss(certificate.signed, issuer, Check.VEK_CHAIN, certificate.where, certificate.common_name)


def verify_pss(signed: Signed, issuer: Certificate, check: Check, where: str, what: str) -> None:
    """Verify an authority's signature; the algorithm is judged by its bytes before the library sees anything.

    Raises:
        VerificationError: another algorithm, or it does not hold (check `check`).
    """
    if signed.algorithm not in (PSS_PLAIN, PSS_WITH_TRAILER):
        _fail(check, where, f"signature algorithm of {what}", signed.algorithm.hex(), "RSASSA-PSS, SHA-384, salt 48")
    assert isinstance(issuer.key, RSAPublicKey)
    try:
        issuer.key.verify(signed.signature, signed.tbs, PSS(MGF1(SHA384()), _SALT_BYTES), SHA384())
    except InvalidSignature:
        _fail(check, where, f"signature of {what}", "does not verify", f"a signature by {issuer.common_name}")


def _verify_revocation(intermediate: Certificate, ark: Certificate, crl: Crl | None, at: datetime) -> Revocation:
    """Only the intermediate can be revoked: it issues no list itself, and all VEKs share serial number 0."""
    if crl is None:
        return Revocation.UNAVAILABLE
    if crl.issuer != ark.subject:
        _fail(Check.VEK_REVOCATION, crl.where, "issuer of the CRL", "another name", ark.common_name)
    if crl.authority_key_id != _authority_key_id_of(ark):
        _fail(Check.VEK_REVOCATION, crl.where, "authority key id of the CRL", "another key", ark.common_name)
    verify_pss(crl.signed, ark, Check.VEK_REVOCATION, crl.where, "the CRL")
    # revoked is revoked, however old the list that says so
    if intermediate.serial in crl.revoked_serials:
        _fail(
            Check.VEK_REVOCATION,
            intermediate.where,
            f"{intermediate.common_name} is revoked",
            f"serial {intermediate.serial} in CRL no. {crl.number}",
            "a certificate that AMD has not revoked",
        )
    return Revocation.NOT_REVOKED if crl.this_update <= at <= crl.next_update else Revocation.STALE


def _check_validity(certificate: Certificate, at: datetime) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        _fail(
            Check.VEK_VALIDITY,
            certificate.where,
            f"{certificate.common_name} is not valid then",
            format_time(at),
            f"{format_time(certificate.not_before)} to {format_time(certificate.not_after)}",
        )


def _expect_name(certificate: Certificate, name: bytes, common_name: str) -> None:
    if name != _amd_name(common_name):
        _refuse(
            certificate,
            "subject",
            certificate.common_name or "another name",
            f"CN={common_name}, Advanced Micro Devices",
        )


def _amd_name(common_name: str) -> bytes:
    """The DER of AMD's names: always these six attributes, under 2.5.4, each alone in a set, in this order."""
    attributes = (
        (11, UTF8_STRING, "Engineering"),  # organizational unit
        (6, PRINTABLE_STRING, "US"),
        (7, UTF8_STRING, "Santa Clara"),
        (8, UTF8_STRING, "CA"),
        (10, UTF8_STRING, "Advanced Micro Devices"),
        (3, UTF8_STRING, common_name),
    )
    name = b""
    for kind, tag, text in attributes:
        attribute = _encode(OBJECT_ID, bytes((0x55, 4, kind))) + _encode(tag, text.encode())
        name += _encode(SET, _encode(SEQUENCE, attribute))
    return _encode(SEQUENCE, name)


def _encode(tag: int, content: bytes) -> bytes:
    """One DER value of at most 255 bytes."""
    length = (len(content),) if len(content) < 0x80 else (0x81, len(content))
    return bytes((tag, *length)) + content


def _is_amd_rsa(certificate: Certificate) -> bool:
    key = certificate.key
    return isinstance(key, RSAPublicKey) and key.key_size == _RSA_BITS and key.public_numbers().e == _RSA_EXPONENT


def _extension(certificate: Certificate, oid: str) -> bytes:
    value = certificate.extension(oid)
    return _refuse(certificate, "extension", f"no {_CA_EXTENSIONS[oid]}", "one") if value is None else value


def _refuse(certificate: Certificate, what: str, got: str, wanted: str) -> NoReturn:
    _fail(Check.VEK_CHAIN, certificate.where, f"{what} ({certificate.common_name or 'unnamed'})", got, wanted)


def _fail(check: Check, where: str, what: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(what, check=check, where=where, got=got, wanted=wanted)
