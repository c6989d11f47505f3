"""The differences between the findings of two judgements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check, Finding


@dataclass(frozen=True)
class Change:
    """A check that differs between two judgements. None: the judgement has no finding of it."""

    check: Check
    then: Finding | None
    now: Finding | None

    @property
    def is_decisive(self) -> bool:
        """Whether the outcome differs, not only the words."""
        return (self.then and self.then.outcome) != (self.now and self.now.outcome)


def changes_between(then: Iterable[Finding], now: Iterable[Finding]) -> tuple[Change, ...]:
    """Return the checks that differ, in the order of `Check`, without those of which `now` has nothing to say."""
    before, after = ({one.check: one for one in findings} for findings in (then, now))
    pairs = (Change(check, before.get(check), after[check]) for check in Check if check in after)
    return tuple(one for one in pairs if one.then != one.now)
