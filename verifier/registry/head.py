"""The block for which a reader answers."""

from __future__ import annotations

from typing import Literal

from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.strict.abi_values import parse_number

Block = int | Literal["latest"]


class Head:
    """The newest block of a node.

    Args:
        where: names the registry in messages.
        is_pinned: whether `number` gives the same block until `renew`, so that all answers are about one moment.
    """

    def __init__(self, node: NodeConnection, where: str, *, is_pinned: bool) -> None:
        self._node = node
        self._where = where
        self._is_pinned = is_pinned
        self._number: int | None = None

    def renew(self) -> None:
        """Ask the node for its newest block again at the next use."""
        self._number = None

    def number(self, block: Block) -> int:
        """Return the number of `block`. Raises TemporaryError if the node fails."""
        if block != "latest":
            return block
        if self._number is not None:
            return self._number
        with node_errors(self._where):
            newest = parse_number(self._node.web3.eth.block_number, "block number")
        self._number = newest if self._is_pinned else None
        return newest
