"""The examples of docs/live-models.md run unchanged except for the policy, since test evidence is simulated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle import verify_model
from provenance_oracle.verifier.digest.dataset import DatasetHasher
from provenance_oracle.verifier.errors import VerificationError
from tests.support.live_releases import lay_out

torch = pytest.importorskip("torch", reason="torch is not installed")
st = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

PAGE = Path(__file__).parents[3] / "docs" / "live-models.md"


def test_every_example_on_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = torch.nn.Linear(5, 3)
    weights = st.save({name: tensor.detach() for name, tensor in module.state_dict().items()})
    lay_out(tmp_path / "my-model", {"model.safetensors": weights}, at=datetime.now(UTC))
    monkeypatch.chdir(tmp_path)
    dataset = [("a", 0), ("b", 1), ("c", 0)]
    loader = [(torch.tensor([2, 0]), ["c", "a"], torch.tensor([0, 0])), (torch.tensor([1]), ["b"], torch.tensor([1]))]
    names = {"module": module, "dataset": dataset, "loader": loader}
    examples = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 7
    # This one needs a model of gigabytes. test_places.py runs a map of the same form.
    [with_a_map] = [example for example in examples if "names={" in example]
    compile(with_a_map, "docs/live-models.md", "exec")
    examples.remove(with_a_map)
    [of_gguf] = [example for example in examples if "gguf" in example]  # the next test runs it
    examples.remove(of_gguf)
    digests = []
    for example in examples:
        exec(example.replace('"baseline"', '"demo"'), names)
        if isinstance(hasher := names.get("hasher"), DatasetHasher):
            digests.append(hasher.digest().hex())
    assert digests[0] == digests[1]
    assert capsys.readouterr().out == f"('bias', 'weight') ('tensors.json',)\n{digests[0]}\n"


def test_the_example_with_a_gguf_file_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_tensor("w", numpy.arange(32, dtype=numpy.float32))
    for write in (
        writer.write_header_to_file,
        writer.write_kv_data_to_file,
        writer.write_tensors_to_file,
        writer.close,
    ):
        write()
    data = (tmp_path / "model.gguf").read_bytes()
    lay_out(tmp_path / "my-model", {"model.gguf": data}, at=datetime.now(UTC))
    monkeypatch.chdir(tmp_path)
    [example] = re.findall(r"^```python\n(from gguf .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names = {"verify_model": verify_model}
    exec(example.replace('"baseline"', '"demo"'), names)
    with pytest.raises(VerificationError):
        exec(example.replace('"baseline"', '"demo"').replace("tensor.data ", "tensor.data + 1 "), names)
