"""The differences that an audit can find, each with its class of error and the operator's next step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from provenance_oracle.verifier.errors import FormatError, ProvenanceError, RecordError, VerificationError

_LISTED_MAX = 1000


class DifferenceKind(StrEnum):
    """A kind of difference."""

    VANISHED_RECORD = "vanished-record"
    VANISHED_BATCH = "vanished-batch"
    OTHER_RECORD = "other-record"
    UNKNOWN_RECORD = "unknown-record"
    MISSING_ROW = "missing-row"
    UNKNOWN_BATCH = "unknown-batch"
    ALTERED_BATCH = "altered-batch"
    MISSING_VERDICT = "missing-verdict"
    MISSING_FILE = "missing-file"
    ALTERED_VERDICT = "altered-verdict"
    ALTERED_EVIDENCE = "altered-evidence"
    MALFORMED_ROW = "malformed-row"


_REPAIR = "run `provenance audit --repair`"
_STOLEN = "look who used the key; if it was not this oracle, have the guardian revoke it (`revokeKey`) and use another"
_CLASSES: dict[DifferenceKind, tuple[type[ProvenanceError], str]] = {
    DifferenceKind.VANISHED_RECORD: (RecordError, f"{_REPAIR}, and the oracle records it again"),
    DifferenceKind.VANISHED_BATCH: (RecordError, f"{_REPAIR}, and the oracle records it again"),
    DifferenceKind.OTHER_RECORD: (VerificationError, "compare both; the guardian can revoke a record that is wrong"),
    DifferenceKind.UNKNOWN_RECORD: (VerificationError, _STOLEN),
    DifferenceKind.MISSING_ROW: (
        RecordError,
        "keep the release in its source; the oracle judges it again",
    ),
    DifferenceKind.UNKNOWN_BATCH: (VerificationError, _STOLEN),
    DifferenceKind.ALTERED_BATCH: (VerificationError, "restore a backup, which has the records of the batch"),
    DifferenceKind.MISSING_VERDICT: (RecordError, f"{_REPAIR}, or restore a backup, which has the verdict"),
    DifferenceKind.MISSING_FILE: (RecordError, f"{_REPAIR}, which writes the file again"),
    DifferenceKind.ALTERED_VERDICT: (VerificationError, f"{_REPAIR}, which writes the bytes of the other copy"),
    DifferenceKind.ALTERED_EVIDENCE: (VerificationError, "restore a backup, which has the evidence"),
    DifferenceKind.MALFORMED_ROW: (
        FormatError,
        "restore a backup; the record on chain stays",
    ),
}
# The worst class decides how the command ends.
_WORST_FIRST = (VerificationError, FormatError, RecordError)


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        subject: the release, record, batch or verdict, in words.
        digest: that of the verdict, or of the batch's root; empty for a row. row_id: of the row or batch; 0 for none.
        judged_at: the moment of the judgement, for a verdict; None for anything else.
        repair: what was done about it; empty for nothing.
    """

    kind: DifferenceKind
    subject: str
    got: str
    wanted: str
    digest: bytes = b""
    row_id: int = 0
    judged_at: datetime | None = None
    repair: str = ""

    @property
    def step(self) -> str:
        """The operator's next step."""
        return _CLASSES[self.kind][1]


@dataclass
class Differences:
    """All that an audit read and found. The first _LISTED_MAX differences are listed, all are counted.

    Attributes:
        read: how many records, batches, rows and verdicts were compared.
        counts: how many differences of each kind are left.
    """

    read: Counter[str] = field(default_factory=Counter)
    counts: Counter[DifferenceKind] = field(default_factory=Counter)
    listed: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.counts[difference.kind] += 1
        if len(self.listed) < _LISTED_MAX:
            self.listed.append(difference)

    def repaired(self, difference: Difference, repair: str) -> None:
        """Note what was done about a listed difference. It is settled."""
        self.listed[self.listed.index(difference)] = replace(difference, repair=repair)
        self.counts[difference.kind] -= 1

    @property
    def left(self) -> int:
        """The number of differences that were not repaired."""
        return self.counts.total()

    @property
    def unlisted(self) -> int:
        """The number of differences that are not listed."""
        return self.left - sum(not one.repair for one in self.listed)

    def refusal(self) -> ProvenanceError | None:
        """Return the error for the worst difference that is left; None if none is."""
        kinds = [kind for kind in DifferenceKind if self.counts[kind] > 0]
        for worst in _WORST_FIRST:
            found = [kind for kind in kinds if _CLASSES[kind][0] is worst]
            if found:
                one = next((item for item in self.listed if item.kind is found[0] and not item.repair), None)
                where = one.subject if one else str(found[0])
                got = f"{self.left} differences, among them {self.counts[found[0]]} of kind {found[0]}"
                return worst("journal and chain differ", where=where, got=got, wanted=_CLASSES[found[0]][1])
        return None
