"""The pages of shipped policies as text and trees, and functions to change them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import parse_policy

POLICIES = Path(__file__).parent.parent.parent / "verifier" / "policies"
BASELINE = (POLICIES / "baseline.yaml").read_text()
STRICT = (POLICIES / "strict.yaml").read_text()
STRICT_TREE = yaml.safe_load(STRICT)


def refused(page: str | bytes) -> UsageError:
    """Return the error with which a page is refused."""
    with pytest.raises(UsageError) as caught:
        parse_policy(page if isinstance(page, bytes) else page.encode(), "my.yaml")
    return caught.value


def edited(old: str, new: str, text: str = BASELINE) -> str:
    """Return a page with the first `old` replaced."""
    assert old in text
    return text.replace(old, new, 1)


def key_paths(tree: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every key of a tree."""
    if isinstance(tree, dict):
        return [p for key, value in tree.items() for p in ((*path, key), *key_paths(value, (*path, key)))]
    if isinstance(tree, list):
        return [p for i, value in enumerate(tree) for p in key_paths(value, (*path, i))]
    return []


def tree_at(tree: Any, path: tuple[Any, ...]) -> Any:
    """Return the part of a tree at a path."""
    for step in path:
        tree = tree[step]
    return tree
