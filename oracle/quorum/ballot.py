"""Count the signatures for a record, and say in words where other oracles signed another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance_oracle.oracle.quorum.proposal import SignedProposal
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.registry.oracle_sets import Seat
from provenance_oracle.verifier.strict.timestamps import format_time

# A moment that another oracle proposes may lie this long in the past: half of what the registry takes.
MOMENT_AGE_MAX = timedelta(days=3)
# Fields that follow from the moment of a judgement. Two oracles that differ in no other field agree on the release.
FROM_THE_MOMENT = frozenset({"judged_at", "verdict_digest"})


@dataclass(frozen=True)
class Ballot:
    """The signatures for our record.

    Attributes:
        signatures: by the oracle's number in the set, 64 bytes each; ours among them.
        weight: of all of them together. threshold: the weight that the registry needs.
        earlier: the earliest moment before ours at which an oracle judged the release as we did; None if there is none.
        differences: a line for each oracle that signed another record of the release.
    """

    signatures: Mapping[int, bytes]
    weight: int
    threshold: int
    earlier: datetime | None
    differences: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Whether the registry takes the record with these signatures."""
        return self.weight >= self.threshold

    @property
    def words(self) -> str:
        """The state of the ballot, for the journal and the log."""
        count = f"waits for other oracles: weight {self.weight} of {self.threshold}"
        return "; ".join((count, *self.differences))


@dataclass(frozen=True)
class Agreement:
    """The oracles (their numbers in the set) that signed a record of ours too, and since when they are enough."""

    signers: frozenset[int]
    since: datetime


def count_ballot(
    own: SignedProposal, others: Iterable[SignedProposal], seats: Mapping[str, Seat], *, now: datetime
) -> Ballot:
    """Count the proposals of the oracle set in force for the record that we signed.

    Args:
        others: proposals for the same release by anybody, in any order.
        seats: by address, every oracle of the set in force; ours among them.
    """
    seat = seats[own.signer]
    signatures, weight = {seat.index: own.signature}, seat.weight
    earlier: datetime | None = None
    differences: list[str] = []
    for one in sorted(others, key=lambda proposal: proposal.signer):
        place = seats.get(one.signer)
        if place is None or place.index in signatures or one.epoch != seat.epoch:
            continue
        differing = differing_fields(own.fields, one.fields)
        if one.record == own.record:
            signatures[place.index] = one.signature
            weight += place.weight
        elif set(differing) <= FROM_THE_MOMENT and own.fields.judged_at > one.fields.judged_at > now - MOMENT_AGE_MAX:
            earlier = min(earlier or one.fields.judged_at, one.fields.judged_at)
        else:
            differences.append(
                f"oracle {one.signer} signed another record: {difference_words(own.fields, one.fields, differing)}"
            )
    return Ballot(signatures, weight, seat.threshold, earlier, tuple(differences))


def differing_fields(ours: WrittenRecord, theirs: WrittenRecord) -> list[str]:
    """Return the names of the fields in which two records differ."""
    return [name for name, value in vars(ours).items() if getattr(theirs, name) != value]


def difference_words(ours: WrittenRecord, theirs: WrittenRecord, differing: Iterable[str]) -> str:
    """Return in words how a record differs from ours in some fields: `grade 2 not 1`."""
    return ", ".join(f"{name} {_shown(getattr(theirs, name))} not {_shown(getattr(ours, name))}" for name in differing)


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, tuple):
        return "+".join(map(_shown, value)) or "none"
    return str(value)
