"""How many blocks to ask a node for in one request, if the node refuses many."""

from __future__ import annotations

_RUNGS = sorted(factor * 10**power for power in range(10) for factor in (1, 2, 5))
_FIRST_FALL_BLOCKS = 10_000  # the limit that most providers have
_PATIENCE = 256
_PATIENCE_MAX = 1 << 20


class Spans:
    """The number of blocks for the next request. It falls if a request is refused, and rises again with care.

    The numbers are 1, 2, 5, 10, 20, 50 and so on, because the limits of nodes are such numbers. After a fall to a tenth
    every success is followed by an attempt with more, until one is refused. From then on such an attempt is made ever
    more rarely.

    Args:
        blocks: the number that worked when this node was last asked; None if it was never asked, or refused nothing.
    """

    def __init__(self, blocks: int | None = None) -> None:
        self.blocks = blocks
        self._good: int | None = blocks
        self._patience = _PATIENCE
        self._left = _PATIENCE

    def end(self, start: int, last: int) -> int:
        """Return the last block of the next request, which begins with block `start` and reads at most to `last`."""
        return last if self.blocks is None else min(last, start + self.blocks - 1)

    def refused(self, asked: int) -> None:
        """Note that the node refused `asked` blocks."""
        if self._good is not None and self._good < asked:
            self.blocks = self._good
            self._left = self._patience
            self._patience = min(2 * self._patience, _PATIENCE_MAX)
            return
        powers = [rung for rung in _RUNGS if str(rung).startswith("1") and rung < asked]
        self.blocks = min(max(powers, default=1), _FIRST_FALL_BLOCKS)
        self._good, self._left = None, 1

    def worked(self, asked: int) -> None:
        """Note that the node answered for `asked` blocks."""
        if self.blocks is None or asked < self.blocks:
            return
        if self._good is None or asked > self._good:
            self._good = asked
            self._left = min(self._left, 1)
        self._left -= 1
        if self._left <= 0:
            self.blocks = next((rung for rung in _RUNGS if rung > asked), asked)
