"""A node that behaves as some chains and providers do. Each quirk has a row in docs/operating.md and a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.chain_fixtures import DeployedRegistry
from tests.support.fake_nodes import Answer, Refusal, lying

GWEI = 10**9
POA_EXTRA_DATA = "0x" + "d9" * 97
SUGGESTED_TIP_GWEI, LEAST_TIP_GWEI = 30, 25
LOG_BLOCKS = 10


@dataclass(frozen=True)
class Quirk:
    """A quirk: a change of true results, or refusals of requests. See `fake_nodes.lying`."""

    change: Answer = lambda _method, _params, _truth: None
    refuse: Refusal = lambda _method, _params: None


def _is_block(method: str, truth: Any) -> bool:
    return method.startswith("eth_getBlockBy") and isinstance(truth, dict)


def _without(names: tuple[str, ...], truth: dict[str, Any]) -> dict[str, Any]:
    return {"result": {name: truth[name] for name in truth if name not in names}}


def _long_extra_data(method: str, _params: list[Any], truth: Any) -> Any:
    return {"result": truth | {"extraData": POA_EXTRA_DATA}} if _is_block(method, truth) else None


def _no_status(method: str, _params: list[Any], truth: Any) -> Any:
    is_receipt = method == "eth_getTransactionReceipt" and isinstance(truth, dict)
    return _without(("status",), truth) if is_receipt else None


def _more_members(method: str, _params: list[Any], truth: Any) -> Any:
    if method == "eth_getTransactionReceipt" and isinstance(truth, dict):
        return {"result": truth | {"l1Fee": "0x1", "l1FeeScalar": "0.68", "gasUsedForL1": "0x2", "type": "0x7e"}}
    return {"result": truth | {"l1BlockNumber": "0x1", "sendRoot": "0x00"}} if _is_block(method, truth) else None


def _no_base_fee(method: str, _params: list[Any], truth: Any) -> Any:
    return _without(("baseFeePerGas",), truth) if _is_block(method, truth) else None


def _legacy_only(method: str, params: list[Any]) -> Any:
    is_typed = method == "eth_sendRawTransaction" and params[0].startswith("0x02")
    return (200, {}, "transaction type not supported") if is_typed else None


def _no_suggested_tip(method: str, _params: list[Any]) -> Any:
    return (200, {}, "the method does not exist") if method in ("eth_maxPriorityFeePerGas", "eth_feeHistory") else None


def _suggested_tip(method: str, _params: list[Any], _truth: Any) -> Any:
    return hex(SUGGESTED_TIP_GWEI * GWEI) if method == "eth_maxPriorityFeePerGas" else None


def _least_tip(method: str, params: list[Any]) -> Any:
    import rlp

    if method != "eth_sendRawTransaction":
        return None
    tip = int.from_bytes(rlp.decode(bytes.fromhex(params[0][4:]))[2], "big")
    return (200, {}, f"transaction underpriced: gas tip cap {tip}") if tip < LEAST_TIP_GWEI * GWEI else None


def _few_blocks(status: int) -> Refusal:
    def refuse(method: str, params: list[Any]) -> Any:
        if method != "eth_getLogs":
            return None
        blocks = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        return (status, {}, f"block range of {blocks}") if blocks > LOG_BLOCKS else None

    return refuse


def _every_estimate(method: str, _params: list[Any], _truth: Any) -> Any:
    return hex(400_000) if method == "eth_estimateGas" else None


def _no_sender(method: str, params: list[Any]) -> Any:
    if method == "eth_call":
        params[0].pop("from", None)


def _pauses() -> Refusal:
    asked: set[str] = set()

    def refuse(method: str, _params: list[Any]) -> Any:
        is_new = method not in asked
        asked.add(method)
        return (429, {"Retry-After": "0"}, "too many requests") if is_new else None

    return refuse


def _no_pending_block(method: str, params: list[Any], _truth: Any) -> Any:
    return {"result": None} if method == "eth_getBlockByNumber" and params[0] == "pending" else None


QUIRKS = {
    "calls without their sender": lambda: Quirk(refuse=_no_sender),
    "gas estimates for calls that revert": lambda: Quirk(_every_estimate),
    "long `extraData`": lambda: Quirk(_long_extra_data),
    "minimum tip": lambda: Quirk(_suggested_tip, _least_tip),
    "more members in blocks and receipts": lambda: Quirk(_more_members),
    "no `baseFeePerGas`": lambda: Quirk(_no_base_fee, _legacy_only),
    "no `eth_maxPriorityFeePerGas`": lambda: Quirk(refuse=_no_suggested_tip),
    "ranges of logs refused with status 200": lambda: Quirk(refuse=_few_blocks(200)),
    "ranges of logs refused with status 400": lambda: Quirk(refuse=_few_blocks(400)),
    "ranges of logs refused with status 413": lambda: Quirk(refuse=_few_blocks(413)),
    "receipts without `status`": lambda: Quirk(_no_status),
    "status 429 with `Retry-After`": lambda: Quirk(refuse=_pauses()),
}


def quirky(registry: DeployedRegistry, quirk: str) -> Any:
    """Run a node that forwards to the registry's node with one quirk; a context manager as `lying` is."""
    made = QUIRKS[quirk]()
    return lying(registry, made.change, made.refuse)
