"""Answers of a node that are kept for one look at the chain, so that no question about one moment is asked twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_KEPT_MAX = 20_000
# Questions about the newest moment: while answers are kept, that is the moment of the first such question.
_ABOUT_NOW = (
    "eth_blockNumber",
    "eth_chainId",
    "eth_gasPrice",
    "eth_maxPriorityFeePerGas",
)
# Questions that name the block they are about, by the place of the block among their parameters.
_BLOCK_AT = {"eth_call": 1, "eth_getTransactionCount": 1, "eth_getBalance": 1, "eth_getCode": 1}
_BLOCK = "eth_getBlockByNumber"
# A call as `latest` simulates what a transaction would do now, and must see the newest block.
_MOVING = ("latest", "pending")


class Answers:
    """Kept answers of one node, at most _KEPT_MAX. It keeps nothing until `open`."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] | None = None

    def open(self) -> None:
        """Forget all answers, and keep those that come from now on."""
        self._kept = {}

    def close(self) -> None:
        """Forget all answers, and keep no more."""
        self._kept = None

    def find(self, method: str, params: Sequence[Any]) -> Any | None:
        """Return the kept JSON-RPC answer to a question; None if there is none."""
        if not self._kept:
            return None
        key = _key(method, params)
        return self._kept.get(key) if key else None

    def keep(self, method: str, params: Sequence[Any], answer: Any) -> None:
        """Keep an answer that has a result, if the same question will have the same answer."""
        if self._kept is None or len(self._kept) >= _KEPT_MAX:
            return
        key = _key(method, params)
        if key and isinstance(answer, dict) and answer.get("result") is not None and "error" not in answer:
            self._kept[key] = answer


def _key(method: str, params: Sequence[Any]) -> str | None:
    """Return a text for a question; None if its answer is not to be kept."""
    if method in _ABOUT_NOW:
        return method
    if method == _BLOCK and params:
        return f"{method} {params[0]}" if not (len(params) > 1 and params[1]) else None
    if method not in _BLOCK_AT or len(params) <= _BLOCK_AT[method]:
        return None
    subject, block = params[0], params[_BLOCK_AT[method]]
    if method == "eth_call":
        if not isinstance(subject, dict) or "from" in subject:
            return None
        subject = f"{subject.get('to')} {subject.get('data') or subject.get('input')}"
    if not isinstance(block, str) or (block in _MOVING and method != "eth_getCode"):
        return None
    return json.dumps([method, str(subject).lower(), block])
