"""A private key from a keystore v3 file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.in_memory import KEY_BYTES, InMemorySigner
from provenance_oracle.oracle.signers.signatures import eth_account
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps
from provenance_oracle.verifier.strict.secret_files import read_secret, write_secret

_KEYSTORE_MAX_BYTES = 64 * 1024


class KeystoreSigner(InMemorySigner):
    """A private key from a keystore v3 file (https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/).

    Raises:
        UsageError: the file is not a keystore, others than its owner can access it, or the password is wrong.
        TemporaryError: the disk fails.
    """

    def __init__(self, path: Path, password: Secret) -> None:
        forbid_core_dumps()
        data = read_secret(path, _KEYSTORE_MAX_BYTES)
        library = eth_account()
        try:
            key = bytes(library.decrypt(json.loads(data), password.reveal().decode()))
        except Exception:  # the library can raise almost any exception for a malformed file
            raise UsageError(
                "the keystore cannot be opened",
                where=str(path),
                got="wrong password or malformed",
                wanted="keystore v3",
            ) from None
        super().__init__(Secret(key), str(path))


def make_keystore(path: Path, password: Secret, randomness: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Write a new keystore v3 file (scrypt) with a new key, and return the key's address.

    Args:
        randomness: returns so many random bytes.

    Raises:
        UsageError: the password is not UTF-8, or the path exists or cannot be written.
        TemporaryError: the disk is full or fails.
    """
    forbid_core_dumps()
    try:
        words = password.reveal().decode()
    except UnicodeDecodeError:
        raise UsageError("the password of a keystore is text", where=str(path), wanted="UTF-8") from None
    while not 0 < int.from_bytes(key := randomness(KEY_BYTES), "big") < CURVE_ORDER:
        pass
    signer = InMemorySigner(Secret(key), "new key")
    write_secret(path, json.dumps(eth_account().encrypt(key, words)).encode())
    return signer.address
