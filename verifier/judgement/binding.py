"""The conventions by which a report's REPORT_DATA names the VM's public key.

By each convention, REPORT_DATA is a hash of the key's DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), followed by zero
bytes up to 64. All 64 bytes are compared, in one byte order only. The key parser accepts only one encoding of a
SubjectPublicKeyInfo; otherwise one key would have several digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.manifest.key import PublicKey

REPORT_DATA_BYTES = 64


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
        UsageError: `BINDINGS` has no convention of this name.
    """
    if binding not in BINDINGS:
        raise UsageError(
            "unknown key binding", check=Check.KEY_BINDING, got=binding, wanted="one of " + ", ".join(BINDINGS)
        )
    return BINDINGS[binding](key.spki).ljust(REPORT_DATA_BYTES, b"\0")


def verify_key_binding(report_data: bytes, key: PublicKey, accepted: tuple[str, ...]) -> str:
    """Return the name of the convention in `accepted` by which `report_data` names `key`.

    Args:
        report_data: the report's REPORT_DATA, 64 bytes.
        accepted: names in `BINDINGS`; no other convention is tried.

    Raises:
        UsageError: `accepted` is empty or has an unknown name.
        FormatError: `report_data` is not 64 bytes long.
        VerificationError: `report_data` is all zero, names another key, or names this key by a convention that is not
            in `accepted` (check `key-binding`).
    """
    if not accepted:
        raise UsageError("no key binding is accepted", check=Check.KEY_BINDING, got="", wanted="one or more names")
    if len(report_data) != REPORT_DATA_BYTES:
        raise FormatError(
            "REPORT_DATA has the wrong size",
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
