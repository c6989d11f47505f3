"""The examples of docs/integrations.md for loaders run, with another policy, since test evidence is simulated."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.loaders.vllm_loader import LOAD_FORMAT, LoaderOptions, parse_loader_options
from tests.support.live_releases import lay_out

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()


@pytest.mark.filterwarnings("ignore")  # of transformers
def test_the_example_with_transformers_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", minversion="5", reason="transformers 5 is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    folder = tmp_path / "my-model"
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, vocab_size=50)).save_pretrained(folder)
    lay_out(folder, {path.name: path.read_bytes() for path in folder.iterdir()}, at=datetime.now(UTC))
    monkeypatch.chdir(tmp_path)
    [example] = [one for one in _blocks("python") if "provenance_oracle.loaders" in one]
    names: dict[str, Any] = {}
    exec(example.replace('"baseline"', '"demo"'), names)
    assert "model.safetensors" in {file.path for file in names["found"].confirmation.files}
    assert type(names["model"]).__name__ == "LlamaForCausalLM"


def test_the_options_for_vllm_are_those_of_the_loader() -> None:
    [command] = [one for one in _blocks("") if one.startswith("vllm serve")]
    words = shlex.split(command)
    assert words[words.index("--load-format") + 1] == LOAD_FORMAT
    options = json.loads(words[words.index("--model-loader-extra-config") + 1])
    assert parse_loader_options(options) == LoaderOptions(policy="baseline")


def _blocks(language: str) -> list[str]:
    found = re.findall(r"^```([a-z]*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [block for name, block in found if name == language]
