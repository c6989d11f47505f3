"""DSSE envelopes: a signature over the payload bytes as received.

Format: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md (v1.0). This module is narrower than
the format: an envelope has exactly one signature, one payload type, canonical base64 and no unknown keys. Callers
parse the payload only after `verify_envelope` returned it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.manifest.key import PublicKey
from provenance_oracle.verifier.strict.ed25519 import verify_ed25519
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MANIFEST_PATH = "provenance/manifest.dsse.json"
MAX_ENVELOPE_BYTES = 64 * 1024 * 1024
_MAX_SIGNATURE_BYTES = 256
# A good envelope has 18 tokens. Anybody can write an envelope, so one with many more is refused before it is parsed.
_MAX_TOKENS = 64


@dataclass(frozen=True)
class Envelope:
    """A parsed envelope. Nothing in it is trusted.

    `payload` and `signature` are the decoded bytes. `keyid` is a hint that this project does not use; it is empty if
    the envelope has none.
    """

    payload_type: str
    payload: bytes
    signature: bytes
    keyid: str


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding (DSSE v1.0, protocol.md): the bytes that the signature covers."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(data: bytes, where: str = MANIFEST_PATH) -> Envelope:
    """Parse a DSSE envelope of at most 64 MiB. `where` names it in messages.

    Raises:
        FormatError: the envelope is too large or breaks a rule of this module (check `manifest-format`).
    """
    value = parse_json(
        data, where=where, check=Check.MANIFEST_FORMAT, max_bytes=MAX_ENVELOPE_BYTES, max_tokens=_MAX_TOKENS
    )
    fields = Fields(value, where=where, check=Check.MANIFEST_FORMAT)
    fields.constant("payloadType", PAYLOAD_TYPE)
    payload = fields.base64_bytes("payload", max_bytes=MAX_ENVELOPE_BYTES)
    (signed,) = fields.fields_list("signatures", minimum=1, maximum=1)
    signature = signed.base64_bytes("sig", max_bytes=_MAX_SIGNATURE_BYTES)
    keyid = signed.optional_text("keyid", max_chars=256) or ""
    signed.finish()
    fields.finish()
    return Envelope(PAYLOAD_TYPE, payload, signature, keyid)


def verify_envelope(envelope: Envelope, key: PublicKey, where: str = MANIFEST_PATH) -> bytes:
    """Verify that `key` signed the envelope and return its payload.

    Raises:
        VerificationError: the signature does not verify (check `manifest-signature`).
    """
    verify_signature(key, envelope.signature, pae(envelope.payload_type, envelope.payload), where)
    return envelope.payload


def verify_signature(key: PublicKey, signature: bytes, message: bytes, where: str) -> None:
    """Verify the signature of `message` with the algorithm that belongs to the key.

    The algorithm is ECDSA with SHA-256 for P-256 and with SHA-384 for P-384 (signature in DER), or Ed25519.

    Raises:
        VerificationError: the signature does not verify (check `manifest-signature`).
    """
    try:
        if isinstance(key.key, EllipticCurvePublicKey):
            hash_algorithm = SHA256() if isinstance(key.key.curve, SECP256R1) else SHA384()
            key.key.verify(signature, message, ECDSA(hash_algorithm))
        else:
            verify_ed25519(key.key, signature, message)
    except InvalidSignature as error:
        raise VerificationError(
            "the signature does not verify",
            check=Check.MANIFEST_SIGNATURE,
            where=where,
            got=f"{len(signature)} bytes that this key did not make over these bytes",
            wanted=f"{key.algorithm} by the key in provenance/cvm-key.pem",
        ) from error
