"""The tree of files for a disk: names, kinds, modes and sizes. Symbolic links are not followed."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.files import Identity, identity_of, kind_of, open_root, stored
from provenance_oracle.verifier.strict.release_folder import followed
from provenance_oracle.verifier.strict.walk import FolderEntry, walk

# The layouts are proven for trees of this size. A larger tree is more likely a mistake, such as a whole home folder.
MAX_ENTRIES = 200_000
MAX_DEPTH = 64
MAX_NAME_BYTES = 255


class FileKind(IntEnum):
    """The kinds of entries, with their type numbers in an EROFS directory."""

    FILE = 1
    DIRECTORY = 2
    SYMLINK = 7


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A regular file: the folder of the tree, the path from there, and the file's identity when the tree was read."""

    root: Path
    path: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Node:
    """A file, directory or symbolic link.

    `name` is the last segment of the path, `permissions` the 12 mode bits, and `size` the size in bytes. `content` has
    bytes that are kept in memory, such as the target of a link. A regular file has a `source` to read from instead, or
    neither if only its size is known.
    """

    name: bytes
    kind: FileKind
    permissions: int
    size: int = 0
    content: bytes | None = None
    source: FileBytes | None = None
    children: tuple[Node, ...] = ()


def directory(name: bytes, permissions: int, children: list[Node]) -> Node:
    """Return a directory with its children in the byte order of their names."""
    return Node(name, FileKind.DIRECTORY, permissions, children=tuple(sorted(children, key=lambda node: node.name)))


def nodes_below(root: Node, path: bytes = b"") -> Iterator[tuple[bytes, Node]]:
    """Yield every node below `root` with its path relative to it."""
    for child in root.children:
        below = path + child.name
        yield below, child
        yield from nodes_below(child, below + b"/")


def path_text(path: bytes) -> str:
    """Return a path as text, for messages and patterns."""
    return path.decode("utf-8", "surrogateescape")


def read_tree(folder: Path) -> Node:
    """Read names and `lstat` results of the tree below `folder`, but no file content. `folder` itself may be a link.

    Raises:
        UsageError: `folder` does not exist or is not a directory.
        FormatError: the tree has a device, a socket, a FIFO, or two names of one file (hard links), has more than
            200,000 entries or more than 64 levels (check `file-set`).
        ChangedError: an entry vanished meanwhile. TemporaryError: a folder in it cannot be read.
    """
    root = followed(folder)
    reader = _Reader(root)
    with open_root(root) as descriptor:
        permissions = stat.S_IMODE(os.fstat(descriptor).st_mode)
        walk(descriptor, reader.visit, most=MAX_ENTRIES + 1, where="the folder")
    return reader.tree(permissions)


class _Reader:
    """Collects the nodes of a tree during a walk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries = 0
        self._linked: dict[tuple[int, int], str] = {}
        self._folders: list[tuple[str, int]] = []  # path and permissions, each folder after the one that holds it
        self._children: dict[str, list[Node]] = defaultdict(list)  # by the path of the folder

    def visit(self, entry: FolderEntry) -> bool:
        """Take an entry, and return whether to enter it."""
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise _entry_error(
                "too many entries", _above(entry.path), f"more than {MAX_ENTRIES}", f"at most {MAX_ENTRIES}"
            )
        if not entry.is_folder:
            self._children[_above(entry.path)].append(self._leaf(entry))
            return False
        if entry.depth >= MAX_DEPTH:
            raise _entry_error("nested too deeply", entry.path, f"more than {MAX_DEPTH} levels", f"at most {MAX_DEPTH}")
        self._folders.append((entry.path, stat.S_IMODE(entry.found.st_mode)))
        return True

    def tree(self, permissions: int) -> Node:
        """Return the root with everything that was visited."""
        for path, mode in reversed(self._folders):
            node = directory(_name(path), mode, self._children.pop(path, []))
            self._children[_above(path)].append(node)
        return directory(b"", permissions, self._children.pop("", []))

    def _leaf(self, entry: FolderEntry) -> Node:
        found, name = entry.found, _name(entry.path)
        if entry.is_link:
            target = entry.link_text()
            return Node(name, FileKind.SYMLINK, 0o777, len(target), content=target)
        if not stat.S_ISREG(found.st_mode):
            raise _entry_error("not a file, folder or symbolic link", entry.path, kind_of(found), "only those three")
        if found.st_nlink > 1:
            self._refuse_hard_link(entry.path, found)
        source = FileBytes(self._root, entry.path, identity_of(found))
        return Node(name, FileKind.FILE, stat.S_IMODE(found.st_mode), found.st_size, source=source)

    def _refuse_hard_link(self, path: str, found: os.stat_result) -> None:
        """Refuse a second name of one file in the tree: the two would share an inode, and that layout is not proven.

        A second name outside the tree is harmless.
        """
        first = self._linked.setdefault((found.st_dev, found.st_ino), path)
        if first != path:
            raise _entry_error("hard links are not supported", path, f"the same file as {first}", "a file of its own")


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> bytes:
    return stored(path.rpartition("/")[2])


def _entry_error(problem: str, path: str, got: str, wanted: str) -> FormatError:
    return FormatError(problem, check=Check.FILE_SET, where=path or "the folder", got=got, wanted=wanted)
