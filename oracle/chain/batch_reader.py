"""Read a registry as an oracle does: batches beside records, and reports from an index."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from provenance_oracle.oracle.index.report_index import ReportIndex, Use
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.standing import Standing, parse_standing_if_any
from provenance_oracle.verifier.registry.events import Publication, parse_publication
from provenance_oracle.verifier.registry.head import Block
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.registry.raw_logs import parse_block_hash
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.registry.registry_events import (
    RecordedBatch,
    parse_leaf_revocation,
    parse_recorded_batch,
)
from provenance_oracle.verifier.registry.structs import BatchState
from provenance_oracle.verifier.strict.abi_values import parse_word

_log = logging.getLogger(__name__)


class BatchReader(RegistryReader):
    """A `RegistryReader` that reads batches too, and looks up reports in an index if it is given one."""

    def __init__(self, node: NodeConnection, address: str, *, index: ReportIndex | None = None, **options: Any) -> None:
        super().__init__(node, address, **options)
        self._index = index
        self._first: int | None = self._from_block or None

    def is_claimed(self, namespace: str, *, block: int) -> bool:
        """Return whether a namespace has an owner at `block`."""
        return self._satellites.namespaces(block).owner(namespace, block) is not None

    def batch(self, root: bytes, *, block: Block = "latest") -> BatchState:
        """Return the batch with this root, 32 bytes. Its count is 0 if the registry has none."""
        return self.proofs.state(root, self._head.number(block))

    def manifest_of_report(self, report_digest: bytes, *, block: Block = "latest") -> bytes | None:
        """See `RegistryReader`. Each range of blocks is read once."""
        if self._index is None:
            return super().manifest_of_report(report_digest, block=block)
        number = self._head.number(block)
        self._index.sync(self.first_block(number), number, self._hash_of, self._uses)
        found = self._index.uses_of(report_digest, number)
        for use in found:
            if self.content_of(use.record_id, block=number) != use.content:
                self._index.forget()
                problem = "an event does not fit the contract's state"
                raise TemporaryError(problem, where=self._where, got="a record")
        return next((use.manifest for use in found if use.passed), None)

    def places_of(self, keys: Collection[bytes], *, block: int) -> frozenset[tuple[int, int]]:
        """Return the places that keys (addresses of 20 bytes) ever had: number of the set, number of the oracle."""
        return self._oracle_sets.places_of(keys, block)

    def first_block(self, head: int) -> int:
        """Return a block before which the registry has no events."""
        if self._first is None:
            self._first = self._deployed_at(head)
        return self._first

    def published(self, first: int, last: int) -> list[Publication]:
        """Return the events of records in a range of blocks, both ends included, oldest first."""
        return self._contract.logs("RecordPublished", {}, first, last, parse=parse_publication)

    def recorded_batches(self, first: int, last: int) -> list[RecordedBatch]:
        """Return the events of batches in a range of blocks, both ends included, oldest first."""
        return self._contract.logs("BatchRecorded", {}, first, last, parse=parse_recorded_batch)

    def revoked_leaves(self, first: int, last: int) -> list[bytes]:
        """Return the ids of records that were revoked in their batch in a range of blocks, before they were written."""
        found = self._contract.logs("LeafRevoked", {}, first, last, parse=parse_leaf_revocation)
        return [one.record_id for one in found]

    def content_of(self, record_id: bytes, *, block: int) -> bytes:
        """Return the content digest of a record, 32 bytes: zeros if there is none."""
        return self._contract.call("contentOf", record_id, parse=parse_word, block=block)

    def standing_of_id(self, record_id: bytes, *, block: int) -> Standing | None:
        """Return the standing of a record; None if there is none."""
        return self._contract.call("standingById", record_id, parse=parse_standing_if_any, block=block)

    def _uses(self, first: int, last: int) -> list[Use]:
        return [
            Use(
                one.place.block_number,
                one.place.index,
                one.record.snp_report_digest,
                one.record.manifest_digest,
                one.record_id,
                one.content_digest,
                one.record.passed,
            )
            for one in self.published(first, last)
        ]

    def _hash_of(self, number: int) -> bytes:
        with node_errors(self._where):
            return parse_block_hash(self.node.web3.eth.get_block(number)["hash"].to_0x_hex(), self._where)

    def _deployed_at(self, head: int) -> int:
        """Return the block in which the contract came, found by its code; 0 if the node has no earlier states."""
        low, high = 0, head
        address = self.node.web3.to_checksum_address(self.address)
        try:
            while low < high:
                middle = (low + high) // 2
                with node_errors(self._where):
                    code = self.node.web3.eth.get_code(address, block_identifier=middle)
                low, high = (low, middle) if code else (middle + 1, high)
        except TemporaryError as error:
            _log.warning(
                "%s: the block of the deployment cannot be found (%s); events are read from block 0. Name a deployment"
                " file in the setting registry to avoid that",
                self._where,
                error,
            )
            return 0
        _log.info("%s was deployed in block %d; a deployment file saves the search", self._where, low)
        return low
