"""The checksum CRC-32C (Castagnoli, RFC 3720 appendix B.4). It finds accidents, and no forgery."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed
_ALL_BITS = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Return the checksum of a few bytes."""
    return uninverted_crc32c(data) ^ _ALL_BITS


def uninverted_crc32c(data: bytes) -> int:
    """Return the checksum without the inversion of all bits at the end, as EROFS has it."""
    remainder = _ALL_BITS
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (_POLYNOMIAL if remainder & 1 else 0)
    return remainder
