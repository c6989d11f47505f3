"""Gas costs equal the committed snapshot and stay below their limits. UPDATE_GAS=1 rewrites the snapshot."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.proofs.evidence_calls import with_endorsed_key
from provenance_oracle.verifier.record.codec import namespace_id, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from tests.support.batches import sealing
from tests.support.chain_fixtures import (
    DeployedRegistry,
    EmbeddedChain,
    deploy_registry,
    make_failure,
    make_record,
    make_signed,
)
from tests.support.evm import Evm, creation_code, run_evm
from tests.support.proof_samples import read_crl, read_sample, sample_with_files
from tests.support.proofs import CITED, Proofs, digests_of, make_simulated
from tests.support.real_sets import CRLS, INTERMEDIATES, NAMES, anchor, crl, real_set
from tests.support.snp_contracts import encode_call

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
    "gate_signed_by": 6_500,
    "gate_signed_by_noted": 6_500,
    "gate_bool_signed_by": 6_500,
    "prove_p256_3": 3_330_000,
    "prove_p256_3_with_record": 3_330_000,
    "prove_p384_3": 6_060_000,
    "prove_p256_403": 7_650_000,
    "gate_proven": 5_500,
    "disprove": 3_400_000,
    "submit_crl": 600_000,
    "add_intermediate": 1_250_000,
}
# The same for AMD's evidence, whole transactions by the rules of Osaka. A deployment fits into one transaction.
AMD_LIMITS = {
    "amd_deploy": 15_000_000,
    "amd_verify_cold": 3_180_000,
    "amd_endorse": 810_000,
    "amd_verify_crl": 600_000,
    "amd_verify_intermediate": 800_000,
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
        yield {
            **_measure_setup(single),
            **_measure_records(single),
            **_measure_signed(single),
            **_measure_batches(several),
            **_measure_proofs(),
        }


@pytest.fixture(scope="module")
def measured_amd(anvil_program: Path, vectors: Path) -> dict[str, int]:
    """Return the dearest genuine evidence and list, each in a transaction of its own."""
    with run_evm() as evm:
        made = evm.send(creation_code("AmdVerifier"))
        calls = {
            "amd_verify_cold": [
                encode_call("verify(bytes,bytes)", of.evidence.report, of.evidence.vek)
                for of in (real_set(vectors, name) for name in NAMES)
            ],
            "amd_endorse": [encode_call("endorse(bytes)", real_set(vectors, name).evidence.vek) for name in NAMES],
            "amd_verify_crl": [encode_call("verifyCrl(bytes)", crl(vectors, name)) for name in CRLS],
            "amd_verify_intermediate": [
                encode_call("verifyIntermediate(bytes)", anchor(vectors, name)) for name in INTERMEDIATES
            ],
        }
        gas = {"amd_deploy": int(made["gasUsed"], 16)}
        for name, sent in calls.items():
            receipts = [evm.send(data, made["contractAddress"]) for data in sent]
            assert {receipt["status"] for receipt in receipts} == {"0x1"}
            gas[name] = max(int(receipt["gasUsed"], 16) for receipt in receipts)
        return gas


def test_gas_is_as_in_the_snapshot(measured: dict[str, int]) -> None:
    _match_snapshot(measured)
    assert json.loads(SNAPSHOT.read_text()).keys() == measured.keys() | AMD_LIMITS.keys()


def test_gas_of_amds_evidence_is_as_in_the_snapshot(measured_amd: dict[str, int]) -> None:
    _match_snapshot(measured_amd)


@pytest.mark.parametrize("name", LIMITS)
def test_nothing_costs_more_than_was_promised(measured: dict[str, int], name: str) -> None:
    assert 0 < measured[name] <= LIMITS[name]


@pytest.mark.parametrize("name", AMD_LIMITS)
def test_amds_evidence_costs_no_more_than_was_promised(measured_amd: dict[str, int], name: str) -> None:
    assert 0 < measured_amd[name] <= AMD_LIMITS[name]


def _match_snapshot(measured: dict[str, int]) -> None:
    """Compare measurements with those of the same names in the snapshot, or write them into it."""
    kept = json.loads(SNAPSHOT.read_text())
    if os.environ.get("UPDATE_GAS") == "1":
        SNAPSHOT.write_text(json.dumps(kept | measured, indent=2) + "\n")
        return
    wanted = {name: kept.get(name) for name in measured}
    assert measured == wanted, "if meant: UPDATE_GAS=1 and commit hardhat/snapshots"


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


def _measure_signed(registry: DeployedRegistry) -> dict[str, int]:
    """Measure a release that has only a signature, and the gate by publisher for it and for one on hardware."""
    functions, hardware = registry.contract.functions, _record(7)
    digests = {name: _digest(f"{name} 8") for name in ("model_digest", "manifest_digest", "verdict_digest")}
    facts = {"policy_digest": _digest("policy"), "publisher_identity": IDENTITY, "judged_at": START}
    signed = make_signed(**digests, **facts, name="hub example/model-7b", version=_digest("revision").hex()[:40])
    registry.publish(hardware)
    published = registry.publish(signed)["gasUsed"]
    noted = registry.send(functions.notePublisher(registry.encode(hardware)), registry.stranger)["gasUsed"]
    ids = [(one.model_digest, one.manifest_digest, IDENTITY) for one in (signed, hardware)]
    return {
        "publish_signed_only": published,
        "note_publisher": noted,
        "gate_signed_by": _cold(registry, functions.requireSignedBy(*ids[0])),
        "gate_signed_by_noted": _cold(registry, functions.requireSignedBy(*ids[1])),
        "gate_bool_signed_by": _cold(registry, functions.isSignedBy(*ids[0])),
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


def _measure_proofs() -> dict[str, int]:
    """Measure proofs with the simulator's keys, whose verifier is AMD's but for the keys, on the newest fork.

    Each is the first of its contract, which therefore keeps AMD's certificate too.
    """
    options = ("--hardfork", "osaka", "--enable-tx-gas-limit", "--timestamp", str(AT))
    with run_anvil(options=options) as chain:
        registry, evm = deploy_registry(chain), Evm(chain.rpc_url)
        verifier, p256 = evm.deploy(creation_code("SimulatorVerifier")), read_sample("p256")
        digests = digests_of(p256.payload)
        record = make_simulated(parse_report(p256.report), *digests, judged_at=START)
        registry.publish(record)
        samples = {
            "prove_p256_3": p256,
            "prove_p256_3_with_record": p256,
            "prove_p384_3": read_sample("p384"),
            "prove_p256_403": sample_with_files(403),
        }
        gas = {}
        for name, evidence in samples.items():
            proofs = Proofs.deploy(evm, verifier, registry.address)
            gas[name] = proofs.prove(evidence, registry.encode(record) if "record" in name else b"")
        gas["prove_p256_3_known_key"] = proofs.prove(with_endorsed_key(p256))
        gas |= _measure_disputes(registry, proofs, record)
        contract = registry.contract.w3.eth.contract(proofs.checksummed, abi=load_artifact("HardwareProofs").abi)
        gate = _cold(registry, contract.functions.requireProven(*digests, 0, 1 << 59))
    return {name: int(receipt["gasUsed"], 16) for name, receipt in gas.items()} | {"gate_proven": gate}


def _measure_disputes(registry: DeployedRegistry, proofs: Proofs, honest: Record) -> dict[str, Any]:
    """Measure the end of a record, and of its signer's key, by a report that AMD's key did not sign; and a list."""
    evm, sample = proofs.evm, read_sample("p256")
    words = b"".join(bytes.fromhex(one[2:]).rjust(32, b"\0") for one in (proofs.address, registry.guardian.address))
    disputes = dataclasses.replace(proofs, address=evm.deploy(creation_code("Disputes") + words + bytes(32)))
    registry.send(registry.contract.functions.appointGuardian(disputes.checksummed), registry.owner)
    report = sample.report[:0x2A1] + bytes((sample.report[0x2A1] ^ 1,)) + sample.report[0x2A2:]
    pieces = [(report, "report.bin"), (sample.vek, "vek.der")]
    cited = [f'{{"digest":{{"sha256":"{_sha256(one)}"}},"uri":"provenance/snp/{name}"}}' for one, name in pieces]
    verdict = json.dumps("x" * 8000).encode() + "".join(cited).encode()  # as long as a verdict is
    places = [verdict.find(one.encode()) for one in cited]
    verdict_digest = hashlib.sha256(verdict).digest()
    lie = dataclasses.replace(honest, manifest_digest=_digest("disproved"), verdict_digest=verdict_digest)
    registry.publish(lie)
    asked = (verdict, report, places[0], sample.vek, places[1], 2**256 - 1)
    disproved = disputes.send(f"disprove(bytes,{CITED})", registry.encode(lie), asked)
    submitted = proofs.send("submitCrl(bytes)", read_crl())
    # a pinned one, whose bytes never change
    certificate = FakeAmd.load(ProductLine.GENOA).authorities[CaRole.ASK].certificate
    added = proofs.send("addIntermediate(bytes)", certificate)
    return {"disprove": disproved, "submit_crl": submitted, "add_intermediate": added}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
