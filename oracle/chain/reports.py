"""Sign reports. A report is a record for one registry, with its policy's number and its recorded parents."""

from __future__ import annotations

import logging
from typing import Protocol

from provenance_oracle.oracle.chain.calls import Quorum, publish_call
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.chain.signers import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import encode_record, record_id, release_id
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


class ReportRegistry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that a report needs."""

    def entries_of_model(self, model_digest: bytes, *, block: int) -> tuple[Entry, ...]:
        """Return the releases of a model and their FAILED verdicts at `block`, newest first."""

    def seat(self, key: str, *, block: int) -> Seat | None:
        """Return the place of a key (an address) in the oracle set in force; None if the key has no place."""


class Reporter:
    """Signs reports for one registry with one key.

    Args:
        finality: the endpoint of `registry`, and others that must agree on a record's parents.
        address: address of the registry, 20 bytes.
    """

    def __init__(
        self,
        signer: Signer,
        registry: ReportRegistry,
        *,
        finality: Finality[ReportRegistry],
        chain_id: int,
        address: bytes,
    ) -> None:
        self._signer = signer
        self._registry = registry
        self._finality = finality
        self._chain_id = chain_id
        self._address = address

    def publication(self, record: Record, *, policy_id: int, head: int) -> bytes:
        """Return the encoded call that publishes a record with this oracle's signature.

        Args:
            policy_id: the registry's number for the record's policy.
            head: the number of the newest block, whose oracle set signs.

        Raises:
            UsageError: the key is not in the oracle set, or a record needs signatures of other oracles too.
            FormatError: the record does not fit the registry's format (check `registry-record`).
            TemporaryError: a node does not answer, the nodes disagree, or the record of a parent is not final yet.
        """
        seat = self._seat(head)
        data = encode_record(record, policy_id=policy_id, parents=self._recorded_parents(record, head))
        digest = publication_digest(self._chain_id, self._address, seat.epoch, data)
        return publish_call(data, Quorum(seat.epoch, 1 << seat.index, self._signer.sign_digest(digest)))

    def _seat(self, block: int) -> Seat:
        seat = self._registry.seat(self._signer.address, block=block)
        where = f"key {self._signer.address}"
        if seat is None:
            raise UsageError(
                "the key is not an oracle of this registry", where=where, wanted="a key of the oracle set in force"
            )
        if seat.weight < seat.threshold:
            raise UsageError(
                "a record needs signatures of other oracles, and this version does not collect them",
                where=where,
                got=f"weight {seat.weight}",
                wanted=f"the threshold, {seat.threshold}",
            )
        return seat

    def _recorded_parents(self, record: Record, head: int) -> tuple[bytes, ...]:
        """Return the ids of the recorded parent releases of a record, in the order of its manifest."""
        found: dict[bytes, None] = {}
        for model_digest in record.parent_models:
            parent = self._parent(model_digest, head)
            if parent is None:
                name = printable(f"{record.name} {record.version}")
                _log.warning("%s: parent model %s is left out, because it has no record", name, model_digest.hex())
            elif parent != record_id(record):
                found[parent] = None
        return tuple(found)

    def _parent(self, model_digest: bytes, head: int) -> bytes | None:
        """Return the id of the release that represents a model in a final block; None if the model has no record.

        A record cannot change its parents, so the oracle waits for a parent that one node hides or a fork may remove.
        The order of preference is: an active record, real hardware, the highest grade, the earliest record. Anyone with
        the same files can record them early with worse evidence, and that record must not win.
        """

        def passed(registry: ReportRegistry, block: int) -> list[Entry]:
            return [entry for entry in registry.entries_of_model(model_digest, block=block) if entry.passed]

        entries = self._finality.at_depth(lambda one, block: passed(one.registry, block), head)
        if not entries:
            if self._finality.at_newest(lambda one, block: passed(one.registry, block), head):
                raise TemporaryError("the record of a parent is not final yet", where=f"model {model_digest.hex()}")
            return None
        best = min(
            entries,
            key=lambda one: (one.closure is not None, one.product_line == SIMULATED_CODE, -one.grade, one.recorded_at),
        )
        return release_id(best.model_digest, best.manifest_digest)
