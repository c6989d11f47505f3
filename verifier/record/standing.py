"""The state of a record in the registry: one word of 256 bits that every gate reads.

`contracts/lib/Standings.sol` packs it. Fields from the lowest bit, with their sizes in bits:

    recordedAt 40 | signers 32 | weight 16 | epoch 16 | flags 8 | revokedAt 40 | judgedAt 40 | policyId 32 |
    revisions 16 | grade 8 | productLine 8
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.abi_values import ValueParser, parse_flag, parse_members, parse_number

GRADE_MAX = 2
# Codes of product lines that stand for no confidential hardware; `verifier.record.fields` has the others.
SIGNED_CODE = 254
SIMULATED_CODE = 255
UNBACKED_CODES = frozenset({SIGNED_CODE, SIMULATED_CODE})
SIGNERS_MAX = 32

# Name, lowest bit and width of each number in the word, and the bit of each flag.
_NUMBERS = (
    ("recorded_at", 0, 40),
    ("signers", 40, 32),
    ("weight", 72, 16),
    ("epoch", 88, 16),
    ("revoked_at", 112, 40),
    ("judged_at", 152, 40),
    ("policy_id", 192, 32),
    ("revisions", 224, 16),
    ("grade", 240, 8),
    ("product_line", 248, 8),
)
_FLAGS = (("failed", 104), ("held", 105), ("doubtful", 106), ("named", 107))
# The flags that repeat the product line. Bit 109 is another flag, REVISION: this is a later judgement.
_LINE_FLAGS = {SIMULATED_CODE: 1 << 108, SIGNED_CODE: 1 << 110}
_ANY_LINE_FLAG = sum(_LINE_FLAGS.values())
_RESERVED = 1 << 111
_JUDGEMENT_BIT = 152  # what a judgement says stands from here on, as in the facts of a record


@dataclass(frozen=True)
class Standing:
    """The state of a record in the registry.

    Attributes:
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


# Solidity's struct Standing, in its order, which is that of the dataclass.
_MEMBERS: dict[str, ValueParser] = {
    "recorded_at": parse_number,
    "revoked_at": parse_number,
    "judged_at": parse_number,
    "policy_id": parse_number,
    "signers": parse_number,
    "weight": parse_number,
    "epoch": parse_number,
    "revisions": parse_number,
    "grade": parse_number,
    "product_line": parse_number,
    "failed": parse_flag,
    "held": parse_flag,
    "doubtful": parse_flag,
    "named": parse_flag,
}


def unpack_standing(word: int, where: str) -> Standing:
    """Unpack a word as `Standings.unpackStanding` does. `where` names it in messages.

    Raises:
        FormatError: the contract cannot hold such a word (check `registry-record`).
    """
    numbers: dict[str, Any] = {name: word >> lowest_bit & (1 << width) - 1 for name, lowest_bit, width in _NUMBERS}
    flags = {name: bool(word >> bit & 1) for name, bit in _FLAGS}
    line_flag = _LINE_FLAGS.get(numbers["product_line"], 0)
    if word >> 256 or word & _RESERVED or word & _ANY_LINE_FLAG != line_flag:
        raise _malformed(where, f"{word:#x}")
    return _standing(where, **numbers, **flags)


def standing_of_summary(
    summary: int, where: str, *, recorded_at: int, signers: int, weight: int, epoch: int, doubtful: bool
) -> Standing:
    """Return the standing that the registry keeps of a record that was revoked in its batch (`Batches._closeAndKeep`).

    Args:
        summary: that of the proof, which has a record's judgement in the bits of a standing.
        where: names it in messages.
        recorded_at: the batch's time in seconds since 1970. The other arguments are the batch's too.

    Raises:
        FormatError: the contract cannot hold such values (check `registry-record`).
    """
    judgement = {name: summary >> bit & (1 << width) - 1 for name, bit, width in _NUMBERS if bit >= _JUDGEMENT_BIT}
    stamp = {"recorded_at": recorded_at, "signers": signers, "weight": weight, "epoch": epoch, "doubtful": doubtful}
    nothing = {"revoked_at": 0, "revisions": 0, "failed": False, "held": False, "named": False}
    return _standing(where, **judgement | stamp | nothing)


def parse_standing(answer: object, where: str) -> Standing:
    """Parse the contract's struct. `where` names it in messages.

    Raises:
        FormatError: the contract cannot hold such values, or there is no record: `recordedAt` is 0 (check
            `registry-record`).
    """
    return _standing(where, **_members(answer, where))


def parse_standing_if_any(answer: object, where: str) -> Standing | None:
    """Parse the contract's struct; return None if there is no record: `recordedAt` is 0.

    Raises:
        FormatError: the contract cannot hold such values (check `registry-record`).
    """
    members = _members(answer, where)
    return _standing(where, **members) if members["recorded_at"] else None


def _members(answer: object, where: str) -> dict[str, Any]:
    return dict(zip(_MEMBERS, parse_members(answer, tuple(_MEMBERS.values()), where), strict=True))


def _standing(where: str, *, recorded_at: int, revoked_at: int, judged_at: int, grade: int, **others: Any) -> Standing:
    if recorded_at == 0 or grade > GRADE_MAX:
        raise _malformed(where, f"recordedAt {recorded_at}, grade {grade}")
    return Standing(
        recorded_at=parse_moment(recorded_at, where),
        revoked_at=parse_moment(revoked_at, where) if revoked_at else None,
        judged_at=parse_moment(judged_at, where),
        grade=grade,
        **others,
    )


def signer_numbers(signers: int) -> tuple[int, ...]:
    """Return the numbers of the oracles in the word `Standing.signers`, lowest first."""
    return tuple(number for number in range(SIGNERS_MAX) if signers >> number & 1)


def parse_moment(seconds: object, where: str) -> datetime:
    """Return the aware datetime of a time on chain, in seconds since 1970. `where` names it in messages.

    Raises:
        FormatError: not a whole number, or the year is 10000 or later, which Python cannot express (check
            `registry-record`).
    """
    number = parse_number(seconds, where)
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise FormatError(
            "the time is too late for a calendar date",
            check=Check.REGISTRY_RECORD,
            where=where,
            got=str(number),
            wanted="seconds since 1970, before the year 10000",
        ) from None


def parse_moment_if_any(seconds: object, where: str) -> datetime | None:
    """Return the moment as `parse_moment` does, or None for 0, which stands for "never".

    Raises:
        FormatError: as for `parse_moment`.
    """
    return parse_moment(seconds, where) if seconds != 0 else None


def _malformed(where: str, got: str) -> FormatError:
    return FormatError(
        "the registry cannot hold such a standing",
        check=Check.REGISTRY_RECORD,
        where=where,
        got=got,
        wanted=f"a time, grade 0 to {GRADE_MAX}, no reserved bits",
    )
