"""dm-verity: parameters, superblock and block hashing.

Formats: Linux kernel, Documentation/admin-guide/device-mapper/verity.rst, for the hash tree; cryptsetup's wiki page
"DMVerity" for the superblock. All integers are little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

VERITY_SUPERBLOCK_BYTES = 512
HASH_SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
ZERO_UUID = UUID(int=0)
_SIGNATURE = b"verity\0\0"
_SUPERBLOCK = struct.Struct("<8sII16s32sIIQH6x256s168x")
_MIN_BLOCK_BYTES, _MAX_BLOCK_BYTES = 512, 1 << 19
_MAX_SALT_BYTES = 256

# Hashes concatenated blocks of one size; returns their concatenated digests. Arguments: data, salt (may be empty).
BlockHasher = Callable[[memoryview, bytes], bytes]


@dataclass(frozen=True)
class VerityParameters:
    """The parameters that determine a dm-verity root, besides the data, and the uuid of the superblock.

    Attributes:
        algorithm: sha1, sha256, sha384 or sha512.
        hash_format: 1 hashes salt then block and puts each digest into a slot whose size is a power of two; 0 (Chromium
            OS) hashes block then salt and packs the digests.
        data_block_bytes: size of a data block, a power of two from 512 to 512 KiB.
        hash_block_bytes: size of a hash block, in the same range.
        salt: at most 256 bytes.
        uuid: only stored in the superblock; the root does not depend on it.

    Raises:
        FormatError: dm-verity does not support a value (check `file-digests`).
    """

    algorithm: str = "sha256"
    hash_format: int = 1
    data_block_bytes: int = 4096
    hash_block_bytes: int = 4096
    salt: bytes = b""
    uuid: UUID = ZERO_UUID

    def __post_init__(self) -> None:
        if self.algorithm not in HASH_SIZES:
            raise _unknown("algorithm", self.algorithm, ", ".join(HASH_SIZES))
        if self.hash_format not in (0, 1):
            raise _unknown("hash format", str(self.hash_format), "0 or 1")
        for name, size in (("data block size", self.data_block_bytes), ("hash block size", self.hash_block_bytes)):
            if not _MIN_BLOCK_BYTES <= size <= _MAX_BLOCK_BYTES or size & (size - 1):
                raise _unknown(name, str(size), f"a power of two from {_MIN_BLOCK_BYTES} to {_MAX_BLOCK_BYTES}")
        if len(self.salt) > _MAX_SALT_BYTES:
            raise _unknown("salt", f"{len(self.salt)} bytes", f"at most {_MAX_SALT_BYTES}")

    @property
    def digest_bytes(self) -> int:
        """Size of a digest in bytes."""
        return HASH_SIZES[self.algorithm]

    @property
    def slot_bytes(self) -> int:
        """Space for one digest in a hash block, in bytes."""
        if self.hash_format == 0:
            return self.digest_bytes
        return 1 << (self.digest_bytes - 1).bit_length()

    @property
    def digests_per_block(self) -> int:
        """Number of digests in a hash block. It is a power of two, so up to half of a block may stay empty."""
        return 1 << (self.hash_block_bytes // self.slot_bytes).bit_length() - 1

    def level_blocks(self, data_blocks: int) -> tuple[int, ...]:
        """Return the number of hash blocks of each level, from the leaves up. One data block needs no level."""
        levels = []
        count = data_blocks
        while count > 1:
            count = -(-count // self.digests_per_block)
            levels.append(count)
        return tuple(levels)


def hash_salted_blocks(data: memoryview, salt: bytes) -> bytes:
    """Return the SHA-256 digests of salt and block for each 4096-byte block of `data`, concatenated.

    This is the implementation without native code.
    """
    return _sha256_4096(data, salt)


def block_hasher(algorithm: str, hash_format: int, block_bytes: int) -> BlockHasher:
    """Return a function that hashes blocks of `block_bytes` bytes, the salt before (format 1) or after them (0)."""

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
    """Return the 512-byte superblock that precedes the hash tree."""
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
    """Parse a superblock into parameters and the number of data blocks. `where` names the image in messages.

    A root hash does not authenticate the superblock.

    Raises:
        FormatError: the data is not a superblock, has an unsupported value, or has a byte in an unused field that is
            not zero (check `file-digests`).
    """
    if len(data) < VERITY_SUPERBLOCK_BYTES or data[:8] != _SIGNATURE:
        raise _unknown("superblock", data[:8].hex() or "nothing", f"{_SIGNATURE.hex()} and 512 bytes in all", where)
    _, version, hash_format, uuid, algorithm, data_block, hash_block, data_blocks, salt_bytes, salt = (
        _SUPERBLOCK.unpack(data[:VERITY_SUPERBLOCK_BYTES])
    )
    if version != 1:
        raise _unknown("superblock version", str(version), "1", where)
    if salt_bytes > _MAX_SALT_BYTES:
        raise _unknown("salt", f"{salt_bytes} bytes", f"at most {_MAX_SALT_BYTES}", where)
    name = algorithm.rstrip(b"\0").decode("ascii", "replace")
    try:
        parameters = VerityParameters(name, hash_format, data_block, hash_block, salt[:salt_bytes], UUID(bytes=uuid))
    except FormatError as error:
        error.where = where
        raise
    if superblock(parameters, data_blocks) != data[:VERITY_SUPERBLOCK_BYTES]:
        raise _unknown("superblock", "stray bytes in unused fields", "zeros", where)
    return parameters, data_blocks


def _unknown(what: str, got: str, wanted: str, where: str = "dm-verity") -> FormatError:
    return FormatError(f"unsupported {what}", check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
