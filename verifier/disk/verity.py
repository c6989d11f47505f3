"""dm-verity: parameters, superblock and the hash of many blocks.

Format: Linux kernel, Documentation/admin-guide/device-mapper/verity.rst, and cryptsetup's wiki page "DMVerity" for
the superblock. All integers little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

SUPERBLOCK_BYTES = 512
DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
ZERO_UUID = UUID(int=0)
_SIGNATURE = b"verity\0\0"
_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6x256s168x")
_MIN_BLOCK_BYTES, _MAX_BLOCK_BYTES = 512, 1 << 19
_MAX_SALT_BYTES = 256

# Hashes blocks of one size, one after the other, and returns their digests in order. The salt may be empty.
BlockHasher = Callable[[memoryview, bytes], bytes]


@dataclass(frozen=True)
class VerityParameters:
    """All that shapes a dm-verity root, next to the data.

    `hash_format` 1 hashes salt and block, each digest in a slot of a power of two bytes; 0 (Chromium OS) hashes block
    and salt, digests packed.

    Raises:
        FormatError: a value dm-verity does not know.
    """

    algorithm: str = "sha256"
    hash_format: int = 1
    data_block_bytes: int = 4096
    hash_block_bytes: int = 4096
    salt: bytes = b""
    uuid: UUID = ZERO_UUID

    def __post_init__(self) -> None:
        if self.algorithm not in DIGEST_BYTES:
            raise _refused("algorithm", self.algorithm, ", ".join(DIGEST_BYTES))
        if self.hash_format not in (0, 1):
            raise _refused("hash format", str(self.hash_format), "0 or 1")
        for name, size in (("data block size", self.data_block_bytes), ("hash block size", self.hash_block_bytes)):
            if not _MIN_BLOCK_BYTES <= size <= _MAX_BLOCK_BYTES or size & (size - 1):
                raise _refused(name, str(size), f"a power of two from {_MIN_BLOCK_BYTES} to {_MAX_BLOCK_BYTES}")
        if len(self.salt) > _MAX_SALT_BYTES:
            raise _refused("salt", f"{len(self.salt)} bytes", f"at most {_MAX_SALT_BYTES}")

    @property
    def digest_bytes(self) -> int:
        return DIGEST_BYTES[self.algorithm]

    @property
    def slot_bytes(self) -> int:
        """Room for one digest in a hash block."""
        if self.hash_format == 0:
            return self.digest_bytes
        return 1 << (self.digest_bytes - 1).bit_length()

    @property
    def digests_per_block(self) -> int:
        """How many digests a hash block holds: a power of two, so up to half of a block may stay empty."""
        return 1 << (self.hash_block_bytes // self.slot_bytes).bit_length() - 1

    def level_blocks(self, data_blocks: int) -> tuple[int, ...]:
        """Return the number of hash blocks of each level, from the leaves' level up. One data block needs none."""
        levels = []
        count = data_blocks
        while count > 1:
            count = -(-count // self.digests_per_block)
            levels.append(count)
        return tuple(levels)


def hash_blocks(data: memoryview, salt: bytes) -> bytes:
    """Return the SHA-256 digests of the 4096-byte blocks of `data`, each behind `salt`. The plain Python path."""
    return _sha256_4096(data, salt)


def block_hasher(algorithm: str, hash_format: int, block_bytes: int) -> BlockHasher:
    """Return a function that hashes blocks of `block_bytes` with the salt before (format 1) or behind them (0)."""

    def salt_first(data: memoryview, salt: bytes) -> bytes:
        seeded = hashlib.new(algorithm, salt)
        digests = []
        for start in range(0, len(data), block_bytes):
            state = seeded.copy()
            state.update(data[start : start + block_bytes])
            digests.append(state.digest())
        return b"".join(digests)

    def salt_last(data: memoryview, salt: bytes) -> bytes:
        digests = []
        for start in range(0, len(data), block_bytes):
            state = hashlib.new(algorithm, data[start : start + block_bytes])
            state.update(salt)
            digests.append(state.digest())
        return b"".join(digests)

    return salt_first if hash_format == 1 else salt_last


_sha256_4096 = block_hasher("sha256", 1, 4096)


def superblock(parameters: VerityParameters, data_blocks: int) -> bytes:
    """Return the 512 bytes that stand before the hash tree."""
    return _SUPERBLOCK.pack(
        _SIGNATURE,
        1,
        parameters.hash_format,
        parameters.uuid.bytes,
        parameters.algorithm.encode(),
        parameters.data_block_bytes,
        parameters.hash_block_bytes,
        data_blocks,
        len(parameters.salt),
        parameters.salt,
    )


def parse_superblock(data: bytes, where: str) -> tuple[VerityParameters, int]:
    """Read a superblock: parameters and number of data blocks. Nothing in it is authenticated by a root hash.

    Raises:
        FormatError: not a superblock, an unknown value, or bytes that are neither defined nor zero.
    """
    if len(data) < SUPERBLOCK_BYTES or data[:8] != _SIGNATURE:
        raise _refused("superblock", data[:8].hex() or "nothing", f"{_SIGNATURE.hex()} and 512 bytes in all", where)
    _, version, hash_format, uuid, algorithm, data_block, hash_block, data_blocks, salt_bytes, salt = (
        _SUPERBLOCK.unpack(data[:SUPERBLOCK_BYTES])
    )
    if version != 1:
        raise _refused("superblock version", str(version), "1", where)
    if salt_bytes > _MAX_SALT_BYTES:
        raise _refused("salt", f"{salt_bytes} bytes", f"at most {_MAX_SALT_BYTES}", where)
    name = algorithm.rstrip(b"\0").decode("ascii", "replace")
    try:
        parameters = VerityParameters(name, hash_format, data_block, hash_block, salt[:salt_bytes], UUID(bytes=uuid))
    except FormatError as error:
        error.where = where
        raise
    if superblock(parameters, data_blocks) != data[:SUPERBLOCK_BYTES]:
        raise _refused("superblock", "stray bytes in unused fields", "zeros", where)
    return parameters, data_blocks


def _refused(what: str, got: str, wanted: str, where: str = "dm-verity") -> FormatError:
    return FormatError(f"unknown {what}", check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
