"""The checksum CRC-32C (Castagnoli, RFC 3720 appendix B.4), with which Google Cloud KMS guards its fields."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed


def crc32c(data: bytes) -> int:
    """Return the checksum of a few bytes."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (_POLYNOMIAL if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF
