"""The interface of every signer, bytes that nothing shows, and the chains for which a key is meant."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_log = logging.getLogger(__name__)
# Chain ids that development nodes use: anvil and hardhat, geth --dev.
LOCAL_CHAIN_IDS = frozenset({1337, 31337})


class Secret:
    """Bytes that no repr, log, traceback or pickle shows. Code that uses them calls `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


class Signer(Protocol):
    """A key that pays for transactions, or signs reports, or both.

    Two signatures over the same digest may differ: hardware and cloud keys choose a random nonce. So code that must
    send the same bytes twice stores them.

    Raises (every method, unless it says otherwise):
        UsageError: the key is missing, refused or disabled, or it made a signature that is not its own.
        TemporaryError: the device or service that holds the key does not answer now.
    """

    @property
    def address(self) -> str:
        """The account's address in checksum form."""

    @property
    def for_development(self) -> bool:
        """Whether the key is kept without protection, and so belongs on local chains only."""

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Return the raw bytes and the hash (32 bytes) of a transaction with these JSON-RPC fields."""

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        """Return the receiver (an address) and the data of a transaction that this key signed.

        Raises:
            VerificationError: the bytes are no transaction that this key signed.
        """

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the compact signature (ERC-2098, 64 bytes) over a digest of 32 bytes."""

    def sign_der(self, digest: bytes) -> bytes:
        """Return the signature in DER over a digest of 32 bytes. It has the lower s and no parity, and costs less."""


class DigestSigner:
    """A signer whose key signs digests and knows nothing of transactions. A subclass adds `_sign`.

    Args:
        address: the key's account in checksum form.
    """

    for_development = False

    def __init__(self, address: str) -> None:
        self.address = address
        self._public: EllipticCurvePublicKey | None = None  # known from the first signature on

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """See `Signer`."""
        from provenance_oracle.oracle.signers.transactions import UnsignedTransaction

        unsigned = UnsignedTransaction(fields)
        return unsigned.signed(self.sign_digest(unsigned.digest))

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        """See `Signer`."""
        from provenance_oracle.oracle.signers.transactions import signed_call

        return signed_call(raw, self.address)

    def sign_digest(self, digest: bytes) -> bytes:
        """See `Signer`."""
        from provenance_oracle.oracle.signers.signatures import compact_signature

        return compact_signature(digest, *self._sign(digest), self.address)

    def sign_der(self, digest: bytes) -> bytes:
        """See `Signer`."""
        from provenance_oracle.oracle.signers.signatures import der_signature, recovered_public_key

        r, s = self._sign(digest)
        if self._public is None:
            self._public = recovered_public_key(digest, r, s, self.address)
        return der_signature(digest, r, s, self._public, self.address)

    def _sign(self, digest: bytes) -> tuple[int, int]:
        """Return r and s of a signature over a digest of 32 bytes. s may be the higher one."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"


def check_keys(payer: Signer, reporter: Signer, chain_id: int, *, allow_development_key: bool) -> None:
    """Refuse a development key on a chain that is not local, and warn there if one key pays and signs reports.

    Raises:
        UsageError: see `check_custody`.
    """
    for signer in (payer, reporter):
        check_custody(signer, chain_id, allow_development_key=allow_development_key)
    if payer.address == reporter.address and chain_id not in LOCAL_CHAIN_IDS:
        _log.warning(
            "the key %s both pays and signs reports: a thief of the paying key could sign records; set report_key",
            payer.address,
        )


def check_custody(signer: Signer, chain_id: int, *, allow_development_key: bool) -> None:
    """Refuse a development key on a chain that is not local.

    Raises:
        UsageError: the key is for development, the chain is not local, and `allow_development_key` is not set.
    """
    if signer.for_development and chain_id not in LOCAL_CHAIN_IDS and not allow_development_key:
        raise UsageError(
            "a key from the environment is for local chains; use a keystore, or set allow_development_key",
            where=f"account {signer.address}",
            got=f"chain {chain_id}",
            wanted=" or ".join(str(known) for known in sorted(LOCAL_CHAIN_IDS)),
        )
