"""keccak256, the hash function of the EVM. Its library comes with the extra `chain` and is imported on first use."""

from __future__ import annotations

from provenance_oracle.verifier.errors import UsageError


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte digest that Solidity's `keccak256` returns.

    Raises:
        UsageError: the extra `chain` is not installed.
    """
    try:
        from eth_hash.auto import keccak
    except ImportError:
        raise UsageError(
            "keccak256 needs the extra 'chain'", got="no eth-hash", wanted="pip install 'provenance-oracle[chain]'"
        ) from None
    return bytes(keccak(data))
