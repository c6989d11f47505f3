"""The canonical bytes of tensors of every dtype and layout equal those that safetensors writes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.segments import HostMemory
from provenance_oracle.verifier.digest.weights import tensors as tensors_module
from provenance_oracle.verifier.digest.weights.tensors import DTYPES, view_tensor
from provenance_oracle.verifier.errors import VerificationError

torch = pytest.importorskip("torch", reason="torch is not installed")
np = pytest.importorskip("numpy", reason="NumPy is not installed")

TORCH_DTYPES = [name for name in DTYPES if hasattr(torch, name)]


def some(dtype: str, *shape: int) -> Any:
    """A torch tensor whose bytes differ from each other; truth values are 0 or 1."""
    item = torch.empty(0, dtype=getattr(torch, dtype)).element_size()
    size = item
    for length in shape:
        size *= length
    raw = (torch.arange(size, dtype=torch.int64) * 37 % 251).to(torch.uint8)
    raw = raw & 1 if dtype == "bool" else raw
    return raw.view(getattr(torch, dtype)).reshape(shape) if size else torch.empty(shape, dtype=getattr(torch, dtype))


def canonical(tensor: Any) -> bytes:
    """The bytes that the library would write, computed in another way."""
    plain = tensor.detach().resolve_conj().resolve_neg().cpu().clone(memory_format=torch.contiguous_format)
    return bytes(plain.reshape(-1).view(torch.uint8).tolist()) if plain.numel() else b""


def read(tensor: object, offset: int = 0, size: int | None = None) -> bytes:
    memory = view_tensor(tensor, "t").memory
    target = bytearray(memory.size - offset if size is None else size)
    if target:
        memory.read_into(memoryview(target), offset)
    return bytes(target)


@pytest.mark.parametrize("dtype", TORCH_DTYPES)
def test_every_dtype_of_torch(dtype: str) -> None:
    save = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save
    for tensor in (some(dtype, 6, 4), some(dtype, 0, 4)):
        found = view_tensor(tensor, "t")
        assert isinstance(found.memory, HostMemory)  # in place
        written = save({"t": tensor})
        start = 8 + int.from_bytes(written[:8], "little")
        assert read(tensor) == written[start:]
        assert f'"dtype":"{found.dtype}","shape":{list(found.shape)}'.replace(" ", "") in written[:start].decode()


def layouts() -> dict[str, Any]:
    image, matrix, complex_ = some("float32", 2, 3, 5, 4), some("float16", 7, 9), some("complex64", 4, 3)
    return {
        "scalar": some("int64"),
        "transposed": matrix.t(),
        "channels last": image.to(memory_format=torch.channels_last),
        "permuted": image.permute(3, 0, 2, 1),
        "every second": matrix[::2, 1::3],
        "expanded": some("bfloat16", 5, 1).expand(5, 8),
        "column": matrix[:, 3],
        "flipped": matrix.flip(0),
        "conjugate": complex_.conj(),
        "conjugate, transposed": complex_.conj().t(),
        "negative": complex_.conj().imag,
        "conjugate scalar": complex_[1, 1].conj(),
        "offset by one byte": some("uint8", 9)[1:],
        "no elements, transposed": some("float32", 0, 3).t(),
        "a parameter": torch.nn.Parameter(some("float32", 3, 3).t()),
        "a view of another dtype": some("float32", 4, 4).view(torch.int32),
    }


@pytest.mark.parametrize("layout", layouts())
def test_every_layout_hashes_as_saved(layout: str) -> None:
    tensor = layouts()[layout]
    wanted = canonical(tensor)
    assert read(tensor) == wanted
    for offset in range(0, len(wanted), 7):
        for size in (1, 2, 5, len(wanted) - offset):
            size = min(size, len(wanted) - offset)
            assert read(tensor, offset, size) == wanted[offset : offset + size]


@st.composite
def views(draw: st.DrawFn) -> Any:
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    tensor = some(draw(st.sampled_from(["int32", "uint8", "complex64"])), *shape)
    if shape:
        tensor = tensor.permute(*draw(st.permutations(range(len(shape)))))
        tensor = tensor[tuple(slice(draw(st.integers(0, 1)), None, draw(st.integers(1, 2))) for _ in shape)]
    return tensor.conj() if draw(st.booleans()) else tensor


@settings(max_examples=300)
@given(views(), st.data())
def test_any_range_of_any_view(tensor: Any, draws: st.DataObject) -> None:
    wanted = canonical(tensor)
    offset = draws.draw(st.integers(0, len(wanted)))
    size = draws.draw(st.integers(0, len(wanted) - offset))
    assert read(tensor, offset, size) == wanted[offset : offset + size]


def test_scratch_is_of_the_size_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    pieces = tensors_module._pieces

    def spy(*arguments: Any) -> Any:
        for piece in pieces(*arguments):
            sizes.append(piece.numel())
            yield piece

    monkeypatch.setattr(tensors_module, "_pieces", spy)
    tensor = some("uint8", 300, 5000).t()
    assert read(tensor, 1_000_001, 4096) == canonical(tensor)[1_000_001 : 1_000_001 + 4096]
    assert max(sizes) <= 4096


def test_numpy_arrays() -> None:
    matrix = np.arange(35, dtype=np.float32).reshape(5, 7)
    for array in (matrix, matrix.T, matrix[::-2, 1:], np.asfortranarray(matrix), matrix.astype(">f4"), matrix[2, 3]):
        wanted = np.ascontiguousarray(array).astype("<f4").tobytes()
        found = view_tensor(array, "t")
        assert (found.dtype, found.shape) == ("F32", np.shape(array))
        for offset in range(0, len(wanted), 3):
            assert read(array, offset) == wanted[offset:]
    frozen = matrix.copy()
    frozen.flags.writeable = False
    assert read(frozen) == matrix.tobytes()


def test_a_memory_map_is_read_in_place(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "a", dtype=np.int16, mode="w+", shape=(3, 4))
    mapped[:] = 258
    assert isinstance(view_tensor(mapped, "t").memory, HostMemory)
    assert read(mapped) == b"\x02\x01" * 12


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_what_does_not_hold_the_saved_bytes_is_refused() -> None:
    class Sharded(torch.Tensor):
        pass

    freed = torch.ones(3)
    freed.untyped_storage().resize_(0)
    cut = torch.ones(2, 3).t()
    cut.untyped_storage().resize_(20)
    strange = {
        "freed": freed,
        "cut": cut,
        "sparse": torch.eye(3).to_sparse(),
        "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "meta": torch.empty(3, device="meta"),
        "subclass": torch.ones(3).as_subclass(Sharded),
        "uninitialised": torch.nn.parameter.UninitializedParameter(),
        "complex128": torch.ones(3, dtype=torch.complex128),
        "masked": np.ma.masked_array([1.0], [True]),
        "objects": np.array([None]),
        "texts": np.array(["a"]),
        "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
        "records": np.zeros(2, dtype=[("a", "f4")]),
        "list": [1.0],
        "number": 1.0,
        "none": None,
    }
    for name, value in strange.items():
        with pytest.raises(VerificationError) as caught:
            view_tensor(value, name)
        assert (caught.value.check, caught.value.where) == (Check.FILE_DIGESTS, f"tensor {name}")
