"""Changes of the publisher between recorded releases of one model: a reason to ask why before you take the new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.record.fields import Entry


@dataclass(frozen=True)
class PublisherChange:
    """Two releases of a model, recorded one after the other, whose publishers differ."""

    before: Entry
    after: Entry


def publisher_changes(entries: Iterable[Entry]) -> tuple[PublisherChange, ...]:
    """Return each change of the publisher from a release of a name to the next one, the oldest first.

    Only PASSED records count. A record that is revoked or held counts too: its publisher is a fact that a stranger
    should see.

    Args:
        entries: in the order of the chain, the oldest first. Their times do not tell it: many share one block.
    """
    last: dict[str, Entry] = {}
    changes = []
    for entry in entries:
        if not entry.passed:
            continue
        before = last.get(entry.name)
        if before is not None and before.publisher_identity != entry.publisher_identity:
            changes.append(PublisherChange(before, entry))
        last[entry.name] = entry
    return tuple(changes)
