"""Write a model's per-tensor table. `verifier.digest.weights.tensor_table` has its format and strict reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import list_files
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights.tensor_table import TABLE_PATH, TensorRow, format_table
from provenance_oracle.verifier.digest.weights.weight_files import (
    GGUF_SUFFIX,
    INDEX_SUFFIX,
    MAX_INDEX_BYTES,
    WEIGHTS_SUFFIX,
    find_weights,
    parse_index,
    read_any_header,
)
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading, ReleaseFolder, open_release_folder
from provenance_oracle.verifier.strict.write_file import write_file
from provenance_oracle.verifier.text import first_of


@dataclass(frozen=True)
class Range:
    """Part of an open file: `size` bytes from `begin` on. It has the interface that `CpuHasher.digest` reads from."""

    name: str
    file: FileSource
    begin: int
    size: int

    def read_into(self, target: memoryview, offset: int) -> None:
        self.file.read_into(target, self.begin + offset)


def write_tensor_table(folder: Path, reading: Reading = STRICT) -> Path:
    """Digest every tensor of the model in `folder`, write `tensors.json` there, and return its path.

    `find_weights` decides which files are the model's: safetensors files or, without any, GGUF files.

    Args:
        reading: what is allowed of the folder beyond plain files; by default nothing.

    Raises:
        UsageError: the folder or a file does not exist, or it is not clear which files hold the weights.
        FormatError: a header or the index is malformed, or two files hold a tensor of the same name.
        ChangedError: a file changed meanwhile. TemporaryError: the disk cannot be read or written.
    """
    rows: dict[str, TensorRow] = {}
    hasher = CpuHasher()
    paths = [file.path for file in list_files(folder, reading=reading).files]
    with open_release_folder(folder, reading) as model:
        for path in _weights_of(model, paths):
            for row in _rows_of(model, path, hasher):
                if row.name in rows:
                    where = f"{path}, tensor {row.name}"
                    problem, wanted = "two files hold a tensor of this name", "files of one model"
                    raise FormatError(problem, check=Check.FILE_DIGESTS, where=where, got="a name twice", wanted=wanted)
                rows[row.name] = row
        return _write(folder, model, format_table(rows.values()))


def _weights_of(model: ReleaseFolder, paths: Sequence[str]) -> tuple[str, ...]:
    if not any(path.endswith((WEIGHTS_SUFFIX, GGUF_SUFFIX)) for path in paths):
        wanted = "safetensors or GGUF files; leave out --tensor-table, since file digests cover every format"
        got = first_of(paths, 5) or "no file"
        problem = "a tensor table needs safetensors or GGUF files"
        raise UsageError(problem, where="--tensor-table", got=got, wanted=wanted)
    found = find_weights(paths)
    if not found[0].endswith(INDEX_SUFFIX):
        return found
    path = found[0]
    with model.open_named(path) as file:
        if file.size > MAX_INDEX_BYTES:
            got, wanted = f"{file.size} bytes", f"at most {MAX_INDEX_BYTES}"
            raise FormatError("the index is too large", check=Check.FILE_DIGESTS, where=path, got=got, wanted=wanted)
        data = bytearray(file.size)
        FileSource(file).read_into(memoryview(data), 0)
    return parse_index(bytes(data), path)


def _rows_of(model: ReleaseFolder, path: str, hasher: CpuHasher) -> Iterable[TensorRow]:
    with model.open_named(path) as file:
        for entry in read_any_header(file, file.size).tensors:
            source = Range(f"{path}, tensor {entry.name}", FileSource(file), entry.begin, entry.nbytes)
            digest = hasher.digest(source).fsverity
            yield TensorRow(entry.name, entry.dtype, entry.shape, entry.nbytes, digest)


def _write(folder: Path, model: ReleaseFolder, data: bytes) -> Path:
    path = folder / TABLE_PATH
    try:
        write_file(model.descriptor, TABLE_PATH, data)
    except OSError as error:
        got = error.strerror or str(error)
        problem = "the tensor table cannot be written"
        raise TemporaryError(problem, where=str(path), got=got, wanted="a folder to write to") from error
    return path
