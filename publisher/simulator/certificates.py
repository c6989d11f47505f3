"""Certificates and revocation lists as frozen values that encode and sign themselves.

Source: RFC 5280, 4.1 (certificates) and 5.1 (lists), RFC 4055, 3 (RSASSA-PSS). Every field can be replaced, so a test
can make a certificate that is wrong in exactly one place. The builder of the library cryptography refuses serial number
0 and cannot write the explicit trailerField of AMD's certificates, so the library only computes the RSA signature.
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
    """RSASSA-PSS parameters. Mask generation uses the same hash. `explicit_trailer` writes the default trailerField.

    DER forbids the encoding of a default, but AMD's ARK, ASK and ASVK have it: `a3 03 02 01 01`.
    """

    hash_name: str = "sha384"
    salt_bytes: int = 48
    explicit_trailer: bool = False

    def encode(self) -> bytes:
        """Return the AlgorithmIdentifier in DER."""
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
        """Return a signature of `data` with a new salt, so two signatures over the same bytes differ."""
        algorithm = _HASHES[self.hash_name]
        return key.sign(data, padding.PSS(padding.MGF1(algorithm), self.salt_bytes), algorithm)


@dataclass(frozen=True)
class Name:
    """A distinguished name in AMD's order and with AMD's string types. Only the common name varies."""

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
    """One extension. `value` is the content of its OCTET STRING."""

    oid: str
    value: bytes
    critical: bool = False

    def encode(self) -> bytes:
        critical = der.boolean(True) if self.critical else b""  # DER does not write the default FALSE
        return der.sequence(der.object_identifier(self.oid), critical, der.octet_string(self.value))


@dataclass(frozen=True)
class CertificateTemplate:
    """All fields of a certificate except its signature.

    Args:
        spki: the subject's SubjectPublicKeyInfo in DER.
        version: the encoded number; 2 is X.509 v3, None omits the field (v1).
        pss: the signature algorithm written in the signed part.
        outer_pss: the signature algorithm written beside the signature; None: the same.
        signing_pss: the signature algorithm used; None: the same.
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
        """Return the TBSCertificate, the signed part, in DER."""
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
        """Return the certificate in DER, signed with `key`, which need not be that of the named issuer."""
        return _signed(self.encode(), key, self.outer_pss or self.pss, self.signing_pss or self.pss)


@dataclass(frozen=True)
class CrlTemplate:
    """All fields of a certificate revocation list except its signature. The `pss` fields are as in a certificate.

    `revoked_at` is the time at which all serial numbers were revoked; None means `this_update`.
    """

    issuer: Name
    this_update: datetime
    next_update: datetime | None
    revoked: tuple[int, ...]
    extensions: tuple[X509Extension, ...]
    pss: Pss = Pss()
    outer_pss: Pss | None = None
    signing_pss: Pss | None = None
    revoked_at: datetime | None = None

    def encode(self) -> bytes:
        """Return the TBSCertList, the signed part, in DER. Every serial number is revoked at one time."""
        revoked_at = der.time(self.revoked_at or self.this_update)
        entries = [der.sequence(der.integer(serial), revoked_at) for serial in self.revoked]
        return der.sequence(
            der.integer(_V2_LIST),
            self.pss.encode(),
            self.issuer.encode(),
            der.time(self.this_update),
            der.time(self.next_update) if self.next_update else b"",
            der.sequence(*entries) if entries else b"",  # AMD's lists omit an empty list of entries too
            der.explicit(0, der.sequence(*(e.encode() for e in self.extensions))) if self.extensions else b"",
        )

    def sign(self, key: rsa.RSAPrivateKey) -> bytes:
        """Return the list in DER, signed with `key`."""
        return _signed(self.encode(), key, self.outer_pss or self.pss, self.signing_pss or self.pss)


def _signed(signed_part: bytes, key: rsa.RSAPrivateKey, written: Pss, used: Pss) -> bytes:
    return der.sequence(signed_part, written.encode(), der.bit_string(used.sign(signed_part, key)))
