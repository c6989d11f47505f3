"""A private key in this process's memory."""

from __future__ import annotations

from provenance_oracle.oracle.signers.base import DigestSigner, Secret
from provenance_oracle.oracle.signers.signatures import eth_account, private_key
from provenance_oracle.verifier.errors import UsageError

KEY_BYTES = 32


class InMemorySigner(DigestSigner):
    """Signs with a private key held in memory. Its signatures are deterministic (RFC 6979).

    The caller has called `forbid_core_dumps` before it read the key.

    Args:
        key: 32 bytes.
        where: the place that the key is from, for messages.

    Raises:
        UsageError: the bytes are no private key.
    """

    def __init__(self, key: Secret, where: str) -> None:
        self._key = key
        super().__init__(_address(key, where))

    def _sign(self, digest: bytes) -> tuple[int, int]:
        # No object of the library holds the key for longer than this call.
        signature = private_key(self._key.reveal()).sign_msg_hash(digest)
        return signature.r, signature.s


def _address(key: Secret, where: str) -> str:
    library = eth_account()
    try:
        return str(library.from_key(key.reveal()).address)
    except Exception:
        raise UsageError("the key is not a secp256k1 private key", where=where, wanted="1 to n - 1") from None
