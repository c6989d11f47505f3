"""Read the records of a registry from its events, compared with the content digest and the standing in its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.codec import release_id, revision_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.standing import (
    Standing,
    parse_moment_if_any,
    parse_standing,
    parse_standing_if_any,
)
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.events import Publication, parse_publication
from provenance_oracle.verifier.registry.oracle_sets import OracleSets
from provenance_oracle.verifier.strict.abi_values import parse_word

# The members of a standing that never change.
_LASTING = ("recorded_at", "judged_at", "policy_id", "epoch", "grade", "product_line", "failed")


class KeptRecords:
    """Reads the records of one registry. `from_block` is a block before which it has no events.

    Raises:
        TemporaryError: from every method, if the node fails or contradicts itself.
    """

    def __init__(self, contract: DeployedContract, oracle_sets: OracleSets, from_block: int) -> None:
        self._contract = contract
        self._oracle_sets = oracle_sets
        self._where = contract.where
        self._from_block = from_block

    def read(self, wanted: Mapping[str, bytes], block: int) -> list[Publication]:
        """Return the node's publications with these indexed digests up to `block`, oldest first, not compared yet.

        Args:
            wanted: digests (32 bytes) by the name of the event's argument.
        """
        return self._contract.logs("RecordPublished", wanted, self._from_block, block, parse=parse_publication)

    def believed(self, found: Iterable[Publication], block: int) -> list[Publication]:
        """Return the same publications, after comparing the content digest of each with the contract's."""
        checked = list(found)
        for one in checked:
            kept = self._contract.call("contentOf", one.record_id, parse=parse_word, block=block, is_lasting=True)
            if kept != one.content_digest:
                raise self._contradiction("a record")
        return checked

    def judgements(
        self, model_digest: bytes, manifest_digest: bytes, block: int, *, passed: bool = True
    ) -> list[Publication]:
        """Return the compared publications of one release, or of its FAILED verdicts."""
        found = self.read({"modelDigest": model_digest, "manifestDigest": manifest_digest}, block)
        return self.believed([one for one in found if one.record.passed == passed], block)

    def judgements_of(self, entry: Entry, block: int) -> list[Publication]:
        """Return the publications that an entry stands for: those of a release, or that of one FAILED verdict."""
        found = self.judgements(entry.model_digest, entry.manifest_digest, block, passed=entry.passed)
        return [one for one in found if entry.passed or one.record_id == entry.record_id]

    def standing(self, model_digest: bytes, manifest_digest: bytes, block: int) -> Standing | None:
        """Return the standing of a release; None if the registry has no record of it."""
        digests = (model_digest, manifest_digest)
        return self._contract.call("standingOf", *digests, parse=parse_standing_if_any, block=block)

    def model_revoked_at(self, model_digest: bytes, block: int) -> datetime | None:
        """Return the moment from which all releases of a model are revoked; None if the model is not revoked."""
        return self._contract.call("revokedModelTime", model_digest, parse=parse_moment_if_any, block=block)

    def standing_of_record(self, record_id: bytes, block: int) -> Standing:
        """Return the standing of a judgement or a FAILED verdict, which the registry must have."""
        return self._contract.call("standingById", record_id, parse=parse_standing, block=block)

    def latest(self, judgements: list[Publication], block: int) -> Entry:
        """Return the entry of a release for its latest judgement.

        Args:
            judgements: the compared publications of the release's judgements.
        """
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
        """Return the entry of a FAILED verdict."""
        return self._entry(found, self.standing_of_record(found.record_id, block), block)

    def kept_back(self, what: str) -> TemporaryError:
        """Return the error for an event that must exist by the contract's state, and that the node did not return."""
        self._contract.forget_events()
        return TemporaryError("the node withholds an event", where=self._where, got="nothing", wanted=what)

    def _entry(self, found: Publication, standing: Standing, block: int) -> Entry:
        if any(getattr(standing, name) != getattr(found.first, name) for name in _LASTING):
            raise self._contradiction("a standing")
        threshold = self._oracle_sets.threshold(standing.epoch, block)
        signers = self._oracle_sets.signers(standing, block)
        record = vars(found.record)
        model_revoked_at = self.model_revoked_at(found.record.model_digest, block)
        return Entry(
            **record,
            record_id=found.record_id,
            standing=standing,
            threshold=threshold,
            signers=signers,
            model_revoked_at=model_revoked_at,
        )

    def _contradiction(self, what: str) -> TemporaryError:
        self._contract.forget_events()
        return TemporaryError("an event does not fit the contract's state", where=self._where, got=what)


def id_of_release(found: Publication) -> bytes:
    """Return the id of the release that a publication is about."""
    return release_id(found.record.model_digest, found.record.manifest_digest)


def latest_judgement(judgements: Sequence[Publication]) -> Publication:
    """Return the judgement of a release with the highest number among these."""
    return max(judgements, key=lambda one: one.record.revision)
