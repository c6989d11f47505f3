"""The reasons why a record is not active: a word for programs, and a sentence for people."""

from __future__ import annotations

from enum import StrEnum


class Closure(StrEnum):
    """The reason why a record is not active. If several apply, the first of them in this order counts."""

    FAILED = "failed"
    REVOKED = "revoked"
    HELD = "held"
    DOUBTFUL = "doubtful"
    SUPERSEDED = "superseded"

    @property
    def explanation(self) -> str:
        """The reason in words: the problem of an error, and `closed_because` in JSON documents."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Closure.FAILED: "the verdict is FAILED",
    Closure.REVOKED: "the record was revoked",
    Closure.HELD: "the record is held: its namespace does not trust the publisher",
    Closure.DOUBTFUL: "the record is doubtful: oracle keys that signed it were revoked",
    Closure.SUPERSEDED: "the record was superseded",
}
