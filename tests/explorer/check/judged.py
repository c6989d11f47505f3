"""Signatures, GPUs, proofs and verdicts to judge in Python and in a browser; see `publisher_judge.ts`."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    IncompleteError,
    ProvenanceError,
    VerificationError,
)
from tests.explorer.check.engines import Engine

KINDS: dict[type[ProvenanceError], str] = {
    FormatError: "malformed",
    VerificationError: "forged",
    AppraisalError: "refused",
    IncompleteError: "incomplete",
}
_AT_ONCE = 100
# An outcome, and what was found, the check that failed, or the reason why nothing was checked.
Outcome = tuple[str, str]


@dataclass(frozen=True)
class Judged:
    """Something to judge, and the function that judges it in Python. `text` depends on the kind."""

    kind: str
    at: datetime
    files: Mapping[str, bytes]
    in_python: Callable[[], str]
    text: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    root: str = ""

    def json(self) -> dict[str, Any]:
        """Return the case as `publisher_judge.ts` takes it."""
        files = {path: base64.b64encode(data).decode() for path, data in self.files.items()}
        at = int(self.at.timestamp())
        return {
            "kind": self.kind,
            "at": at,
            "files": files,
            "text": self.text,
            "sizes": dict(self.sizes),
            "root": self.root,
        }

    def outcome(self) -> Outcome:
        """Judge the case in Python."""
        try:
            return "passed", self.in_python()
        except ProvenanceError as error:
            return KINDS[type(error)], str(error.check)


def compare(engine: Engine, cases: Iterable[Judged], *, beyond: int = 0, apart: int = 0) -> Counter[str]:
    """Judge cases here and there, which must agree, and return how many had each outcome.

    Args:
        beyond: the number of cases at most that the browser may leave unchecked, with a reason.
        apart: the number of cases at most that both refuse by the same check, one as malformed and one as forged.
            Certificates are such: Python's library reads some names that OpenSSL refuses, or the next certificate.
    """
    refused_apart = 0
    counted: Counter[str] = Counter()
    left = enumerate(cases)
    while batch := list(islice(left, _AT_ONCE)):
        answers = engine.call("judge", [case.json() for _, case in batch])
        for (number, case), (outcome, what) in zip(batch, answers, strict=True):
            counted[outcome] += 1
            theirs = case.outcome()
            if {outcome, theirs[0]} == {"malformed", "forged"} and what == theirs[1]:
                refused_apart += 1
            elif outcome != "not-checked":
                assert (outcome, what) == theirs, f"case {number} of this test"
    assert counted["not-checked"] <= beyond, counted
    assert refused_apart <= apart
    return counted
