"""Certificates and revocation lists as frozen values that encode and sign themselves.

Source: RFC 5280 (certificates and lists), RFC 4055 (RSASSA-PSS). Every field can be replaced, so a test can
ask for a certificate that is wrong in exactly one place. cryptography's own builder refuses serial number 0
and cannot write the explicit trailerField of AMD's certificates, so only the RSA signature is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import provenance_oracle.publisher.simulator.der as der

_RSASSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_HASH_OIDS = {"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2"}
_HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}
_COMMON_NAME = "2.5.4.3"
_TRAILER_FIELD_BC = 1
_V2_LIST = 1


@dataclass(frozen=True)
class Pss:
    """RSASSA-PSS parameters; mask generation uses the same hash. `explicit_trailer` writes the default trailerField.

    DER forbids an encoded default, yet AMD's ARK, ASK and ASVK carry `a3 03 02 01 01`.
    """

    hash_name: str = "sha384"
    salt_bytes: int = 48
    explicit_trailer: bool = False

    def encode(self) -> bytes:
        """AlgorithmIdentifier."""
        hash_algorithm = der.sequence(der.object_identifier(_HASH_OIDS[self.hash_name]), der.null())
        parameters = [
            der.explicit(0, hash_algorithm),
            der.explicit(1, der.sequence(der.object_identifier(_MGF1), hash_algorithm)),
            der.explicit(2, der.integer(self.salt_bytes)),
        ]
        if self.explicit_trailer:
            parameters.append(der.explicit(3, der.integer(_TRAILER_FIELD_BC)))
        return der.sequence(der.object_identifier(_RSASSA_PSS), der.sequence(*parameters))

    def sign(self, data: bytes, key: rsa.RSAPrivateKey) -> bytes:
        """Sign with a fresh salt: two signatures over the same bytes differ."""
        algorithm = _HASHES[self.hash_name]
        return key.sign(data, padding.PSS(padding.MGF1(algorithm), self.salt_bytes), algorithm)


@dataclass(frozen=True)
class Name:
    """A distinguished name in AMD's order, of AMD's string types; only the common name varies."""

    common_name: str
    organization: str = "Advanced Micro Devices"

    def encode(self) -> bytes:
        attributes = (
            ("2.5.4.11", der.utf8_string("Engineering")),
            ("2.5.4.6", der.printable_string("US")),
            ("2.5.4.7", der.utf8_string("Santa Clara")),
            ("2.5.4.8", der.utf8_string("CA")),
            ("2.5.4.10", der.utf8_string(self.organization)),
            (_COMMON_NAME, der.utf8_string(self.common_name)),
        )
        return der.sequence(*(der.set_of_one(der.sequence(der.object_identifier(oid), v)) for oid, v in attributes))


@dataclass(frozen=True)
class X509Extension:
    """One extension; `value` is what goes into the OCTET STRING."""

    oid: str
    value: bytes
    critical: bool = False

    def encode(self) -> bytes:
        critical = der.boolean(True) if self.critical else b""  # FALSE is the default, so not written
        return der.sequence(der.object_identifier(self.oid), critical, der.octet_string(self.value))


@dataclass(frozen=True)
class CertificateTemplate:
    """Everything in a certificate but its signature.

    Args:
        spki: DER SubjectPublicKeyInfo of the subject.
        version: as encoded; 2 is X.509 v3, None leaves the field out (v1).
        pss: signature algorithm as written inside the signed part.
        outer_pss: as written beside the signature; None: the same.
        signing_pss: as really used; None: the same.
    """

    serial: int
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    spki: bytes
    extensions: tuple[X509Extension, ...]
    version: int | None = 2
    pss: Pss = Pss()
    outer_pss: Pss | None = None
    signing_pss: Pss | None = None

    def encode(self) -> bytes:
        """TBSCertificate: the part that is signed."""
        extensions = der.explicit(3, der.sequence(*(e.encode() for e in self.extensions))) if self.extensions else b""
        return der.sequence(
            b"" if self.version is None else der.explicit(0, der.integer(self.version)),
            der.integer(self.serial),
            self.pss.encode(),
            self.issuer.encode(),
            der.sequence(der.time(self.not_before), der.time(self.not_after)),
            self.subject.encode(),
            self.spki,
            extensions,
        )

    def sign(self, key: rsa.RSAPrivateKey) -> bytes:
        """Return the DER certificate, signed with `key` whatever the issuer's name says."""
        return _signed(self.encode(), key, self.outer_pss or self.pss, self.signing_pss or self.pss)


@dataclass(frozen=True)
class CrlTemplate:
    """Everything in a certificate revocation list but its signature; `pss` and the two after it as in a certificate."""

    issuer: Name
    this_update: datetime
    next_update: datetime | None
    revoked: tuple[int, ...]
    extensions: tuple[X509Extension, ...]
    pss: Pss = Pss()
    outer_pss: Pss | None = None
    signing_pss: Pss | None = None

    def encode(self) -> bytes:
        """TBSCertList: the part that is signed. Each serial number is revoked as of this_update."""
        entries = [der.sequence(der.integer(serial), der.time(self.this_update)) for serial in self.revoked]
        return der.sequence(
            der.integer(_V2_LIST),
            self.pss.encode(),
            self.issuer.encode(),
            der.time(self.this_update),
            der.time(self.next_update) if self.next_update else b"",
            der.sequence(*entries) if entries else b"",  # an empty list is left out, as in AMD's
            der.explicit(0, der.sequence(*(e.encode() for e in self.extensions))) if self.extensions else b"",
        )

    def sign(self, key: rsa.RSAPrivateKey) -> bytes:
        """Return the DER list."""
        return _signed(self.encode(), key, self.outer_pss or self.pss, self.signing_pss or self.pss)


def _signed(signed_part: bytes, key: rsa.RSAPrivateKey, written: Pss, used: Pss) -> bytes:
    return der.sequence(signed_part, written.encode(), der.bit_string(used.sign(signed_part, key)))
