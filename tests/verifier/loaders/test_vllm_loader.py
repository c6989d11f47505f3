"""The load format of vLLM against a stand-in of its interface: the model gets weights of accepted releases only."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.loaders import register_vllm
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, RecordError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.live_releases import lay_out
from tests.support.stand_in_vllm import LoadConfig, ModelConfig, fused_model, put_in

torch = pytest.importorskip("torch", reason="torch is not installed")
st = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

DEMO = {"policy": "demo"}


@pytest.fixture
def loader_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Register the format as vLLM does, and return a function that makes the loader for options."""
    get = put_in(monkeypatch)
    register_vllm()
    return lambda options: get(LoadConfig("provenance", options))


@pytest.fixture
def weights() -> dict[str, Any]:
    parts = torch.arange(24.0).reshape(6, 4)
    return {"q": parts[:2].clone(), "k": parts[2:4].clone(), "v": parts[4:].clone(), "norm": torch.ones(4)}


def make(folder: Path, weights: dict[str, Any], at: datetime | None = None) -> Path:
    files = {"config.json": b"{}\n", "model.safetensors": st.save(weights)}
    lay_out(folder, files, at=at or datetime.now(UTC))
    return folder


def test_the_model_gets_the_weights_of_the_release(
    loader_for: Callable[..., Any], weights: dict[str, Any], tmp_path: Path
) -> None:
    config = ModelConfig(str(make(tmp_path, weights)))
    loader = loader_for(DEMO)
    loader.download_model(config)
    model = loader.load_model(fused_model(torch), config)
    assert torch.equal(model.qkv, torch.arange(24.0).reshape(6, 4))


def test_no_weight_of_a_release_that_differs_reaches_the_model(
    loader_for: Callable[..., Any], weights: dict[str, Any], tmp_path: Path
) -> None:
    folder = make(tmp_path, weights)
    for name in ("model.safetensors", "config.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        model = fused_model(torch)
        model.load_weights = pytest.fail
        with pytest.raises(VerificationError) as raised:
            loader_for(DEMO).load_model(model, ModelConfig(str(folder)))
        assert raised.value.check is Check.FILE_DIGESTS
        (folder / name).write_bytes(whole)


def test_a_parameter_without_weights_is_refused(
    loader_for: Callable[..., Any], weights: dict[str, Any], tmp_path: Path
) -> None:
    folder = make(tmp_path, {name: tensor for name, tensor in weights.items() if name != "norm"})
    with pytest.raises(VerificationError, match="norm"):
        loader_for(DEMO).load_model(fused_model(torch), ModelConfig(str(folder)))
    loader_for(DEMO).load_model(fused_model(torch), ModelConfig(str(folder), quantization="fp8"))


@pytest.mark.chain
def test_a_registry_is_asked_for_the_record(
    loader_for: Callable[..., Any], weights: dict[str, Any], tmp_path: Path, registry: DeployedRegistry
) -> None:
    config = ModelConfig(str(make(tmp_path, weights, JUDGED_AT)))
    place = {"rpc": registry.chain.rpc_url, "registry": registry.address}
    with pytest.raises(RecordError):
        loader_for(place).load_model(fused_model(torch), config)
    record = judge(read_release(tmp_path), load_policy("demo"), at=JUDGED_AT).record
    registry.publish(record)
    with pytest.raises(AppraisalError, match="grade 0"):
        loader_for(place).load_model(fused_model(torch), config)
    loader_for(place | DEMO).load_model(fused_model(torch), config)
    registry.revoke(record)
    with pytest.raises(RecordError, match="revoked"):
        loader_for(place | DEMO).load_model(fused_model(torch), config)


@pytest.mark.parametrize(
    "options", [{}, {"rpc": "http://x"}, {"registry": "0x1"}, {"polcy": "demo"}, {"policy": 1}, None, {"policy": None}]
)
def test_options_that_give_no_reason_to_believe_a_release_are_refused(
    loader_for: Callable[..., Any], options: Any
) -> None:
    with pytest.raises(UsageError):
        loader_for(options)


def test_a_name_on_a_hub_is_refused(loader_for: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="snapshot_download"):
        loader_for(DEMO).download_model(ModelConfig("acme/model"))


def test_vllm_finds_the_plugin_by_its_entry_point() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    [(name, value)] = project["entry-points"]["vllm.general_plugins"].items()
    assert EntryPoint(name, value, "vllm.general_plugins").load() is register_vllm
