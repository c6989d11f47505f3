"""Several rules of one check, joined into one finding."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.verifier.checks import Check, Finding, failed, not_checked, passed


class Rules:
    """The rules of one check, each with whether it holds; at the end one finding that says all."""

    def __init__(self, check: Check, shown: str) -> None:
        self._check = check
        self._shown = shown
        self._asked: list[str] = []
        self._broken: list[tuple[str, str]] = []

    def ask(self, holds: bool, got: str, wanted: str) -> None:
        """Enter one rule; `got` is shown only if it does not hold."""
        self._asked.append(wanted)
        if not holds:
            self._broken.append((got, wanted))

    def finding(self) -> Finding:
        """Return failed with every broken rule, passed with every rule asked, or not-checked if none was."""
        if self._broken:
            got, wanted = zip(*self._broken, strict=True)
            return failed(self._check, "; ".join(got), "; ".join(dict.fromkeys(wanted)))
        if self._asked:
            return passed(self._check, self._shown, "; ".join(dict.fromkeys(self._asked)))
        return not_checked(self._check, f"{self._shown}; the policy says any")


def either(choices: Iterable[object]) -> str:
    """Join choices for a sentence: `3 or 5`."""
    return " or ".join(str(choice) for choice in choices)
