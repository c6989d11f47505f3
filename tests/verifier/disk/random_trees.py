"""Random trees from a seed. They are the same on every machine and in every Python version, because SHA-256 makes them.

The sizes are close to the limits that decide a layout: the slot of 32 bytes, the space behind an inode, the block.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from provenance_oracle.verifier.disk.tree import FileKind, Node, directory

SIZES = (
    0,
    1,
    31,
    32,
    33,
    2912,
    4031,
    4032,
    4033,
    4063,
    4064,
    4065,
    4095,
    4096,
    4097,
    8160,
    8191,
    8192,
    8193,
    12000,
    40960,
)
PERMISSIONS = (0o644, 0o644, 0o755, 0o600, 0o444)
ODD_NAMES = (
    b" lead",
    b"#hash",
    b"+plus",
    b"-dash",
    b".hidden",
    b"..two",
    b"...",
    b"tail ",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"a\nb",
    b"Z",
    b"~",
)


class Chance:
    """A source of numbers that depend only on a label."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._count = 0

    def below(self, limit: int) -> int:
        self._count += 1
        return int.from_bytes(sha256(f"{self._label}:{self._count}".encode()).digest()[:8], "big") % limit

    def pick(self, options):
        return options[self.below(len(options))]


def stream(tag: str, size: int) -> bytes:
    """Return the concatenated SHA-256 digests of `tag:0`, `tag:1` and so on, cut to `size` bytes."""
    blocks = (sha256(f"{tag}:{index}".encode()).digest() for index in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def filler(chance: Chance, size: int) -> bytes:
    """Return `size` bytes that differ from file to file and from block to block and are cheap to make."""
    unit = stream(f"filler:{chance.below(1 << 32)}", 1021)
    return (unit * (size // len(unit) + 1))[:size]


def tree_of(seed: int) -> Node:
    """Return the tree of a seed, with all content in memory: a few files, one wide folder, or many folders."""
    chance = Chance(f"tree:{seed}")
    style = Style(
        *chance.pick(((8, 3, 3, 1), (25, 2, 3, 1), (25, 2, 3, 1), (60, 2, 4, 3), (60, 2, 8, 6), (200, 1, 2, 1)))
    )
    return directory(b"", 0o755, _children(chance, style, style.width, style.depth))


class Style(NamedTuple):
    """The shape of a tree: names in its root, levels below, folders among 20 names, long names among 12."""

    width: int
    depth: int
    folders: int
    long_names: int


def _children(chance: Chance, style: Style, width: int, depth: int) -> list[Node]:
    names = {_name(chance, style) for _ in range(chance.below(width + 1))}
    return [_node(chance, style, name, width, depth) for name in sorted(names)]


def _node(chance: Chance, style: Style, name: bytes, width: int, depth: int) -> Node:
    kind = chance.below(20)
    if kind < style.folders and depth > 0:
        below = chance.pick((0, 3, width // 2))
        return directory(name, chance.pick((0o755, 0o700)), _children(chance, style, below, depth - 1))
    if kind == 19:
        target = b"t" * chance.pick((1, 5, 40, 900, 2912, 4030, 4063, 4064, 4065, 4090))
        return Node(name, FileKind.SYMLINK, 0o777, len(target), content=target)
    content = filler(chance, _size(chance))
    return Node(name, FileKind.FILE, chance.pick(PERMISSIONS), len(content), content=content)


def _size(chance: Chance) -> int:
    style = chance.below(20)
    if style < 6:
        return chance.pick(SIZES)
    if style < 9:
        return chance.below(200)
    if style < 11:
        return 4060 + chance.below(40)
    return chance.below(20000 if style == 19 else 4200)


def _name(chance: Chance, style: Style) -> bytes:
    if chance.below(12) == 0:
        return chance.pick(ODD_NAMES)
    if chance.below(12) < style.long_names:
        return b"long-%d-" % chance.below(1000) + b"n" * (200 + chance.below(44))
    return b"%s%d.bin" % (chance.pick((b"a", b"model-", b"x")), chance.below(100000))


def write_tree(node: Node, folder: Path) -> None:
    """Write a tree to disk."""
    _write(node, os.fsencode(folder))


def _write(node: Node, path: bytes) -> None:
    if node.kind is FileKind.DIRECTORY:
        os.mkdir(path)
        for child in node.children:
            _write(child, path + b"/" + child.name)
        os.chmod(path, node.permissions)
    elif node.kind is FileKind.SYMLINK:
        os.symlink(node.content, path)
    else:
        with open(path, "wb") as file:
            file.write(node.content)
        os.chmod(path, node.permissions)
