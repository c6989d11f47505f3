"""`load_into`: a module holds the release's weights afterwards, all of them and nothing else, or an error is raised."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle import load_into, verifier, verify_model
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights import placing
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.live_model import ModelConfirmation
from tests.support.live_releases import AT, lay_out

torch = pytest.importorskip("torch", reason="torch is not installed")
st = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

WEIGHTS = "model.safetensors"


def load(module: Any, folder: Path, **options: Any) -> ModelConfirmation:
    return load_into(module, folder, policy="demo", at=AT, **options)


def refused(module: Any, folder: Path, kind: type[ProvenanceError] = VerificationError, **options: Any) -> str:
    before = [tensor.clone() for tensor in module.state_dict().values() if tensor.device.type != "meta"]
    with pytest.raises(kind) as caught:
        load(module, folder, **options)
    after = [tensor for tensor in module.state_dict().values() if tensor.device.type != "meta"]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True)), "the module was written"
    return str(caught.value)


class Decoder(torch.nn.Module):
    """A language model whose output layer has the weights of its embedding, as in Llama and GPT-2."""

    def __init__(self, embedding: str = "embed_tokens", head: str = "lm_head", bias: bool = False) -> None:
        super().__init__()
        self.model = torch.nn.ModuleDict({embedding: torch.nn.Embedding(50, 8), "layer": torch.nn.Linear(8, 8)})
        self.add_module(head, torch.nn.Linear(8, 50, bias=bias))
        self.get_submodule(head).weight = self.model[embedding].weight
        self.register_buffer("inv_freq", torch.arange(4.0), persistent=False)
        self.register_buffer("steps", torch.tensor(0))
        self.names = embedding, head

    def forward(self, tokens: Any) -> Any:
        embedding, head = self.names
        return self.get_submodule(head)(self.model["layer"](self.model[embedding](tokens)))


class Masked(Decoder):
    """BERT's form: the output layer has tied weights and a bias that is tied as well, under a name above it."""

    def __init__(self) -> None:
        super().__init__("word_embeddings", "decoder", bias=True)
        self.bias = torch.nn.Parameter(torch.zeros(50))
        self.decoder.bias = self.bias


MAKERS: dict[str, Callable[[], Any]] = {"llama": Decoder, "gpt2": lambda: Decoder("wte"), "bert": Masked}


def saved(module: Any) -> dict[str, Any]:
    """The tensors that a publisher saves: tied weights once, under the first name."""
    kept: dict[int, str] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        kept.setdefault(id(tensor), name)
    return {name: module.state_dict()[name].detach().clone() for name in kept.values()}


def trained(make: Callable[[], Any]) -> Any:
    torch.manual_seed(3)
    module = make()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
        module.steps += 7
    return module


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Callable[[], Any]:
    return MAKERS[request.param]


@pytest.fixture
def source(maker: Callable[[], Any]) -> Any:
    return trained(maker)


@pytest.fixture
def release(source: Any, tmp_path: Path) -> Path:
    lay_out(tmp_path, {WEIGHTS: st.save(saved(source)), "config.json": b"{}"})
    return tmp_path


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    lay_out(tmp_path, {WEIGHTS: st.save(saved(trained(Decoder))), "config.json": b"{}"})
    return tmp_path


TOKENS = [[1, 2, 3], [4, 5, 49]]


def test_a_tied_module_computes_what_the_publisher_s_computes(
    maker: Callable[[], Any], source: Any, release: Path
) -> None:
    module = maker()
    found = load(module, release)
    embedding, head = module.names
    assert module.get_submodule(head).weight is module.model[embedding].weight, "still tied"
    assert torch.equal(module(torch.tensor(TOKENS)), source(torch.tensor(TOKENS)))
    assert sorted(found.tensors) == sorted(saved(source))
    assert len(found.aliases) == len(source.state_dict()) - len(found.tensors)
    assert (found.unsaved, found.unchecked_files) == (("inv_freq",), ())
    verify_model(module, release, policy="demo", at=AT, unsaved=found.unsaved)


@pytest.mark.parametrize(
    "change",
    [lambda module: module.bfloat16(), lambda module: module.requires_grad_(False)],
    ids=["another dtype", "frozen"],
)
def test_a_module_of_another_dtype_takes_on_that_of_the_files(
    maker: Callable[[], Any], source: Any, release: Path, change: Callable[[Any], Any]
) -> None:
    module = change(maker())
    wants = [parameter.requires_grad for parameter in module.parameters()]
    load(module, release)
    assert torch.equal(module(torch.tensor(TOKENS)), source(torch.tensor(TOKENS)))
    assert [parameter.requires_grad for parameter in module.parameters()] == wants
    embedding, head = module.names
    assert module.get_submodule(head).weight is module.model[embedding].weight


def test_a_module_on_the_meta_device_gets_memory_and_stays_tied(
    maker: Callable[[], Any], source: Any, release: Path
) -> None:
    with torch.device("meta"):
        module = maker()
    assert "inv_freq" in refused(module, release, UsageError)
    module.inv_freq = torch.arange(4.0)
    load(module, release)
    assert torch.equal(module(torch.tensor(TOKENS)), source(torch.tensor(TOKENS)))
    embedding, head = module.names
    assert module.get_submodule(head).weight is module.model[embedding].weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_weights_that_share_memory_but_are_two_parameters_stay_tied(dtype: Any, llama: Path) -> None:
    module = Decoder().to(dtype)
    module.lm_head.weight = torch.nn.Parameter(module.model["embed_tokens"].weight.detach())
    load(module, llama)
    assert module.lm_head.weight.data_ptr() == module.model["embed_tokens"].weight.data_ptr()


def test_an_output_layer_that_is_not_tied_is_refused_and_not_left_random(llama: Path) -> None:
    module = Decoder()
    module.lm_head.weight = torch.nn.Parameter(torch.randn(50, 8))
    text = refused(module, llama)
    assert "in the model and in no file: lm_head.weight" in text
    assert "tie them first" in text
    assert load(module, llama, unsaved=["lm_head.weight"]).unsaved == ("inv_freq", "lm_head.weight")


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "another parameter": (lambda m: m.register_parameter("scale", torch.nn.Parameter(torch.ones(1))), "no file: scale"),
    "another buffer": (lambda m: m.register_buffer("mean", torch.ones(1)), "no file: mean"),
    "no such parameter": (lambda m: m.model["layer"].register_parameter("bias", None), "not in the model: model.layer"),
    "another shape": (lambda m: setattr(m.model, "layer", torch.nn.Linear(8, 1)), "another shape"),
    "broadcast": (lambda m: setattr(m, "steps", torch.zeros(3, dtype=torch.int64)), "another shape"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_parameter_and_saved_buffer_is_accounted_for(change: str, llama: Path) -> None:
    make, words = CHANGES[change]
    module = Decoder()
    make(module)
    assert words in refused(module, llama)


def test_tied_weights_that_differ_in_the_files_are_refused(tmp_path: Path) -> None:
    state = saved(trained(Decoder))
    lay_out(tmp_path, {WEIGHTS: st.save({**state, "lm_head.weight": state["model.embed_tokens.weight"] + 1})})
    assert "one in the module, and differ in the release" in refused(Decoder(), tmp_path)


def test_tied_weights_that_are_saved_twice_are_loaded(tmp_path: Path) -> None:
    state = saved(trained(Decoder))
    lay_out(tmp_path, {WEIGHTS: st.save({**state, "lm_head.weight": state["model.embed_tokens.weight"].clone()})})
    module = Decoder()
    load(module, tmp_path)
    assert module.lm_head.weight is module.model["embed_tokens"].weight


def test_a_damaged_release_leaves_the_module_alone(llama: Path) -> None:
    data = bytearray((llama / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (llama / WEIGHTS).write_bytes(data)
    assert "file-digests" in refused(Decoder(), llama)
    (llama / WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (llama / "config.json").write_bytes(b"[]")
    assert "config.json" in refused(Decoder(), llama)
    assert load(Decoder(), llama, weights_only=True).unchecked_files == ("config.json", "tensors.json")


def test_memory_that_does_not_hold_what_was_written_is_found(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, or a hook, that changes weights on the way is noticed."""
    fill = placing._fill

    def damage(module: Any, *arguments: Any) -> None:
        fill(module, *arguments)
        module.model["layer"].bias[0] += 1

    monkeypatch.setattr(placing, "_fill", damage)
    with pytest.raises(VerificationError, match=r"tensor model\.layer\.bias") as caught:
        load(Decoder(), llama)
    assert caught.value.check is Check.FILE_DIGESTS


def test_too_little_memory_is_told(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Decoder().double()
    empty, left = torch.empty, len(saved(Decoder()))

    def fail(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("can't allocate memory")
        return empty(*arguments, **options)

    monkeypatch.setattr(torch, "empty", fail)
    with pytest.raises(TemporaryError, match="can't allocate memory"):
        load(module, llama)


@pytest.mark.parametrize("module", [{}, None, Decoder], ids=["state dict", "none", "class"])
def test_only_a_module_is_loaded_into(module: Any, llama: Path) -> None:
    with pytest.raises(UsageError, match="not a module"):
        load(module, llama)


def test_the_facade_exports_it() -> None:
    assert verifier.load_into is load_into
    assert "load_into" in verifier.__all__


def test_no_page_loads_without_strictness() -> None:
    root = Path(__file__).parents[3]
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    assert len(pages) > 10
    assert [page.name for page in pages if "strict=False" in page.read_text()] == []


# The libraries themselves, where they are installed


def packed(module: Any, folder: Path) -> Path:
    module.save_pretrained(folder)
    lay_out(folder, {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})
    return folder


SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
SMALL = {**SIZES, "vocab_size": 100}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 100, "n_positions": 32}
MOE = {**SMALL, "num_key_value_heads": 2}
REAL: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {**SMALL, "tie_word_embeddings": True}),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", GPT2),
    "bert": ("BertForMaskedLM", "BertConfig", SMALL),
    "vit": ("ViTForImageClassification", "ViTConfig", {**SIZES, "image_size": 32, "patch_size": 8}),
    "mixtral": ("MixtralForCausalLM", "MixtralConfig", {**MOE, "num_local_experts": 12}),
    "qwen": (
        "Qwen3MoeForCausalLM",
        "Qwen3MoeConfig",
        {**MOE, "num_experts": 4, "moe_intermediate_size": 32, "num_experts_per_tok": 2},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REAL)
def test_models_of_transformers_are_loaded_and_verified(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers", minversion="5", reason="transformers 5 is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model_class, config_class, options = REAL[kind]
    config = getattr(transformers, config_class)(**options)
    make = getattr(transformers, model_class)
    folder = packed(make(config), tmp_path / "m")
    reference = make.from_pretrained(folder)
    module = make(config)
    found = load(module, folder)
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in reference.state_dict().items())
    check: dict[str, Any] = {"policy": "demo", "at": AT, "unsaved": found.unsaved}
    verify_model(reference, folder, **check)
    verify_model(reference.state_dict(), folder, policy="demo", at=AT)
    verify_model(torch.nn.DataParallel(reference), folder, **{**check, "unsaved": _wrapped(found.unsaved)})
    with torch.no_grad():
        list(reference.parameters())[-2].view(-1)[-1] += 1
    with pytest.raises(VerificationError):
        verify_model(reference.state_dict(), folder, policy="demo", at=AT)


def _wrapped(names: tuple[str, ...]) -> list[str]:
    return [f"module.{name}" for name in names]


@pytest.mark.filterwarnings("ignore")
def test_a_model_with_an_adapter_of_peft_is_verified_apart_from_the_adapter(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", minversion="5", reason="transformers 5 is not installed")
    peft = pytest.importorskip("peft", reason="peft is not installed")
    make, config = transformers.LlamaForCausalLM, transformers.LlamaConfig(**SMALL)
    folder = packed(make(config), tmp_path / "m")
    adapted = peft.get_peft_model(make.from_pretrained(folder), peft.LoraConfig(target_modules=["q_proj"]))
    with pytest.raises(VerificationError, match="lora_A"):
        verify_model(adapted.state_dict(), folder, policy="demo", at=AT)
    adapters = [name for name in adapted.state_dict() if "lora_" in name]
    found = verify_model(adapted.state_dict(), folder, policy="demo", at=AT, unsaved=adapters)
    assert sorted(found.unsaved) == sorted(adapters)


# Wrappers and maps of names


@pytest.mark.filterwarnings("ignore")
def test_wrapped_modules_are_loaded_and_verified(llama: Path) -> None:
    for wrap in (torch.nn.DataParallel, torch.compile, lambda module: torch.nn.DataParallel(torch.compile(module))):
        module = wrap(Decoder())
        found = load(module, llama)
        verify_model(module, llama, policy="demo", at=AT, unsaved=found.unsaved)
        verify_model(module.state_dict(), llama, policy="demo", at=AT)


def test_a_wrapper_s_name_cannot_hide_other_weights(llama: Path) -> None:
    state = saved(trained(Decoder))
    state["module.steps"] = state["steps"] + 1
    with pytest.raises(VerificationError, match=r"in no file: module\.steps"):
        verify_model(state, llama, policy="demo", at=AT)


def fused(state: dict[str, Any]) -> dict[str, Any]:
    layer = state.pop("model.layer.weight")
    state["qkv"] = torch.cat([layer, state.pop("model.embed_tokens.weight")])
    state["layers"] = torch.stack([state.pop("model.layer.bias")])
    return state


NAMES = {
    "model.layer.weight": ("qkv", slice(0, 8)),
    "model.embed_tokens.weight": ("qkv", slice(8, 58)),
    "model.layer.bias": ("layers", 0),
}


def test_fused_tensors_are_verified_by_a_map_of_names(llama: Path) -> None:
    state = fused(saved(trained(Decoder)))
    check: dict[str, Any] = {"policy": "demo", "at": AT}
    assert len(verify_model(state, llama, names=NAMES, **check).tensors) == 4
    verify_model({name: tensor.numpy() for name, tensor in state.items()}, llama, names=NAMES, **check)
    with pytest.raises(VerificationError, match=r"give a map of names"):
        verify_model(state, llama, **check)
    for row in (0, 7, 8, 57):
        state["qkv"][row, 3] += 1
        with pytest.raises(VerificationError, match=r"weights in memory differ"):
            verify_model(state, llama, names=NAMES, **check)
        state["qkv"][row, 3] -= 1


@pytest.mark.parametrize("rows", [57, 60], ids=["too few", "too many"])
def test_no_element_of_a_fused_tensor_is_left_unchecked(rows: int, llama: Path) -> None:
    state = fused(saved(trained(Decoder)))
    state["qkv"] = torch.cat([state["qkv"], torch.randn(9, 8)])[:rows]
    with pytest.raises(VerificationError, match=r"each element once|reshaped"):
        verify_model(state, llama, policy="demo", at=AT, names=NAMES)


def test_two_tensors_of_the_files_are_not_compared_with_the_same_memory(llama: Path) -> None:
    state = saved(trained(Decoder))
    names = {"model.layer.bias": "steps"}
    with pytest.raises(VerificationError, match=r"in no file: model\.layer\.bias"):
        verify_model(state, llama, policy="demo", at=AT, names=names)
    del state["model.layer.bias"]
    with pytest.raises(VerificationError, match="each element once"):
        verify_model(state, llama, policy="demo", at=AT, names=names)


class Fused(torch.nn.Module):
    """The tensors of `Decoder` as an inference engine holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = torch.nn.Parameter(torch.zeros(58, 8))
        self.layers = torch.nn.Parameter(torch.zeros(1, 8))
        self.register_buffer("steps", torch.tensor(0))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_fused_tensors_are_loaded_by_a_map_of_names(device: str, llama: Path) -> None:
    module = Fused().to(device)
    load(module, llama, names=NAMES)
    assert all(torch.equal(module.state_dict()[name], t) for name, t in fused(saved(trained(Decoder))).items())
    assert "each element once" in refused(module, llama, names={**NAMES, "model.layer.weight": ("qkv", slice(0, 7))})
