"""The standing of a record in a few words, for badges and cards: never more than what the oracles confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provenance_oracle.oracle.index.rows import IndexedRecord
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.strict.timestamps import format_time

_GOOD, _BAD, _DOUBT, _NOTHING = "#115e59", "#b91c1c", "#92400e", "#52525b"
_CLOSED = {
    Closure.FAILED: ("refused", _BAD),
    Closure.REVOKED: ("revoked", _BAD),
    Closure.HELD: ("held", _DOUBT),
    Closure.DOUBTFUL: ("doubtful", _DOUBT),
    Closure.SUPERSEDED: ("superseded", _DOUBT),
}


@dataclass(frozen=True)
class StandingWords:
    """Words, and a color as #rrggbb on which white text has a contrast of 4.5 or more."""

    words: str
    color: str


def standing_of(entry: Entry | None) -> StandingWords:
    """Return the standing of a record; None for a release without one."""
    if entry is None:
        return StandingWords("not recorded", _NOTHING)
    if entry.closure:
        return StandingWords(*_CLOSED[entry.closure])
    if entry.product_line == SIMULATED_CODE:
        return StandingWords("simulated", _DOUBT)
    if entry.is_signed_only:
        return StandingWords("signed only", _DOUBT)
    return StandingWords(f"confirmed by {signers_of_record(entry)}, {day_of(entry)}", _GOOD)


def signers_of_record(entry: Entry) -> str:
    """Return who confirmed a record: the account of the only signer, shortened, or how many there are."""
    counting = [one for one in entry.signers if one.counts]
    if len(counting) == 1 and counting[0].address:
        text = counting[0].address.hex()
        return f"0x{text[:4]}…{text[-4:]}"
    return f"{len(counting)} oracles"


def day_of(entry: Entry) -> str:
    """Return the day of recording, such as 2026-11-29."""
    return format_time(entry.recorded_at)[:10]


def best_of(records: Sequence[IndexedRecord]) -> IndexedRecord | None:
    """Return the record that speaks for a digest: the newest one that nothing closes, else the newest."""
    active = [one for one in records if one.entry.closure is None]
    return next(iter(active or records), None)
