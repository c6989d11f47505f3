"""Tests of existing images against their records. Several of them would pass if only the root were compared."""

from __future__ import annotations

import os
import struct
import subprocess
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest

from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, hash_salted_blocks, plan_disk, verify_image
from provenance_oracle.verifier.disk.verity import VerityParameters, superblock
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError, VerificationError


@pytest.fixture
def made(tmp_path):
    """Return an image of more than 1000 blocks and its record."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"".join(sha256(b"%d" % index).digest() * 128 for index in range(1000)))
    (folder / "config.json").write_text("{}")
    image = tmp_path / "image"
    return image, digest_disk(plan_disk(folder, PRIVATEMODE), image=image).digests[0]


def overwrite(image, position, data):
    with image.open("r+b") as file:
        file.seek(position)
        file.write(data)


def test_our_image_is_what_its_record_says(made):
    image, record = made
    assert verify_image(image, record, hash_leaves=hash_salted_blocks) == record
    assert verify_image(image, replace(record, file_sha256=bytes(32))) == record


def test_progress_ends_at_the_offset(made):
    image, record = made
    seen = []
    verify_image(image, record, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (record.hash_offset, record.hash_offset)


@pytest.mark.parametrize(
    ("verity", "field"),
    [
        ({"salt": b""}, "salt"),
        ({"salt": b"\0\0"}, "salt"),
        ({"hash_format": 0}, "hash_format"),
        ({"algorithm": "sha1"}, "algorithm"),
        ({"data_block_bytes": 2048}, "data_block_bytes"),
        ({"hash_block_bytes": 2048}, "hash_block_bytes"),
        ({"uuid": UUID(int=7)}, "uuid"),
    ],
)
def test_a_superblock_with_another_parameter_is_refused_though_the_root_matches(made, verity, field):
    image, record = made
    overwrite(image, record.hash_offset, superblock(replace(record.verity, **verity), record.data_blocks))
    with pytest.raises(VerificationError, match=f": {field} differs:"):
        verify_image(image, record)


@pytest.mark.parametrize("data_blocks", [8, 900])
def test_a_superblock_with_fewer_data_blocks_is_refused_though_the_root_matches(made, data_blocks):
    image, record = made
    overwrite(image, record.hash_offset, superblock(record.verity, data_blocks))
    with pytest.raises(VerificationError, match=": data_blocks differs:"):
        verify_image(image, record)


def forged(made, tmp_path):
    """Return a 32 KiB image with the same root: the lowest level's hash blocks as data, the top block as tree."""
    image, record = made
    content = image.read_bytes()
    area = content[record.hash_offset + 4096 :]
    top, level_0 = area[:4096], area[4096:]
    assert len(level_0) == 8 * 4096
    head = superblock(record.verity, 8).ljust(4096, b"\0")
    small = tmp_path / "small"
    small.write_bytes(level_0 + head + top)
    return small, record


def test_the_small_image_under_the_same_root_is_refused(made, tmp_path):
    small, record = forged(made, tmp_path)
    with pytest.raises(VerificationError, match=": size differs"):
        verify_image(small, record)


def test_the_small_image_is_no_erofs_even_with_a_record_of_its_own(made, tmp_path):
    small, record = forged(made, tmp_path)
    with pytest.raises(VerificationError, match=": EROFS superblock differs"):
        verify_image(small, replace(record, data_blocks=8))


def test_veritysetup_accepts_the_small_image(made, tmp_path, veritysetup):
    """This is the reason that a record holds more than a root."""
    small, record = forged(made, tmp_path)
    command = [veritysetup, "verify", small, small, record.root.hex(), f"--hash-offset={8 * 4096}"]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("position", "what"),
    [
        (0, "hash tree"),  # before the superblock, in block 0
        (1024 + 8, "hash tree"),
        (5000, "hash tree"),
        (-1, "hash tree"),  # the last byte of the tree's area
    ],
)
def test_each_changed_byte_is_found(made, position, what):
    image, record = made
    position %= image.stat().st_size
    with image.open("rb") as file:
        file.seek(position)
        old = file.read(1)
    overwrite(image, position, bytes([old[0] ^ 1]))
    with pytest.raises(VerificationError, match=f": {what} differs"):
        verify_image(image, record)


def test_data_and_tree_of_another_model_have_another_root(made, tmp_path):
    image, record = made
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "weights").write_bytes(bytes(1000 * 4096))
    (folder / "config.json").write_text("{}")
    digest_disk(plan_disk(folder, PRIVATEMODE), image=image)
    with pytest.raises(VerificationError, match=": root_hash differs"):
        verify_image(image, record)


def test_stray_bytes_behind_the_superblock_are_refused(made):
    image, record = made
    overwrite(image, record.hash_offset + 600, b"x")
    with pytest.raises(VerificationError, match=": superblock differs"):
        verify_image(image, record)


def test_the_block_count_on_the_disk_is_the_records(made):
    """Privatemode's disk-mounter takes the offset of the hash tree from this field."""
    image, record = made
    overwrite(image, 1024 + 36, struct.pack("<I", record.data_blocks - 1))
    with pytest.raises(VerificationError, match=": EROFS superblock differs"):
        verify_image(image, record)


def test_no_superblock_is_malformed(made):
    image, record = made
    overwrite(image, record.hash_offset, b"xxxx")
    with pytest.raises(FormatError, match="unsupported superblock"):
        verify_image(image, record)


def test_truncated_and_longer_images_are_refused(made):
    image, record = made
    size = image.stat().st_size
    for other in (0, 1, 4096, size - 1, size + 1):
        os.truncate(image, other)
        with pytest.raises(ProvenanceError):
            verify_image(image, record)


def test_only_regular_files_are_opened(made, tmp_path):
    image, record = made
    (tmp_path / "link").symlink_to(image)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "model", "missing"):
        with pytest.raises(UsageError, match=name):
            verify_image(tmp_path / name, record)


def test_one_data_block_has_no_tree(tmp_path):
    folder = tmp_path / "t1"
    folder.mkdir()
    (folder / "a").write_text("hello\n")
    record = digest_disk(plan_disk(folder, PRIVATEMODE), image=tmp_path / "image").digests[0]
    assert (tmp_path / "image").stat().st_size == 8192
    assert verify_image(tmp_path / "image", record) == record
    assert record.verity == VerityParameters(salt=b"\0")
