"""The VM's public key, and the conventions by which a report's REPORT_DATA names it.

A convention is a hash of the key's DER SubjectPublicKeyInfo, followed by zero bytes up to 64. All 64 bytes are
compared, in one byte order only. A SubjectPublicKeyInfo has one accepted encoding, or the same key would have
several digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from verifier.checks import Check
from verifier.errors import FormatError, UsageError, VerificationError

REPORT_DATA_BYTES = 64
MAX_KEY_BYTES = 16 * 1024


@dataclass(frozen=True)
class PublicKey:
    """A key that may sign manifests: `spki` is its DER SubjectPublicKeyInfo, as received."""

    spki: bytes
    key: EllipticCurvePublicKey | Ed25519PublicKey
    algorithm: str


def _sha256_spki(spki: bytes) -> bytes:
    return hashlib.sha256(spki).digest()


def _sha384_spki(spki: bytes) -> bytes:
    return hashlib.sha384(spki).digest()


def _sha512_spki(spki: bytes) -> bytes:
    return hashlib.sha512(spki).digest()


BINDINGS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"sha256-spki": _sha256_spki, "sha384-spki": _sha384_spki, "sha512-spki": _sha512_spki}
)
DEFAULT_BINDING = "sha256-spki"


def bound_report_data(key: PublicKey, binding: str = DEFAULT_BINDING) -> bytes:
    """Return the 64 bytes of REPORT_DATA that name `key` by a convention of `BINDINGS`.

    Raises:
        UsageError: no such convention.
    """
    if binding not in BINDINGS:
        raise UsageError(
            "unknown key binding", check=Check.KEY_BINDING, got=binding, wanted="one of " + ", ".join(BINDINGS)
        )
    return BINDINGS[binding](key.spki).ljust(REPORT_DATA_BYTES, b"\0")


def verify_key_binding(report_data: bytes, key: PublicKey, accepted: tuple[str, ...]) -> str:
    """Return the one convention among `accepted` by which `report_data` names `key`.

    Args:
        report_data: the report's 64 bytes.
        accepted: names in `BINDINGS`; only these are tried.

    Raises:
        UsageError: `accepted` is empty or holds an unknown name.
        FormatError: `report_data` is not 64 bytes long.
        VerificationError: it is all zero, or names another key, or names this one in another way.
    """
    if not accepted:
        raise UsageError("no key binding is accepted", check=Check.KEY_BINDING, got="", wanted="one or more names")
    if len(report_data) != REPORT_DATA_BYTES:
        raise FormatError(
            "REPORT_DATA has a wrong size",
            check=Check.KEY_BINDING,
            where="report_data",
            got=f"{len(report_data)} bytes",
            wanted=f"{REPORT_DATA_BYTES} bytes",
        )
    expected = {name: bound_report_data(key, name) for name in accepted}
    for name, wanted in expected.items():
        if report_data == wanted and any(report_data):
            return name
    raise VerificationError(
        "the report does not name this key",
        check=Check.KEY_BINDING,
        where="report_data",
        got=report_data.hex() if any(report_data) else "64 zero bytes",
        wanted=" or ".join(f"{wanted.hex()} ({name})" for name, wanted in expected.items()),
    )


def parse_public_key(pem: bytes, where: str) -> PublicKey:
    """Read one PEM SubjectPublicKeyInfo: ECDSA on P-256 or P-384, or Ed25519.

    Raises:
        FormatError: other text around the block, another kind of key, or another encoding of one (check `key-binding`).
    """
    if len(pem) > MAX_KEY_BYTES:
        raise _malformed(where, f"{len(pem)} bytes", f"at most {MAX_KEY_BYTES} bytes")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _malformed(where, "no such block, or a malformed one", "one PEM block PUBLIC KEY") from error
    algorithm = _algorithm_of(key)
    if not algorithm or not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey):
        raise _malformed(where, type(key).__name__, "ECDSA on P-256 or P-384, or Ed25519")
    # Equality with the re-encoding rules out text around the block, compressed points, explicit curve parameters,
    # trailing bytes and loose base64, all at once.
    canonical = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if pem.replace(b"\r\n", b"\n").removesuffix(b"\n") != canonical.removesuffix(b"\n"):
        raise _malformed(where, "another encoding of a key, or more than one", "exactly the canonical PUBLIC KEY block")
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), key, algorithm)


def _algorithm_of(key: object) -> str:
    """Return the signature algorithm that goes with a key, or nothing for a key that we do not take."""
    if isinstance(key, Ed25519PublicKey):
        return "Ed25519"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ECDSA P-256"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1):
        return "ECDSA P-384"
    return ""


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    return FormatError("not an acceptable public key", check=Check.KEY_BINDING, where=where, got=got, wanted=wanted)
