"""Load weights so that the bytes you checked are the bytes you run: one descriptor, one read, into the tensors' memory.

Each piece of a file is read from the open file into the memory of its tensors, and hashed there. No file is opened by
its path a second time, and no memory map is used whose pages could change after they were hashed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.tree.segments import HOST, HostMemory
from provenance_oracle.verifier.digest.weights.live import ConfirmedFile, match_weights
from provenance_oracle.verifier.digest.weights.safetensors_header import TensorEntry
from provenance_oracle.verifier.digest.weights.segment_hasher import SegmentHasher
from provenance_oracle.verifier.digest.weights.tensor_table import TensorRow
from provenance_oracle.verifier.digest.weights.tensors import DTYPES, PAIRED_DTYPE
from provenance_oracle.verifier.digest.weights.weight_files import WeightsFile, weights_file
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError, naming_extras
from provenance_oracle.verifier.strict.files import OpenFile
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder
from provenance_oracle.verifier.text import printable

_TORCH_NAMES = {ours: theirs for theirs, ours in DTYPES.items()}


@dataclass(frozen=True)
class LoadingMemory:
    """The new memory of a tensor. Each piece of it is filled from the file when the hasher reads that piece."""

    memory: HostMemory
    file: OpenFile
    begin: int
    device: str = HOST
    address: None = None

    @property
    def size(self) -> int:
        return self.memory.size

    def read_into(self, target: memoryview, offset: int) -> None:
        kept = (ctypes.c_char * len(target)).from_address(self.memory.address + offset)
        FileSource(self.file).read_into(memoryview(kept).cast("B"), self.begin + offset)
        self.memory.read_into(target, offset)


def load_weights(
    release: ReleaseFolder, named: FileDigest, table: Mapping[str, TensorRow] | None, hasher: SegmentHasher
) -> tuple[dict[str, Any], ConfirmedFile]:
    """Load the tensors of one safetensors file as torch tensors on the CPU, in memory of their own, by name.

    Args:
        release: the release's open folder.
        named: path, size and digest of the file, as the manifest states them.
        table: the release's per-tensor table, if any.

    Raises:
        VerificationError: the file differs from the manifest (check `file-digests`).
        FormatError: the header is unacceptable.
        UsageError: the file does not exist, or torch lacks a dtype.
        ChangedError: the file changed meanwhile.
        TemporaryError: the file cannot be read, or there is not enough memory.
    """
    with release.open_named(named.path) as opened:
        if opened.size != named.size:
            got, wanted = f"{opened.size} bytes", f"{named.size} bytes"
            problem = "the file has another size"
            raise VerificationError(problem, check=Check.FILE_DIGESTS, where=named.path, got=got, wanted=wanted)
        file = weights_file(opened, named)
        tensors = {entry.name: _allocate(entry, named.path) for entry in file.header.tensors}
        memories = {
            entry.name: LoadingMemory(_memory_of(tensors[entry.name], entry.nbytes), opened, entry.begin)
            for entry in file.header.tensors
        }
        confirmed = match_weights(file, memories, table, hasher)
    return tensors, confirmed


def read_tensors(release: ReleaseFolder, files: Iterable[WeightsFile], names: Collection[str]) -> dict[str, Any]:
    """Read some tensors of the files as torch tensors on the CPU, in memory of their own, by name. Nothing is compared.

    Args:
        files: as `read_weights` returns them.

    Raises:
        UsageError: no file holds a name, or torch lacks a dtype.
        ChangedError, TemporaryError: a file changed meanwhile, or cannot be read; there is not enough memory.
    """
    tensors: dict[str, Any] = {}
    for file in files:
        with release.open_named(file.path) as opened:
            for entry in file.header.tensors:
                if entry.name in names:
                    tensors[entry.name] = _allocate(entry, file.path)
                    memory = (ctypes.c_char * entry.nbytes).from_address(tensors[entry.name].data_ptr())
                    FileSource(opened).read_into(memoryview(memory).cast("B"), entry.begin)
    for name in sorted(set(names) - tensors.keys()):
        raise UsageError("no file holds the tensor", where="unused", got=printable(name), wanted="tensors of the files")
    return tensors


def _allocate(entry: TensorEntry, path: str) -> Any:
    with naming_extras():
        import torch

    where = f"{path}, tensor {entry.name}"
    dtype = getattr(torch, _TORCH_NAMES.get(entry.dtype, ""), None)
    shape = _halved(entry.shape) if entry.dtype == PAIRED_DTYPE else entry.shape
    if dtype is None or shape is None:
        got, wanted = f"{entry.dtype} {list(entry.shape)}", "a dtype and shape that the installed torch has"
        raise UsageError("torch cannot hold the tensor", where=where, got=got, wanted=wanted)
    try:
        return torch.empty(shape, dtype=dtype)
    except (RuntimeError, MemoryError) as error:
        got, wanted = str(error).partition("\n")[0], f"{entry.nbytes} bytes of memory"
        raise TemporaryError("the tensor cannot be loaded", where=where, got=got, wanted=wanted) from error


def _halved(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape counted in pairs of 4-bit numbers; None if the last dimension is odd or missing."""
    return (*shape[:-1], shape[-1] // 2) if shape and shape[-1] % 2 == 0 else None


def _memory_of(tensor: Any, size: int) -> HostMemory:
    return HostMemory(tensor.data_ptr(), size, tensor)
