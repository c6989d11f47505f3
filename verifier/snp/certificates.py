"""Certificates as AMD encodes them: PEM or DER, one encoding, bounded, every field read by the strict walker of `der`.

Sources: RFC 5280 (fields), RFC 7468 (PEM). `cryptography` is given the public key and nothing else: AMD's VEKs have
serial number 0, which RFC 5280 forbids and that library has announced it will refuse.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.der import (
    BIT_STRING,
    BOOLEAN,
    OCTET_STRING,
    PRINTABLE_STRING,
    SEQUENCE,
    TRUE,
    UTF8_STRING,
    Problem,
    Value,
    context_tag,
    parse_der,
    parse_object_id,
    parse_time,
    parse_unsigned,
)

CERTIFICATE_MAX_BYTES = 16 * 1024
_BLOCKS_MAX = 4
_FILE_MAX_BYTES = 2 * _BLOCKS_MAX * CERTIFICATE_MAX_BYTES

# RFC 7468: lines of 64 characters, the last one shorter or as long; the block ends with its line, or with the file.
_PEM_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n"
    rb"((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{1,64}\r?\n)"
    rb"-----END ([A-Z0-9 ]{1,40})-----(?:(?:\r?\n)+|\Z)"
)
_V3 = bytes.fromhex("a003020102")
_COMMON_NAME = bytes.fromhex("0603550403")


@dataclass(frozen=True)
class Signed:
    """The outer form of a certificate or list: what is signed, by which algorithm, and the signature."""

    tbs: bytes
    algorithm: bytes
    signature: bytes


@dataclass(frozen=True)
class Extension:
    """One extension; `value` is what its OCTET STRING holds, which AMD does not always encode in DER."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class Certificate:
    """One certificate. Names are DER as received, `common_name` is the subject's (empty if there is not exactly one),
    times are aware, `spki` is the key's DER."""

    der: bytes
    signed: Signed
    serial: int
    issuer: bytes
    not_before: datetime
    not_after: datetime
    subject: bytes
    common_name: str
    spki: bytes
    key: RSAPublicKey | EllipticCurvePublicKey
    extensions: tuple[Extension, ...]
    where: str

    def extension(self, oid: str) -> bytes | None:
        """The value of an extension, or None."""
        return next((extension.value for extension in self.extensions if extension.oid == oid), None)


def malformed(where: str, what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=Check.ENDORSEMENTS_FORMAT, where=where, got=got, wanted=wanted)


def problem_at(where: str, inside: str = "") -> Problem:
    """This module's error for the functions of `der`; `inside` follows what is wrong, as in " in extension 1.2.3"."""
    return lambda what, got, wanted: malformed(where, what + inside, got, wanted)


def split_certificates(data: bytes, where: str) -> list[bytes]:
    """Return the DER certificates in `data`: PEM blocks one after another, or DER values one after another.

    Raises:
        FormatError: anything else (check `endorsements-format`).
    """
    if len(data) > _FILE_MAX_BYTES:
        raise malformed(where, "too large a file of certificates", f"{len(data)} bytes", f"at most {_FILE_MAX_BYTES}")
    return split_pem(data, b"CERTIFICATE", where) if data.startswith(b"-----BEGIN ") else _split_der(data, where)


def parse_certificate(der: bytes, where: str) -> Certificate:
    """Parse one DER certificate.

    Raises:
        FormatError: not one strictly encoded X.509 v3 certificate with an RSA or elliptic curve key.
    """
    if len(der) > CERTIFICATE_MAX_BYTES:
        raise malformed(where, "too large a certificate", f"{len(der)} bytes", f"at most {CERTIFICATE_MAX_BYTES}")
    problem = problem_at(where)
    # RFC 5280, 4.1: all eight fields, in this order; v3 is the version that has extensions
    signed, fields = split_signed(der, where)
    if len(fields) != 8 or fields[0].encoding != _V3:
        raise malformed(where, "form of the certificate", f"{len(fields)} fields", "X.509 v3 with extensions")
    _, serial, algorithm, issuer, validity, subject, spki, extensions = fields
    if algorithm.encoding != signed.algorithm:
        raise malformed(where, "signature algorithm", "two different ones", "the same inside and outside")
    if issuer.tag != SEQUENCE or subject.tag != SEQUENCE or validity.tag != SEQUENCE or len(validity.children) != 2:
        raise malformed(where, "names or validity", "another structure", "those of a certificate")
    return Certificate(
        der=der,
        signed=signed,
        serial=parse_unsigned(serial, problem),
        issuer=issuer.encoding,
        not_before=parse_time(validity.children[0], problem),
        not_after=parse_time(validity.children[1], problem),
        subject=subject.encoding,
        common_name=_common_name(subject),
        spki=spki.encoding,
        key=_parse_key(spki.encoding, where),
        extensions=parse_tagged_extensions(extensions, 3, where),
        where=where,
    )


def split_signed(der: bytes, where: str) -> tuple[Signed, tuple[Value, ...]]:
    """Take SEQUENCE { what is signed, algorithm, BIT STRING } apart; return it and the fields of what is signed.

    Raises:
        FormatError: another form, or any value in it that is not strict DER.
    """
    value = parse_der(der, problem_at(where))
    if value.tag != SEQUENCE or [child.tag for child in value.children] != [SEQUENCE, SEQUENCE, BIT_STRING]:
        got = f"tag {value.tag:#x}, {len(value.children)} parts"
        raise malformed(where, "outer form", got, "a SEQUENCE of what is signed, algorithm and signature")
    tbs, algorithm, signature = value.children
    if signature.content[0] != 0:
        raise malformed(where, "signature", "not whole bytes", "a BIT STRING of whole bytes")
    return Signed(tbs.encoding, algorithm.encoding, signature.content[1:]), tbs.children


def parse_tagged_extensions(field: Value, number: int, where: str) -> tuple[Extension, ...]:
    """Read the extensions in an explicit field [number]."""
    if field.tag != context_tag(number) or len(field.children) != 1:
        raise malformed(where, "extensions", f"tag {field.tag:#x}", "a field of extensions")
    return parse_extensions(field.children[0], where)


def parse_extensions(field: Value, where: str) -> tuple[Extension, ...]:
    """Read extensions: one or more, no identifier twice, `critical` written only where true."""
    if field.tag != SEQUENCE:
        raise malformed(where, "extensions", f"tag {field.tag:#x}", "a sequence")
    extensions = tuple(_parse_extension(value, where) for value in field.children)
    oids = [extension.oid for extension in extensions]
    if not oids or len(set(oids)) != len(oids):
        raise malformed(where, "extensions", "none, or one twice", "each once")
    return extensions


def _parse_extension(value: Value, where: str) -> Extension:
    parts = value.children
    critical = len(parts) == 3
    if (
        value.tag != SEQUENCE
        or len(parts) not in (2, 3)
        or parts[-1].tag != OCTET_STRING
        or (critical and (parts[1].tag, parts[1].content) != (BOOLEAN, TRUE))
    ):
        raise malformed(where, "extension", value.encoding[:16].hex(), "identifier, critical if it is, OCTET STRING")
    return Extension(parse_object_id(parts[0], problem_at(where)), critical, parts[-1].content)


def _parse_key(spki: bytes, where: str) -> RSAPublicKey | EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise malformed(where, "public key", str(error), "an RSA or elliptic curve key") from error
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise malformed(where, "kind of key", type(key).__name__, "RSA or elliptic curve")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise malformed(where, "encoding of the public key", "another encoding", "the canonical one")
    return key


def _common_name(name: Value) -> str:
    """For people, and to tell kinds apart; names themselves are compared whole, as DER."""
    attributes = [attribute.children for parts in name.children for attribute in parts.children]
    found = [pair[1] for pair in attributes if len(pair) == 2 and pair[0].encoding == _COMMON_NAME]
    if len(found) != 1 or found[0].tag not in (UTF8_STRING, PRINTABLE_STRING):
        return ""
    return found[0].content.decode("utf-8", "replace")


def split_pem(data: bytes, label: bytes, where: str) -> list[bytes]:
    """Split strict PEM: whole blocks of one label with nothing but line ends after them, canonical base64."""
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
