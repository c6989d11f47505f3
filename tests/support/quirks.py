"""A node that behaves as some chains and providers do. Each quirk has a row in docs/operating.md and a test."""

from __future__ import annotations

from typing import Any

from tests.support.chain_fixtures import DeployedRegistry
from tests.support.fake_nodes import lying

POA_EXTRA_DATA = "0x" + "d9" * 97


def _long_extra_data(method: str, _params: list[Any], truth: Any) -> Any:
    is_block = method.startswith("eth_getBlockBy") and isinstance(truth, dict)
    return {"result": truth | {"extraData": POA_EXTRA_DATA}} if is_block else None


def _no_status(method: str, _params: list[Any], truth: Any) -> Any:
    is_receipt = method == "eth_getTransactionReceipt" and isinstance(truth, dict)
    return {"result": {name: truth[name] for name in truth if name != "status"}} if is_receipt else None


QUIRKS = {"long `extraData`": _long_extra_data, "receipts without `status`": _no_status}


def quirky(registry: DeployedRegistry, quirk: str) -> Any:
    """Run a node that forwards to the registry's node with one quirk; a context manager as `lying` is."""
    return lying(registry, QUIRKS[quirk])
