"""Sign with a publisher's key, alone or certified by a CA, as bundles of OpenSSF model signing v1.0 hold signatures.

A bundle is a sigstore bundle v0.3 (https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto) in JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.identity.bundle import BUNDLE_TYPE
from provenance_oracle.verifier.identity.certificates import SigningCertificate, certificate_lines
from provenance_oracle.verifier.identity.key_method import CURVE_HASHES, PublisherKey, parse_publisher_key
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, pae


class PublisherSigner(Protocol):
    """Signs models for a publisher.

    Attributes:
        key: the public key that verifiers need beside the bundle, if they need one.
        root: the trusted root of the sigstore instance that vouches for the signer; None for the public one.
        is_public: signing leaves a trace in a public log, so nothing is signed for a trial.
    """

    @property
    def key(self) -> PublisherKey | None: ...

    @property
    def root(self) -> PinnedRoot | None: ...

    @property
    def is_public(self) -> bool: ...

    def lines(self) -> tuple[str, ...]:
        """Return the lines of the signer's identities, the preferred one first; none if only signing tells."""

    def sign(self, payload: bytes) -> bytes:
        """Return a bundle with the payload and a signature over it."""


@dataclass(frozen=True)
class KeySigner:
    """Signs with a key that verifiers know, on one of the curves of CURVE_HASHES."""

    private_key: EllipticCurvePrivateKey
    root: None = None
    is_public: bool = False

    @cached_property
    def key(self) -> PublisherKey:
        """The public key."""
        public = self.private_key.public_key()
        return parse_publisher_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "signing key")

    def lines(self) -> tuple[str, ...]:
        """Return the line `key SPKI`."""
        return (self.key.identity.line,)

    def sign(self, payload: bytes) -> bytes:
        """Return a bundle of the method `key`."""
        return _bundle(payload, self.private_key, {"publicKey": {"hint": self.key.hint}})


@dataclass(frozen=True)
class CertificateSigner:
    """Signs with a key that a CA certified.

    `chain` leads from the key's certificate up to the CA that verifiers trust, and has one entry or more.
    """

    private_key: EllipticCurvePrivateKey
    chain: Sequence[SigningCertificate]
    key: None = None
    root: None = None
    is_public: bool = False

    def __post_init__(self) -> None:
        """Refuse a chain of another key, and one that ends with a certificate that nobody could trust.

        Raises:
            UsageError: the chain is not that of the key.
        """
        wanted = "the certificate of the key, then each CA above it up to the one that verifiers trust"
        if len(self.chain) == 1 and not self.chain[0].is_self_issued:
            got = "a certificate without the CA that issued it"
            raise UsageError("the chain is too short", where="--chain", got=got, wanted=wanted)
        if self.chain[0].key != self.private_key.public_key():
            got = f"{self.chain[0].where} has another key"
            raise UsageError("the chain is not that of the key", where="--chain", got=got, wanted=wanted)

    def lines(self) -> tuple[str, ...]:
        """Return the lines for each CA of the chain, the last one first: one for each name, then that of the CA.

        A self-signed certificate is its own CA.
        """
        leaf, authorities = self.chain[0], self.chain[1:] or self.chain
        return tuple(line for anchor in reversed(authorities) for line in certificate_lines(leaf, anchor))

    def sign(self, payload: bytes) -> bytes:
        """Return a bundle of the method `certificate`."""
        certificates = [{"rawBytes": _base64(one.certificate.public_bytes(Encoding.DER))} for one in self.chain]
        return _bundle(payload, self.private_key, {"x509CertificateChain": {"certificates": certificates}})


def _bundle(payload: bytes, key: EllipticCurvePrivateKey, material: dict[str, object]) -> bytes:
    signature = key.sign(pae(PAYLOAD_TYPE, payload), ECDSA(CURVE_HASHES[type(key.curve)]))
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {**material, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _base64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(signature), "keyid": ""}],
        },
    }
    return json.dumps(bundle, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
