"""Find the parents of a record that are recorded only in a batch, of this oracle or another one.

The registry takes only recorded releases as parents, and a leaf of a batch is none. A record cannot change its parents,
so the child waits until somebody writes the parent out of its batch (`materialise`, which any account may call).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from provenance_oracle.oracle.chain.other_batches import BatchedRegistry, OtherBatches
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationKind
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# For so long after its judgement, a record waits for the documents of other oracles. One that serves none for good must
# not hold up the others' records for good.
UNREAD_MAX = timedelta(days=1)


class ParentRegistry(BatchedRegistry, Protocol):
    """The methods of `oracle.chain.batch_reader.BatchReader` that this module needs."""

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        """Return whether a release has a record at `block`, in good standing or not."""


class BatchedParents:
    """Looks the parents of records up in batches.

    Args:
        others: looks into the batches of other oracles; None if there are none.
        clock: returns the time now, with a time zone.
    """

    def __init__(self, journal: Journal, others: OtherBatches | None, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._others = others
        self._clock = clock

    def reason_to_wait(self, record: Record, registry: ParentRegistry, *, block: int) -> str:
        """Return why a record waits for a parent that only a batch has, and the next step; empty if it need not wait.

        A parent that the manifest names by its model digest alone is not looked for: a batch has no list of models.

        Raises:
            TemporaryError: the node fails, or the file of the index of batches.
        """
        for named in record.named_parents:
            manifest = named.manifest_digest
            if manifest is None or registry.is_recorded(named.model_digest, manifest, block=block):
                continue
            if reason := self._own(manifest) or self._of_others(record, manifest, registry, block):
                return reason
        return ""

    def _own(self, manifest: bytes) -> str:
        places = self._journal.places(manifest)
        batches = [one.publication for one in places if one.publication.kind is PublicationKind.BATCH]
        if not batches:
            return ""
        root = batches[0].root
        batch = f"batch {root.hex()}" if root else "a batch that is not sealed yet"
        return _waits(manifest, batch, "`provenance proof`")

    def _of_others(self, record: Record, manifest: bytes, registry: BatchedRegistry, block: int) -> str:
        if self._others is None:
            return ""
        found = self._others.find(manifest, registry, block=block)
        if found is not None:
            batch = f"batch {found.root.hex()} of another oracle"
            return _waits(manifest, batch, f"`provenance proof --leaves` with {printable(found.uri)}")
        unread = self._others.unread()
        if unread is None:
            return ""
        count, one = unread
        problem = (
            f"nobody knows whether its parent, manifest {manifest.hex()}, is in a batch of another oracle: the records"
            f" of {count} batches cannot be read, such as {printable(one.uri) or 'those of batch ' + one.root.hex()}"
        )
        if self._clock() - record.judged_at < UNREAD_MAX:
            return f"waits, because {problem}"
        _log.warning("%s %s: %s; it waits no longer", printable(record.name), printable(record.version), problem)
        return ""


def _waits(manifest: bytes, batch: str, proof: str) -> str:
    return (
        f"waits for its parent, manifest {manifest.hex()}, which is recorded only in {batch}: write it out with"
        f" `materialise` and the output of {proof}, see docs/operating.md, Batches"
    )
