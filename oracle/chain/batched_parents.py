"""Find the parents of a record that are recorded only in a batch of this oracle.

The registry takes only recorded releases as parents, and a leaf of a batch is none. A record cannot change its parents,
so the child waits until somebody writes the parent out of its batch (`materialise`, which any account may call).
"""

from __future__ import annotations

from typing import Protocol

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationKind
from provenance_oracle.verifier.record.fields import Record


class ParentRegistry(Protocol):
    """The method of `verifier.registry.reader.RegistryReader` that this module needs."""

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        """Return whether a release has a record at `block`, in good standing or not."""


def parent_in_batch(record: Record, registry: ParentRegistry, journal: Journal, *, block: int) -> str:
    """Return why a record waits for a parent that only a batch has, and the next step; empty if there is none.

    A parent that the manifest names by its model digest alone is not looked for: a batch has no list of models.
    """
    for named in record.named_parents:
        manifest = named.manifest_digest
        if manifest is None or registry.is_recorded(named.model_digest, manifest, block=block):
            continue
        batches = [one.publication for one in journal.places(manifest) if one.publication.kind is PublicationKind.BATCH]
        if batches:
            root = batches[0].root
            batch = f"batch {root.hex()}" if root else "a batch that is not sealed yet"
            return (
                f"waits for its parent, manifest {manifest.hex()}, which is recorded only in {batch}: write it out with"
                " `materialise` and the output of `provenance proof`, see docs/operating.md, Batches"
            )
    return ""
