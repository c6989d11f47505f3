"""The tree of files for a disk: names, kinds, modes and sizes. Symbolic links are not followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError

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
    """The path of a regular file, and its identity (`identity_of`) when the tree was read."""

    path: bytes
    identity: tuple[int, ...]


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
    return os.fsdecode(path)


def read_tree(folder: Path) -> Node:
    """Read names and `lstat` results of the tree below `folder`, but no file content.

    Raises:
        UsageError: `folder` does not exist or is not a directory.
        FormatError: the tree has a device, a socket, a FIFO, or two names of one file (hard links), has more than
            200,000 entries or more than 64 levels (check `file-set`).
        TemporaryError: a folder in it cannot be read.
    """
    reader = _Reader(os.fsencode(folder))
    try:
        found = folder.stat()
    except OSError as error:
        raise UsageError("cannot read the folder", where=str(folder), got=error.strerror or "an error") from error
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError("not a folder", where=str(folder), wanted="a folder with the files of a model")
    return reader.directory(b"", b"", stat.S_IMODE(found.st_mode), 0)


def identity_of(found: os.stat_result) -> tuple[int, ...]:
    """Return the attributes that must not change between planning and the end of reading."""
    return (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class _Reader:
    def __init__(self, root: bytes) -> None:
        self._root = root
        self._entries = 0
        self._linked: dict[tuple[int, int], bytes] = {}

    def directory(self, path: bytes, name: bytes, permissions: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _entry_error("nested too deeply", path, f"more than {MAX_DEPTH} levels", f"at most {MAX_DEPTH}")
        try:
            with os.scandir(self._root + b"/" + path) as entries:
                children = [self._child(path, entry, depth) for entry in entries]
        except OSError as error:
            raise TemporaryError("cannot read the folder", where=path_text(path), got=error.strerror or "") from error
        return directory(name, permissions, children)

    def _child(self, folder: bytes, entry: os.DirEntry[bytes], depth: int) -> Node:
        path = folder + b"/" + entry.name if folder else entry.name
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise _entry_error("too many entries", folder, f"more than {MAX_ENTRIES}", f"at most {MAX_ENTRIES}")
        found = entry.stat(follow_symlinks=False)
        permissions = stat.S_IMODE(found.st_mode)
        if stat.S_ISDIR(found.st_mode):
            return self.directory(path, entry.name, permissions, depth + 1)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(entry.path)  # noqa: PTH115 (paths are bytes here)
            return Node(entry.name, FileKind.SYMLINK, 0o777, len(target), content=target)
        if not stat.S_ISREG(found.st_mode):
            raise _entry_error(
                "not a file, folder or symbolic link", path, _kind_name(found.st_mode), "only those three"
            )
        if found.st_nlink > 1:
            self._refuse_hard_link(path, found)
        source = FileBytes(entry.path, identity_of(found))
        return Node(entry.name, FileKind.FILE, permissions, found.st_size, source=source)

    def _refuse_hard_link(self, path: bytes, found: os.stat_result) -> None:
        """Refuse a second name of one file in the tree: the two would share an inode, and that layout is not proven.

        A second name outside the tree is harmless.
        """
        first = self._linked.setdefault((found.st_dev, found.st_ino), path)
        if first != path:
            raise _entry_error(
                "hard links are not supported", path, f"the same file as {path_text(first)}", "a file of its own"
            )


def _entry_error(problem: str, path: bytes, got: str, wanted: str) -> FormatError:
    return FormatError(problem, check=Check.FILE_SET, where=path_text(path) or "the folder", got=got, wanted=wanted)


def _kind_name(mode: int) -> str:
    names = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a FIFO", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return names.get(stat.S_IFMT(mode), "something else")
