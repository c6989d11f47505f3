"""Join the rules of one check into one finding."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.verifier.checks import Check, Finding, failed, not_checked, passed


class Rules:
    """Collects the rules of one check and makes one finding of them. `shown` describes the claim if all rules hold."""

    def __init__(self, check: Check, shown: str) -> None:
        self._check = check
        self._shown = shown
        self._asked: list[str] = []
        self._broken: list[tuple[str, str]] = []

    def ask(self, holds: bool, got: str, wanted: str) -> None:
        """Enter one rule. `got` is shown only if the rule does not hold."""
        self._asked.append(wanted)
        if not holds:
            self._broken.append((got, wanted))

    def finding(self) -> Finding:
        """Return failed with every broken rule, passed with every rule entered, or not-checked if there is none."""
        if self._broken:
            got, wanted = zip(*self._broken, strict=True)
            return failed(self._check, "; ".join(got), "; ".join(dict.fromkeys(wanted)))
        if self._asked:
            return passed(self._check, self._shown, "; ".join(dict.fromkeys(self._asked)))
        return not_checked(self._check, f"{self._shown}; the policy says any")


def either(choices: Iterable[object]) -> str:
    """Join choices for a sentence, such as `3 or 5`."""
    return " or ".join(str(choice) for choice in choices)
