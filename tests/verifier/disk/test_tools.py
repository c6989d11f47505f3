"""Compare with mkfs.erofs and veritysetup if they are installed. The other tests use recorded values instead."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from provenance_oracle.verifier.disk import digest_disk, plan_disk
from provenance_oracle.verifier.disk.erofs_bytes import seal_first_block
from provenance_oracle.verifier.disk.image import image_chunks
from provenance_oracle.verifier.disk.recipes import EROFS_1_5
from provenance_oracle.verifier.disk.tree import read_tree
from provenance_oracle.verifier.disk.verity import ZERO_UUID


def make_image(tool, folder, image):
    """Make an image with mkfs.erofs, with Privatemode's options."""
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [tool, "-T0", "-x-1", "--all-root", f"-U{ZERO_UUID}", image, folder]
    subprocess.run(command, check=True, capture_output=True, env=environment)


@pytest.fixture
def current_mkfs(mkfs_erofs):
    if mkfs_erofs[1] is EROFS_1_5:
        pytest.skip("the mkfs.erofs installed writes the layout of release 1.5, this needs 1.8.6 or newer")
    return mkfs_erofs


@pytest.fixture
def old_mkfs(mkfs_erofs):
    if mkfs_erofs[1] is not EROFS_1_5:
        pytest.skip("the mkfs.erofs installed writes a later layout, this needs release 1.5 (Debian 12)")
    return mkfs_erofs


@pytest.mark.parametrize("start", range(10_000, 10_300, 50))
def test_random_trees_equal_mkfs_erofs(start, current_mkfs, random_trees, tmp_path):
    """Compare images byte for byte, for trees that have no recorded values."""
    compare(*current_mkfs, random_trees, range(start, start + 50), tmp_path)


@pytest.mark.parametrize("start", range(10_000, 10_300, 50))
def test_random_trees_equal_mkfs_erofs_1_5(start, old_mkfs, random_trees, tmp_path):
    compare(*old_mkfs, random_trees, range(start, start + 50), tmp_path)


def compare(tool, layout, random_trees, seeds, tmp_path):
    for seed in seeds:
        folder, image = tmp_path / f"tree{seed}", tmp_path / "image"
        random_trees.write_tree(random_trees.tree_of(seed), folder)
        make_image(tool, folder, image)
        plan = layout.plan(read_tree(folder))
        data = b"".join(map(bytes, image_chunks(plan)))
        ours = seal_first_block(data[:4096], plan, ZERO_UUID, layout.feature_incompat) + data[4096:]
        assert ours == image.read_bytes(), f"tree {seed}"


@pytest.mark.parametrize("seed", [0, 7, 11, 23, 42])
def test_veritysetup_accepts_our_image(seed, veritysetup, random_trees, as_found, tmp_path):
    random_trees.write_tree(random_trees.tree_of(seed), tmp_path / "tree")
    disk = plan_disk(tmp_path / "tree", as_found)
    image = tmp_path / "image"
    root = digest_disk(disk, image=image).digests[0].root.hex()
    command = [veritysetup, "verify", image, image, root, f"--hash-offset={disk.hash_offset}"]
    subprocess.run(command, check=True, capture_output=True)

    damage(image, 4096 * (disk.plan.blocks // 2) + 100)
    refused = subprocess.run(command, check=False, capture_output=True)
    assert refused.returncode != 0


@pytest.mark.parametrize("seed", [1, 8])
def test_veritysetup_makes_the_same_file(seed, veritysetup, random_trees, as_found, tmp_path):
    """`veritysetup format` on the data of the project's image writes the same superblock and tree."""
    random_trees.write_tree(random_trees.tree_of(seed), tmp_path / "tree")
    disk = plan_disk(tmp_path / "tree", as_found)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    digest_disk(disk, image=ours)
    theirs.write_bytes(ours.read_bytes()[: disk.hash_offset])
    options = [f"--uuid={ZERO_UUID}", "--salt=00", f"--hash-offset={disk.hash_offset}"]
    subprocess.run([veritysetup, "format", *options, theirs, theirs], check=True, capture_output=True)
    assert theirs.read_bytes() == ours.read_bytes()


def damage(image: Path, position: int) -> None:
    with image.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))
