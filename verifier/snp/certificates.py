"""Parse certificates as AMD encodes them: in PEM or DER, of bounded size, with one accepted encoding of each field.

Sources: RFC 5280, section 4.1 (fields of a certificate), RFC 7468 (PEM). The strict parser of `der` reads every field.
The library `cryptography` only receives the public key: AMD's VEKs have serial number 0, which RFC 5280 forbids, and
the library has announced that it will refuse such certificates.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, malformed
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
    parse_asn1_time,
    parse_der,
    parse_object_id,
    parse_unsigned,
)
from provenance_oracle.verifier.strict.encodings import certificate_hint, pem_fault

CERTIFICATE_MAX_BYTES = 16 * 1024
_BLOCKS_MAX = 4
_PARSED_MAX = 64
_FILE_MAX_BYTES = 2 * _BLOCKS_MAX * CERTIFICATE_MAX_BYTES

# RFC 7468, section 3: lines of 64 characters, of which the last may be shorter. The END line ends with a line break or
# with the file.
_PEM_BLOCK = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n"
    rb"((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{1,64}\r?\n)"
    rb"-----END ([A-Z0-9 ]{1,40})-----(?:(?:\r?\n)+|\Z)"
)
_V3 = bytes.fromhex("a003020102")
_COMMON_NAME = bytes.fromhex("0603550403")


@dataclass(frozen=True)
class Signed:
    """The outer structure of a certificate or revocation list (RFC 5280, sections 4.1 and 5.1).

    `tbs` is the DER of the part that is signed, `algorithm` the DER of the AlgorithmIdentifier, and `signature` the
    bytes in the BIT STRING.
    """

    tbs: bytes
    algorithm: bytes
    signature: bytes


@dataclass(frozen=True)
class Extension:
    """One extension. `value` is the content of its OCTET STRING, which AMD does not always encode in DER."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True)
class Certificate:
    """A parsed certificate. Nothing in it is trusted.

    `der` is the whole certificate, `issuer` and `subject` are DER names as received, and `spki` is the DER
    SubjectPublicKeyInfo of `key`. `not_before` and `not_after` are in UTC. `common_name` is the subject's, or empty if
    the subject does not have exactly one. `where` is the name of the file, for messages.
    """

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
        """Return the value of the extension with the identifier `oid`, or None if there is none."""
        return next((extension.value for extension in self.extensions if extension.oid == oid), None)


def malformed_endorsement(where: str, what: str, got: str, wanted: str) -> FormatError:
    """Return (do not raise) a FormatError with the problem `what` (check `endorsements-format`)."""
    return malformed(Check.ENDORSEMENTS_FORMAT, what, where, got, wanted)


def problem_at(where: str, inside: str = "") -> Problem:
    """Return a function that builds this module's errors for the functions of `der`.

    `inside` is appended to the problem, as in " in extension 1.2.3".
    """
    return lambda what, got, wanted: malformed_endorsement(where, what + inside, got, wanted)


def split_certificates(data: bytes, where: str) -> list[bytes]:
    """Return the DER certificates in a file of PEM blocks or of concatenated DER values.

    The file may have at most 128 KiB and 4 certificates. The certificates are not parsed. `where` names the file in
    messages.

    Raises:
        FormatError: the file is too large or has another form (check `endorsements-format`).
    """
    if len(data) > _FILE_MAX_BYTES:
        raise malformed_endorsement(
            where, "the certificate file is too large", f"{len(data)} bytes", f"at most {_FILE_MAX_BYTES}"
        )
    return split_pem(data, b"CERTIFICATE", where) if data.startswith(b"-----BEGIN ") else _split_der(data, where)


@lru_cache(maxsize=_PARSED_MAX)  # of their bytes and names alone: the authorities' come with each release
def parse_certificate(der: bytes, where: str) -> Certificate:
    """Parse one DER certificate of at most 16 KiB. `where` names the file in messages.

    Raises:
        FormatError: `der` is not one strictly encoded X.509 v3 certificate with extensions and an RSA or elliptic
            curve key (check `endorsements-format`).
    """
    if len(der) > CERTIFICATE_MAX_BYTES:
        raise malformed_endorsement(
            where, "the certificate is too large", f"{len(der)} bytes", f"at most {CERTIFICATE_MAX_BYTES}"
        )
    problem = problem_at(where)
    # RFC 5280, 4.1: all eight fields, in this order; only version 3 has extensions
    signed, fields = split_signed(der, where)
    if len(fields) != 8 or fields[0].encoding != _V3:
        raise malformed_endorsement(
            where, "wrong certificate structure", f"{len(fields)} fields", "X.509 v3 with extensions"
        )
    _, serial, algorithm, issuer, validity, subject, spki, extensions = fields
    if algorithm.encoding != signed.algorithm:
        raise malformed_endorsement(
            where, "conflicting signature algorithms", "two different ones", "the same inside and outside"
        )
    if issuer.tag != SEQUENCE or subject.tag != SEQUENCE or validity.tag != SEQUENCE or len(validity.children) != 2:
        raise malformed_endorsement(where, "malformed names or validity", "another structure", "those of a certificate")
    return Certificate(
        der=der,
        signed=signed,
        serial=parse_unsigned(serial, problem),
        issuer=issuer.encoding,
        not_before=parse_asn1_time(validity.children[0], problem),
        not_after=parse_asn1_time(validity.children[1], problem),
        subject=subject.encoding,
        common_name=_common_name(subject),
        spki=spki.encoding,
        key=_parse_key(spki.encoding, where),
        extensions=parse_tagged_extensions(extensions, 3, where),
        where=where,
    )


def split_signed(der: bytes, where: str) -> tuple[Signed, tuple[Value, ...]]:
    """Split the DER SEQUENCE { signed part, algorithm, BIT STRING }; return it with the fields of the signed part.

    Raises:
        FormatError: `der` has another structure, or a value in it is not strict DER (check `endorsements-format`).
    """
    value = parse_der(der, problem_at(where))
    if value.tag != SEQUENCE or [child.tag for child in value.children] != [SEQUENCE, SEQUENCE, BIT_STRING]:
        got = f"tag {value.tag:#x}, {len(value.children)} parts"
        raise malformed_endorsement(
            where, "wrong outer structure", got, "a SEQUENCE of what is signed, algorithm and signature"
        )
    tbs, algorithm, signature = value.children
    if signature.content[0] != 0:
        raise malformed_endorsement(where, "malformed signature", "not whole bytes", "a BIT STRING of whole bytes")
    return Signed(tbs.encoding, algorithm.encoding, signature.content[1:]), tbs.children


def parse_tagged_extensions(field: Value, number: int, where: str) -> tuple[Extension, ...]:
    """Parse the extensions in the explicit field [number].

    Raises:
        FormatError: the field has another form (check `endorsements-format`).
    """
    if field.tag != context_tag(number) or len(field.children) != 1:
        raise malformed_endorsement(where, "malformed extensions", f"tag {field.tag:#x}", "a field of extensions")
    return parse_extensions(field.children[0], where)


def parse_extensions(field: Value, where: str) -> tuple[Extension, ...]:
    """Parse one or more extensions: no identifier may occur twice, and `critical` is only written if it is true.

    Raises:
        FormatError: the field has another form (check `endorsements-format`).
    """
    if field.tag != SEQUENCE:
        raise malformed_endorsement(where, "malformed extensions", f"tag {field.tag:#x}", "a sequence")
    extensions = tuple(_parse_extension(value, where) for value in field.children)
    oids = [extension.oid for extension in extensions]
    if not oids or len(set(oids)) != len(oids):
        raise malformed_endorsement(where, "missing or repeated extensions", "none, or one twice", "each once")
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
        raise malformed_endorsement(
            where,
            "malformed extension",
            value.encoding[:16].hex(),
            "identifier, critical if it is, OCTET STRING",
        )
    return Extension(parse_object_id(parts[0], problem_at(where)), critical, parts[-1].content)


def _parse_key(spki: bytes, where: str) -> RSAPublicKey | EllipticCurvePublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise malformed_endorsement(
            where, "unreadable public key", str(error), "an RSA or elliptic curve key"
        ) from error
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise malformed_endorsement(where, "unsupported kind of key", type(key).__name__, "RSA or elliptic curve")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise malformed_endorsement(
            where, "the public key is not in canonical form", "another encoding", "the canonical one"
        )
    return key


def _common_name(name: Value) -> str:
    """Return the common name, or an empty text if a name does not have exactly one.

    It is used in messages and to tell kinds of certificates apart. Names are compared as whole DER values.
    """
    attributes = [attribute.children for parts in name.children for attribute in parts.children]
    found = [pair[1] for pair in attributes if len(pair) == 2 and pair[0].encoding == _COMMON_NAME]
    if len(found) != 1 or found[0].tag not in (UTF8_STRING, PRINTABLE_STRING):
        return ""
    return found[0].content.decode("utf-8", "replace")


def split_pem(data: bytes, label: bytes, where: str, most: int = _BLOCKS_MAX) -> list[bytes]:
    """Return the DER contents of up to `most` strict PEM blocks with the label `label`.

    Only line ends may stand between and after blocks, and the base64 must be canonical.

    Raises:
        FormatError: the data has another form (check `endorsements-format`).
    """
    ders: list[bytes] = []
    position = 0
    while position < len(data):
        block = _PEM_BLOCK.match(data, position)
        if not block or block[1] != label or block[3] != label or len(ders) == most:
            fault = "too many blocks" if len(ders) == most else pem_fault(data, position, label)
            raise malformed_endorsement(
                where,
                f"malformed PEM: {fault}" if fault else "malformed PEM",
                f"byte {position}",
                f"at most {most} blocks of {label.decode()} and nothing else",
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
        raise malformed_endorsement(where, "malformed PEM", "base64 in another form", "canonical base64")
    return der


def _split_der(data: bytes, where: str) -> list[bytes]:
    """Split concatenated DER values by their headers. Each value is parsed strictly later."""
    ders: list[bytes] = []
    position = 0
    while position < len(data):
        size = _der_size(data[position : position + 4])
        if size == 0 or position + size > len(data) or len(ders) == _BLOCKS_MAX:
            raise malformed_endorsement(
                where,
                f"not a file of certificates{certificate_hint(data)}",
                f"byte {position}",
                f"PEM, or at most {_BLOCKS_MAX} in DER",
            )
        ders.append(data[position : position + size])
        position += size
    return ders


def _der_size(header: bytes) -> int:
    """Return the size in bytes of a SEQUENCE with a two-byte length, as every certificate has; 0 for anything else."""
    if len(header) < 4 or header[0] != SEQUENCE or header[1] != 0x82:
        return 0
    return 4 + int.from_bytes(header[2:4], "big")
