"""Why batches that other oracles proposed were not signed here.

Each reason is told once, and a few of one proposer's turn only: a liar must not fill log and journal.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from provenance_oracle.oracle.quorum.batch_proposal import SignedBatch
from provenance_oracle.oracle.quorum.turns import PROPOSING, may_sign

_KEPT_MAX = 256
_TOLD_MAX = 8  # of one turn


class Refusals:
    """The batches that were not signed so far, and the last reason of each.

    Args:
        tell: called once for a batch that is refused for good, with the reason in words.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._waiting: OrderedDict[bytes, tuple[SignedBatch, str]] = OrderedDict()
        self._refused: OrderedDict[bytes, None] = OrderedDict()
        self._told: OrderedDict[int, int] = OrderedDict()  # how many of each turn were told

    def refuse(self, batch: SignedBatch, reason: str) -> None:
        """Refuse a batch for good."""
        self._waiting.pop(batch.digest, None)
        if batch.digest not in self._refused:
            self._refused[batch.digest] = None
            turn = int(batch.sealed_at.timestamp() // PROPOSING.total_seconds())
            self._told[turn] = self._told.get(turn, 0) + 1
            if self._told[turn] <= _TOLD_MAX:
                self._tell(f"batch {batch.proposal.root.hex()} of oracle {batch.proposer}: {reason}")
            for kept in (self._refused, self._told):
                if len(kept) > _KEPT_MAX:
                    kept.popitem(last=False)

    def wait(self, batch: SignedBatch, reason: str) -> None:
        """Note why a batch cannot be signed yet."""
        self._waiting[batch.digest] = batch, reason
        if len(self._waiting) > _KEPT_MAX:
            self._waiting.popitem(last=False)

    def forget(self, batch: SignedBatch) -> None:
        """Forget a batch that was signed, or that is on chain without us."""
        self._waiting.pop(batch.digest, None)

    def is_refused(self, batch: SignedBatch) -> bool:
        """Return whether a batch was refused."""
        return batch.digest in self._refused

    def expire(self, now: datetime) -> None:
        """Refuse the batches that could not be signed in time."""
        for batch, reason in list(self._waiting.values()):
            if not may_sign(batch.sealed_at, now):
                self.refuse(batch, f"{reason}, until its time was up")
