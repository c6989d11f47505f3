"""What things cost, compared with the committed snapshot. UPDATE_GAS=1 writes it anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.chain_fixtures import DeployedRegistry, make_record

pytestmark = pytest.mark.chain

SNAPSHOT = Path(__file__).parents[2] / "hardhat" / "snapshots" / "gas.json"

# A caller that measures: word 0 of its input is an address, the rest is what it sends there by STATICCALL. Returns
# the gas that the call took, cold, and whether it succeeded.
_PROBE = bytes.fromhex(
    "60203603"  # size = calldatasize - 32
    "8060206000"
    "37"  # calldatacopy(0, 32, size)
    "5a"  # before = gas
    "602060008360006000355afa"  # success = staticcall(gas, calldata[0], 0, size, 0, 32)
    "5a919060205203600052"  # memory[32] = success, memory[0] = before - gas
    "60406000f3"  # return(0, 64)
)
_PROBE_ADDRESS = "0x000000000000000000000000000000000000bEEF"


def test_gas_is_as_in_the_snapshot(registry: DeployedRegistry) -> None:
    measured = _measure(registry)
    if os.environ.get("UPDATE_GAS") == "1":
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text()), "if meant: UPDATE_GAS=1 and commit hardhat/snapshots"


def _measure(registry: DeployedRegistry) -> dict[str, int]:
    # Digests without zero bytes, as hashes mostly are: calldata costs what it costs in life.
    first = make_record(name="namespace/model-7b", version="2026-11-21")
    second = make_record(manifest_digest=b"\x11" * 32, report_digest=b"\x14" * 32)
    functions = registry.contract.functions
    receipt = registry.contract.w3.eth.get_transaction_receipt(registry.deployment.transaction_hash)
    return {
        "deploy": receipt["gasUsed"],
        "publish_single": registry.publish(first)["gasUsed"],
        "publish_again": registry.publish(first)["gasUsed"],
        "publish_same_model": registry.publish(second)["gasUsed"],
        "gate_cold": _gate_cold(registry, functions.isRecorded(first.model_digest, 1)),
        "gate_cold_reverting": _gate_cold(registry, functions.requireRecorded(first.model_digest, 1)),
        "revoke": registry.revoke(second.manifest_digest)["gasUsed"],
    }


def _gate_cold(registry: DeployedRegistry, call: object) -> int:
    """Gas of a gate check from another contract that has touched neither the registry nor its storage before."""
    web3 = registry.contract.w3
    web3.provider.make_request("anvil_setCode", [_PROBE_ADDRESS, "0x" + _PROBE.hex()])
    payload = bytes(12) + bytes.fromhex(registry.address[2:]) + bytes.fromhex(call._encode_transaction_data()[2:])  # type: ignore[attr-defined]
    answer = web3.eth.call({"to": web3.to_checksum_address(_PROBE_ADDRESS), "data": payload})
    assert int.from_bytes(answer[32:], "big") == 1, "the gate is shut"
    return int.from_bytes(answer[:32], "big")
