"""The answers of the index. Digests and ids have 32 bytes, addresses 20, times a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.leaves import Leaves
from provenance_oracle.verifier.registry.namespaces import Namespace, NamespaceEntry
from provenance_oracle.verifier.registry.structs import BatchState, OracleKey


@dataclass(frozen=True)
class IndexedRecord:
    """A release for its latest judgement, or a FAILED verdict, with its place on chain.

    Attributes:
        entry: the record as `RegistryReader` gives it; with `entry.batch` if it is in a batch and has no record of its
            own.
        is_open: whether the plain gate (`requireModel`) is open, derived from the events at the indexed block. For a
            record in a batch it is the gate by proof.
        is_open_to_publisher: the same of the gate by publisher; None for a record that no such gate opens for.
        is_called: whether its name leads to it: its namespace took it in, or is not claimed.
        block: the block of the judgement's event, or that of its batch.
        transaction: hash of the transaction. gas_used: the gas that it used; None if no node told.
        place: where it stands in lists; `after` of the next page.
    """

    entry: Entry
    is_open: bool
    is_open_to_publisher: bool | None
    is_called: bool
    block: int
    transaction: bytes
    gas_used: int | None
    place: int


@dataclass(frozen=True)
class RecordPage:
    """A part of a list, newest first. `next_after` asks for the next page; None on the last one."""

    records: tuple[IndexedRecord, ...]
    next_after: int | None


class ResultKind(StrEnum):
    """What a search found."""

    RECORD = "record"
    NAMESPACE = "namespace"
    IDENTITY = "identity"
    POLICY = "policy"
    BATCH = "batch"


@dataclass(frozen=True)
class SearchResult:
    """One thing that a search found.

    `key` is the id of a record or release, the digest of an identity or policy, or a batch's root; `name` the name of a
    namespace or of a record's model. `record` is the newest record of the name, for results of the kind RECORD.
    """

    kind: ResultKind
    name: str
    key: bytes
    record: IndexedRecord | None = None


@dataclass(frozen=True)
class SearchPage:
    """Results of a search. `compared` says in words with what the text was compared.

    `next_cursor` asks for the next page; None on the last one.
    """

    results: tuple[SearchResult, ...]
    compared: tuple[str, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class IndexStatus:
    """How far the index is.

    Attributes:
        deployed_block: its events are read from here on.
        until: the last block that was read; -1 for none. until_hash, until_time: hash and time of that block.
        head: the newest block that the node showed when it was last asked.
        unchecked: records and batches that are not yet compared with the contract's state, because the index is still
            catching up.
        records, batches: their numbers. unread_batches: batches whose records no server gave yet.
        writes_paused: whether the registry takes no records now.
    """

    chain_id: int
    registry: bytes
    namespaces: bytes
    lineage: bytes
    deployed_block: int
    until: int
    until_hash: bytes
    until_time: datetime | None
    head: int
    unchecked: int
    records: int
    batches: int
    unread_batches: int
    writes_paused: bool

    @property
    def lag_blocks(self) -> int:
        """Blocks that the chain had when the node was last asked, and the index had not read."""
        return max(0, self.head - self.until)


@dataclass(frozen=True)
class IndexedNamespace:
    """A namespace with its whole history, oldest entry first."""

    namespace: Namespace
    history: tuple[NamespaceEntry, ...]


@dataclass(frozen=True)
class IdentityFacts:
    """A publisher's identity: the number of its records, and the namespaces that trust it now."""

    identity: bytes
    records: int
    trusted_by: tuple[str, ...]


@dataclass(frozen=True)
class PolicyFacts:
    """A policy: the registry's number for it, None if it has none, and the number of records judged by it."""

    digest: bytes
    number: int | None
    records: int


@dataclass(frozen=True)
class IndexedBatch:
    """A batch. `leaves` has its records with their proofs; None if no server gave them yet."""

    root: bytes
    uri: str
    state: BatchState
    block: int
    transaction: bytes
    gas_used: int | None
    leaves: Leaves | None


@dataclass(frozen=True)
class Edge:
    """`parent` is a release from which the release `child` was made. `is_attested`: a signed record says so."""

    child: bytes
    parent: bytes
    is_attested: bool


@dataclass(frozen=True)
class DayCount:
    """Releases and batches recorded on a day (UTC), and the gas of the transactions of that day that told their gas."""

    day: date
    releases: int
    batches: int
    gas: int


@dataclass(frozen=True)
class OracleCount:
    """How many of the records and batches of an oracle set one of its oracles signed: `signed` of `total`."""

    epoch: int
    index: int
    oracle: OracleKey
    signed: int
    total: int


@dataclass(frozen=True)
class FirmwareCount:
    """Records of a day (UTC) with a product line's code and a REPORTED_TCB (8 bytes)."""

    day: date
    product_line: int
    reported_tcb: bytes
    count: int


@dataclass(frozen=True)
class IndexStatistics:
    """What the index counts, oldest day first."""

    by_day: tuple[DayCount, ...]
    oracles: tuple[OracleCount, ...]
    firmware: tuple[FirmwareCount, ...]
