"""Keys and addresses of accounts, and the keys that may have made an ECDSA signature (SEC 1, section 4.1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.light_imports import light_imports

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class AccountKey:
    """A public key of an account: the point as x and y, 64 bytes."""

    point: bytes

    @property
    def address(self) -> bytes:
        """The account's address, 20 bytes."""
        return keccak256(self.point)[-20:]

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        """The key as an object of the library `cryptography`."""
        from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, EllipticCurvePublicKey

        return EllipticCurvePublicKey.from_encoded_point(SECP256K1(), b"\x04" + self.point)

    @property
    def pem(self) -> bytes:
        """The key as SubjectPublicKeyInfo in PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def possible_signers(digest: bytes, r: int, s: int) -> tuple[AccountKey, ...]:
    """Return the keys for which r and s are a signature over `digest` (32 bytes): two at most.

    Raises:
        UsageError: the extra `chain` is missing.
    """
    found = (recovered_key(digest, r, s, parity) for parity in (0, 1))
    return tuple(key for key in found if key is not None)


def recovered_key(digest: bytes, r: int, s: int, parity: int) -> AccountKey | None:
    """Return the key that made a signature over `digest` (32 bytes); None if it is no signature.

    Args:
        parity: of the y of the point whose x is r, 0 or 1.

    Raises:
        UsageError: the extra `chain` is missing.
    """
    with naming_extras(), light_imports():
        from eth_keys.datatypes import Signature
        from eth_keys.exceptions import BadSignature
        from eth_utils.exceptions import ValidationError
    try:
        return AccountKey(Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest).to_bytes())
    except (BadSignature, ValidationError):
        return None


def checksum_address(address: bytes) -> str:
    """Return an address (20 bytes) in checksum form (ERC-55)."""
    with naming_extras(), light_imports():
        from eth_utils.address import to_checksum_address
    return str(to_checksum_address(address))
