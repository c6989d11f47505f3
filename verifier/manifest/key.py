"""The public key that verifies a manifest's signature.

Formats: SubjectPublicKeyInfo (RFC 5280, section 4.1; RFC 5480 for ECDSA, RFC 8410 for Ed25519) in a PEM block
(RFC 7468, section 13). Only one encoding of a key is accepted; otherwise the same key could have several digests.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.ed25519 import is_acceptable_point
from provenance_oracle.verifier.strict.encodings import pem_hint

MAX_KEY_BYTES = 16 * 1024
_LABEL = b"PUBLIC KEY"


@dataclass(frozen=True)
class PublicKey:
    """A public key for manifests.

    `spki` is its DER SubjectPublicKeyInfo, which equals the bytes received. `algorithm` is `ECDSA P-256`,
    `ECDSA P-384` or `Ed25519`.
    """

    spki: bytes
    key: EllipticCurvePublicKey | Ed25519PublicKey
    algorithm: str


def parse_public_key(pem: bytes, where: str) -> PublicKey:
    """Parse one PEM SubjectPublicKeyInfo of at most 16 KiB: ECDSA on P-256 or P-384, or Ed25519.

    Line ends may be LF or CRLF. `where` names the file in messages.

    Raises:
        FormatError: the file is too large, has text around the block, holds another kind of key or a point of small
            order, or encodes the key in another way (check `key-binding`).
    """
    if len(pem) > MAX_KEY_BYTES:
        raise _malformed(where, f"{len(pem)} bytes", f"at most {MAX_KEY_BYTES} bytes")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = pem_hint(pem, _LABEL)
        raise _malformed(where, "no such block, or a malformed one", "one PEM block PUBLIC KEY", hint) from error
    algorithm = _algorithm_of(key)
    if not algorithm or not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey):
        raise _malformed(where, type(key).__name__, "ECDSA on P-256 or P-384, or Ed25519")
    # One comparison with the re-encoded key rules out text around the block, compressed points, explicit curve
    # parameters, trailing bytes and loose base64.
    canonical = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if pem.replace(b"\r\n", b"\n").removesuffix(b"\n") != canonical.removesuffix(b"\n"):
        got, wanted = "another encoding of a key, or more than one", "exactly the canonical PUBLIC KEY block"
        raise _malformed(where, got, wanted, pem_hint(pem, _LABEL))
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), key, algorithm)


def _algorithm_of(key: object) -> str:
    """Return the name of a key's signature algorithm, or an empty text if the key is of an unsupported kind.

    So is a point of small order on the curve of Ed25519.
    """
    if isinstance(key, Ed25519PublicKey):
        return "Ed25519" if is_acceptable_point(key.public_bytes_raw()) else ""
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ECDSA P-256"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1):
        return "ECDSA P-384"
    return ""


def _malformed(where: str, got: str, wanted: str, hint: str = "") -> FormatError:
    problem = f"not an acceptable public key{hint}"
    return FormatError(problem, check=Check.KEY_BINDING, where=where, got=got, wanted=wanted)
