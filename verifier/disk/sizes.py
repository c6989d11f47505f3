"""Plan an image from names and sizes alone. The offset of the hash tree is known before the model is downloaded."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.erofs import Plan
from provenance_oracle.verifier.disk.excluded import apply_excluded, parse_excluded
from provenance_oracle.verifier.disk.lfs import pointer_bytes
from provenance_oracle.verifier.disk.recipes import Recipe
from provenance_oracle.verifier.disk.tree import (
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_NAME_BYTES,
    FileKind,
    Node,
    directory,
    path_text,
)
from provenance_oracle.verifier.errors import malformed

MAX_LIST_BYTES = 64 << 20
_MAX_SIZE_BYTES = 1 << 50
_POINTER_SIZES = range(pointer_bytes(1), pointer_bytes(_MAX_SIZE_BYTES) + 1)


@dataclass(frozen=True)
class SizesPlan:
    """A plan made from a list of sizes.

    Attributes:
        plan: the planned image.
        files: the number of files in the list.
        assumed_pointers: excluded files that were assumed to be on the disk as Git LFS pointer text.
    """

    plan: Plan
    files: int
    assumed_pointers: tuple[str, ...]

    @property
    def hash_offset(self) -> int:
        """Offset in bytes at which the data ends and the verity superblock begins."""
        return self.plan.size_bytes


def plan_sizes(data: bytes, recipe: Recipe, *, excluded: str = "", where: str = "sizes") -> SizesPlan:
    """Plan an image from a list with one line `size path` per file, the size in bytes.

    A symbolic link has the length of its target as size. An excluded file in a folder is assumed to be in Git LFS,
    because only its repository knows; `assumed_pointers` lists such files.

    Args:
        data: the list, at most 64 MiB and 200,000 lines.
        recipe: the recipe of the image.
        excluded: the publisher's comma-separated list of excluded files.
        where: the name of the list, for messages.

    Raises:
        FormatError: a line has another form, a path is not a plain relative path or occurs twice, or the layout of the
            tree is not proven (check `file-set`).
        UsageError: a pattern in `excluded` is not supported.
    """
    root, files = parse_sizes(data, where)
    assumed: list[str] = []

    def unfetched(path: bytes, file: Node) -> Node:
        if file.size == 0 or file.size in _POINTER_SIZES:
            return file
        assumed.append(path_text(path))
        return replace(file, size=pointer_bytes(file.size))

    tree = apply_excluded(recipe.shape(root), parse_excluded(excluded), unfetched)
    return SizesPlan(recipe.plan(tree), files, tuple(assumed))


def parse_sizes(data: bytes, where: str) -> tuple[Node, int]:
    """Parse a list of sizes into a tree; return it with the number of files.

    Raises:
        FormatError: the list is too long, a line has another form, or two paths collide (check `file-set`).
    """
    if len(data) > MAX_LIST_BYTES:
        raise malformed(Check.FILE_SET, "list is too long", where, f"{len(data)} bytes", f"at most {MAX_LIST_BYTES}")
    lines = data.removesuffix(b"\n").split(b"\n")
    if len(lines) > MAX_ENTRIES:
        raise malformed(Check.FILE_SET, "list is too long", where, f"{len(lines)} lines", f"at most {MAX_ENTRIES}")
    root = _Folder()
    for number, line in enumerate(lines, start=1):
        _enter(root, line, f"{where}, line {number}")
    return root.node(b""), len(lines)


@dataclass
class _Folder:
    files: dict[bytes, int] = field(default_factory=dict)
    folders: dict[bytes, _Folder] = field(default_factory=dict)

    def node(self, name: bytes) -> Node:
        files = [Node(name, FileKind.FILE, 0o644, size) for name, size in self.files.items()]
        return directory(name, 0o755, files + [folder.node(name) for name, folder in self.folders.items()])


def _enter(root: _Folder, line: bytes, where: str) -> None:
    size, separator, path = line.removesuffix(b"\r").partition(b" ")
    if not separator or not size.isdigit() or len(size) > 16 or int(size) > _MAX_SIZE_BYTES:
        raise malformed(
            Check.FILE_SET, "not a size and a path", where, os.fsdecode(line[:80]), "`size path`, the size in bytes"
        )
    parts = path.split(b"/")
    bad = any(part in (b"", b".", b"..") or len(part) > MAX_NAME_BYTES or b"\0" in part for part in parts)
    if bad or len(parts) > MAX_DEPTH:
        raise malformed(
            Check.FILE_SET, "not a plain relative path", where, os.fsdecode(path[:80]), "names with / between them"
        )
    folder = root
    for part in parts[:-1]:
        if part in folder.files:
            raise malformed(
                Check.FILE_SET, "a file and a folder have the same name", where, os.fsdecode(path), "one or the other"
            )
        folder = folder.folders.setdefault(part, _Folder())
    if parts[-1] in folder.files or parts[-1] in folder.folders:
        raise malformed(Check.FILE_SET, "path given twice", where, os.fsdecode(path), "each path once")
    folder.files[parts[-1]] = int(size)
