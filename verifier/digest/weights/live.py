"""Weights in memory against the recorded digests of the files that they came from.

A safetensors file is a header and then its tensors' bytes. So the digest of the file can be computed again from the
small header and the tensors wherever they lie now: every block is put together from the memory that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, Memory, Segments
from provenance_oracle.verifier.digest.weights.model_state import list_names
from provenance_oracle.verifier.digest.weights.segment_hasher import SegmentHasher
from provenance_oracle.verifier.digest.weights.tensor_table import TensorRow
from provenance_oracle.verifier.digest.weights.weight_files import WeightsFile
from provenance_oracle.verifier.errors import VerificationError


@dataclass(frozen=True)
class ConfirmedFile:
    """A file whose recorded digest is that of its header and these tensors; `hashed_by` says by which path."""

    path: str
    size: int
    fsverity: bytes
    tensors: tuple[str, ...]
    hashed_by: str


def match_weights(
    file: WeightsFile,
    memories: Mapping[str, Memory],
    table: Mapping[str, TensorRow] | None,
    hasher: SegmentHasher,
) -> ConfirmedFile:
    """Compute the digest of a file from its header and its tensors' memories, and compare it with the manifest's.

    Args:
        memories: by tensor; at least those of this file.
        table: the release's per-tensor table, so that a failure can name the tensor.

    Raises:
        VerificationError: it differs (check `file-digests`).
        TemporaryError: the memory of a device cannot be read. DeviceFaultError: a GPU computes wrongly.
    """
    header = file.header
    segments = Segments(file.path, [BytesMemory(header.data), *(memories[entry.name] for entry in header.tensors)])
    found = hasher.digest(segments)
    if found.fsverity != file.fsverity:
        if table is None:
            raise _unnamed_difference(file, found.fsverity)
        raise _header_difference(file, table) or _tensor_difference(file, memories, table, hasher, found.fsverity)
    names = tuple(entry.name for entry in header.tensors)
    return ConfirmedFile(file.path, header.file_bytes, found.fsverity, names, found.hashed_by)


def _unnamed_difference(file: WeightsFile, found: bytes) -> VerificationError:
    problem = (
        "the weights in memory are not those of this file, or the header on disk is not; the release has no"
        " per-tensor table (provenance pack --tensor-table) that would tell which tensor differs"
    )
    return _differs(problem, file.path, found.hex(), file.fsverity.hex())


def _header_difference(file: WeightsFile, table: Mapping[str, TensorRow]) -> VerificationError | None:
    """Say where a header, which is not trusted yet, states something else than the table."""
    for entry in file.header.tensors:
        row = table.get(entry.name)
        if row is None or (row.dtype, row.shape) != (entry.dtype, entry.shape):
            got = f"{entry.dtype} {list(entry.shape)}"
            wanted = f"{row.dtype} {list(row.shape)}" if row else "no such tensor"
            where = f"{file.path}, tensor {entry.name}"
            return _differs("the header on disk is not that of the release", where, got, wanted)
    return None


def _tensor_difference(
    file: WeightsFile,
    memories: Mapping[str, Memory],
    table: Mapping[str, TensorRow],
    hasher: SegmentHasher,
    found: bytes,
) -> VerificationError:
    """Say which tensors are not those of the table."""
    names = [entry.name for entry in file.header.tensors]
    digests = {name: hasher.digest(Segments(f"tensor {name}", [memories[name]])).fsverity for name in names}
    different = [name for name in names if digests[name] != table[name].fsverity]
    if not different:
        problem = "every tensor is that of the release, but the header on disk is not"
        return _differs(problem, file.path, found.hex(), file.fsverity.hex())
    first = different[0]
    others = f"; nor are {list_names(different[1:])}" if different[1:] else ""
    problem = f"the weights in memory are not those of the release{others}"
    return _differs(problem, f"{file.path}, tensor {first}", digests[first].hex(), table[first].fsverity.hex())


def _differs(problem: str, where: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
