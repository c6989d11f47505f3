"""Files that a publisher leaves out of an image, with the traces that Privatemode's build leaves behind.

One comma-separated list is used twice there. As `lfs.fetchexclude` (gitignore patterns) it decides which Git LFS
files are never fetched, so that only their pointer text is there; as shell globs, expanded in the root folder, it
decides what is removed. A nested file that only the first matches stays in the image as pointer text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from provenance_oracle.verifier.disk.globs import gitignore, shell_glob
from provenance_oracle.verifier.disk.tree import Kind, Node, shown
from provenance_oracle.verifier.errors import UsageError

MAX_PATTERNS = 200
MAX_CHARS = 8192


@dataclass(frozen=True)
class Excluded:
    """A parsed list: what is removed, and what Git LFS does not fetch."""

    removed: tuple[re.Pattern[str], ...] = ()
    unfetched: tuple[re.Pattern[str], ...] = ()


def parse_excluded(text: str) -> Excluded:
    """Read a list such as `original,metal` or `flax_model.msgpack,pytorch_model.*`; empty means nothing.

    Raises:
        UsageError: too long, or a pattern whose meaning in either dialect is not settled.
    """
    if len(text) > MAX_CHARS or text.count(",") >= MAX_PATTERNS:
        raise UsageError(
            "list is too long",
            where="excluded files",
            got=f"{len(text)} characters",
            wanted=f"at most {MAX_CHARS}, and {MAX_PATTERNS} patterns",
        )
    patterns = [pattern for pattern in (part.strip() for part in text.split(",")) if pattern]
    words = [word for pattern in patterns for word in pattern.split()]  # the shell splits where there are spaces
    return Excluded(tuple(map(shell_glob, words)), tuple(map(gitignore, patterns)))


def apply_excluded(root: Node, excluded: Excluded, unfetched: Callable[[bytes, Node], Node]) -> Node:
    """Return the tree without what is removed, and with `unfetched(path, file)` for every other file that matches."""
    return _kept(root, b"", excluded, unfetched) if excluded.removed or excluded.unfetched else root


def _kept(folder: Node, path: bytes, excluded: Excluded, unfetched: Callable[[bytes, Node], Node]) -> Node:
    children = []
    for child in folder.children:
        below = path + child.name
        text = shown(below)
        is_folder = child.kind is Kind.DIRECTORY
        if any(glob.fullmatch(text + "/" if is_folder else text) for glob in excluded.removed):
            continue
        if is_folder:
            children.append(_kept(child, below + b"/", excluded, unfetched))
        elif child.kind is Kind.FILE and any(pattern.fullmatch(text) for pattern in excluded.unfetched):
            children.append(unfetched(below, child))
        else:
            children.append(child)
    return replace(folder, children=tuple(children))
