"""The state of a record in the registry: one word of 256 bits that every gate reads.

`contracts/lib/Standings.sol` packs it. Fields from the lowest bit, with their sizes in bits:

    recordedAt 40 | signers 32 | weight 16 | epoch 16 | flags 8 | revokedAt 40 | judgedAt 40 | policyId 32 |
    revisions 16 | grade 8 | productLine 8
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

GRADE_MAX = 2
SIMULATED_CODE = 255
SIGNERS_MAX = 32

_FAILED, _HELD, _DOUBTFUL, _NAMED, _SIMULATED = (1 << bit for bit in range(5))
_FLAGS_MAX = (1 << 6) - 1  # with a sixth flag, REVISION: this is a later judgement

# Solidity's struct Standing: recordedAt, revokedAt, judgedAt, policyId, signers, weight, epoch, revisions, grade,
# productLine, failed, held, doubtful, named.
StandingTuple = tuple[int, int, int, int, int, int, int, int, int, int, bool, bool, bool, bool]


@dataclass(frozen=True)
class Standing:
    """The state of a record in the registry.

    Fields:
        recorded_at: time of the block that holds the record or its batch.
        revoked_at: the moment from which the release is revoked, set at most a year ahead; None if it is not revoked.
        judged_at, policy_id, grade, product_line: as in the record.
        signers: the oracles of `epoch` whose signatures count, one bit each.
        weight: the total weight of these oracles.
        epoch: the number of the oracle set that signed.
        revisions: the number of later judgements that supersede the first.
        failed: the verdict is FAILED.
        held: the namespace does not trust the publisher's identity.
        doubtful: keys were revoked, and the remaining signatures are too few.
        named: the namespace was claimed, and its name led to this record when the registry took it in.
    """

    recorded_at: datetime
    revoked_at: datetime | None
    judged_at: datetime
    policy_id: int
    signers: int
    weight: int
    epoch: int
    revisions: int
    grade: int
    product_line: int
    failed: bool
    held: bool
    doubtful: bool
    named: bool


def unpack_standing(word: int, where: str) -> Standing:
    """Unpack a word as `Standings.unpackStanding` does. `where` names it in messages.

    Raises:
        FormatError: the contract cannot hold such a word (check `registry-record`).
    """
    flags = word >> 104 & 0xFF
    product_line = word >> 248 & 0xFF
    is_simulated = product_line == SIMULATED_CODE
    if word >> 256 or flags > _FLAGS_MAX or bool(flags & _SIMULATED) != is_simulated:
        raise _malformed(where, f"{word:#x}")
    values = (
        word & 0xFF_FFFF_FFFF,
        word >> 112 & 0xFF_FFFF_FFFF,
        word >> 152 & 0xFF_FFFF_FFFF,
        word >> 192 & 0xFFFF_FFFF,
        word >> 40 & 0xFFFF_FFFF,
        word >> 72 & 0xFFFF,
        word >> 88 & 0xFFFF,
        word >> 224 & 0xFFFF,
        word >> 240 & 0xFF,
        product_line,
        bool(flags & _FAILED),
        bool(flags & _HELD),
        bool(flags & _DOUBTFUL),
        bool(flags & _NAMED),
    )
    return parse_standing(values, where)


def parse_standing(values: StandingTuple, where: str) -> Standing:
    """Convert the contract's struct into a `Standing`. `where` names it in messages.

    Raises:
        FormatError: the contract cannot hold such values, or there is no record: `recordedAt` is 0 (check
            `registry-record`).
    """
    recorded_at, revoked_at, judged_at, policy_id, signers, weight, epoch, revisions, grade, line, *flags = values
    if recorded_at == 0 or grade > GRADE_MAX:
        raise _malformed(where, f"recordedAt {recorded_at}, grade {grade}")
    return Standing(
        parse_moment(recorded_at, where),
        parse_moment(revoked_at, where) if revoked_at else None,
        parse_moment(judged_at, where),
        policy_id,
        signers,
        weight,
        epoch,
        revisions,
        grade,
        line,
        *flags,
    )


def signer_numbers(signers: int) -> tuple[int, ...]:
    """Return the numbers of the oracles in the word `Standing.signers`, lowest first."""
    return tuple(number for number in range(SIGNERS_MAX) if signers >> number & 1)


def parse_moment(seconds: int, where: str) -> datetime:
    """Return the aware datetime of a time on chain, in seconds since 1970. `where` names it in messages.

    Raises:
        FormatError: the year is 10000 or later, which Python cannot express (check `registry-record`).
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise FormatError(
            "the time is too late for a calendar date",
            check=Check.REGISTRY_RECORD,
            where=where,
            got=str(seconds),
            wanted="seconds since 1970, before the year 10000",
        ) from None


def _malformed(where: str, got: str) -> FormatError:
    return FormatError(
        "the registry cannot hold such a standing",
        check=Check.REGISTRY_RECORD,
        where=where,
        got=got,
        wanted=f"a time, grade 0 to {GRADE_MAX}, no reserved bits",
    )
