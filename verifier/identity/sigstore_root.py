"""The trusted root of a sigstore instance: its logs, its certificate authorities and its timestamp authorities.

Format: TrustedRoot (https://github.com/sigstore/protobuf-specs, sigstore_trustroot.proto) in JSON. The root of the
public instance is data of this package, `sigstore_root_2026_11.json`, as sigstore 4.5.1 ships it. Nothing is fetched,
and no cache is read. Windows of validity are closed intervals, and each must have a start.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP384R1, SECP521R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.ed25519 import verify_ed25519
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.strict.timestamps import parse_time

ROOT_MAX_BYTES = 1 << 20
_PINNED = "sigstore_root_2026_11.json"
_ENTRIES_MAX = 64
_DER_MAX_BYTES = 16 << 10


@dataclass(frozen=True)
class ValidityWindow:
    """The time in which a key of the root counts, both ends included. `end` is None for one without an end."""

    start: datetime
    end: datetime | None

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment and (self.end is None or moment <= self.end)


@dataclass(frozen=True)
class RootLog:
    """A transparency log: its id, the SHA-256 of its DER key, its key and its window."""

    log_id: bytes
    spki_digest: bytes
    key: EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey
    window: ValidityWindow

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Return whether the log's key made the signature."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                verify_ed25519(self.key, signature, message)
            elif isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, message, PKCS1v15(), SHA256())
            else:
                algorithms = {SECP384R1: SHA384(), SECP521R1: SHA512()}
                self.key.verify(signature, message, ECDSA(algorithms.get(type(self.key.curve), SHA256())))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class RootAuthority:
    """A certificate authority or timestamp authority: its chain, the issuer or the signer first, and its window."""

    chain: tuple[x509.Certificate, ...]
    window: ValidityWindow


@dataclass(frozen=True)
class PinnedRoot:
    """A trusted root. `digest` is the SHA-256 of `data`, the bytes of the file."""

    data: bytes
    digest: bytes
    logs: tuple[RootLog, ...]
    certificate_logs: tuple[RootLog, ...]
    authorities: tuple[RootAuthority, ...]
    stampers: tuple[RootAuthority, ...]


@cache
def load_pinned_root() -> PinnedRoot:
    """Return the root of the public instance that this package carries. It is parsed once."""
    return parse_trusted_root(resources.files(__package__).joinpath(_PINNED).read_bytes(), _PINNED)


def parse_trusted_root(data: bytes, where: str) -> PinnedRoot:
    """Parse a trusted root. Members that verification does not need are passed over.

    Args:
        where: the name of the file, for messages.

    Raises:
        FormatError: it is no trusted root, or a window has no start (check `publisher-signature`).
    """
    value = parse_json(data, where=where, check=Check.PUBLISHER_SIGNATURE, max_bytes=ROOT_MAX_BYTES)
    fields = Fields(value, where=where, check=Check.PUBLISHER_SIGNATURE)
    try:
        return PinnedRoot(
            data,
            hashlib.sha256(data).digest(),
            tuple(map(_log, _list(fields, "tlogs"))),
            tuple(map(_log, _list(fields, "ctlogs"))),
            tuple(map(_authority, _list(fields, "certificateAuthorities"))),
            tuple(map(_authority, _list(fields, "timestampAuthorities"))),
        )
    except ValueError as error:
        raise fields.error("", "a key or certificate is malformed", got=str(error)[:200], wanted="DER") from error


def _list(fields: Fields, key: str) -> list[Fields]:
    return fields.fields_list(key, maximum=_ENTRIES_MAX) if key in fields else []


def _log(fields: Fields) -> RootLog:
    public = fields.fields("publicKey")
    der = public.base64_bytes("rawBytes", max_bytes=_DER_MAX_BYTES)
    key = load_der_public_key(der)
    if not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey):
        raise public.error("rawBytes", "unknown key", got=type(key).__name__, wanted="ECDSA, Ed25519 or RSA")
    log_id = fields.fields("logId").base64_bytes("keyId", max_bytes=64)
    return RootLog(log_id, hashlib.sha256(der).digest(), key, _window(public))


def _authority(fields: Fields) -> RootAuthority:
    entries = fields.fields("certChain").fields_list("certificates", minimum=1, maximum=_ENTRIES_MAX)
    chain = [x509.load_der_x509_certificate(one.base64_bytes("rawBytes", max_bytes=_DER_MAX_BYTES)) for one in entries]
    return RootAuthority(tuple(chain), _window(fields))


def _window(fields: Fields) -> ValidityWindow:
    window = fields.fields("validFor")
    end = window.value("end") if "end" in window else None
    return ValidityWindow(
        _time(window, "start", window.value("start")), None if end is None else _time(window, "end", end)
    )


def _time(fields: Fields, key: str, text: object) -> datetime:
    try:
        return parse_time(str(text))
    except UsageError as error:
        raise fields.error(key, error.problem, got=error.got, wanted=error.wanted) from error
