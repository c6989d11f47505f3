"""Certificate chains of signers: a leaf, a CA and a root, each field of which a test can change."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.model_signatures import FILES, SIGNING_KEY, bundle_of, signed_by, statement_over

CODE_SIGNING, SERVER_AUTH = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH
BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def key_usage(**flags: bool) -> x509.KeyUsage:
    """Return a key usage with the flags given, all others off."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**(dict.fromkeys(names, False) | flags))


@dataclass(frozen=True)
class Described:
    """A certificate to be made. `extensions` are pairs of an extension and whether it is critical."""

    name: str
    key: PrivateKey
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]
    begins: datetime = BEGINS
    ends: datetime = ENDS
    hashed_with: HashAlgorithm = field(default_factory=SHA256)


def ca(name: str, secret: int, path_length: int | None = None, **changes: Any) -> Described:
    """Describe a CA."""
    key = ec.derive_private_key(secret, ec.SECP256R1())
    constraints, usage = x509.BasicConstraints(True, path_length), key_usage(key_cert_sign=True)
    return Described(name, key, **({"extensions": ((constraints, True), (usage, True))} | changes))


def leaf(
    *more: tuple[x509.ExtensionType, bool], purposes: Sequence[x509.ObjectIdentifier] = (CODE_SIGNING,), **changes: Any
) -> Described:
    """Describe a leaf that may sign models, and has the extensions `more` too."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [(key_usage(digital_signature=True), True), *more]
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(list(purposes)), False))
    return Described("Signer", SIGNING_KEY, **({"extensions": tuple(extensions)} | changes))


EMAIL = (x509.SubjectAlternativeName([x509.RFC822Name("me@example.org")]), False)
ROOT, CA, LEAF = ca("Root", 21), ca("CA", 22, 0), leaf(EMAIL)


def certified(*described: Described) -> list[x509.Certificate]:
    """Return the certificates, the leaf first and the root last, each signed by the next."""
    return [_certificate(one, issuer) for one, issuer in zip(described, (*described[1:], described[-1]), strict=True)]


def _certificate(described: Described, issuer: Described) -> x509.Certificate:
    public = described.key.public_key()
    builder = x509.CertificateBuilder(
        _name(issuer.name),
        _name(described.name),
        public,
        int.from_bytes(_spki(public)[:8]),
        described.begins,
        described.ends,
    )
    for extension, is_critical in described.extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(issuer.key, described.hashed_with)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _spki(public: Any) -> bytes:
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def spki_hex(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's key in hex, as identities name it."""
    return _spki(certificate.public_key()).hex()


def pem_of_certificates(certificates: Sequence[x509.Certificate]) -> bytes:
    """Return certificates in PEM."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def certificate_bundle(certificates: Sequence[x509.Certificate], statement: object = None) -> dict[str, Any]:
    """Return a bundle of the method `certificate`, by default over FILES, signed with SIGNING_KEY."""
    chain = [{"rawBytes": base64.b64encode(one.public_bytes(Encoding.DER)).decode()} for one in certificates]
    payload, signature = signed_by(SIGNING_KEY, statement or statement_over(FILES))
    return bundle_of(payload, signature, {"x509CertificateChain": {"certificates": chain}, "tlogEntries": []})
