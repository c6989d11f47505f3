"""GGUF files: a table is packed, the weights in memory are compared, and the file is loaded, as with safetensors."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle import load_into, load_verified, verify_model
from provenance_oracle.verifier.digest.weights import gguf_header
from provenance_oracle.verifier.digest.weights.tensor_table import parse_table
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from tests.support.live_releases import AT, lay_out
from tests.verifier.digest.weights.test_gguf_header import build, tensor, write_model

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")
numpy = pytest.importorskip("numpy", reason="NumPy is not installed")

CHECK: dict[str, Any] = {"policy": "demo", "at": AT}
MODEL = "model.gguf"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    lay_out(folder, {MODEL: write_model(folder / MODEL).read_bytes()})
    return folder


@pytest.fixture
def own(release: Path, tmp_path: Path) -> Path:
    """A copy of the release that a test may damage."""
    return Path(shutil.copytree(release, tmp_path / "own"))


def arrays(path: Path) -> dict[str, Any]:
    """The tensors as the published package reads them, in memory of their own."""
    return {tensor.name: numpy.array(tensor.data) for tensor in gguf.GGUFReader(path).tensors}


def test_the_table_has_every_tensor(release: Path) -> None:
    table = parse_table((release / "tensors.json").read_bytes())
    assert {name: row.shape for name, row in table.items()} == {
        name: array.shape for name, array in arrays(release / MODEL).items()
    }


def test_weights_in_memory_pass_and_a_changed_byte_is_named(release: Path) -> None:
    state = arrays(release / MODEL)
    assert sorted(verify_model(state, release, **CHECK).tensors) == sorted(state)
    for name, array in state.items():
        raw = array.reshape(-1).view(numpy.uint8)
        raw[-1] ^= 1
        with pytest.raises(VerificationError, match=rf"model\.gguf, tensor {name}: file-digests: the weights"):
            verify_model(state, release, **CHECK)
        raw[-1] ^= 1


def test_no_more_than_the_header_is_needed_on_disk(release: Path, own: Path) -> None:
    state = arrays(release / MODEL)
    with (own / MODEL).open("r+b") as file:
        file.truncate(gguf.GGUFReader(release / MODEL).data_offset)
    verify_model(state, own, **CHECK)


def test_a_changed_key_in_the_header_is_refused(own: Path) -> None:
    """A chat template lies in the header of a GGUF file."""
    data = (own / MODEL).read_bytes()
    state = arrays(own / MODEL)
    (own / MODEL).write_bytes(data.replace(b"{{ messages }}", b"{{ poisoned }}"))
    with pytest.raises(VerificationError, match="the header on disk differs"):
        verify_model(state, own, **CHECK)


def test_the_file_is_loaded_and_every_byte_checked(release: Path, own: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    loaded, wanted = load_verified(release, **CHECK), arrays(release / MODEL)
    assert loaded.tensors.keys() == wanted.keys()
    assert all((tensor.numpy() == wanted[name]).all() for name, tensor in loaded.tensors.items())
    verify_model(loaded.tensors, release, **CHECK)
    data = (own / MODEL).read_bytes()
    for place in (len(data) - 1, len(data) // 2, data.index(b"{{ messages }}")):
        (own / MODEL).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(VerificationError, match="file-digests"):
            load_verified(own, **CHECK)


def test_tensors_that_are_not_quantised_go_into_a_module(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = torch.nn.Linear(8, 1, bias=False)
    lay_out(tmp_path, {MODEL: build(tensors=[tensor("blk.0.w", (8, 1))], data=0) + bytes(range(32))})
    load_into(module, tmp_path, names={"blk.0.w": "weight"}, **CHECK)
    assert module.weight.detach().numpy().tobytes() == bytes(range(32))


def test_padding_that_is_not_zero_is_refused(tmp_path: Path) -> None:
    data = build(tensors=[tensor("a", (1,)), tensor("b", (1,), offset=32)], data=64)
    state = {"a": numpy.zeros(1, numpy.float32), "b": numpy.zeros(1, numpy.float32)}
    for number, place in enumerate((-1, -40, None)):
        hidden = data if place is None else data[:place] + b"x" + data[len(data) + place + 1 :]
        folder = tmp_path / str(number)
        lay_out(folder, {MODEL: hidden})
        if place is None:
            verify_model(state, folder, **CHECK)
        else:
            with pytest.raises(VerificationError, match="the header on disk differs"):
                verify_model(state, folder, **CHECK)


def test_a_split_model_passes(tmp_path: Path) -> None:
    parts = {f"m-0000{n}-of-00002.gguf": build(tensors=[tensor(f"t{n}", (8,))]) for n in (1, 2)}
    lay_out(tmp_path, parts)
    state = {f"t{n}": numpy.zeros(8, numpy.float32) for n in (1, 2)}
    assert [file.path for file in verify_model(state, tmp_path, **CHECK).files] == sorted(parts)


@pytest.mark.parametrize(
    "names",
    [("a.gguf", "b.gguf"), ("m-00001-of-00003.gguf", "m-00002-of-00003.gguf"), ("m-00001-of-00002.gguf", "x.gguf")],
    ids=["two models", "a part is missing", "a part and a model"],
)
def test_which_files_must_be_clear(names: tuple[str, str], tmp_path: Path) -> None:
    lay_out(tmp_path, {name: build() for name in names}, table=False)
    state = {"a": numpy.zeros(8, numpy.float32)}
    with pytest.raises(UsageError, match="2 GGUF files"):
        verify_model(state, tmp_path, **CHECK)
    assert verify_model(state, tmp_path, files=[names[0]], **CHECK).unchecked_files == (names[1],)


def test_a_hostile_header_is_refused_in_all_of_them(tmp_path: Path) -> None:
    lay_out(tmp_path, {MODEL: build(counts=(2**63, 0))}, table=False)
    with pytest.raises(FormatError, match="too many tensors"):
        verify_model({}, tmp_path, **CHECK)
    with pytest.raises(FormatError, match="too many tensors"):
        load_verified(tmp_path, **CHECK)
    with pytest.raises(FormatError, match="too many tensors"):
        lay_out(tmp_path / "other", {MODEL: build(counts=(2**63, 0))}, table=True)


def test_without_the_package_the_extra_is_named(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf_header._types.cache_clear()
    monkeypatch.setitem(sys.modules, "gguf.constants", None)
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(UsageError, match=r"provenance-oracle\[gguf\]"):
        verify_model({}, release, **CHECK)
