"""Files that a publisher leaves out of an image, with the traces that Privatemode's build script leaves.

The script (edgelesssys/privatemode-public, verity/verity.sh, v1.40.0) uses one comma-separated list twice. As
`lfs.fetchexclude`, a list of gitignore patterns, it decides which Git LFS files are not fetched, so that only their
pointer text exists. As shell globs, expanded in the root folder, it decides which entries are removed. A nested file
that only the gitignore pattern matches therefore stays in the image as pointer text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from provenance_oracle.verifier.disk.globs import gitignore, shell_glob
from provenance_oracle.verifier.disk.tree import FileKind, Node, path_text
from provenance_oracle.verifier.errors import UsageError

MAX_PATTERNS = 200
MAX_CHARS = 8192


@dataclass(frozen=True)
class Excluded:
    """A parsed list: patterns of the entries that are removed, and of the files that Git LFS does not fetch."""

    removed: tuple[re.Pattern[str], ...] = ()
    unfetched: tuple[re.Pattern[str], ...] = ()


def parse_excluded(text: str) -> Excluded:
    """Parse a list such as `original,metal` or `flax_model.msgpack,pytorch_model.*`. An empty text excludes nothing.

    Raises:
        UsageError: the list has more than 8192 characters or 200 patterns, or a pattern is not supported.
    """
    if len(text) > MAX_CHARS or text.count(",") >= MAX_PATTERNS:
        raise UsageError(
            "list is too long",
            where="excluded files",
            got=f"{len(text)} characters",
            wanted=f"at most {MAX_CHARS}, and {MAX_PATTERNS} patterns",
        )
    patterns = [pattern for pattern in (part.strip() for part in text.split(",")) if pattern]
    words = [word for pattern in patterns for word in pattern.split()]  # the shell splits words at spaces
    return Excluded(tuple(map(shell_glob, words)), tuple(map(gitignore, patterns)))


def apply_excluded(root: Node, excluded: Excluded, unfetched: Callable[[bytes, Node], Node]) -> Node:
    """Return the tree without the removed entries.

    Args:
        root: the tree.
        excluded: the parsed list.
        unfetched: called with path and node of every remaining file that Git LFS may not have fetched; returns the node
            to put in its place.
    """
    return _kept(root, b"", excluded, unfetched) if excluded.removed or excluded.unfetched else root


def _kept(folder: Node, path: bytes, excluded: Excluded, unfetched: Callable[[bytes, Node], Node]) -> Node:
    children = []
    for child in folder.children:
        below = path + child.name
        text = path_text(below)
        is_folder = child.kind is FileKind.DIRECTORY
        if any(glob.fullmatch(text + "/" if is_folder else text) for glob in excluded.removed):
            continue
        if is_folder:
            children.append(_kept(child, below + b"/", excluded, unfetched))
        elif child.kind is FileKind.FILE and any(pattern.fullmatch(text) for pattern in excluded.unfetched):
            children.append(unfetched(below, child))
        else:
            children.append(child)
    return replace(folder, children=tuple(children))
