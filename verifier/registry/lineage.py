"""The ancestors of a recorded release, which are the releases from which it was made, as one tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.strict.abi_values import (
    parse_flag,
    parse_items,
    parse_members,
    parse_number,
    parse_word,
)


@dataclass(frozen=True)
class Ancestor:
    """A release from which another release was made, directly or not. It is the contract's struct of the same name.

    Attributes:
        release_id: id of the ancestor. child: id of the release that names it as parent. Both have 32 bytes.
        depth: 1 for a parent, 2 for a parent's parent, and so on.
        is_attested: whether signed records name every step to it; False if a namespace's owner merely stated a step.
        is_open: whether the ancestor's own gate is open for grade 0.
    """

    release_id: bytes
    child: bytes
    depth: int
    is_attested: bool
    is_open: bool


def read_ancestors(
    lineage: DeployedContract, release: bytes, *, include_stated: bool, block: int, where: str
) -> tuple[Ancestor, ...]:
    """Return the ancestors of the release with this id, nearest first, each once.

    Args:
        include_stated: include parents that only the namespace's owner stated.
        where: names the registry in messages.

    Raises:
        RecordError: there are more than 32, or one is more than 16 steps away (check `lineage`).
    """
    found = lineage.try_call("ancestorsOf", release, include_stated, parse=parse_ancestors, block=block)
    if found is None:
        raise RecordError("too many ancestors", check=Check.LINEAGE, where=where, got="more", wanted="32, in 16 steps")
    return found


def parse_ancestors(answer: object, where: str) -> tuple[Ancestor, ...]:
    """Parse the contract's list of ancestors, nearest first. Raise FormatError for any other answer."""
    members = (parse_word, parse_word, parse_number, parse_flag, parse_flag)
    return tuple(Ancestor(*parse_members(item, members, where)) for item in parse_items(answer, where))


def in_tree_order(start: bytes, ancestors: tuple[Ancestor, ...]) -> Iterator[Ancestor]:
    """Yield each ancestor once, right after the release that names it. `start` is the id of the release itself."""
    parents: dict[bytes, list[Ancestor]] = {}
    for ancestor in ancestors:
        parents.setdefault(ancestor.child, []).append(ancestor)
    waiting = parents.pop(start, [])[::-1]
    while waiting:
        ancestor = waiting.pop()
        yield ancestor
        waiting += parents.pop(ancestor.release_id, [])[::-1]
