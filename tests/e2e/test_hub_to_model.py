"""A model on a hub, recorded on chain, is downloaded, loaded with transformers, computes, and is exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.hub import snapshot_download
from provenance_oracle.loaders import from_pretrained
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.live_releases import lay_out
from tests.support.stand_in_hub import StandInHub, stand_in_hub

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", minversion="5", reason="transformers 5 is not installed")

pytestmark = [pytest.mark.chain, pytest.mark.filterwarnings("ignore")]  # warnings of transformers
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


def test_a_recorded_model_of_a_hub_computes_and_is_exported(
    registry: DeployedRegistry, hub: StandInHub, tmp_path: Path
) -> None:
    # (1) a publisher's model of several files, with an index, on a hub
    original = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES, vocab_size=100)).eval()
    original.save_pretrained(tmp_path / "release", max_shard_size="20KB")
    files = {path.name: path.read_bytes() for path in (tmp_path / "release").iterdir()}
    assert sum(name.endswith(".safetensors") for name in files) > 1
    lay_out(tmp_path / "release", files, at=JUDGED_AT, with_sha256=True)
    hub.push_folder("org/model", tmp_path / "release")
    options: dict[str, Any] = {"policy": "demo", "endpoint": hub.url, "token": False, "local_dir": tmp_path / "here"}
    # (2) without a record there is no model
    with pytest.raises(RecordError):
        snapshot_download("org/model", registry=registry.reader(), **options)
    registry.publish(judge(read_release(tmp_path / "release"), load_policy("demo"), at=JUDGED_AT).record)
    # (3) with it, the model that was downloaded computes what the publisher's does
    found = snapshot_download("org/model", registry=registry.reader(), **options)
    entry = found.confirmation.entry
    loaded = from_pretrained(transformers.AutoModelForCausalLM, found.path, policy="demo", record=entry)
    tokens = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        assert torch.equal(loaded.model.eval()(tokens).logits, original(tokens).logits)
    # (4) the bill of materials names the same files
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address)
    words = ("export", "org/model@1.0", "--format", "cyclonedx", "--release", str(found.path), *place)
    component = json.loads(CliRunner().invoke(main, words).stdout)["metadata"]["component"]
    assert {one["name"] for one in component["components"]} == {*files, "tensors.json"}
    assert all(one["hashes"][0]["alg"] == "SHA-256" for one in component["components"])
