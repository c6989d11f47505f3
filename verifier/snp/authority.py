"""What an authority of AMD's is: its name, key, extensions and signatures, each in the one form that AMD gives it.

Sources: AMD 57230 for the form of certificates, RFC 5280 for CA rules, RFC 4055 for RSASSA-PSS parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.snp.certificates import Certificate, Signed
from provenance_oracle.verifier.snp.crl import AUTHORITY_KEY_ID
from provenance_oracle.verifier.snp.der import OBJECT_ID, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING

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

_SUBJECT_KEY_ID, _KEY_USAGE, _BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.19"
_CRL_DISTRIBUTION_POINTS = "2.5.29.31"
# Extensions of an authority by name, and each with whether it is critical, as AMD marks it (RFC 5280, 4.2.1).
_CA_EXTENSIONS = {
    _SUBJECT_KEY_ID: "SubjectKeyIdentifier",
    _KEY_USAGE: "KeyUsage",
    _BASIC_CONSTRAINTS: "BasicConstraints",
    _CRL_DISTRIBUTION_POINTS: "CRLDistributionPoints",
    AUTHORITY_KEY_ID: "AuthorityKeyIdentifier",
}
_MARKED = {(oid, oid in (_KEY_USAGE, _BASIC_CONSTRAINTS)) for oid in _CA_EXTENSIONS}
# Bits 5 and 6 of KeyUsage, counted from the highest: may sign certificates, may sign revocation lists.
_KEY_CERT_SIGN, _CRL_SIGN = 0x04, 0x02
_BIT_STRING_OF_ONE_BYTE = bytes.fromhex("0302")


@dataclass(frozen=True)
class AuthorityForm:
    """What tells a root from an intermediate: the DER of BasicConstraints, and the bits that KeyUsage must have."""

    constraints: bytes
    usage: int


ROOT = AuthorityForm(bytes.fromhex("30030101ff"), _KEY_CERT_SIGN | _CRL_SIGN)  # CA, no limit to the path
INTERMEDIATE = AuthorityForm(bytes.fromhex("30060101ff020100"), _KEY_CERT_SIGN)  # CA, path length 0


def verify_authority(certificate: Certificate, issuer: Certificate, form: AuthorityForm) -> None:
    """An authority's certificate: AMD's kind of key and extensions, a CA that may sign what it signs, and signed.

    Raises:
        VerificationError: otherwise (check `vek-chain`).
    """
    _authority_key(certificate)
    odd = [extension.oid for extension in certificate.extensions if (extension.oid, extension.critical) not in _MARKED]
    if odd:
        refuse(certificate, "extensions", f"foreign or wrongly marked: {', '.join(odd)}", "those of an authority")
    constraints, usage = _extension(certificate, _BASIC_CONSTRAINTS), _extension(certificate, _KEY_USAGE)
    if constraints != form.constraints:
        refuse(certificate, "basic constraints", constraints.hex(), f"{form.constraints.hex()}: a CA of this level")
    # a count of unused bits stands before the bits; AMD's is not what DER asks for, so only the bits are looked at
    if usage[:-2] != _BIT_STRING_OF_ONE_BYTE or usage[-1] & form.usage != form.usage:
        refuse(certificate, "key usage", f"{usage.hex()}: may not sign all it signs", f"bits {form.usage:#04x}")
    if certificate is not issuer:
        authority = _extension(certificate, AUTHORITY_KEY_ID)
        if authority != authority_key_id_of(issuer):
            refuse(certificate, "authority key id", authority.hex(), authority_key_id_of(issuer).hex())
    verify_issued(certificate, issuer)


def authority_key_id_of(issuer: Certificate) -> bytes:
    """What a certificate or list by `issuer` must say in its authority key id: the issuer's own key id."""
    key_id = _extension(issuer, _SUBJECT_KEY_ID)
    return b"\x30\x16\x80" + key_id[1:]


def verify_issued(certificate: Certificate, issuer: Certificate) -> None:
    """The issuer's name and signature. Raises VerificationError (check `vek-chain`)."""
    if certificate.issuer != issuer.subject:
        refuse(certificate, "issuer", "another name", issuer.common_name)
    verify_pss(certificate.signed, issuer, Check.VEK_CHAIN, certificate.where, certificate.common_name)


def verify_pss(signed: Signed, issuer: Certificate, check: Check, where: str, what: str) -> None:
    """Verify an authority's signature; the algorithm is judged by its bytes before the library sees anything.

    Raises:
        VerificationError: another algorithm, or it does not hold (check `check`).
    """
    if signed.algorithm not in (PSS_PLAIN, PSS_WITH_TRAILER):
        fail(check, where, f"signature algorithm of {what}", signed.algorithm.hex(), "RSASSA-PSS, SHA-384, salt 48")
    key = _authority_key(issuer)
    try:
        key.verify(signed.signature, signed.tbs, PSS(MGF1(SHA384()), _SALT_BYTES), SHA384())
    except InvalidSignature:
        fail(check, where, f"signature of {what}", "does not verify", f"a signature by {issuer.common_name}")


def expect_subject(certificate: Certificate, common_name: str) -> None:
    """AMD's name with this common name. Raises VerificationError (check `vek-chain`)."""
    if certificate.subject != _amd_name(common_name):
        refuse(
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


def _authority_key(certificate: Certificate) -> RSAPublicKey:
    key = certificate.key
    if not isinstance(key, RSAPublicKey) or key.key_size != _RSA_BITS or key.public_numbers().e != _RSA_EXPONENT:
        refuse(certificate, "kind of key", "another key", f"RSA-{_RSA_BITS}, exponent {_RSA_EXPONENT}")
    return key


def _extension(certificate: Certificate, oid: str) -> bytes:
    value = certificate.extension(oid)
    return refuse(certificate, "extension", f"no {_CA_EXTENSIONS[oid]}", "one") if value is None else value


def refuse(certificate: Certificate, what: str, got: str, wanted: str) -> NoReturn:
    fail(Check.VEK_CHAIN, certificate.where, f"{what} ({certificate.common_name or 'unnamed'})", got, wanted)


def fail(check: Check, where: str, what: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(what, check=check, where=where, got=got or "nothing", wanted=wanted)
