"""Sign reports. A report is a record for one registry, with its policy's number and its recorded parents."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol

from provenance_oracle.oracle.chain.calls import Quorum, publish_call
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import encode_record, record_id, release_id
from provenance_oracle.verifier.record.fields import Entry, NamedParent, Record
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_RELEASES_MAX = 100  # of one model, looked at for the only one in good standing


class ReportRegistry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that a report needs."""

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        """Return whether a release has a record at `block`, in good standing or not."""

    def standing_releases(self, model_digest: bytes, *, block: int) -> Iterator[Entry]:
        """Yield the releases of a model at `block` that are not revoked, newest first."""

    def seat(self, key: str, *, block: int) -> Seat | None:
        """Return the place of a key (an address) in the oracle set in force; None if the key has no place."""


class Reporter:
    """Signs reports for one registry with one key.

    Args:
        finality: the endpoints that must agree on a record's parents.
        address: address of the registry, 20 bytes.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        finality: Finality[ReportRegistry],
        chain_id: int,
        address: bytes,
    ) -> None:
        self._signer = signer
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
        seat = self._finality.first.registry.seat(self._signer.address, block=block)
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
        for named in record.named_parents:
            parent = self._parent(record, named, head)
            if parent is None:
                why = "it has no record"
                if named.manifest_digest is None:
                    why = "there is no release of it in good standing, or not only one, and the manifest names none"
                name = printable(f"{record.name} {record.version}")
                _log.warning("%s: parent model %s is left out, because %s", name, named.model_digest.hex(), why)
            elif parent != record_id(record):
                found[parent] = None
        return tuple(found)

    def _parent(self, record: Record, named: NamedParent, head: int) -> bytes | None:
        """Return the id of a parent release in a final block; None if the registry has none that is certain.

        A record cannot change its parents, so the oracle waits for a parent that one node hides or a fork may remove.
        """

        def find(registry: ReportRegistry, block: int) -> bytes | None:
            if named.manifest_digest is None:
                return _only_release(registry, record, named.model_digest, block)
            is_recorded = registry.is_recorded(named.model_digest, named.manifest_digest, block=block)
            return release_id(named.model_digest, named.manifest_digest) if is_recorded else None

        parent = self._finality.at_depth(lambda one, block: find(one.registry, block), head)
        if parent is None and self._finality.at_newest(lambda one, block: find(one.registry, block), head):
            where = f"model {named.model_digest.hex()}"
            raise TemporaryError("the record of a parent is not final yet", where=where)
        return parent


def _only_release(registry: ReportRegistry, record: Record, model_digest: bytes, block: int) -> bytes | None:
    """Return the id of the only release of a model in good standing; None if there is none or not only one.

    Anyone can have the same files recorded again. An oracle must not choose between such releases: a stranger's may be
    revoked later and shut the child's lineage gate. A release made on real hardware has no simulated parent.
    """
    good: list[Entry] = []
    for looked_at, entry in enumerate(registry.standing_releases(model_digest, block=block)):
        if looked_at == _RELEASES_MAX:
            return None
        is_real = entry.product_line != SIMULATED_CODE or record.product_line == SIMULATED_CODE
        if entry.closure is None and is_real:
            good.append(entry)
        if len(good) > 1:
            return None
    return release_id(good[0].model_digest, good[0].manifest_digest) if good else None
