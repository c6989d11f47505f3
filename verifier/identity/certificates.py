"""Certificates of the method `certificate`, read eagerly, and the rules that each has to keep (RFC 5280).

`cryptography` parses many fields only when they are asked for. Everything that the rules look at is read here at once,
so that a malformed certificate is a FormatError and nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.names import IdentityKind, is_line
from provenance_oracle.verifier.identity.signer import forged

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
_RSA_MIN_BITS = 2048
_CURVES = (SECP256R1, SECP384R1, SECP521R1)
# Critical extensions that are looked at, here or (name constraints) by OpenSSL.
_KNOWN = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.NAME_CONSTRAINTS,
}


@dataclass(frozen=True)
class SigningCertificate:
    """A certificate of a signer or of a CA above one.

    Attributes:
        certificate: as parsed.
        where: its place, for messages.
        hashed_with: the hash of its signature; None for an algorithm that has none, or that nobody knows.
        key: the public key: ECDSA on a NIST curve, or RSA.
        spki_digest: SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes.
        begins, ends: the first and the last moment of its validity.
        ca, path_length: basic constraints; False and None without them.
        usage, purposes: key usage and extended key usage; None without them.
        unknown: the critical extensions that no rule looks at.
        names: its names: the alternative names as `kind:name`, or without any the subject as `dn:name`.
        is_self_issued: it names itself as its issuer, as self-signed certificates do. The signature is not looked at.
    """

    certificate: x509.Certificate
    where: str
    hashed_with: HashAlgorithm | None
    key: EllipticCurvePublicKey | RSAPublicKey
    spki_digest: bytes
    begins: datetime
    ends: datetime
    ca: bool
    path_length: int | None
    usage: x509.KeyUsage | None
    purposes: frozenset[x509.ObjectIdentifier] | None
    unknown: tuple[str, ...]
    names: tuple[str, ...]
    is_self_issued: bool


def parse_signing_certificate(der: bytes, where: str) -> SigningCertificate:
    """Parse a DER certificate of a signer or CA.

    Args:
        where: its place, for messages.

    Raises:
        FormatError: it is malformed, or has a key of another kind (check `publisher-signature`).
    """
    try:
        return _read(x509.load_der_x509_certificate(der), where)
    except FormatError:
        raise
    except Exception as error:  # cryptography documents no closed list for malformed fields
        got = f"{type(error).__name__}: {error}"
        raise malformed_certificate(where, got[:200], "a DER certificate as RFC 5280 has it") from error


def parse_anchors(pem: bytes, where: str) -> tuple[SigningCertificate, ...]:
    """Parse a file with one or more PEM certificates of CAs.

    Raises:
        FormatError: a certificate is malformed, or there is none (check `publisher-signature`).
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise malformed_certificate(where, str(error)[:200], "PEM blocks CERTIFICATE") from error
    return tuple(parse_signing_certificate(one.public_bytes(Encoding.DER), where) for one in certificates)


def _read(certificate: x509.Certificate, where: str) -> SigningCertificate:
    _refuse_unused_bits(certificate, where)
    key = certificate.public_key()
    wanted = "a key for ECDSA on P-256, P-384 or P-521, or for RSA"
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise malformed_certificate(where, type(key).__name__, wanted)
    if isinstance(key, EllipticCurvePublicKey) and not isinstance(key.curve, _CURVES):
        raise malformed_certificate(where, key.curve.name, wanted)
    extensions = certificate.extensions
    basic = _value(extensions, x509.BasicConstraints)
    purposes = _value(extensions, x509.ExtendedKeyUsage)
    alternative = _value(extensions, x509.SubjectAlternativeName)
    critical = {extension.oid for extension in extensions if extension.critical}
    return SigningCertificate(
        certificate,
        where,
        _hash_of(certificate),
        key,
        hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        bool(basic and basic.ca),
        basic.path_length if basic else None,
        _value(extensions, x509.KeyUsage),
        frozenset(purposes) if purposes else None,
        tuple(sorted(oid.dotted_string for oid in critical - _KNOWN)),
        _names(certificate, alternative),
        bool(certificate.issuer == certificate.subject),
    )


def _refuse_unused_bits(certificate: x509.Certificate, where: str) -> None:
    """Refuse a signature of other than whole bytes, which `cryptography` reads as one: it would have two encodings."""
    unused = certificate.public_bytes(Encoding.DER)[-len(certificate.signature) - 1]
    if unused:
        raise malformed_certificate(where, f"a signature with {unused} unused bits", "a BIT STRING of whole bytes")


def _hash_of(certificate: x509.Certificate) -> HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _value(extensions: x509.Extensions, kind: type[_Kind]) -> _Kind | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _names(certificate: x509.Certificate, alternative: x509.SubjectAlternativeName | None) -> tuple[str, ...]:
    if alternative is None:
        return (f"dn:{certificate.subject.rfc4514_string()}",)
    kinds = {x509.RFC822Name: "email", x509.DNSName: "dns", x509.UniformResourceIdentifier: "uri"}
    return tuple(f"{kinds[type(name)]}:{name.value}" for name in alternative if type(name) in kinds)


def certificate_lines(leaf: SigningCertificate, anchor: SigningCertificate) -> tuple[str, ...]:
    """Return the identities of a leaf that leads up to an anchor, the narrowest first, each as its line.

    A name that a line cannot hold is left out.
    """
    spki = anchor.spki_digest.hex()
    lines = [f"{IdentityKind.CERTIFICATE} {spki} {name}" for name in leaf.names]
    return tuple(filter(is_line, [*lines, f"{IdentityKind.AUTHORITY} {spki}"]))


def refuse_certificate(certificate: SigningCertificate, at: datetime) -> None:
    """Refuse a certificate that breaks a rule for all, from the leaf to the anchor.

    Raises:
        VerificationError: it is not valid at the moment `at`, has a weak key or hash, or a critical extension that
            nobody knows (check `publisher-signature`).
    """
    if not certificate.begins <= at <= certificate.ends:
        valid = f"valid from {certificate.begins:%Y-%m-%d} to {certificate.ends:%Y-%m-%d}"
        raise forged(certificate, "the certificate is not valid now", valid, f"a certificate valid at {at:%Y-%m-%d}")
    if not isinstance(certificate.hashed_with, SHA256 | SHA384 | SHA512):
        got = certificate.certificate.signature_algorithm_oid.dotted_string
        raise forged(certificate, "the certificate's signature has another hash", got, "SHA-256, SHA-384 or SHA-512")
    if isinstance(certificate.key, RSAPublicKey) and certificate.key.key_size < _RSA_MIN_BITS:
        got = f"{certificate.key.key_size} bits"
        raise forged(certificate, "weak key", got, f"RSA of {_RSA_MIN_BITS} bits or more")
    if certificate.unknown:
        got = ", ".join(certificate.unknown)
        raise forged(certificate, "a critical extension that nobody knows", got, "only known critical extensions")


def refuse_leaf(certificate: SigningCertificate) -> EllipticCurvePublicKey:
    """Return the key of a leaf that may sign models. A leaf without extended key usage may; one with a CA flag too.

    Raises:
        VerificationError: it may not (check `publisher-signature`).
    """
    if certificate.usage is None or not certificate.usage.digital_signature:
        raise forged(certificate, "the certificate may not sign", "no digitalSignature", "keyUsage digitalSignature")
    _refuse_purpose(certificate, {ExtendedKeyUsageOID.CODE_SIGNING})
    if not isinstance(certificate.key, EllipticCurvePublicKey):
        raise forged(certificate, "the signer's key is of another kind", "RSA", "ECDSA on P-256, P-384 or P-521")
    return certificate.key


def refuse_issuer(certificate: SigningCertificate, cas_below: int) -> None:
    """Refuse a certificate that may not issue the ones below it.

    Args:
        cas_below: the number of CA certificates between it and the leaf.

    Raises:
        VerificationError: it may not (check `publisher-signature`).
    """
    if not certificate.ca or certificate.usage is None or not certificate.usage.key_cert_sign:
        raise forged(certificate, "the issuer is no CA", "no CA flag, or no keyCertSign", "a CA certificate")
    if certificate.path_length is not None and certificate.path_length < cas_below:
        wanted = f"at most {certificate.path_length}"
        raise forged(certificate, "the chain is too long", f"{cas_below} CAs below this one", wanted)
    _refuse_purpose(certificate, {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def _refuse_purpose(certificate: SigningCertificate, allowed: set[x509.ObjectIdentifier]) -> None:
    if certificate.purposes is not None and not certificate.purposes & allowed:
        got = ", ".join(sorted(oid.dotted_string for oid in certificate.purposes))
        raise forged(certificate, "the certificate has another purpose", got, "codeSigning, or no extended key usage")


def malformed_certificate(where: str, got: str, wanted: str) -> FormatError:
    """Return (do not raise) the error for a certificate that is not one (check `publisher-signature`)."""
    problem = "not an acceptable certificate"
    return FormatError(problem, check=Check.PUBLISHER_SIGNATURE, where=where, got=got, wanted=wanted)
