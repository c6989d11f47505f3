"""A private key from a keystore v3 file."""

from __future__ import annotations

import json
from pathlib import Path

from provenance_oracle.oracle.signers.base import Secret
from provenance_oracle.oracle.signers.in_memory import KeySigner
from provenance_oracle.oracle.signers.secret_files import open_private
from provenance_oracle.oracle.signers.signatures import eth_account
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps

_KEYSTORE_MAX_BYTES = 64 * 1024


class KeystoreSigner(KeySigner):
    """A private key from a keystore v3 file (https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/).

    Raises:
        UsageError: the file is not a keystore, others than its owner can access it, or the password is wrong.
    """

    def __init__(self, path: Path, password: Secret) -> None:
        forbid_core_dumps()
        with open_private(path) as file:
            data = file.read(_KEYSTORE_MAX_BYTES)
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
