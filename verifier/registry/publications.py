"""Records as a registry's events tell them and its state bears them out: content digest, standing, signers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.codec import release_id, revision_id
from provenance_oracle.verifier.record.fields import Entry, RecordSigner
from provenance_oracle.verifier.record.standing import Standing, parse_standing
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.events import Publication, parse_publication
from provenance_oracle.verifier.registry.node import node_errors

_ORACLES_MAX = 32
# What a standing says from the beginning and for ever.
_LASTING = ("recorded_at", "judged_at", "policy_id", "epoch", "grade", "product_line", "failed")


class KeptRecords:
    """The records of one registry. `from_block` is a block before which it has no events.

    Raises:
        TemporaryError: from every method, if the node fails or contradicts itself.
    """

    def __init__(self, contract: DeployedContract, from_block: int) -> None:
        self._contract = contract
        self._where = contract.where
        self._from_block = from_block

    def read(self, wanted: Mapping[str, bytes], block: int) -> list[Publication]:
        """Publications with these indexed digests up to `block`, oldest first, as the node tells them."""
        logs = self._contract.logs("RecordPublished", wanted, self._from_block, block)
        with node_errors(self._where):
            return [parse_publication(log, self._where) for log in logs]

    def believed(self, found: Iterable[Publication], block: int) -> list[Publication]:
        """The same publications, once each was found to be what the contract keeps."""
        checked = list(found)
        for one in checked:
            if bytes(self._contract.call("contentOf", one.record_id, block=block)) != one.content_digest:
                raise self._contradiction("a record")
        return checked

    def standing(self, model_digest: bytes, manifest_digest: bytes, block: int) -> Standing | None:
        """How a release stands, None if the registry knows none."""
        values = self._contract.call("standingOf", model_digest, manifest_digest, block=block)
        with node_errors(self._where):
            return parse_standing(values, self._where) if values[0] else None

    def latest(self, judgements: list[Publication], block: int) -> Entry:
        """The entry of a release, given the publications of its judgements."""
        standing, wanted = None, b""
        if judgements:
            release = judgements[0].record
            standing = self.standing(release.model_digest, release.manifest_digest, block)
            wanted = revision_id(id_of_release(judgements[0]), standing.revisions) if standing else b""
        latest = [found for found in judgements if found.record_id == wanted]
        if standing is None or not latest:
            raise self.kept_back("the latest judgement")
        return self._entry(latest[0], standing, block)

    def failure(self, found: Publication, block: int) -> Entry:
        """The entry of a FAILED verdict."""
        values = self._contract.call("standingById", found.record_id, block=block)
        with node_errors(self._where):
            standing = parse_standing(values, self._where)
        return self._entry(found, standing, block)

    def kept_back(self, what: str) -> TemporaryError:
        """What to raise if an event is missing that must be there."""
        return TemporaryError("the node keeps an event back", where=self._where, got="nothing", wanted=what)

    def _entry(self, found: Publication, standing: Standing, block: int) -> Entry:
        if any(getattr(standing, name) != getattr(found.first, name) for name in _LASTING):
            raise self._contradiction("a standing")
        epoch = self._contract.call("epochOf", standing.epoch, block=block)
        signers = self._signers(standing, block)
        with node_errors(self._where):
            threshold, _, _ = epoch
            record = vars(found.record)
            return Entry(**record, record_id=found.record_id, standing=standing, threshold=threshold, signers=signers)

    def _signers(self, standing: Standing, block: int) -> tuple[RecordSigner, ...]:
        """Who signed, but for those that a recount took off, and whose signature counts still."""
        signers, recorded_at = [], int(standing.recorded_at.timestamp())
        for index in range(_ORACLES_MAX):
            if not standing.signers >> index & 1:
                continue
            oracle = self._contract.call("oracleAt", standing.epoch, index, block=block)
            with node_errors(self._where):
                key, weight, valid_from, valid_until, _ = oracle
                address = bytes.fromhex(key.removeprefix("0x")) if valid_from <= recorded_at else None
                signers.append(RecordSigner(index, address, weight, valid_until > recorded_at))
        return tuple(signers)

    def _contradiction(self, what: str) -> TemporaryError:
        return TemporaryError("an event does not fit what the contract keeps", where=self._where, got=what)


def id_of_release(found: Publication) -> bytes:
    """The id of the release that a publication is about."""
    return release_id(found.record.model_digest, found.record.manifest_digest)
