"""What a recorded release was made from: its ancestors, as one tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Ancestor:
    """What a release was made from, directly or not.

    Fields:
        release_id: the ancestor's. child: the release that names it as parent.
        depth: 1 for a parent, 2 for a parent's parent, and so on.
        is_attested: whether every step to it is in a signed record; False if one was merely stated by a publisher.
        is_open: whether its own gate is open, whatever its grade.
    """

    release_id: bytes
    child: bytes
    depth: int
    is_attested: bool
    is_open: bool


def in_tree_order(start: bytes, ancestors: tuple[Ancestor, ...]) -> Iterator[Ancestor]:
    """Each ancestor once, right after the release that names it; `start` is the id of the release they are of."""
    parents: dict[bytes, list[Ancestor]] = {}
    for ancestor in ancestors:
        parents.setdefault(ancestor.child, []).append(ancestor)
    waiting = parents.pop(start, [])[::-1]
    while waiting:
        ancestor = waiting.pop()
        yield ancestor
        waiting += parents.pop(ancestor.release_id, [])[::-1]
