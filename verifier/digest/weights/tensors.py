"""A tensor in memory as a safetensors file would hold it: dtype, shape and canonical bytes.

The canonical bytes are the elements in C order, little-endian. They do not depend on strides, device, or the lazy
conjugate and negative bits of the tensor. If the memory already has this form it is read in place; otherwise it is
converted in pieces of the requested size.

This module imports neither torch nor NumPy: a caller that has a tensor has imported them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.segments import HOST, HostMemory, Memory
from provenance_oracle.verifier.errors import VerificationError

# The names of dtypes in torch and NumPy (with ml_dtypes), and in safetensors.
DTYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "uint32": "U32",
    "int32": "I32",
    "uint64": "U64",
    "int64": "I64",
    "float4_e2m1fn_x2": "F4",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
}
# Along the last dimension torch counts pairs of 4-bit numbers, and safetensors counts the numbers.
PAIRED_DTYPE = "F4"


@dataclass(frozen=True)
class LiveTensor:
    """A tensor in memory: dtype and shape as safetensors writes them, and its canonical bytes.

    Two tensors with equal `place` have the same bytes: address, device, dtype, shape, strides and lazy bits are equal.
    """

    dtype: str
    shape: tuple[int, ...]
    memory: Memory
    place: tuple[object, ...]


def view_tensor(value: object, name: str) -> LiveTensor:
    """Return a view of a torch or NumPy tensor as safetensors would write it, without a copy. `name` is for messages.

    Raises:
        VerificationError: the value is no tensor, or is sharded, quantised, sparse, on the meta device, or of a dtype
            that safetensors does not have (check `file-digests`).
    """
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        return _view_torch(torch, value, name)
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        return _view_numpy(numpy, value, name)
    raise _tensor_error(name, "the value is not a tensor", _type_name(value), "a torch tensor or a NumPy array")


def _view_torch(torch: Any, value: Any, name: str) -> LiveTensor:
    _refuse_strange_torch(torch, value, name)
    tensor = value.detach()
    dtype = _dtype(str(tensor.dtype).removeprefix("torch."), name)
    shape = tuple(tensor.shape)
    if dtype == PAIRED_DTYPE:
        shape = (*shape[:-1], *(2 * size for size in shape[-1:]))
    is_canonical = tensor.is_contiguous() and not (tensor.is_conj() or tensor.is_neg())
    address, size = tensor.data_ptr(), tensor.numel() * tensor.element_size()
    device = str(tensor.device)
    lazy = (tensor.is_conj(), tensor.is_neg())
    place = (device, address, dtype, shape, tensor.stride(), lazy)
    if is_canonical and device == HOST:
        return LiveTensor(dtype, shape, HostMemory(address, size, tensor), place)
    return LiveTensor(dtype, shape, TorchMemory(tensor, size, device, address if is_canonical else None), place)


def _refuse_strange_torch(torch: Any, value: Any, name: str) -> None:
    """Refuse an object that looks like a tensor but does not hold the bytes that were saved."""
    plain = (torch.Tensor, torch.nn.Parameter, getattr(torch.nn, "Buffer", torch.Tensor))
    wanted = "a plain dense tensor, as it is right after loading and before weights are sharded, fused or quantised"
    if type(value) not in plain:
        raise _tensor_error(name, "a tensor of another kind does not hold the saved bytes", _type_name(value), wanted)
    if value.layout is not torch.strided or value.is_quantized:
        kind = "quantised" if value.is_quantized else str(value.layout).removeprefix("torch.")
        raise _tensor_error(name, "the tensor is not dense", kind, wanted)
    if value.device.type == "meta":
        problem = "the tensor has no bytes to check"
        raise _tensor_error(name, problem, "a tensor on the meta device, which has no bytes", wanted)
    held, needed = value.untyped_storage().nbytes(), _storage_bytes(value)
    if held < needed:  # sharding libraries leave such tensors behind
        raise _tensor_error(name, "the tensor's memory was freed", f"{held} bytes of memory", f"{needed} bytes")


def _storage_bytes(value: Any) -> int:
    """Return the number of bytes of its storage up to the last byte of a tensor."""
    if not value.numel():
        return 0
    last = sum((size - 1) * stride for size, stride in zip(value.shape, value.stride(), strict=True))
    return int((value.storage_offset() + last + 1) * value.element_size())


def _view_numpy(numpy: Any, value: Any, name: str) -> LiveTensor:
    if type(value) is not numpy.memmap and not isinstance(value, numpy.generic) and type(value) is not numpy.ndarray:
        raise _tensor_error(
            name, "an array of another kind does not hold the saved bytes", _type_name(value), "an ndarray"
        )
    array = numpy.asarray(value)
    dtype = _dtype(array.dtype.name, name)
    address = array.__array_interface__["data"][0]
    place = (HOST, address, dtype, array.shape, array.strides, array.dtype.str)
    if array.flags.c_contiguous and array.dtype.isnative:
        return LiveTensor(dtype, array.shape, HostMemory(address, array.nbytes, array), place)
    return LiveTensor(dtype, array.shape, NumpyMemory(array, array.nbytes), place)


@dataclass(frozen=True)
class TorchMemory:
    """A torch tensor on another device or not in C order. Pieces of it are put in order and copied to the host."""

    tensor: Any
    size: int
    device: str
    address: int | None

    def read_into(self, target: memoryview, offset: int) -> None:
        item, filled = self.tensor.element_size(), 0
        first, last = offset // item, -(-(offset + len(target)) // item)
        skipped = offset - first * item  # bytes of the first element before `offset`
        for piece in _pieces(self.tensor, first, last):
            here = piece.resolve_conj().resolve_neg().contiguous().cpu()
            size = here.numel() * item
            filled += _copy(HostMemory(here.data_ptr(), size, here), target[filled:], skipped)
            skipped = 0


@dataclass(frozen=True)
class NumpyMemory:
    """A NumPy array that is not in C order or not little-endian. Pieces of it are put in order."""

    array: Any
    size: int
    device: str = HOST
    address: None = None

    def read_into(self, target: memoryview, offset: int) -> None:
        item, filled = self.array.itemsize, 0
        first, last = offset // item, -(-(offset + len(target)) // item)
        skipped = offset - first * item
        for piece in _pieces(self.array, first, last):
            here = piece.astype(piece.dtype.newbyteorder("="), order="C")
            address = here.__array_interface__["data"][0]
            filled += _copy(HostMemory(address, here.nbytes, here), target[filled:], skipped)
            skipped = 0


def _copy(source: HostMemory, target: memoryview, skipped: int) -> int:
    """Copy bytes of the source after its first `skipped` bytes, as many as `target` can take. Return their number."""
    size = min(source.size - skipped, len(target))
    source.read_into(target[:size], skipped)
    return size


def _pieces(tensor: Any, first: int, last: int) -> Iterator[Any]:
    """Yield parts of the tensor that together are its elements from `first` up to `last`, counted in C order."""
    if not tensor.ndim:
        yield tensor
        return
    row_size = math.prod(tensor.shape[1:])
    while first < last:
        row, inner = divmod(first, row_size)
        if inner or last - first < row_size:
            taken = min(row_size - inner, last - first)
            yield from _pieces(tensor[row], inner, inner + taken)
        else:
            rows = (last - first) // row_size
            taken = rows * row_size
            yield tensor[row : row + rows]
        first += taken


def _dtype(theirs: str, name: str) -> str:
    try:
        return DTYPES[theirs]
    except KeyError:
        raise _tensor_error(name, "safetensors does not have this dtype", theirs, ", ".join(DTYPES)) from None


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _tensor_error(name: str, problem: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=Check.FILE_DIGESTS, where=f"tensor {name}", got=got, wanted=wanted)
