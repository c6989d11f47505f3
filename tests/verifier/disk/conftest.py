"""Fixtures for model disks: the tree generator, optional tools, and small helpers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from provenance_oracle.verifier.disk.build import DiskPlan, DiskResult, digest_disk
from provenance_oracle.verifier.disk.recipes import EROFS_1_5, EROFS_1_9, EROFS_CURRENT, Layout, Recipe
from provenance_oracle.verifier.disk.verity import ZERO_UUID, VerityParameters

HERE = Path(__file__).parent
# SHA-256 of the image, without hash tree, of a tree with one file `a` that contains "hello\n", for each layout.
T1_IMAGES = {
    "e3054ef10df3343d6d3b50878c25d93fb9460d70244b072526b6c0fb6f1b5059": EROFS_CURRENT,
    "8d8b1027d0667cc82dad78b7bc4016afefb7456828d0c037db9113b9e5271b1d": EROFS_1_9,
    "e0ec8ab207a512ef66e296699dfe615ae100ff2b288141101f06fb8c569c2863": EROFS_1_5,
}


@pytest.fixture(scope="session")
def random_trees() -> ModuleType:
    """Import the module `random_trees` from this folder, which is not a package."""
    spec = importlib.util.spec_from_file_location("disk_random_trees", HERE / "random_trees.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def as_found() -> Recipe:
    """Return a recipe with permissions as on disk and salt 00, as mkfs.erofs and veritysetup use them."""
    return Recipe("as-found", ZERO_UUID, VerityParameters(salt=b"\0"))


@pytest.fixture(scope="session")
def digest_tree(as_found):
    """Return a function that digests a tree in memory."""

    def digest(tree, recipe=as_found, **options) -> DiskResult:
        return digest_disk(DiskPlan(Path("in memory"), recipe, recipe.plan(tree), 0, ()), **options)

    return digest


def make_image(tool: str, folder: Path, image: Path) -> bytes:
    """Make an image with mkfs.erofs, with Privatemode's options, and return its bytes."""
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [tool, "-T0", "-x-1", "--all-root", f"-U{ZERO_UUID}", str(image), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return image.read_bytes()


@pytest.fixture(scope="session")
def mkfs_erofs(tmp_path_factory) -> tuple[str, Layout]:
    """Return the installed mkfs.erofs and its layout, determined from an image: the printed version can be wrong."""
    tool = shutil.which("mkfs.erofs")
    if tool is None:
        pytest.skip("mkfs.erofs is not installed (Debian package erofs-utils, release 1.8.6 or newer)")
    folder = tmp_path_factory.mktemp("t1")
    (folder / "tree").mkdir(mode=0o755)
    (folder / "tree").chmod(0o755)
    (folder / "tree/a").write_text("hello\n")
    (folder / "tree/a").chmod(0o644)
    digest = hashlib.sha256(make_image(tool, folder / "tree", folder / "image")).hexdigest()
    if digest not in T1_IMAGES:
        pytest.skip(f"the mkfs.erofs installed writes a layout of no known release ({digest[:16]})")
    return tool, T1_IMAGES[digest]


@pytest.fixture(scope="session")
def veritysetup() -> str:
    """Return the path of the installed veritysetup, or skip the test."""
    tool = shutil.which("veritysetup") or shutil.which("veritysetup", path="/usr/sbin:/sbin")
    if tool is None:
        pytest.skip("veritysetup is not installed (Debian package cryptsetup-bin)")
    return tool
