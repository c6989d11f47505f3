"""Compare weights in memory with the recorded digests of their files.

A safetensors or GGUF file is a header followed by the bytes of its tensors. So the digest of the file can be computed
from the small header and the tensors in memory, on any device. Each block is assembled from the memory that holds its
bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, Memory, Segments
from provenance_oracle.verifier.digest.weights.model_state import list_names
from provenance_oracle.verifier.digest.weights.safetensors_header import Header
from provenance_oracle.verifier.digest.weights.segment_hasher import SegmentHasher
from provenance_oracle.verifier.digest.weights.tensor_table import TensorRow
from provenance_oracle.verifier.digest.weights.weight_files import WeightsFile
from provenance_oracle.verifier.errors import VerificationError


@dataclass(frozen=True)
class ConfirmedFile:
    """A file whose recorded digest equals that of its header and these tensors in memory.

    `size` is in bytes, `fsverity` has 32 bytes, `tensors` are names, and `hashed_by` names the implementation that
    hashed them.
    """

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
    """Compute the digest of a file from its header and its tensors in memory, and compare it with the manifest's.

    Args:
        memories: the memory of each tensor by name, at least for the tensors of this file.
        table: the release's per-tensor table, with which a failure can name the tensor; None if there is none.

    Raises:
        VerificationError: the digests differ (check `file-digests`).
        TemporaryError: the memory of a device cannot be read. DeviceFaultError: a GPU computes wrongly.
    """
    header = file.header
    segments = Segments(file.path, _parts(header, memories))
    found = hasher.digest(segments)
    if found.fsverity != file.fsverity:
        if table is None:
            raise _unnamed_difference(file, found.fsverity)
        raise _header_difference(file, table) or _tensor_difference(file, memories, table, hasher, found.fsverity)
    names = tuple(entry.name for entry in header.tensors)
    return ConfirmedFile(file.path, header.file_bytes, found.fsverity, names, found.hashed_by)


def _parts(header: Header, memories: Mapping[str, Memory]) -> list[Memory]:
    """Return the parts of a file: header, tensors, and the zeros that align tensors in a GGUF file."""
    parts: list[Memory] = [BytesMemory(header.data)]
    position = len(header.data)
    for entry in header.tensors:
        parts += [BytesMemory(bytes(entry.begin - position))] if entry.begin > position else []
        parts.append(memories[entry.name])
        position = entry.end
    return [*parts, BytesMemory(bytes(header.file_bytes - position))] if header.file_bytes > position else parts


def _unnamed_difference(file: WeightsFile, found: bytes) -> VerificationError:
    problem = (
        "the weights in memory or the header on disk differ from the release; it has no per-tensor table"
        " (provenance pack --tensor-table) that would tell which tensor differs"
    )
    return _differs(problem, file.path, found.hex(), file.fsverity.hex())


def _header_difference(file: WeightsFile, table: Mapping[str, TensorRow]) -> VerificationError | None:
    """Return the error for the first tensor whose entry in the header, not trusted yet, differs from the table."""
    for entry in file.header.tensors:
        row = table.get(entry.name)
        if row is None or (row.dtype, row.shape) != (entry.dtype, entry.shape):
            got = f"{entry.dtype} {list(entry.shape)}"
            wanted = f"{row.dtype} {list(row.shape)}" if row else "no such tensor"
            where = f"{file.path}, tensor {entry.name}"
            return _differs("the header on disk differs from the release", where, got, wanted)
    return None


def _tensor_difference(
    file: WeightsFile,
    memories: Mapping[str, Memory],
    table: Mapping[str, TensorRow],
    hasher: SegmentHasher,
    found: bytes,
) -> VerificationError:
    """Return the error that names the tensors whose bytes differ from the table."""
    names = [entry.name for entry in file.header.tensors]
    digests = {name: hasher.digest(Segments(f"tensor {name}", [memories[name]])).fsverity for name in names}
    different = [name for name in names if digests[name] != table[name].fsverity]
    if not different:
        problem = "every tensor equals that of the release, but the header on disk differs"
        return _differs(problem, file.path, found.hex(), file.fsverity.hex())
    first = different[0]
    others = f"; so do {list_names(different[1:])}" if different[1:] else ""
    problem = f"the weights in memory differ from the release{others}"
    return _differs(problem, f"{file.path}, tensor {first}", digests[first].hex(), table[first].fsverity.hex())


def _differs(problem: str, where: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
