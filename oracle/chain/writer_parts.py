"""The parts of a registry and of its reports that the writer needs."""

from __future__ import annotations

from typing import Protocol

from provenance_oracle.oracle.chain.batched_parents import ParentRegistry
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.verifier.record.fields import Entry, Record


class Registry(ParentRegistry, Protocol):
    """The part of `oracle.chain.batch_reader.BatchReader` that the writer needs."""

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        """Return the entry of a release at `block`. Raise RecordError if there is none."""

    def manifest_of_report(self, report_digest: bytes, *, block: int) -> bytes | None:
        """Return the digest of the first manifest recorded with a report up to `block`; None if there is none."""

    def is_claimed(self, namespace: str, *, block: int) -> bool:
        """Return whether a namespace has an owner at `block`."""

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        """Return the number of a policy at `block`; 0 if it has none."""


class Reports(Protocol):
    """The part of `oracle.chain.reports.Reporter` that the writer needs."""

    @property
    def has_peers(self) -> bool:
        """Whether other oracles may need our signatures."""

    def exchange(self, head: int) -> None:
        """Exchange proposals with the other oracles, once in a pass."""

    def publication(self, record: Record, *, policy_id: int, head: int) -> bytes | Publishing:
        """Return the encoded call that publishes a record, signed for the oracle set in force at the block `head`.

        Return a `Publishing` if other oracles have to sign it first.
        """

    def encoded(self, record: Record, *, policy_id: int, head: int) -> bytes:
        """Return a record's bytes for the registry."""
