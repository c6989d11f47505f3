"""A model that has only a signature, on a hub: found, recorded, shown, and let through by its publisher alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.keccak import keccak256
from tests.support.chain_fixtures import DeployedRegistry, EmbeddedChain, deploy_registry
from tests.support.model_signatures import SIGNING_KEY, pem_of, statement_over
from tests.support.signed_releases import BY_CERTIFICATE, BY_KEY, Publisher
from tests.support.stand_in_hub import StandInHub, stand_in_hub

pytestmark = pytest.mark.chain
FILES = {"config.json": b"{}\n", "model.safetensors": bytes(range(256)) * 40}
OTHER = bytes(31) + b"\x01"


def signed(publisher: Publisher, files: dict[str, bytes] = FILES) -> dict[str, bytes]:
    return files | {"model.sig": json.dumps(publisher.bundle(statement_over(files))).encode()}


def provenance(*words: object, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *map(str, words)]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)


def watch(hub: StandInHub, registry: DeployedRegistry, tmp_path: Path, *options: object) -> dict[str, Any]:
    rpc = ["--rpc", registry.chain.rpc_url, "--registry", registry.address]
    journal = ["--journal", tmp_path / "oracle.sqlite", "--confirmations", "0", "--watch", "scan-only"]
    words = ["watch", "hf://acme", *rpc, *journal, "--policy", "signed", "--key-variable", "KEY", *options]
    run = provenance(*words, "--once", "--json", HF_ENDPOINT=hub.url, KEY=registry.oracle.key.hex())
    assert run.stdout, run.stderr
    return {row["release"]: row for row in json.loads(run.stdout)["releases"]}


def test_a_model_that_has_only_a_signature(anvil: EmbeddedChain, tmp_path: Path) -> None:
    registry = deploy_registry(anvil)
    from web3.exceptions import ContractCustomError  # here, because web3 is loaded by `light_imports` by now

    key = tmp_path / "acme.pem"
    key.write_bytes(pem_of(SIGNING_KEY))
    model, other = signed(BY_CERTIFICATE), FILES | {"config.json": b"{ }\n"}
    with stand_in_hub() as hub:
        commit = hub.push("acme/by-certificate", model)
        hub.push("acme/by-key", signed(BY_KEY, other))
        hub.push("acme/flipped", model | {"config.json": b"[]\n"})
        hub.push("acme/plain", FILES)
        rows = watch(hub, registry, tmp_path, "--publisher-keys", key)
    # (1) found and recorded, under the name of the repository; a changed file is refused
    states = {name: row["state"] for name, row in rows.items() if name.startswith("acme/")}
    assert states == {"acme/by-certificate": "final", "acme/by-key": "final", "acme/flipped": "rejected"}
    assert (rows["acme/flipped"]["exit_code"], rows["acme/flipped"]["check"]) == (4, "publisher-signature")
    # (2) shown as what it is
    rpc = ["--rpc", anvil.rpc_url, "--registry", registry.address]
    shown = json.loads(provenance("show", "acme/by-certificate", *rpc, "--json").stdout)["entries"][0]
    assert (shown["version"], shown["grade"], shown["product_line"]) == (commit, 0, "no confidential hardware")
    assert shown["publisher_identity"] == BY_CERTIFICATE.identity.digest.hex()
    # (3) checked by a user, who needs no name and gets the recorded verdict
    folder = tmp_path / "model"
    folder.mkdir()
    for name, data in model.items():
        (folder / name).write_bytes(data)
    run = provenance("check", folder, *rpc, "--policy", "signed", "--identity", BY_CERTIFICATE.line, "--json")
    found = json.loads(run.stdout)
    assert (run.returncode, found["name"], found["verdict_reproduced"]) == (0, "acme/by-certificate", True)
    assert provenance("check", folder, *rpc, "--identity", BY_CERTIFICATE.line).returncode == 5
    # (4) gates for hardware stay shut; the gate by publisher opens for this one and for no other
    ids = [bytes.fromhex(found[name]) for name in ("model_digest", "manifest_digest")]
    gates = registry.contract.functions
    assert not gates.isModel(*ids, 0).call()
    assert not gates.isSimulatedModel(*ids).call()
    with pytest.raises(ContractCustomError) as refused:
        gates.requireModel(*ids, 0).call()
    signed_only = keccak256(b"RecordIsSignedOnly(bytes32)")[:4] + release_id(*ids)
    assert refused.value.data == "0x" + signed_only.hex()
    assert gates.isSignedBy(*ids, BY_CERTIFICATE.identity.digest).call()
    gates.requireSignedBy(*ids, BY_CERTIFICATE.identity.digest).call()
    for identity in (BY_KEY.identity.digest, OTHER, bytes(32)):
        assert not gates.isSignedBy(*ids, identity).call()
        with pytest.raises(ContractCustomError):
            gates.requireSignedBy(*ids, identity).call()
