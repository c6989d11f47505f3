"""Certificates and revocation lists as AMD encodes them: PEM or DER, one encoding, bounded.

`cryptography` parses; the strict walker of `der` makes sure that no other encoding of the same thing passes. AMD's
VEKs have serial number 0, which RFC 5280 forbids and this project must accept.
"""

from __future__ import annotations

import base64
import re
import warnings
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from verifier.checks import Check
from verifier.errors import FormatError
from verifier.snp.der import SEQUENCE, Value, context_tag, parse_der

CERTIFICATE_MAX_BYTES = 16 * 1024
CRL_MAX_BYTES = 1024 * 1024
_BLOCKS_MAX = 4

_PEM_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9+/=]{1,76}\r?\n)+)-----END ([A-Z0-9 ]{1,40})-----"
)


@dataclass(frozen=True)
class Signed:
    """The outer form of a certificate or list: what is signed, by which algorithm, and the signature."""

    tbs: bytes
    algorithm: bytes
    signature: bytes


@dataclass(frozen=True)
class Certificate:
    """One certificate. Names are DER, `common_name` is the subject's (empty if there is not exactly one), times are
    aware, `extensions` are (dotted OID, critical, raw value)."""

    der: bytes
    x509: x509.Certificate
    signed: Signed
    subject: bytes
    issuer: bytes
    common_name: str
    serial: int
    not_before: datetime
    not_after: datetime
    spki: bytes
    key: RSAPublicKey | EllipticCurvePublicKey
    extensions: tuple[tuple[str, bool, bytes], ...]
    where: str


def split_certificates(data: bytes, where: str) -> list[bytes]:
    """Return the DER certificates in `data`: PEM blocks one after another, or DER values one after another.

    Raises:
        FormatError: anything else (check `endorsements-format`).
    """
    return _split_pem(data, b"CERTIFICATE", where) if data.startswith(b"-----BEGIN ") else _split_der(data, where)


def parse_certificate(der: bytes, where: str) -> Certificate:
    """Parse one DER certificate.

    Raises:
        FormatError: not one strictly encoded X.509 v3 certificate with an RSA or elliptic curve key.
    """
    if len(der) > CERTIFICATE_MAX_BYTES:
        raise malformed(where, "too large a certificate", f"{len(der)} bytes", f"at most {CERTIFICATE_MAX_BYTES}")
    signed, tbs = _split_signed(der, where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # serial 0: see the module's docstring
            parsed = x509.load_der_x509_certificate(der)
            extensions = tuple(
                (extension.oid.dotted_string, extension.critical, raw)
                for extension, raw in zip(parsed.extensions, _raw_extensions(tbs), strict=True)
            )
            serial = parsed.serial_number
        key = parsed.public_key()
        # read here so that a lazy parse error surfaces in this function and nowhere else
        subject, issuer = parsed.subject, parsed.issuer
        validity = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise malformed(where, "not a certificate", str(error), "an X.509 v3 certificate in DER") from error
    if parsed.version is not x509.Version.v3:
        raise malformed(where, "certificate version", parsed.version.name, "v3")
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise malformed(where, "kind of key", type(key).__name__, "RSA or elliptic curve")
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if spki not in (child.encoding for child in tbs.children):
        raise malformed(where, "encoding of the public key", "another encoding", "the canonical one")
    return Certificate(
        der=der,
        x509=parsed,
        signed=signed,
        subject=subject.public_bytes(),
        issuer=issuer.public_bytes(),
        common_name=_common_name(subject),
        serial=serial,
        not_before=validity[0],
        not_after=validity[1],
        spki=spki,
        key=key,
        extensions=extensions,
        where=where,
    )


def parse_x509_crl(data: bytes, where: str) -> tuple[bytes, x509.CertificateRevocationList, Signed]:
    """Parse one revocation list, PEM or DER; return its DER, the parsed list, and its outer form.

    Raises:
        FormatError: not one strictly encoded list.
    """
    if len(data) > 2 * CRL_MAX_BYTES:
        raise malformed(where, "too large a revocation list", f"{len(data)} bytes", f"at most {CRL_MAX_BYTES}")
    ders = _split_pem(data, b"X509 CRL", where) if data.startswith(b"-----BEGIN ") else [data]
    if len(ders) != 1 or len(ders[0]) > CRL_MAX_BYTES:
        raise malformed(where, "revocation list", f"{len(ders)} of them", f"one of at most {CRL_MAX_BYTES} bytes")
    signed, _ = _split_signed(ders[0], where)
    try:
        return ders[0], x509.load_der_x509_crl(ders[0]), signed
    except (ValueError, TypeError) as error:
        raise malformed(where, "not a revocation list", str(error), "an X.509 v2 CRL") from error


def _common_name(name: x509.Name) -> str:
    names = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def malformed(where: str, what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=Check.ENDORSEMENTS_FORMAT, where=where, got=got, wanted=wanted)


def parse_strictly(der: bytes, where: str) -> Value:
    """Walk `der` by the rules of the module `der`, with this module's error."""
    return parse_der(der, lambda what, got, wanted: malformed(where, what, got, wanted))


def _split_signed(der: bytes, where: str) -> tuple[Signed, Value]:
    """Take SEQUENCE { tbs, algorithm, BIT STRING } apart; the algorithm named inside must be the one outside."""
    value = parse_strictly(der, where)
    if value.tag != SEQUENCE or len(value.children) != 3:
        raise malformed(where, "outer form", f"tag {value.tag:#x}", "a signed SEQUENCE of three")
    tbs, algorithm, signature = value.children
    if algorithm.encoding not in (child.encoding for child in tbs.children):
        raise malformed(where, "signature algorithm", "two different ones", "the same inside and outside")
    if signature.content[:1] != b"\0":
        raise malformed(where, "signature", "not whole bytes", "a BIT STRING of whole bytes")
    return Signed(tbs.encoding, algorithm.encoding, signature.content[1:]), tbs


def _raw_extensions(tbs: Value) -> list[bytes]:
    """The values inside the OCTET STRINGs of a certificate's extensions, in order; AMD's are not all DER."""
    containers = [child for child in tbs.children if child.tag == context_tag(3)]
    return [one.children[-1].content for outer in containers for inner in outer.children for one in inner.children]


def _split_pem(data: bytes, label: bytes, where: str) -> list[bytes]:
    """Split strict PEM: whole blocks of one label with nothing but line ends around them, canonical base64."""
    ders: list[bytes] = []
    position = 0
    while position < len(data):
        block = _PEM_BLOCK.match(data, position)
        if not block or block[1] != label or block[3] != label or len(ders) == _BLOCKS_MAX:
            raise malformed(
                where, "PEM", f"byte {position}", f"at most {_BLOCKS_MAX} blocks of {label.decode()} and nothing else"
            )
        text = block[2].replace(b"\r", b"").replace(b"\n", b"")
        ders.append(_decode_base64(text, where))
        position = block.end()
        while data[position : position + 1] in (b"\r", b"\n"):
            position += 1
    return ders


def _decode_base64(text: bytes, where: str) -> bytes:
    try:
        der = base64.b64decode(text, validate=True)
    except ValueError:
        der = b""
    if not der or base64.b64encode(der) != text:
        raise malformed(where, "PEM", "base64 in another form", "canonical base64")
    return der


def _split_der(data: bytes, where: str) -> list[bytes]:
    """Cut concatenated DER values apart by their headers; each is parsed strictly later."""
    ders: list[bytes] = []
    position = 0
    while position < len(data):
        size = _der_size(data[position : position + 4])
        if size == 0 or position + size > len(data) or len(ders) == _BLOCKS_MAX:
            raise malformed(where, "not certificates", f"byte {position}", f"PEM, or at most {_BLOCKS_MAX} in DER")
        ders.append(data[position : position + size])
        position += size
    return ders


def _der_size(header: bytes) -> int:
    """Size of a SEQUENCE with a two-byte length, as every certificate has; 0 for anything else."""
    if len(header) < 4 or header[0] != SEQUENCE or header[1] != 0x82:
        return 0
    return 4 + int.from_bytes(header[2:4], "big")
