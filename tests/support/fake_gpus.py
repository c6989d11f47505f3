"""A GPU that attests as NVIDIA's do, under an authority of its own. It shares no code with the verifier.

Sources: DMTF DSP0274 1.1.0 for the messages, RFC 5280 for the certificates. Real evidence gave the order of the fields.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.simulator import der

_NAMES = ("GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM", "GH100 Provisioner ICA", "GH100 Identity", "Fake Device Root")
_SHA384 = "2.16.840.1.101.3.4.2.2"
FWID = bytes(range(1, 49))


@cache
def gpu_key(number: int) -> ec.EllipticCurvePrivateKey:
    """Return one of the keys of the fake authority: 0 is the GPU's, 4 the root's."""
    return ec.derive_private_key(1000 + number, ec.SECP384R1())


@dataclass(frozen=True)
class Certified:
    """One certificate to be made: of the key `number`, signed by the key above it."""

    number: int
    name: str = ""
    issuer: str = ""
    key: Any = None
    signer: ec.EllipticCurvePrivateKey | None = None
    is_authority: bool | None = None
    usage: tuple[str, ...] | None = None
    authority_of: ec.EllipticCurvePrivateKey | None = None
    not_after: datetime = datetime(2090, 1, 1, tzinfo=UTC)
    hash_name: str = "sha384"
    firmware: tuple[bytes, ...] = (FWID,)
    more: tuple[tuple[str, bool], ...] = ()

    @cache  # noqa: B019 (signatures are random, and one certificate must have one form; the tests make few)
    def make(self) -> x509.Certificate:
        above = min(self.number + 1, 4)
        key = (self.key or gpu_key(self.number)).public_key()
        builder = x509.CertificateBuilder(
            _name(self.issuer or _NAMES[above]), _name(self.name or _NAMES[self.number]), key, self.number + 1
        )
        builder = builder.not_valid_before(datetime(2020, 10, 17, tzinfo=UTC)).not_valid_after(self.not_after)
        is_leaf = self.number == 0
        if not is_leaf if self.is_authority is None else self.is_authority:
            builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = self.usage or (("digital_signature",) if is_leaf else ("key_cert_sign", "crl_sign"))
        builder = builder.add_extension(_usage(usage), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        issuer = self.authority_of or gpu_key(above)
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
        builder = builder.add_extension(known, critical=False)
        if is_leaf and self.firmware:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.23.133.5.4.1"), _fwid(self.firmware))
            builder = builder.add_extension(extension, critical=False)
        for oid, critical in self.more:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00")
            builder = builder.add_extension(extension, critical=critical)
        hashed = SHA384() if self.hash_name == "sha384" else SHA256()
        return builder.sign(self.signer or gpu_key(above), hashed)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _usage(words: tuple[str, ...]) -> x509.KeyUsage:
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    every += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{word: word in words for word in every})


def _fwid(digests: tuple[bytes, ...]) -> bytes:
    pairs = [der.sequence(der.object_identifier(_SHA384), der.octet_string(digest)) for digest in digests]
    return der.sequence(der.integer(1), *pairs)


@dataclass(frozen=True)
class FakeGpu:
    """A fake Hopper with 64 measurements of 48 bytes. `replaced` holds other certificates than the usual ones."""

    arch: str = "HOPPER"
    nonce_beside: bytes | None = None
    signer: ec.EllipticCurvePrivateKey = field(default_factory=lambda: gpu_key(0))
    firmware: bytes = FWID
    replaced: tuple[Certified, ...] = ()
    certificates: int = 5

    @property
    def root(self) -> bytes:
        """SHA-256 of the DER of the root."""
        return hashlib.sha256(self._chain()[-1].public_bytes(Encoding.DER)).digest()

    def _chain(self) -> list[x509.Certificate]:
        made = {number: Certified(number) for number in range(5)} | {other.number: other for other in self.replaced}
        return [made[number].make() for number in range(5)]

    def chain(self) -> bytes:
        """Return the certificates in PEM, leaf first."""
        return b"".join(made.public_bytes(Encoding.PEM) for made in self._chain()[: self.certificates])

    def messages(self, nonce: bytes) -> bytes:
        """Return request and response, signed."""
        values = [hashlib.sha384(bytes([index])).digest() for index in range(1, 65)]
        fields = [(3, b"580.95.05\0"), (6, bytes.fromhex("007400961a000000")), (20, self.firmware)]
        return messages(nonce, values, fields, self.signer)

    def document(self, nonce: bytes) -> dict[str, str]:
        """Return the evidence as NVIDIA's tools write it."""
        return {
            "arch": self.arch,
            "evidence": base64.b64encode(self.messages(nonce)).decode(),
            "certificate": base64.b64encode(self.chain()).decode(),
            "nonce": (self.nonce_beside or nonce).hex(),
        }

    def file(self, nonce: bytes) -> bytes:
        """Return the bytes of `gpu-N.json`."""
        return json.dumps(self.document(nonce)).encode()

    def with_certificate(self, number: int, **changes: Any) -> FakeGpu:
        """Return the GPU with another certificate for one of its keys."""
        return replace(self, replaced=(*self.replaced, Certified(number, **changes)))


def messages(
    nonce: bytes, values: list[bytes], fields: list[tuple[int, bytes]], signer: ec.EllipticCurvePrivateKey
) -> bytes:
    """Return a request with `nonce`, and a signed response with these measurements and these fields of NVIDIA."""
    record = b"".join(
        struct.pack("<BBHBH", index, 1, 3 + len(value), 1, len(value)) + value for index, value in enumerate(values, 1)
    )
    opaque = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in fields)
    request = bytes.fromhex("11e001ff") + nonce + b"\0"
    response = bytes.fromhex("11600000") + bytes([len(values)]) + len(record).to_bytes(3, "little") + record
    response += bytes(32) + struct.pack("<H", len(opaque)) + opaque
    r, s = decode_dss_signature(signer.sign(request + response, ec.ECDSA(SHA384())))
    return request + response + r.to_bytes(48, "big") + s.to_bytes(48, "big")


def spki_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
