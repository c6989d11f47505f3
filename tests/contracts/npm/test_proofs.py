"""The package reads proofs of releases, and says why a gate for them is shut."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
from provenance_oracle.verifier.proofs.words import FORBIDDEN, unpack_proof
from provenance_oracle.verifier.registry.deployment import Deployment, ProofContracts, encode_deployment
from tests.contracts.npm.project import Project, hex_of, reader_of
from tests.support.chain_fixtures import DeployedRegistry
from tests.support.evm import Evm, creation_code
from tests.support.proofs import Proofs, digests_of, id_of, make_provable

pytestmark = pytest.mark.chain


def test_a_proof_is_read_and_a_shut_gate_says_why(project: Project, registry: DeployedRegistry, tmp_path: Path) -> None:
    evm = Evm(registry.chain.rpc_url)
    verifier = evm.deploy(creation_code("SimulatorVerifier"), 30_000_000)
    proofs = Proofs.deploy(evm, verifier, registry.address)
    evidence = evidence_of(make_provable(tmp_path))
    digests = tuple(map(hex_of, digests_of(evidence.payload)))
    options = {**reader_of(registry), "hardwareProofs": proofs.address}
    asked = (("proofOf", *digests), ("requireProven", *digests), ("requireProven", *digests, "0n", "0n"))
    nothing, shut, _ = project.call(*asked, reader=options)
    assert nothing is None
    refusal = {"error": "NotProven", "releaseId": hex_of(id_of(evidence.payload))}
    assert shut["refusal"] == refusal
    proofs.prove(evidence)
    number = proofs.word(id_of(evidence.payload))
    word = unpack_proof(number, "here")
    found, shut, opened = project.call(*asked, reader=options)
    assert found == {
        "provenAt": int(word.proven_at.timestamp()),
        "guestPolicy": word.guest_policy,
        "platformInfo": word.platform_info,
        "vmpl": word.vmpl,
        "fromHost": False,
        "namesNoChip": False,
        "isVlek": False,
        "productLine": 255,
        "reportVersion": word.report_version,
        "lowestTcb": f"{int.from_bytes(word.lowest_tcb, 'little')}n",
        "cpuid": word.cpuid,
        "certificateLine": 2,
        "intermediate": 0,
        "revoked": False,
    }
    assert shut["refusal"]["error"] == "ProofNotEnough"
    assert (shut["refusal"]["what"], shut["refusal"]["word"]) == (1, f"{number}n"), "the hardware was simulated"
    assert number & FORBIDDEN == 1 << 86
    assert opened is None
    # an account without a contract opens nothing, and neither does a reader that was told of none
    stranger = project.call(*asked, reader=options | {"hardwareProofs": registry.stranger.address})
    assert {answer["error"] for answer in stranger} == {"NodeError"}
    told_none = project.call(*asked, reader=reader_of(registry))
    assert {answer["error"] for answer in told_none} == {"FormatError"}
    assert all("`provenance deploy --with-proofs` makes it" in answer["message"] for answer in told_none)


def test_a_deployment_file_may_name_the_contract(project: Project) -> None:
    words = bytes((7,)) * 20, bytes((8,)) * 32
    plain = Deployment(1, words[0], words[0], words[0], 1, words[1], words[1])
    with_proofs = replace(plain, proofs=ProofContracts(*[words[0]] * 3, *[words[1]] * 3))
    files = [json.loads(encode_deployment(one)) for one in (plain, with_proofs)]
    found = project.call(*(("parseDeployment", file) for file in files))
    assert "hardwareProofs" not in found[0]
    assert found[1] == found[0] | {"hardwareProofs": hex_of(words[0])}
