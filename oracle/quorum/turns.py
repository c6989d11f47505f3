"""Whose turn it is to propose a batch, and how long a proposal lives.

Time is cut into turns of one minute. They go round the oracle set by the oracles' numbers, so an oracle that is dead or
lies in its turn costs the others that turn only. The moment at which a batch was sealed is signed with it. So everybody
sees whose turn it was, and nobody can propose out of turn or bring an old proposal back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from provenance_oracle.verifier.registry.oracle_sets import Seat

PROPOSING = timedelta(seconds=60)
# The clocks of two oracles may differ by this much. The registry allows five minutes.
CLOCKS_APART_MAX = timedelta(seconds=60)
# A proposal is signed for one minute after the moment of sealing, and signatures are counted for two more. So one that
# was given by a clock that is behind is still counted by one that is ahead. Then the releases are free again.
SIGNING_MAX = timedelta(seconds=60)
GATHERING_MAX = SIGNING_MAX + 2 * CLOCKS_APART_MAX


def proposer_at(moment: datetime, seats: Mapping[str, Seat]) -> str:
    """Return the address of the oracle whose turn it is at a moment.

    Args:
        seats: by address, the oracle set in force; one at least.
    """
    addresses = sorted(seats, key=lambda address: seats[address].index)
    return addresses[int(moment.timestamp() // PROPOSING.total_seconds()) % len(addresses)]


def may_sign(sealed_at: datetime, now: datetime) -> bool:
    """Return whether a batch that was sealed at a moment may be signed now."""
    return -CLOCKS_APART_MAX <= now - sealed_at <= SIGNING_MAX


def is_gathering(sealed_at: datetime, now: datetime) -> bool:
    """Return whether signatures of a batch that was sealed at a moment are still counted."""
    return now - sealed_at <= GATHERING_MAX


def submission_rank(index: int, proposer: int, signers: frozenset[int]) -> int:
    """Return how many oracles submit a batch before oracle `index`: the proposer first, then on by their numbers.

    Args:
        index, proposer: numbers in the set. signers: the numbers of those that signed, `index` among them.
    """
    ordered = sorted(signers, key=lambda one: (one < proposer, one))
    return ordered.index(index)


def proving_rank(release: bytes, own: str, seats: Mapping[str, Seat]) -> int:
    """Return how many oracles come before this one to prove a release on chain.

    Which one begins depends on the release, so that all oracles pay for as many.

    Args:
        release: id of the release, 32 bytes.
        own: our address. seats: by address, the oracle set in force, `own` in it.
    """
    addresses = sorted(seats, key=lambda address: seats[address].index)
    return (addresses.index(own) - int.from_bytes(release)) % len(addresses)
