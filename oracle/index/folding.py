"""What the contract's state must be after the events that the index has: standings, batches, oracle sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.fields import RecordSigner
from provenance_oracle.verifier.record.standing import Standing, signer_numbers
from provenance_oracle.verifier.registry.events import AppliedRevocation, Recount, Revocation
from provenance_oracle.verifier.registry.namespaces import Kind, NamespaceEntry
from provenance_oracle.verifier.registry.registry_events import EpochStart, OracleChange, RecordedBatch
from provenance_oracle.verifier.registry.structs import BatchState, OracleKey


class MissingEventError(TemporaryError):
    """The index does not have an event that it must have after others that it has."""


@dataclass(frozen=True)
class OracleSet:
    """One epoch: the weight that a record needs, and its oracles in their order."""

    epoch: int
    threshold: int
    oracles: tuple[OracleKey, ...]

    def weight(self, signers: int) -> int:
        """Return the total weight of the oracles in a word of signers."""
        return sum(self.at(index).weight for index in signer_numbers(signers))

    def at(self, index: int) -> OracleKey:
        """Return the oracle with a number. Raises TemporaryError if there is none."""
        if index >= len(self.oracles):
            got, wanted = f"oracle {index}", f"one of {len(self.oracles)}"
            raise MissingEventError("an event names an oracle that the set does not have", got=got, wanted=wanted)
        return self.oracles[index]

    def signers(self, standing: Standing) -> tuple[RecordSigner, ...]:
        """Return the oracles that signed a record, as `OracleSets.signers` does."""
        recorded_at, found = int(standing.recorded_at.timestamp()), []
        for index in signer_numbers(standing.signers):
            oracle = self.at(index)
            address = oracle.key if oracle.valid_from <= recorded_at else None
            found.append(RecordSigner(index, address, oracle.weight, oracle.valid_until > recorded_at))
        return tuple(found)


def fold_oracles(start: EpochStart, changes: Iterable[tuple[OracleChange, int]]) -> OracleSet:
    """Return an epoch after changes of its oracles, in the chain's order, each with its block's time in seconds."""
    oracles, known = list(start.oracles), OracleSet(start.epoch, start.threshold, start.oracles)
    for change, seconds in changes:
        known.at(change.index)
        oracle = oracles[change.index]
        if change.valid_until is not None:
            oracles[change.index] = replace(oracle, valid_until=change.valid_until)
        elif change.key is not None:  # a new key signed nothing that was recorded until now
            valid_from = seconds + 1 if oracle.valid_from <= seconds else oracle.valid_from
            oracles[change.index] = replace(oracle, key=change.key, valid_from=valid_from)
    return OracleSet(start.epoch, start.threshold, tuple(oracles))


def fold_recounts(first: Standing, recounts: Sequence[Recount]) -> Standing:
    """Return a standing after recounts, in the chain's order."""
    if not recounts:
        return first
    last = recounts[-1]
    return replace(first, signers=last.signers, weight=last.weight, doubtful=last.is_doubtful)


def fold_judgement(first: Standing, recounts: Sequence[Recount], entries: Iterable[NamespaceEntry]) -> Standing:
    """Return the standing of one judgement.

    Args:
        first: its standing when it was written.
        entries: the entries of its namespace's history that are about it.
    """
    standing = fold_recounts(first, recounts)
    if any(entry.kind in (Kind.RELEASED, Kind.ADOPTED) for entry in entries):
        standing = replace(standing, held=False, named=True)
    return standing


def fold_revocations(standing: Standing, found: Sequence[Revocation | AppliedRevocation]) -> Standing:
    """Return the standing of a release after revocations, in the chain's order."""
    return replace(standing, revoked_at=found[-1].revoked_at) if found else standing


def fold_release(first: Standing, latest: Standing, revisions: int) -> Standing:
    """Return the standing of a release with later judgements, as `Records._latest` does.

    Args:
        first: the standing of its first judgement, with the revocation. latest: that of its last one.
    """
    held, named = first.held or latest.held, first.named or latest.named
    return replace(latest, revoked_at=first.revoked_at, revisions=revisions, held=held, named=named)


def fold_batch(
    recorded: RecordedBatch, seconds: int, oracles: OracleSet, recounts: Sequence[Recount], closed: Iterable[int]
) -> BatchState:
    """Return a batch after its events.

    Args:
        seconds: the time of its block. oracles: its epoch. closed: the numbers of its leaves that were closed.
    """
    signers, weight, is_doubtful = recorded.signers, oracles.weight(recorded.signers), False
    if recounts:
        signers, weight, is_doubtful = recounts[-1].signers, recounts[-1].weight, recounts[-1].is_doubtful
    materialised = 0
    for index in closed:
        materialised |= 1 << index
    return BatchState(seconds, signers, weight, recorded.epoch, recorded.count, is_doubtful, materialised)
