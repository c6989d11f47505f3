"""Sigstore bundles that sign a model. Parsing only: nothing in a bundle is trusted.

Formats: sigstore bundle v0.1 to v0.3 (https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto) with one DSSE
envelope, as OpenSSF model signing v1.0 uses it (https://github.com/ossf/model-signing-spec). This module is narrower:
an envelope has exactly one signature, base64 is canonical, and no object has an unknown key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.identity.log_entry import LogEntry, parse_log_entry
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, Envelope
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

BUNDLE_MAX_BYTES = 64 << 20
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_MEDIA_TYPES = (
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    BUNDLE_TYPE,
)
_MAX_TOKENS = 2000
_CERTIFICATE_MAX_BYTES = 16 << 10
_CERTIFICATES_MAX = 8
_SIGNATURE_MAX_BYTES = 256
_KEY_MAX_BYTES = 4 << 10
_STAMPS_MAX = 8
_STAMP_MAX_BYTES = 32 << 10


class SigningMethod(StrEnum):
    """How a bundle names its signer."""

    KEY = "key"
    CERTIFICATE = "certificate"
    SIGSTORE = "sigstore"


@dataclass(frozen=True)
class SignatureBundle:
    """A parsed bundle.

    Attributes:
        data: the bytes as received.
        where: its name in messages.
        method: follows from the kind of the verification material.
        envelope: payload and signature.
        key_hint: of the method `key`: SHA-256 of the key's PEM text in hex; empty if the bundle has none.
        raw_key: of the method `key`, in old bundles: the key itself; else empty. Only an expected key counts.
        certificates: DER. Of the method `certificate`: leaf first. Of the method `sigstore`: the leaf alone.
        entry: of the method `sigstore`: the entry of the transparency log.
        stamps: of the method `sigstore`: RFC 3161 timestamp responses, DER.
    """

    data: bytes
    where: str
    method: SigningMethod
    envelope: Envelope
    key_hint: str = ""
    raw_key: bytes = b""
    certificates: tuple[bytes, ...] = ()
    entry: LogEntry | None = None
    stamps: tuple[bytes, ...] = ()


def parse_bundle(data: bytes, where: str) -> SignatureBundle:
    """Parse a bundle of at most 64 MiB. `where` names it in messages.

    Raises:
        FormatError: the bundle is too large or breaks a rule of this module (check `publisher-signature`).
    """
    check = Check.PUBLISHER_SIGNATURE
    value = parse_json(data, where=where, check=check, max_bytes=BUNDLE_MAX_BYTES, max_tokens=_MAX_TOKENS)
    fields = Fields(value, where=where, check=check)
    media_type = fields.text("mediaType")
    if media_type not in _MEDIA_TYPES:
        raise fields.error("mediaType", "unknown value", got=media_type, wanted=_MEDIA_TYPES[-1])
    envelope = _envelope(fields.fields("dsseEnvelope"))
    material = fields.fields("verificationMaterial")
    fields.finish()
    methods = [method for key, method in _METHODS.items() if key in material]
    if len(methods) != 1:
        got = f"{len(methods)} of them" if methods else "none of them"
        raise material.error("", "not one verification material", got=got, wanted=" or ".join(_METHODS))
    method = methods[0]
    bundle = _READERS[method](data, where, envelope, material)
    material.finish()
    return bundle


_METHODS = {
    "publicKey": SigningMethod.KEY,
    "x509CertificateChain": SigningMethod.CERTIFICATE,
    "certificate": SigningMethod.SIGSTORE,
}


def _envelope(fields: Fields) -> Envelope:
    fields.constant("payloadType", PAYLOAD_TYPE)
    payload = fields.base64_bytes("payload", max_bytes=BUNDLE_MAX_BYTES)
    (signed,) = fields.fields_list("signatures", minimum=1, maximum=1)
    signature = signed.base64_bytes("sig", max_bytes=_SIGNATURE_MAX_BYTES)
    if "keyid" in signed and (keyid := signed.value("keyid")) not in (None, ""):
        raise signed.error("keyid", "not empty", got=str(keyid)[:64], wanted="nothing; model signatures have no key id")
    signed.finish()
    fields.finish()
    return Envelope(PAYLOAD_TYPE, payload, signature, "")


def _by_key(data: bytes, where: str, envelope: Envelope, material: Fields) -> SignatureBundle:
    _refuse_log(material)
    key = material.fields("publicKey")
    hint = key.optional_text("hint", max_chars=64) or ""
    raw_key = key.base64_bytes("rawBytes", max_bytes=_KEY_MAX_BYTES) if "rawBytes" in key else b""
    key.optional_text("keyDetails", max_chars=64)
    key.finish()
    return SignatureBundle(data, where, SigningMethod.KEY, envelope, key_hint=hint, raw_key=raw_key)


def _by_certificate(data: bytes, where: str, envelope: Envelope, material: Fields) -> SignatureBundle:
    _refuse_log(material)
    chain = material.fields("x509CertificateChain")
    entries = chain.fields_list("certificates", minimum=1, maximum=_CERTIFICATES_MAX)
    certificates = tuple(map(_certificate, entries))
    chain.finish()
    return SignatureBundle(data, where, SigningMethod.CERTIFICATE, envelope, certificates=certificates)


def _by_sigstore(data: bytes, where: str, envelope: Envelope, material: Fields) -> SignatureBundle:
    certificate = _certificate(material.fields("certificate"))
    (entry,) = material.fields_list("tlogEntries", minimum=1, maximum=1)
    log_entry = parse_log_entry(entry)
    stamped = material.optional_fields("timestampVerificationData")
    stamps: tuple[bytes, ...] = ()
    if stamped and "rfc3161Timestamps" in stamped:
        stamps = tuple(map(_stamp, stamped.fields_list("rfc3161Timestamps", maximum=_STAMPS_MAX)))
    if stamped:
        stamped.finish()
    return SignatureBundle(
        data,
        where,
        SigningMethod.SIGSTORE,
        envelope,
        certificates=(certificate,),
        entry=log_entry,
        stamps=stamps,
    )


_READERS = {
    SigningMethod.KEY: _by_key,
    SigningMethod.CERTIFICATE: _by_certificate,
    SigningMethod.SIGSTORE: _by_sigstore,
}


def _certificate(fields: Fields) -> bytes:
    der = fields.base64_bytes("rawBytes", max_bytes=_CERTIFICATE_MAX_BYTES)
    fields.finish()
    return der


def _stamp(fields: Fields) -> bytes:
    der = fields.base64_bytes("signedTimestamp", max_bytes=_STAMP_MAX_BYTES)
    fields.finish()
    return der


def _refuse_log(material: Fields) -> None:
    """Refuse entries of a log and timestamps, which only the keyless method verifies."""
    if "tlogEntries" in material:
        material.fields_list("tlogEntries", maximum=0)
    if "timestampVerificationData" in material:
        material.fields("timestampVerificationData").finish()
