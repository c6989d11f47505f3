"""The method `key`: a public key that the verifier already has.

Keys are ECDSA on P-256, P-384 or P-521; the hash is SHA-256, SHA-384 or SHA-512 (OpenSSF model signing v1.0). A bundle
holds only a hint: the SHA-256 of the key's PEM text. Old bundles hold the key itself, which proves nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.bundle import SignatureBundle
from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity
from provenance_oracle.verifier.identity.signer import ModelSigner, forged
from provenance_oracle.verifier.manifest.dsse import pae
from provenance_oracle.verifier.strict.encodings import pem_hint

PUBLISHER_KEY_MAX_BYTES = 16 * 1024
_BEGIN, _END = b"-----BEGIN ", b"-----END PUBLIC KEY-----"
# The curves of signers, and the hash that belongs to each.
CURVE_HASHES: dict[type, HashAlgorithm] = {SECP256R1: SHA256(), SECP384R1: SHA384(), SECP521R1: SHA512()}


@dataclass(frozen=True)
class PublisherKey:
    """A publisher's public key. `pem` is its canonical PEM text, `spki` its DER SubjectPublicKeyInfo."""

    key: EllipticCurvePublicKey
    pem: bytes
    spki: bytes

    @property
    def hint(self) -> str:
        """The SHA-256 of the PEM text in hex, by which bundles name the key."""
        return hashlib.sha256(self.pem).hexdigest()

    @property
    def identity(self) -> PublisherIdentity:
        """The identity `key SPKI`."""
        return PublisherIdentity(f"{IdentityKind.KEY} {hashlib.sha256(self.spki).hexdigest()}")


def parse_publisher_key(pem: bytes, where: str) -> PublisherKey:
    """Parse one PEM SubjectPublicKeyInfo in at most 16 KiB: ECDSA on P-256, P-384 or P-521.

    Text before and after the block, as GnuTLS writes it, is passed over (RFC 7468, section 2).

    Args:
        where: the name of the file, for messages.

    Raises:
        FormatError: the file is too large, or holds no key, more than one, or another kind or encoding of a key (check
            `publisher-signature`).
    """
    wanted = "one PEM block PUBLIC KEY: ECDSA on P-256, P-384 or P-521"
    if len(pem) > PUBLISHER_KEY_MAX_BYTES:
        raise _malformed(where, f"{len(pem)} bytes", f"at most {PUBLISHER_KEY_MAX_BYTES} bytes")
    if pem.count(_BEGIN) == 1 and _END in pem:
        pem = pem[pem.index(_BEGIN) : pem.rindex(_END) + len(_END)]
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        got = f"no such block, or a malformed one{pem_hint(pem, b'PUBLIC KEY')}"
        raise _malformed(where, got, wanted) from error
    if not isinstance(key, EllipticCurvePublicKey) or type(key.curve) not in CURVE_HASHES:
        raise _malformed(where, type(key).__name__, wanted)
    canonical = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if pem.replace(b"\r\n", b"\n") != canonical.removesuffix(b"\n"):
        raise _malformed(where, "another encoding of a key, or more than one", "exactly the canonical PUBLIC KEY block")
    return PublisherKey(key, canonical, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def verify_by_key(bundle: SignatureBundle, key: PublisherKey, *, allow_old: bool = False) -> ModelSigner:
    """Verify that `key` signed the bundle's payload.

    Args:
        allow_old: accept the signature of version 0.1 too; see `verify_model_signature`.

    Raises:
        VerificationError: the hint names another key, or the signature does not verify (check `publisher-signature`).
    """
    if bundle.key_hint and bundle.key_hint != key.hint:
        raise forged(bundle, "the bundle names another key", bundle.key_hint, f"{key.hint}, the hint of the key given")
    if bundle.raw_key and bundle.raw_key.strip() != key.pem.strip():
        raise forged(bundle, "the bundle holds another key", "another key", key.identity.line)
    is_old = verify_model_signature(bundle, key.key, allow_old=allow_old)
    return ModelSigner(bundle.method, (key.identity.line,), is_old=is_old)


def verify_model_signature(bundle: SignatureBundle, key: EllipticCurvePublicKey, *, allow_old: bool = False) -> bool:
    """Verify the signature of the envelope with a key, and the hash that belongs to its curve.

    The first signers, of version 0.2, signed other bytes: the prefix `DSSEV1` in place of `DSSEv1`, and the payload as
    Python shows a bytes literal; always with SHA-256.

    Args:
        allow_old: accept the old bytes too. The payload must then have the old predicate.

    Returns:
        Whether the signed bytes are the old ones.

    Raises:
        VerificationError: the signature does not verify (check `publisher-signature`).
    """
    kind, payload = bundle.envelope.payload_type, bundle.envelope.payload
    if _verifies(key, bundle.envelope.signature, pae(kind, payload), CURVE_HASHES[type(key.curve)]):
        return False
    old = b"DSSEV1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), repr(payload).encode())
    if allow_old and _verifies(key, bundle.envelope.signature, old, SHA256()):
        return True
    got = f"{len(bundle.envelope.signature)} bytes that this key did not make over this payload"
    raise forged(bundle, "the signature does not verify", got, f"ECDSA on {key.curve.name} by the signer's key")


def _verifies(key: EllipticCurvePublicKey, signature: bytes, message: bytes, algorithm: HashAlgorithm) -> bool:
    try:
        key.verify(signature, message, ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    problem = "not an acceptable publisher's key"
    return FormatError(problem, check=Check.PUBLISHER_SIGNATURE, where=where, got=got, wanted=wanted)
