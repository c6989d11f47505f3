"""Models that transformers loads: only the release's own are returned, and nothing else is even loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.loaders import Pretrained, from_pretrained
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError, UsageError, VerificationError
from tests.support.live_releases import AT, lay_out

torch = pytest.importorskip("torch", reason="torch is not installed")
safetensors = pytest.importorskip("safetensors", reason="safetensors is not installed")
transformers = pytest.importorskip("transformers", minversion="5", reason="transformers 5 is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # of transformers
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = {**SIZES, "vocab_size": 100, "tie_word_embeddings": True}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def pack(model: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    lay_out(folder, {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})
    return folder


@pytest.fixture(scope="module")
def original() -> Any:
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA)).to(torch.bfloat16)


@pytest.fixture
def release(original: Any, tmp_path: Path) -> Path:
    return pack(original, tmp_path / "release")


def load(folder: Path, loader: Any = None, **options: Any) -> Pretrained:
    return from_pretrained(loader or transformers.AutoModelForCausalLM, folder, policy="demo", at=AT, **options)


def refused(folder: Path, error: type[ProvenanceError], **options: Any) -> ProvenanceError:
    with pytest.raises(error) as raised:
        load(folder, **options)
    return raised.value


class Watched:
    """A class that loads models, counts how often it is asked, and can change what it returns."""

    def __init__(self, change: Any = None) -> None:
        self.asked = 0
        self.change = change
        self.loader = transformers.AutoModelForCausalLM

    def from_pretrained(self, folder: str, /, **options: Any) -> Any:
        self.asked += 1
        model = self.loader.from_pretrained(folder, **options)
        if self.change:
            with torch.no_grad():
                self.change(model)
        return model


def test_the_model_has_the_weights_and_the_dtype_of_the_release(original: Any, release: Path) -> None:
    found = load(release)
    assert found.model.dtype == torch.bfloat16
    tokens = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        assert torch.equal(found.model(tokens).logits, original.eval()(tokens).logits)
    assert found.confirmation.unchecked_files == ()
    assert any("inv_freq" in name for name in found.confirmation.unsaved)
    assert [file.path for file in found.confirmation.files] == ["model.safetensors"]


@pytest.mark.parametrize("name", ["config.json", "generation_config.json"])
def test_transformers_reads_no_file_that_differs(release: Path, name: str) -> None:
    settings = json.loads((release / name).read_text())
    (release / name).write_text(json.dumps(settings | {"bos_token_id": 7}))
    loader = Watched()
    assert refused(release, VerificationError, loader=loader).check in (Check.FILE_SET, Check.FILE_DIGESTS)
    assert loader.asked == 0


def test_transformers_reads_no_file_that_the_release_lacks(release: Path) -> None:
    (release / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/model"}')
    loader = Watched()
    assert refused(release, VerificationError, loader=loader).check is Check.FILE_SET
    assert loader.asked == 0


def test_weights_that_differ_are_refused_after_loading(release: Path) -> None:
    path = release / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert refused(release, VerificationError).check is Check.FILE_DIGESTS


def test_what_the_loader_changes_in_memory_is_seen(release: Path) -> None:
    loader = Watched(lambda model: model.model.layers[0].mlp.up_proj.weight.view(-1)[0].add_(1))
    error = refused(release, VerificationError, loader=loader)
    assert error.check is Check.FILE_DIGESTS
    assert "up_proj" in str(error)
    loader = Watched(lambda model: model.register_parameter("extra", torch.nn.Parameter(torch.zeros(1))))
    assert "extra" in str(refused(release, VerificationError, loader=loader))


def test_a_file_that_changes_while_transformers_reads_is_seen(release: Path) -> None:
    loader = Watched(lambda _model: (release / "config.json").write_text("{}"))
    assert refused(release, ProvenanceError, loader=loader).retry


def bert(folder: Path) -> Path:
    """Make a release of BERT in the old form, with a buffer in the files that newer classes make by themselves."""
    original = transformers.BertForMaskedLM(transformers.BertConfig(**SIZES, vocab_size=100))
    state = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    state["bert.embeddings.position_ids"] = torch.arange(512)[None]
    original.save_pretrained(folder, state_dict=state)
    lay_out(folder, {path.name: path.read_bytes() for path in folder.iterdir()})
    return folder


def test_a_buffer_that_code_makes_is_compared_if_a_file_holds_it(tmp_path: Path) -> None:
    folder, loader = bert(tmp_path / "bert"), transformers.AutoModelForMaskedLM
    found = load(folder, loader).confirmation
    assert "bert.embeddings.position_ids" in found.tensors
    assert found.unsaved == ("bert.embeddings.token_type_ids",)
    change = Watched(lambda model: model.bert.embeddings.position_ids[0, 7].add_(1))
    change.loader = loader
    assert "position_ids" in str(refused(folder, VerificationError, loader=change))


def test_tensors_that_the_class_does_not_load_are_named_and_compared(tmp_path: Path) -> None:
    folder, loader = bert(tmp_path / "bert"), transformers.AutoModel
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        head = [name for name in file.keys() if name.startswith("cls.")]  # noqa: SIM118 (no mapping)
    options: dict[str, Any] = {
        "loader": loader,
        "add_pooling_layer": False,
        "names": lambda name: name.removeprefix("bert."),
    }
    error = refused(folder, VerificationError, **options)
    assert "cls.predictions" in str(error)
    assert set(load(folder, **options, unused=head).confirmation.tensors) >= set(head)
    assert refused(folder, UsageError, **options, unused=[*head, "nothing"]).got == "nothing"
    path = folder / "model.safetensors"
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1  # the tensors are in the order of their names, so this is one of the head
    path.write_bytes(whole)
    assert refused(folder, VerificationError, **options, unused=head).check is Check.FILE_DIGESTS


def test_a_tensor_of_the_model_cannot_be_called_unused(release: Path) -> None:
    name = "model.norm.weight"
    assert refused(release, UsageError, unused=[name]).got == name


@pytest.mark.parametrize("option", ["trust_remote_code", "revision", "subfolder", "use_safetensors", "gguf_file"])
def test_options_that_load_something_else_are_refused(release: Path, option: str) -> None:
    loader = Watched()
    assert refused(release, UsageError, loader=loader, **{option: True}).where == option
    assert loader.asked == 0


def test_a_cast_model_is_not_the_recorded_one(release: Path) -> None:
    assert refused(release, VerificationError, dtype=torch.float32).check is Check.FILE_DIGESTS


def test_what_transformers_cannot_load_is_told_in_one_line(release: Path) -> None:
    error = refused(release, UsageError, loader=transformers.AutoModelForImageClassification)
    assert "\n" not in str(error)
    assert "transformers cannot load the release" in str(error)


def test_without_a_reason_to_believe_the_release_nothing_is_loaded(release: Path) -> None:
    loader = Watched()
    with pytest.raises(UsageError, match="neither policy nor record"):
        from_pretrained(loader, release)
    assert loader.asked == 0
