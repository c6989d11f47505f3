"""Gas costs equal the committed snapshot and stay below their limits. UPDATE_GAS=1 rewrites the snapshot."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.record.codec import namespace_id, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from tests.support.batches import sealing
from tests.support.chain_fixtures import DeployedRegistry, EmbeddedChain, deploy_registry, make_failure, make_record

pytestmark = pytest.mark.chain

SNAPSHOT = Path(__file__).parents[2] / "hardhat" / "snapshots" / "gas.json"
# The chain's clock starts at this time and records are judged at it, so every byte of every call is the same each run.
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = int(START.timestamp())
THREE_OF_FIVE = (0, 2, 4)
IDENTITY = hashlib.sha256(b"publisher").digest()
BATCHED = 100

# Limits that the project promises. A deployment has to fit into a batch of Oasis Sapphire.
LIMITS = {
    "deploy": 15_000_000,
    "publish_single": 97_000,
    "publish_batch100_3of5_per_record": 800,
    "gate_cold": 5_500,
    "gate_bool_cold": 5_500,
    "gate_proof_depth7": 6_800,
    "gate_bool_proof_depth7": 6_800,
}

# A contract that measures a call: word 0 of its input is an address, the rest is the data that it sends there by
# STATICCALL. Returns the gas of the cold call, and whether it succeeded.
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


@pytest.fixture(scope="module")
def measured(anvil: EmbeddedChain) -> Iterator[dict[str, int]]:
    """Yield all measurements, made on a chain of its own: one oracle for single records, five for batches."""
    with run_anvil(options=("--hardfork", "prague", "--timestamp", str(AT))) as chain:
        single, several = deploy_registry(chain), deploy_registry(chain, oracles=5, threshold=3)
        yield {**_measure_setup(single), **_measure_records(single), **_measure_batches(several)}


def test_gas_is_as_in_the_snapshot(measured: dict[str, int]) -> None:
    if os.environ.get("UPDATE_GAS") == "1":
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text()), "if meant: UPDATE_GAS=1 and commit hardhat/snapshots"


@pytest.mark.parametrize("name", LIMITS)
def test_nothing_costs_more_than_was_promised(measured: dict[str, int], name: str) -> None:
    assert 0 < measured[name] <= LIMITS[name]


def _digest(text: str) -> bytes:
    """Return 32 bytes that look random, with no zero byte, as most digests: zero bytes would be cheap calldata."""
    return hashlib.sha256(text.encode()).digest().replace(b"\0", b"\x01")


def _record(number: int, **changes: Any) -> Record:
    digests = {name: _digest(f"{name} {number}") for name in ("model_digest", "manifest_digest")}
    named = {"verdict_digest": _digest(f"verdict {number}"), "policy_digest": _digest("policy")}
    named["snp_report_digest"] = _digest(f"report_digest {number}")
    facts = {"judged_at": START, "checks": 0x7FF7FFF, "publisher_identity": IDENTITY}
    texts = {"name": "namespace/model-7b", "version": "2026-11-21"}
    return make_record(**{**digests, **named, **facts, **texts, **changes})


def _measure_setup(registry: DeployedRegistry) -> dict[str, int]:
    functions, stranger = registry.contract.functions, registry.stranger
    policy = _record(1).policy_digest
    deployed = registry.contract.w3.eth.get_transaction_receipt(registry.transaction_hash)
    return {
        "deploy": deployed["gasUsed"],
        "number_policy": registry.send(functions.numberPolicy(policy), stranger)["gasUsed"],
        "claim": registry.claim("acme", stranger, limit=2)["gasUsed"],
    }


def _measure_records(registry: DeployedRegistry) -> dict[str, int]:
    first, failure = _record(1), make_failure(**vars(_record(2)) | {"passed": False, "grade": 0})
    names = [_record(number, name="acme/model-7b", version=f"2026-11-2{number}") for number in (3, 4)]
    tuned, revoked = _record(5), _record(6)
    gas = {
        "publish_single": registry.publish(first)["gasUsed"],
        "publish_again": registry.publish(first)["gasUsed"],
        "publish_failed": registry.publish(failure)["gasUsed"],
        "publish_first_named": registry.publish(names[0])["gasUsed"],
        "publish_named": registry.publish(names[1])["gasUsed"],
        "publish_with_parent": registry.publish(tuned, parents=(record_id(first),))["gasUsed"],
        **_measure_gates(registry, first, names[0], tuned),
    }
    registry.publish(revoked)
    gas["revoke"] = registry.revoke(revoked, effective_from=AT)["gasUsed"]
    gas["publish_revision"] = registry.publish(_record(1, revision=1, verdict_digest=_digest("later")))["gasUsed"]
    model, manifest = first.model_digest, first.manifest_digest
    gas["gate_revised"] = _cold(registry, registry.contract.functions.requireModel(model, manifest, 1))
    return gas


def _measure_gates(registry: DeployedRegistry, first: Record, named: Record, tuned: Record) -> dict[str, int]:
    functions = registry.contract.functions
    digests = (first.model_digest, first.manifest_digest)
    release_digest = keccak256(f"{named.name.partition('/')[2]}@{named.version}".encode())
    exact = (1, 30 * 86_400, 1, False, [1])
    lineage = registry.lineage.functions.requireLineage(tuned.model_digest, tuned.manifest_digest, 1, False)
    by_name = registry.namespaces.functions.requireNamed(namespace_id("acme"), release_digest, 1)
    return {
        "gate_cold": _cold(registry, functions.requireModel(*digests, 1)),
        "gate_bool_cold": _cold(registry, functions.isModel(*digests, 1)),
        "gate_by_id": _cold(registry, functions.requireOpen(record_id(first), 1)),
        "gate_exact": _cold(registry, functions.requireMeets(*digests, exact)),
        "gate_named": _cold(registry, by_name),
        "gate_lineage_1_parent": _cold(registry, lineage),
    }


def _measure_batches(registry: DeployedRegistry) -> dict[str, int]:
    """Measure a hundred records under one root signed by three of five oracles, gates by proof, and one written out."""
    functions = registry.contract.functions
    single = registry.publish(_record(1), THREE_OF_FIVE)["gasUsed"]
    records = [_record(1000 + number) for number in range(BATCHED)]
    encoded, batch, call = sealing(registry, records, THREE_OF_FIVE, sealed_at=AT)
    whole = registry.send(call, registry.stranger)["gasUsed"]
    index = 57
    digests = (records[index].model_digest, records[index].manifest_digest)
    proof = batch.proofs[index].solidity()
    gates = {
        "gate_proof_depth7": _cold(registry, functions.requireModelFromProof(*digests, proof, 1)),
        "gate_bool_proof_depth7": _cold(registry, functions.isModelFromProof(*digests, proof, 1)),
    }
    written = registry.send(functions.materialise(encoded[index], proof), registry.stranger)["gasUsed"]
    return {
        "publish_single_3of5": single,
        "publish_batch100_3of5": whole,
        "publish_batch100_3of5_per_record": -(-whole // BATCHED),
        **gates,
        "materialise": written,
    }


def _cold(registry: DeployedRegistry, call: Any) -> int:
    """Return the gas of a gate, called from a contract that has touched neither the registry nor its storage before."""
    web3 = registry.contract.w3
    web3.provider.make_request("anvil_setCode", [_PROBE_ADDRESS, "0x" + _PROBE.hex()])
    payload = bytes(12) + bytes.fromhex(call.address[2:]) + bytes.fromhex(call._encode_transaction_data()[2:])
    answer = web3.eth.call({"to": web3.to_checksum_address(_PROBE_ADDRESS), "data": payload})
    assert int.from_bytes(answer[32:], "big") == 1, "the gate is shut"
    return int.from_bytes(answer[:32], "big")


def test_a_shut_gate_is_not_taken_for_a_cheap_one(registry: DeployedRegistry) -> None:
    with pytest.raises(AssertionError, match="the gate is shut"):
        _cold(registry, registry.contract.functions.requireModel(b"\x01" * 32, b"\x02" * 32, 0))


def test_the_code_of_every_deployment_is_the_same(anvil: EmbeddedChain) -> None:
    """The code does not depend on the owner, the oracles, the delay or the chain, so readers compare it."""
    with run_anvil(options=("--chain-id", "7")) as elsewhere:
        registries = [deploy_registry(anvil), deploy_registry(elsewhere, oracles=2, threshold=2)]
        for registry in registries:
            for name, contract in (
                ("ProvenanceRegistry", registry.contract),
                ("Namespaces", registry.namespaces),
                ("Lineage", registry.lineage),
            ):
                code = bytes(registry.contract.w3.eth.get_code(contract.address))
                assert code == load_artifact(name).deployed_bytecode, name
