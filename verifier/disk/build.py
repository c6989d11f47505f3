"""Compute the identity of a folder's disk image in one pass over the bytes. The image itself is optional."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES
from provenance_oracle.verifier.disk.disk_digest import DiskDigest
from provenance_oracle.verifier.disk.erofs import Plan
from provenance_oracle.verifier.disk.erofs_bytes import seal_first_block
from provenance_oracle.verifier.disk.excluded import apply_excluded, parse_excluded
from provenance_oracle.verifier.disk.hash_area import HashArea, write_at
from provenance_oracle.verifier.disk.image import image_chunks
from provenance_oracle.verifier.disk.lfs import LfsFiles
from provenance_oracle.verifier.disk.models_yaml import PublishedDisk
from provenance_oracle.verifier.disk.recipes import Layout, Recipe
from provenance_oracle.verifier.disk.tree import nodes_below, read_tree
from provenance_oracle.verifier.disk.verity import BlockHasher, hash_salted_blocks, superblock
from provenance_oracle.verifier.disk.verity_tree import Tree, TreeBuilder
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.files import OnBytes

# Called with the number of bytes done and the total, of the image's data.


@dataclass(frozen=True)
class DiskPlan:
    """The planned image of a folder. Everything but its content is known.

    Attributes:
        plan: the positions of all files.
        entries: the number of files, folders and links on the disk.
        pointers: excluded files that stay on the disk as Git LFS pointer text.
    """

    folder: Path
    recipe: Recipe
    plan: Plan
    entries: int
    pointers: tuple[str, ...]

    @property
    def hash_offset(self) -> int:
        """Offset in bytes at which the data ends and the verity superblock begins."""
        return self.plan.size_bytes


@dataclass(frozen=True)
class DiskResult:
    """The identities of a folder's image, one per layout variant of the recipe.

    `matched` is the variant that equals the published disk, or None if there was no published disk to compare with.
    """

    digests: tuple[DiskDigest, ...]
    matched: DiskDigest | None
    entries: int
    pointers: tuple[str, ...]


def plan_disk(folder: Path, recipe: Recipe, *, excluded: str = "") -> DiskPlan:
    """Read names and sizes of a folder and lay out its image.

    With `excluded`, the publisher's comma-separated list, the function also reads the .gitattributes files and the
    excluded files that are in Git LFS. It reads no other content.

    Raises:
        UsageError: `folder` is not a folder, or a pattern in `excluded` is not supported.
        FormatError: an entry cannot be on such a disk (hard link, device, socket, FIFO), the tree is too large, or its
            layout is not proven (check `file-set`).
        ChangedError: a file changed while it was read.
        TemporaryError: a file or folder cannot be read.
    """
    tree = recipe.shape(read_tree(folder))
    pointers: list[str] = []
    if excluded:
        lfs = LfsFiles(tree)
        tree = apply_excluded(tree, parse_excluded(excluded), lfs.pointer_for)
        pointers = lfs.replaced
    entries = sum(1 for _ in nodes_below(tree))
    return DiskPlan(folder, recipe, recipe.plan(tree), entries, tuple(pointers))


def digest_disk(
    disk: DiskPlan,
    *,
    published: PublishedDisk | None = None,
    file_hash: bool | None = None,
    image: Path | None = None,
    hash_leaves: BlockHasher = hash_salted_blocks,
    progress: OnBytes | None = None,
    spill_folder: Path | None = None,
) -> DiskResult:
    """Hash a planned image in one pass, for every layout variant of its recipe, and compare it with a published disk.

    Args:
        published: the disk to compare with. A wrong offset is found before any content is read.
        file_hash: whether to compute the SHA-256 of the whole file as well; None means only if `published` is given.
            Without `image`, the tree (1/128 of the data) then goes to an unnamed temporary file in `spill_folder`.
        image: the path at which to write the image: the published variant, or the first of the recipe if `published`
            is not given. The file gets its name only when it is complete and equals the published disk, if any.
        hash_leaves: hashes 4096-byte blocks with SHA-256 after a salt, a few MiB at a time.
        progress: called with (bytes done, bytes in all) of the image's data.
        spill_folder: the folder for the temporary file; None means the system's.

    Raises:
        VerificationError: the image is not the published disk; the error names the first field that differs (check
            `file-digests`).
        ChangedError: a file changed between planning and the end of reading.
        TemporaryError: a file cannot be read, or the image or tree cannot be written.
        UsageError: `image` lies in the folder itself or is an existing entry that is not a file.
    """
    if published:
        published.match_hash_offset(disk.hash_offset)
    if file_hash is None:
        file_hash = published is not None
    with _output(disk, image, file_hash, spill_folder) as output:
        variants = _Pass(disk, output, hash_leaves, file_hash).run(progress)
        digests = tuple(variant.digest for variant in variants)
        matched = published.match(digests) if published else None
        if output and image:
            output.finish(disk, variants[digests.index(matched) if matched else 0])
    return DiskResult(digests, matched, disk.entries, disk.pointers)


@dataclass(frozen=True)
class _Variant:
    """One layout variant: its identity, its block 0, and its tree. Variants differ in the first block of each level."""

    digest: DiskDigest
    first_block: bytes
    tree: Tree


class _Output:
    """A file for the hash tree or, if an image is wanted, for the whole image."""

    def __init__(self, descriptor: int, disk: DiskPlan, *, with_data: bool) -> None:
        verity = disk.recipe.verity
        start = disk.hash_offset + verity.hash_block_bytes if with_data else 0
        self.area = HashArea(descriptor, start, verity, disk.plan.blocks)
        self._descriptor = descriptor
        self._with_data = with_data

    def write_data(self, position: int, chunk: memoryview) -> None:
        if self._with_data:
            write_at(self._descriptor, chunk, position)

    def finish(self, disk: DiskPlan, variant: _Variant) -> None:
        """Complete the image as one of the variants."""
        write_at(self._descriptor, variant.first_block, 0)
        write_at(self._descriptor, _superblock_block(disk), disk.hash_offset)
        self.area.select(variant.tree)


class _Pass:
    """One pass over the data of an image."""

    def __init__(self, disk: DiskPlan, output: _Output | None, hash_leaves: BlockHasher, file_hash: bool) -> None:
        self._disk = disk
        self._output = output
        self._hash_leaves = hash_leaves
        self._salt = disk.recipe.verity.salt
        sink = output.area.write if output else None
        self._builder = TreeBuilder(disk.recipe.verity, disk.plan.blocks, hash_nodes=hash_leaves, sink=sink)
        self._first_blocks: list[bytes] = []
        self._file_states = [hashlib.sha256() for _ in disk.recipe.layouts] if file_hash else []

    def run(self, progress: OnBytes | None) -> list[_Variant]:
        done = 0
        for chunk in image_chunks(self._disk.plan):
            if done == 0:
                self._start(chunk)
            self._builder.update(self._hash_leaves(chunk, self._salt))
            if self._output:
                self._output.write_data(done, chunk)
            for state in self._file_states:
                state.update(chunk if done else chunk[DISK_BLOCK_BYTES:])
            done += len(chunk)
            if progress:
                progress(done, self._disk.hash_offset)
        tree = self._builder.finish()
        return [self._variant(index, layout, tree) for index, layout in enumerate(self._disk.recipe.layouts)]

    def _start(self, chunk: memoryview) -> None:
        """Make block 0 of every variant. The tree is built over the first variant."""
        recipe, plan = self._disk.recipe, self._disk.plan
        block = bytes(chunk[:DISK_BLOCK_BYTES])
        self._first_blocks = [
            seal_first_block(block, plan, recipe.volume_uuid, layout.feature_incompat) for layout in recipe.layouts
        ]
        chunk[:DISK_BLOCK_BYTES] = self._first_blocks[0]
        for state, first_block in zip(self._file_states, self._first_blocks, strict=False):
            state.update(first_block)

    def _variant(self, index: int, layout: Layout, tree: Tree) -> _Variant:
        recipe, first_block = self._disk.recipe, self._first_blocks[index]
        own = self._builder.with_first_leaf(tree, self._hash_leaves(memoryview(first_block), self._salt))
        file_sha256 = self._file_sha256(index, own) if self._file_states else None
        digest = DiskDigest(recipe.name, layout.name, recipe.verity, self._disk.plan.blocks, own.root, file_sha256)
        return _Variant(digest, first_block, own)

    def _file_sha256(self, index: int, tree: Tree) -> bytes:
        assert self._output is not None
        self._output.area.select(tree)
        state = self._file_states[index]
        state.update(_superblock_block(self._disk))
        for part in self._output.area.read():
            state.update(part)
        return state.digest()


def _superblock_block(disk: DiskPlan) -> bytes:
    verity = disk.recipe.verity
    return superblock(verity, disk.plan.blocks).ljust(verity.hash_block_bytes, b"\0")


@contextmanager
def _output(disk: DiskPlan, image: Path | None, file_hash: bool, spill_folder: Path | None) -> Iterator[_Output | None]:
    """Open the file for the image or tree, or yield None if neither is wanted. An image gets its name at the end."""
    if image:
        with _writing(image.parent), _appearing(image, disk.folder) as descriptor:
            yield _Output(descriptor, disk, with_data=True)
    elif file_hash:
        with _writing(spill_folder), tempfile.TemporaryFile(dir=spill_folder) as file:
            yield _Output(file.fileno(), disk, with_data=False)
    else:
        yield None


@contextmanager
def _appearing(image: Path, folder: Path) -> Iterator[int]:
    """Open a temporary file that is renamed to `image` if the block succeeds, and removed if it fails."""
    if image.exists() and not image.is_file():
        raise UsageError("not a file", where=str(image), wanted="a place for an image, not a device or folder")
    if image.parent.resolve().is_relative_to(folder.resolve()):  # the rename would replace a link there, not follow it
        raise UsageError(
            "the image cannot be written into the folder that it is made from", where=str(image), wanted="another place"
        )
    descriptor, name = tempfile.mkstemp(dir=image.parent, prefix=f".{image.name}.")
    try:
        yield descriptor
        os.fchmod(descriptor, 0o644)
        os.fsync(descriptor)
        Path(name).replace(image)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def _writing(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = str(folder or tempfile.gettempdir())
        raise TemporaryError("cannot write image or hash tree", where=where, got=error.strerror or "") from error
