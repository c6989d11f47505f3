"""A writer over a registry on a real node that publishes batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.batches import Batching
from provenance_oracle.oracle.journal.publications import PublicationState, StoredPublication
from provenance_oracle.verifier.record.fields import Record
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.world import World


class Published(World):
    """A world whose writer publishes batches, with their records at `uri`."""

    def __init__(self, registry: DeployedRegistry, folder: Path, uri: str = "https://oracle.example/") -> None:
        self.uri = uri
        super().__init__(registry, folder)

    def connected(self, **changes: Any) -> Any:
        return super().connected(batching=Batching(128, 0, self.uri), **changes)

    def publish_batch(self, records: Sequence[Record]) -> StoredPublication:
        """Record the releases in one batch, and return it once it is final."""
        writer = self.looking()
        entries: list[Any] = [writer.batch_entry(record) for record in records]
        publisher = writer.batches
        assert publisher is not None
        rows = [self.row(record) for record in records]
        publication = publisher.open(list(zip(rows, entries, strict=True)))
        found = [(entry, record.judged_at) for entry, record in zip(entries, records, strict=True)]
        deadline = time.monotonic() + 20
        while publication.state is not PublicationState.FINAL:
            self.looking()
            publication = publisher.follow(publication, lambda: found)
            assert time.monotonic() < deadline
        return publication
