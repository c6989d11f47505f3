"""Prove recorded releases on chain, through the same account, nonces and journal as records.

    ask the chain -> judge what it would say and take -> sign -> store -> send -> ... -> proven in a final block

A release is proven by the evidence that this oracle judged, which the journal keeps, and the proof confirms the record
too. A record in a batch is not confirmed, because the registry keeps only the batch's root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from provenance_oracle.oracle.chain.dear_calls import DearTerms
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.prove_release import ProofPlan, gas_limit_of, plan_proof
from provenance_oracle.oracle.chain.rpc import Call
from provenance_oracle.oracle.chain.transactions import Publishing, TransactionSender
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.proof_book import OpenProof
from provenance_oracle.oracle.journal.publications import PublicationKind
from provenance_oracle.oracle.journal.rows import Attempt, AttemptState, Row, State
from provenance_oracle.oracle.journal.stored_record import from_json
from provenance_oracle.oracle.quorum.turns import proving_rank
from provenance_oracle.verifier.errors import AppraisalError, RecordError, TemporaryError
from provenance_oracle.verifier.judgement.kept_evidence import release_of_evidence
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of
from provenance_oracle.verifier.proofs.intermediates import AddedIntermediate, added_intermediate
from provenance_oracle.verifier.proofs.reader import ProofReader
from provenance_oracle.verifier.record.codec import encode_record, release_id
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.node import NodeConnection
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.tar import files_of_tar
from provenance_oracle.verifier.strict.timestamps import format_time

PROVE_FEE_SETTING = "prove_fee_max_gwei"
# How much longer each further oracle of a quorum leaves a proof to those before it.
_TURN = timedelta(minutes=10)
# A proof is given up after so many nonces that were used up without effect; each may have cost the whole gas.
_VAIN_MAX = 2
_READERS_MAX = 16


@dataclass(frozen=True)
class ProvingOptions:
    """The contracts that prove releases, and what one proof may cost at most, in wei."""

    deployment: Deployment
    cost_max_wei: int


class ProvenRegistry(Protocol):
    """The part of `oracle.chain.batch_reader.BatchReader` that proofs need."""

    node: NodeConnection

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        """Return the entry of a release at `block`. Raise RecordError if there is none."""

    def seats(self, *, block: int, at: datetime) -> dict[str, Seat]:
        """Return the places of the oracle set in force whose keys count at a moment, by address."""


class ReleaseProofs:
    """Takes proofs of releases on their way.

    Args:
        reporter: address of the key that signs reports, whose place in the oracle set tells whose turn it is.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self,
        options: ProvingOptions,
        sender: TransactionSender,
        journal: Journal,
        *,
        finality: Finality[ProvenRegistry],
        reporter: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._options = options
        self._sender = sender
        self._journal = journal
        self._finality = finality
        self._reporter = reporter
        self._clock = clock
        self._readers: list[ProofReader] = []  # one for each connection

    def step(self, proof: OpenProof) -> Publishing:
        """Take the proof of a release one step further.

        Returns:
            FINAL if the release is proven in a final block, by anybody; MINED if in a newer one; SENT if our
            transaction is on its way; JUDGED if the proof must wait.

        Raises:
            TemporaryError: a node or the disk fails, the nodes disagree, or the proof costs too much now. Try again
                later.
            UsageError: another contract is at the address.
            ProvenanceError: the release cannot be proven, or the chain refuses the proof.
        """
        record = from_json(proof.row.record or b"")
        release, head = release_id(record.model_digest, record.manifest_digest), self._finality.first.chain.head()
        if self._is_proven(self._finality.first, release, head):
            if not self._finality.at_depth(lambda one, block: self._is_proven(one, release, block), head):
                return Publishing(State.MINED, self._finality.obstacle)
            self._sender.settle_batch(proof.publication.id)
            return Publishing(State.FINAL, "" if self._is_own(proof) else "somebody else proved it")
        gas_max = gas_limit_of(self._reader(self._finality.first))
        terms = DearTerms(gas_max, self._options.cost_max_wei, PROVE_FEE_SETTING)
        prepare = partial(self._prepare, proof, record, release, head)
        return self._sender.push_batch(proof.publication.id, prepare, block=head, terms=terms)

    def _prepare(self, proof: OpenProof, record: Record, release: bytes, head: int) -> Call | Publishing:
        """Return the call that proves a release, or why it waits. The chain does not show the release as proven."""
        if left_to_others := self._turn_words(proof.row, release, head):
            return Publishing(State.JUDGED, left_to_others, is_alone=True)
        vain = {one.transaction.nonce for one in self._dropped(proof)}
        if len(vain) >= _VAIN_MAX:
            got, wanted = f"{len(vain)} without effect", "a transaction that proves the release"
            raise AppraisalError("its transactions had no effect", where="chain", got=got, wanted=wanted)
        kept, data = self._kept_release(proof.row, record), self._record_bytes(record, head)
        plan = self._planned(evidence_of(kept), data, added_intermediate(kept.evidence))
        reader = self._reader(self._finality.first)
        return Call(self._sender.address, checksum_address(reader.address), plan.data)

    def _planned(self, evidence: EvidenceCall, record: bytes, intermediate: AddedIntermediate | None) -> ProofPlan:
        """Simulate a proof. One node alone does not decide that the chain refuses it."""

        def planned(one: Endpoint[ProvenRegistry]) -> ProofPlan:
            return plan_proof(self._reader(one), evidence, record, intermediate=intermediate)

        def refusal(one: Endpoint[ProvenRegistry]) -> str:
            try:
                planned(one)
            except AppraisalError as error:
                return error.got
            return ""

        try:
            return planned(self._finality.first)
        except AppraisalError:
            self._finality.agreed(refusal)
            raise

    def _turn_words(self, row: Row, release: bytes, head: int) -> str:
        """Return why a proof is left to other oracles for now; empty if it is our turn."""
        seats = self._finality.first.registry.seats(block=head, at=self._clock())
        if self._reporter not in seats:
            return f"the key {self._reporter} is not in the registry's oracle set"
        until = row.changed_at + _TURN * proving_rank(release, self._reporter, seats)
        return f"is left to another oracle until {format_time(until)}" if self._clock() < until else ""

    def _kept_release(self, row: Row, record: Record) -> Release:
        archived = self._journal.evidence(row.verdict_digest or b"")
        if archived is None:
            wanted = "the folder of evidence beside the journal"
            raise TemporaryError("the evidence is not there", where="evidence", got="nothing", wanted=wanted)
        return release_of_evidence(files_of_tar(archived), record.judged_at)

    def _record_bytes(self, record: Record, head: int) -> bytes:
        """Return the bytes of the record to confirm; none if it is in a batch.

        Raises:
            RecordError: the record is revoked.
        """
        try:
            entry = self._finality.first.registry.entry_of(record.model_digest, record.manifest_digest, block=head)
        except RecordError as error:
            if self._is_in_batch(record):
                return b""
            raise TemporaryError(f"its record is gone: {error.problem}", where=error.where) from error
        if entry.revoked_at is not None:
            raise RecordError("its record is revoked", where="registry", got="a revoked record", wanted="another one")
        if entry.batch is not None:
            return b""
        return encode_record(entry, policy_id=entry.policy_id, parents=entry.parents)

    def _is_in_batch(self, record: Record) -> bool:
        places = self._journal.places(record.manifest_digest)
        return any(one.publication.kind is PublicationKind.BATCH for one in places)

    def _is_own(self, proof: OpenProof) -> bool:
        """Return whether we sent a proof that takes effect. A node may show the effect before the receipt."""
        attempts = self._journal.attempts_of(proof.publication.id)
        return any(one.state is not AttemptState.DROPPED for one in attempts)

    def _dropped(self, proof: OpenProof) -> list[Attempt]:
        attempts = self._journal.attempts_of(proof.publication.id)
        return [one for one in attempts if one.state is AttemptState.DROPPED]

    def _is_proven(self, one: Endpoint[ProvenRegistry], release: bytes, block: int) -> bool:
        return self._reader(one).is_proven(release, block=block)

    def _reader(self, one: Endpoint[ProvenRegistry]) -> ProofReader:
        """Return the reader of proofs at an endpoint. Each connection is compared with the deployment file once."""
        for reader in self._readers:
            if reader.node is one.registry.node:
                return reader
        made = ProofReader(one.registry.node, self._options.deployment)
        self._readers = [made, *self._readers[: _READERS_MAX - 1]]
        return made
