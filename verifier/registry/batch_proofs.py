"""Read records that are in a batch of a registry, by their proofs.

The registry keeps only the root of a batch. A proof shows that the signers of the batch vouch for a record; the
contract has not checked the record against the rules of `publish`. `contracts/registry/Batches.sol` decides by a proof
in the same way. If the release has a record of its own, that record always decides here, as in
`requireMeetsFromProof`, whether or not somebody closed the leaf.
"""

from __future__ import annotations

from collections.abc import Callable

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, TemporaryError
from provenance_oracle.verifier.record.codec import record_id, release_id
from provenance_oracle.verifier.record.fields import BatchPlace, Entry, WrittenRecord
from provenance_oracle.verifier.record.proof_file import ProvenRecord
from provenance_oracle.verifier.record.standing import Standing, parse_moment
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.oracle_sets import OracleSets
from provenance_oracle.verifier.registry.publications import KeptRecords
from provenance_oracle.verifier.registry.structs import BatchState, parse_batch_state
from provenance_oracle.verifier.strict.abi_values import (
    parse_arguments,
    parse_flag,
    parse_text,
    parse_word,
)
from provenance_oracle.verifier.text import printable

WRITTEN_OUT = "a record that somebody wrote out with `materialise` (docs/operating.md, Batches)"
_URI_MAX_CHARS = 256


class BatchProofs:
    """Reads records in batches of one registry.

    Args:
        first: a block before which the registry has no events.
        head: returns the number of the newest block.

    Raises (every method):
        TemporaryError: the node fails or contradicts itself.
    """

    def __init__(
        self,
        contract: DeployedContract,
        records: KeptRecords,
        oracle_sets: OracleSets,
        first: int,
        head: Callable[[], int],
    ) -> None:
        self._contract = contract
        self._records = records
        self._oracle_sets = oracle_sets
        self._first = first
        self._head = head

    def entry(self, proven: ProvenRecord) -> Entry | None:
        """Return the entry of a record in a batch; None if the registry's own record of the release decides.

        The registry has its own record if somebody recorded the release otherwise or wrote it out. A release that was
        revoked in its batch and never written out has an entry here, with the revocation.

        Raises:
            RecordError: the registry has no such batch, or the record opens no gate by a proof because it is a FAILED
                verdict or a later judgement.
        """
        written, block = proven.written, self._head()
        release = release_id(written.model_digest, written.manifest_digest)
        if record_id(written) != release:
            raise self._refused(
                "a proof shows the first judgement of a release only",
                "a FAILED verdict" if not written.passed else f"judgement {written.revision + 1}",
                "the first judgement; somebody has to write a later one out with `materialise`",
            )
        standing = self._records.standing(written.model_digest, written.manifest_digest, block)
        if standing is None:
            standing = self._standing_in_batch(proven, block)
        elif not self._is_revoked_leaf(proven, standing, release, block):
            return None
        return Entry(
            **vars(written),
            record_id=release,
            standing=standing,
            threshold=self._oracle_sets.threshold(standing.epoch, block),
            signers=self._oracle_sets.signers(standing, block),
            model_revoked_at=self._records.model_revoked_at(written.model_digest, block),
            batch=BatchPlace(proven.root, proven.leaf.proof.index),
        )

    def is_open(self, proven: ProvenRecord) -> bool:
        """Return whether the proof gate, `requireModelFromProof`, is open at grade 0, the lowest."""
        written, proof = proven.written, proven.leaf.proof
        words = (proof.content_digest, proof.summary, proof.siblings)
        arguments = (written.model_digest, written.manifest_digest, words, 0)
        return self._contract.call("isModelFromProof", *arguments, parse=parse_flag, block=self._head())

    def state(self, root: bytes, block: int) -> BatchState:
        """Return the batch with this root, 32 bytes, at a block. Its count is 0 if the registry has none."""
        return self._contract.call("batchOf", root, parse=parse_batch_state, block=block)

    def with_next_step(self, error: RecordError, *, takes_proof: bool = True) -> RecordError:
        """Return the error for a release without a record, which says what to do if it is in a batch.

        The registry does not tell which records are in a batch, so the error is about any batch. It is the same error
        if the registry has no batches.

        Args:
            takes_proof: whether the command has --proof. Without it, somebody has to write the record out.
        """
        found = self._contract.logs("BatchRecorded", {}, self._first, self._head(), parse=_parse_uri)
        if not found:
            return error
        place = f"; the records of the newest batch: {printable(found[-1])}" if found[-1] else ""
        way, proof = ("`--proof FILE`", "it") if takes_proof else (WRITTEN_OUT, "the proof")
        step = (
            f"or {way}, if the release is in a batch (the registry has {len(found)}): the oracle's operator prints"
            f" {proof} with `provenance proof MANIFEST_DIGEST`, and anyone with a batch's records, with --leaves{place}"
        )
        return RecordError(
            error.problem, check=error.check, where=error.where, got=error.got, wanted=f"{error.wanted}, {step}"
        )

    def _standing_in_batch(self, proven: ProvenRecord, block: int) -> Standing:
        """Return the standing that a leaf has by its proof, as `Batches._proven` does."""
        batch, proof, written = self.state(proven.root, block), proven.leaf.proof, proven.written
        if proof.index >= batch.count:
            got = f"{batch.count} records" if batch.count else "no batch with this root"
            raise self._refused(
                "the proof leads to no record of the registry",
                got,
                f"batch {proven.root.hex()} with leaf {proof.index}; is this the registry of the oracle that made it?",
            )
        if batch.materialised >> proof.index & 1:
            raise TemporaryError("the leaf is closed, and its record is missing", where=self._contract.where)
        return standing_in_batch(batch, written, is_named=proof.is_named, where=self._contract.where)

    def _is_revoked_leaf(self, proven: ProvenRecord, standing: Standing, release: bytes, block: int) -> bool:
        """Return whether the registry keeps nothing of a release but a revocation of this very record."""
        if standing.revoked_at is None or standing.revisions:
            return False
        kept = self._contract.call("contentOf", release, parse=parse_word, block=block)
        return kept == proven.leaf.proof.content_digest

    def _refused(self, problem: str, got: str, wanted: str) -> RecordError:
        return RecordError(problem, check=Check.REGISTRY_RECORD, where=self._contract.where, got=got, wanted=wanted)


def standing_in_batch(batch: BatchState, written: WrittenRecord, *, is_named: bool, where: str) -> Standing:
    """Return the standing of a record that only a proof shows, as `Batches._proven` does.

    Args:
        is_named: whether the leaf says that the record has a name in a claimed namespace.

    Raises:
        FormatError: the batch has a time that no registry holds.
    """
    return Standing(
        recorded_at=parse_moment(batch.recorded_at, where),
        revoked_at=None,
        judged_at=written.judged_at,
        policy_id=written.policy_id,
        signers=batch.signers,
        weight=batch.weight,
        epoch=batch.epoch,
        revisions=0,
        grade=written.grade,
        product_line=written.product_line,
        failed=False,
        held=is_named,
        doubtful=batch.doubtful,
        named=False,
    )


def _parse_uri(log: Log, where: str) -> str:
    """Return the place in an event BatchRecorded where the batch's oracle serves its records."""
    (uri,) = parse_arguments(log.args, {"uri": parse_text}, where)
    return str(uri)[:_URI_MAX_CHARS]
