"""Verify AMD's certificate authorities: names, keys, extensions and signatures, each in the one form that AMD uses.

Sources: AMD 57230 for the form of the certificates, RFC 5280, section 4.2.1, for the rules of a CA, RFC 4055, section
3.1, for the RSASSA-PSS parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.snp.certificates import CERTIFICATE_MAX_BYTES, Certificate, Signed
from provenance_oracle.verifier.snp.crl import AUTHORITY_KEY_ID
from provenance_oracle.verifier.snp.der import OBJECT_ID, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING

# AlgorithmIdentifier of RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, in the two forms that AMD
# writes. ARK, ASK, ASVK and many VCEKs of Milan encode the default trailerField a3 03 02 01 01, which strict DER omits.
_PSS_PARAMETERS = (
    "a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"
)
_PSS_OID = "06092a864886f70d01010a"
PSS_PLAIN = bytes.fromhex(f"3041{_PSS_OID}3034{_PSS_PARAMETERS}")
PSS_WITH_TRAILER = bytes.fromhex(f"3046{_PSS_OID}3039{_PSS_PARAMETERS}a303020101")
_SIGNED_MAX = 32
_RSA_BITS, _RSA_EXPONENT, _SALT_BYTES = 4096, 65537, 48

SUBJECT_KEY_ID, _KEY_USAGE, _BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.19"
_CRL_DISTRIBUTION_POINTS = "2.5.29.31"
# The extensions of an authority with their names (RFC 5280, 4.2.1), and each with the critical flag that AMD sets.
_CA_EXTENSIONS = {
    SUBJECT_KEY_ID: "SubjectKeyIdentifier",
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
    """The form of a root or an intermediate: the DER of BasicConstraints and the required bits of KeyUsage."""

    constraints: bytes
    usage: int


ROOT = AuthorityForm(bytes.fromhex("30030101ff"), _KEY_CERT_SIGN | _CRL_SIGN)  # CA, no limit to the path
INTERMEDIATE = AuthorityForm(bytes.fromhex("30060101ff020100"), _KEY_CERT_SIGN)  # CA, path length 0


def verify_authority(certificate: Certificate, issuer: Certificate, form: AuthorityForm) -> None:
    """Verify the certificate of an authority of AMD against its issuer.

    The key must be RSA-4096, the extensions must be AMD's, BasicConstraints and KeyUsage must fit `form`, the authority
    key id must be the issuer's (not checked for a root), and the issuer must have signed the certificate.

    Raises:
        VerificationError: the certificate breaks one of these rules (check `vek-chain`).
    """
    _authority_key(certificate)
    odd = [extension.oid for extension in certificate.extensions if (extension.oid, extension.critical) not in _MARKED]
    if odd:
        refuse(certificate, "wrong extensions", f"foreign or wrongly marked: {', '.join(odd)}", "those of an authority")
    constraints, usage = _extension(certificate, _BASIC_CONSTRAINTS), _extension(certificate, _KEY_USAGE)
    if constraints != form.constraints:
        refuse(
            certificate, "wrong basic constraints", constraints.hex(), f"{form.constraints.hex()}: a CA of this level"
        )
    # the byte before the bits counts unused bits; AMD's count is not the one that DER requires, so it is not checked
    if usage[:-2] != _BIT_STRING_OF_ONE_BYTE or usage[-1] & form.usage != form.usage:
        refuse(certificate, "wrong key usage", f"{usage.hex()}: may not sign all it signs", f"bits {form.usage:#04x}")
    if certificate is not issuer:
        authority = _extension(certificate, AUTHORITY_KEY_ID)
        if authority != authority_key_id_of(issuer):
            refuse(certificate, "wrong authority key id", authority.hex(), authority_key_id_of(issuer).hex())
    verify_issued(certificate, issuer)


def authority_key_id_of(issuer: Certificate) -> bytes:
    """Return the DER that the authority key id of every certificate and list by `issuer` must have.

    It contains the issuer's subject key id (RFC 5280, section 4.2.1.1).

    Raises:
        VerificationError: the issuer has no subject key id (check `vek-chain`).
    """
    return authority_key_id_with(_extension(issuer, SUBJECT_KEY_ID))


def authority_key_id_with(subject_key_id: bytes) -> bytes:
    """Return the DER of the authority key id that contains a subject key id of 20 bytes, given in DER too."""
    return b"\x30\x16\x80" + subject_key_id[1:]


def verify_issued(certificate: Certificate, issuer: Certificate) -> None:
    """Verify that a certificate names `issuer` as its issuer and that the issuer's key signed it.

    Raises:
        VerificationError: the name differs or the signature does not verify (check `vek-chain`).
    """
    if certificate.issuer != issuer.subject:
        refuse(certificate, "wrong issuer", "another name", issuer.common_name)
    verify_pss(certificate.signed, issuer, Check.VEK_CHAIN, certificate.where, certificate.common_name)


def verify_pss(signed: Signed, issuer: Certificate, check: Check, where: str, what: str) -> None:
    """Verify the RSASSA-PSS signature of an authority: SHA-384, MGF1 with SHA-384, salt of 48 bytes.

    The DER of the algorithm must equal one of AMD's two forms. `what` names the signed object in messages.

    Raises:
        VerificationError: the algorithm is another one, or the signature does not verify (check `check`); or the
            issuer's key is not RSA-4096 (check `vek-chain`).
    """
    if signed.algorithm not in (PSS_PLAIN, PSS_WITH_TRAILER):
        fail(
            check,
            where,
            f"unsupported signature algorithm of {what}",
            signed.algorithm.hex(),
            "RSASSA-PSS, SHA-384, salt 48",
        )
    _authority_key(issuer)
    verifies = _is_signed if len(signed.tbs) <= CERTIFICATE_MAX_BYTES else _is_signed.__wrapped__
    if not verifies(issuer.spki, signed):
        fail(check, where, f"invalid signature of {what}", "does not verify", f"a signature by {issuer.common_name}")


@lru_cache(maxsize=_SIGNED_MAX)  # all releases from machines of one kind bring the same authorities
def _is_signed(spki: bytes, signed: Signed) -> bool:
    """Return whether the signature is one by the RSA key with this SubjectPublicKeyInfo (DER)."""
    key = load_der_public_key(spki)
    assert isinstance(key, RSAPublicKey)
    if len(signed.signature) * 8 != _RSA_BITS:  # OpenSSL takes one without its leading zero bytes (RFC 8017, 8.1.2)
        return False
    try:
        key.verify(signed.signature, signed.tbs, PSS(MGF1(SHA384()), _SALT_BYTES), SHA384())
    except InvalidSignature:
        return False
    return True


def expect_subject(certificate: Certificate, common_name: str) -> None:
    """Verify that the subject is AMD's name with this common name.

    Raises:
        VerificationError: the subject is another name (check `vek-chain`).
    """
    if certificate.subject != _amd_name(common_name):
        refuse(
            certificate,
            "wrong subject",
            certificate.common_name or "another name",
            f"CN={common_name}, Advanced Micro Devices",
        )


def _amd_name(common_name: str) -> bytes:
    """Return the DER of AMD's name: these six attributes under 2.5.4, each in a set of its own, in this order."""
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
    """Return one DER value with a content of at most 255 bytes."""
    length = (len(content),) if len(content) < 0x80 else (0x81, len(content))
    return bytes((tag, *length)) + content


def _authority_key(certificate: Certificate) -> RSAPublicKey:
    key = certificate.key
    if not isinstance(key, RSAPublicKey) or key.key_size != _RSA_BITS or key.public_numbers().e != _RSA_EXPONENT:
        refuse(certificate, "wrong kind of key", "another key", f"RSA-{_RSA_BITS}, exponent {_RSA_EXPONENT}")
    return key


def _extension(certificate: Certificate, oid: str) -> bytes:
    value = certificate.extension(oid)
    return refuse(certificate, "missing extension", f"no {_CA_EXTENSIONS[oid]}", "one") if value is None else value


def refuse(certificate: Certificate, what: str, got: str, wanted: str) -> NoReturn:
    """Raise a VerificationError about a certificate, with the problem `what` (check `vek-chain`)."""
    fail(Check.VEK_CHAIN, certificate.where, f"{what} ({certificate.common_name or 'unnamed'})", got, wanted)


def fail(check: Check, where: str, what: str, got: str, wanted: str) -> NoReturn:
    """Raise a VerificationError with the problem `what`."""
    raise VerificationError(what, check=check, where=where, got=got or "nothing", wanted=wanted)
