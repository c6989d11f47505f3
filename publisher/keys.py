"""The VM's private key. It is made once inside the VM and kept in a file that only its owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from provenance_oracle.publisher.manifest import PrivateKey
from provenance_oracle.verifier.errors import UsageError, unwritten
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps

_MAX_BYTES = 64 * 1024


def load_or_make_key(path: Path) -> PrivateKey:
    """Load the key in `path`, or make one there as `make_key` does. An existing file is never changed.

    Raises:
        UsageError: see `load_key`, or the file cannot be written. TemporaryError: the disk is full.
    """
    return load_key(path) if os.path.lexists(path) else make_key(path)


def make_key(path: Path) -> PrivateKey:
    """Make a key in the new file `path`: ECDSA P-384, mode 0600.

    Raises:
        UsageError: the file exists, or cannot be written. TemporaryError: the disk is full.
    """
    forbid_core_dumps()
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        wanted = "no file; leave out --new-key to use the key in it, or name another file"
        raise UsageError("the key exists already", where=str(path), got="a file", wanted=wanted) from None
    except OSError as error:
        raise unwritten("cannot write the key", error, where=str(path), wanted="a new file") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    except OSError as error:
        path.unlink(missing_ok=True)  # the part that was written would pass for a key
        raise unwritten("cannot write the key", error, where=str(path), wanted="a new file") from error
    return key


def load_key(path: Path) -> PrivateKey:
    """Load a PEM private key without a password.

    Raises:
        UsageError: the file does not exist, others can read it, or it is not an ECDSA P-256, P-384 or Ed25519 key.
    """
    forbid_core_dumps()
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            pem = file.read(_MAX_BYTES)
    except OSError as error:
        wanted = "a PEM file; `provenance attest --new-key` makes one"
        raise UsageError(
            "cannot read the key", where=str(path), got=error.strerror or str(error), wanted=wanted
        ) from error
    if mode & 0o077:
        raise UsageError("others can read the key", where=str(path), got=f"mode {mode:04o}", wanted="mode 0600")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the library's message may quote the key
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    raise UsageError(
        "the file has no key that can sign manifests",
        where=str(path),
        got="something else",
        wanted="P-256, P-384 or Ed25519 in PEM",
    )
