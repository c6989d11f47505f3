"""The identity of a disk image: a root hash with every parameter that shapes it.

A root alone does not identify an image, because it binds neither the number of blocks nor the parameters. For example,
the 8 hash blocks of the lowest level of a 1000-block image pass as an image of 8 blocks with the same root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES
from provenance_oracle.verifier.disk.verity import HASH_SIZES, VerityParameters
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

_MAX_BYTES = 16 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]{0,39}")


@dataclass(frozen=True)
class DiskDigest:
    """The identity of an image.

    Attributes:
        recipe: name of the recipe, as in `verifier.disk.recipes`.
        layout: the layout variant, named after the releases of erofs-utils that write it.
        verity: hash algorithm and format, block sizes, salt and uuid.
        data_blocks: the number of data blocks that the root covers.
        root: the dm-verity root hash; its size is that of the algorithm's digest.
        file_sha256: SHA-256 of the whole file (data, superblock, tree), 32 bytes, or None if it was not computed.
    """

    recipe: str
    layout: str
    verity: VerityParameters
    data_blocks: int
    root: bytes
    file_sha256: bytes | None = None

    @property
    def hash_offset(self) -> int:
        """Offset in bytes at which the data ends and the verity superblock begins."""
        return self.data_blocks * self.verity.data_block_bytes

    def to_json(self) -> dict[str, object]:
        """Return the record as a JSON object: names and uuid as text, hashes and salt in hex, the rest as numbers."""
        fields: dict[str, object] = {
            "recipe": self.recipe,
            "layout": self.layout,
            "algorithm": self.verity.algorithm,
            "hash_format": self.verity.hash_format,
            "data_block_bytes": self.verity.data_block_bytes,
            "hash_block_bytes": self.verity.hash_block_bytes,
            "salt": self.verity.salt.hex(),
            "uuid": str(self.verity.uuid),
            "data_blocks": self.data_blocks,
            "hash_offset": self.hash_offset,
            "root_hash": self.root.hex(),
        }
        return fields if self.file_sha256 is None else {**fields, "file_sha256": self.file_sha256.hex()}


def parse_disk_digest(data: bytes, where: str) -> DiskDigest:
    """Parse a record of at most 16 KiB, as `DiskDigest.to_json` writes it. `where` names it in messages.

    Raises:
        FormatError: the data is not strict JSON, a field is missing, unknown or out of range, or fields contradict each
            other (check `file-digests`).
    """
    check = Check.FILE_DIGESTS
    fields = Fields(
        parse_json(data, where=where, check=check, max_bytes=_MAX_BYTES, max_depth=2), where=where, check=check
    )
    recipe, layout = _name(fields, "recipe"), _name(fields, "layout")
    verity = _verity(fields, where)
    data_blocks = fields.integer("data_blocks", minimum=1, maximum=2**32 - 1)
    hash_offset = fields.integer("hash_offset")
    root = fields.hex_bytes("root_hash", HASH_SIZES[verity.algorithm])
    file_sha256 = fields.optional_hex_bytes("file_sha256", 32)
    fields.finish()
    digest = DiskDigest(recipe, layout, verity, data_blocks, root, file_sha256)
    if hash_offset != digest.hash_offset or hash_offset % DISK_BLOCK_BYTES:
        wanted = f"{digest.hash_offset}, the data blocks' bytes, and a multiple of {DISK_BLOCK_BYTES}"
        raise fields.error("hash_offset", "wrong offset", got=str(hash_offset), wanted=wanted)
    return digest


def match_disk_digests(record: DiskDigest, digest: DiskDigest, where: str) -> None:
    """Compare two identities field by field. The file's SHA-256 is compared only if both have it.

    Raises:
        VerificationError: a field differs; the error names the first one (check `file-digests`).
    """
    wanted, got = record.to_json(), digest.to_json()
    for name, value in wanted.items():
        if name in got and got[name] != value:
            raise VerificationError(
                f"{name} differs", check=Check.FILE_DIGESTS, where=where, got=str(got[name]), wanted=str(value)
            )


def _name(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if not _NAME.fullmatch(text):
        raise fields.error(key, "not a name", got=text, wanted="lower-case letters, digits, '.', '+' and '-'")
    return text


def _verity(fields: Fields, where: str) -> VerityParameters:
    algorithm = fields.text("algorithm")
    hash_format = fields.integer("hash_format", maximum=1)
    data_block = fields.integer("data_block_bytes", maximum=1 << 19)
    hash_block = fields.integer("hash_block_bytes", maximum=1 << 19)
    salt, uuid = fields.text("salt", max_chars=512), fields.text("uuid")
    if len(salt) % 2 or not re.fullmatch("[0-9a-f]*", salt):
        raise fields.error("salt", "not a salt", got=salt, wanted="lower-case hex, or empty")
    if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid):
        raise fields.error("uuid", "not a uuid", got=uuid, wanted="lower-case hex digits and hyphens")
    try:
        return VerityParameters(algorithm, hash_format, data_block, hash_block, bytes.fromhex(salt), UUID(uuid))
    except FormatError as error:
        error.where = where
        raise
