"""Find records by what a person has at hand: a model digest, a manifest digest, or a name."""

from __future__ import annotations

import re

from verifier.checks import Check
from verifier.errors import RecordError
from verifier.lineage import Ancestor, in_tree_order
from verifier.record import Entry
from verifier.record_bytes import release_id
from verifier.registry import RegistryReader

_DIGEST = re.compile("(?:0x)?[0-9a-fA-F]{64}")


def find_entries(registry: RegistryReader, what: str) -> tuple[Entry, ...]:
    """Return the entries that a digest or a name leads to, newest first, those that speak for nothing included.

    A name is `namespace/model` or `namespace/model@version`.

    Raises:
        RecordError: there is none.
    """
    if not _DIGEST.fullmatch(what):
        entries = registry.entries_of_name(what)
    else:
        digest = bytes.fromhex(what.lower().removeprefix("0x"))
        entries = registry.entries_of_model(digest) or registry.entries_of_manifest(digest)
    if entries:
        return entries
    raise RecordError(
        "no record",
        check=Check.REGISTRY_RECORD,
        where=what,
        got="nothing",
        wanted="a model digest, manifest digest or name that was recorded",
    )


def find_ancestors(registry: RegistryReader, entry: Entry) -> tuple[tuple[Ancestor, Entry | None], ...]:
    """Return what an entry's release was made from, in the order of a tree, each with its own entry."""
    ancestors = registry.ancestors(entry)
    known = registry.records({ancestor.release_id for ancestor in ancestors}) if ancestors else {}
    start = release_id(entry.model_digest, entry.manifest_digest)
    return tuple((ancestor, known.get(ancestor.release_id)) for ancestor in in_tree_order(start, ancestors))
