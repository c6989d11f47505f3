"""The files of a release that hold weights: which they are, their headers, their index, their per-tensor table.

Nothing of a release is trusted but its manifest. Small files are compared with it as they are read; a header is part
of its file, and is trusted once the digest of the whole file, header and tensors, is that of the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights.safetensors_header import Header, read_header
from provenance_oracle.verifier.digest.weights.tensor_table import MAX_TABLE_BYTES, TABLE_PATH, TensorRow, parse_table
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.manifest.names import parse_path
from provenance_oracle.verifier.manifest.statement import FSVERITY, SHA256, Manifest, ManifestFile
from provenance_oracle.verifier.strict.files import OpenFile, open_any_file
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

WEIGHTS_SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"
MAX_INDEX_BYTES = 100_000_000


@dataclass(frozen=True)
class WeightsFile:
    """A safetensors file: path and fs-verity digest (32 bytes) by the manifest, header as found on disk."""

    path: str
    fsverity: bytes
    header: Header


def choose_weights(folder: Path, manifest: Manifest, files: Collection[str] = ()) -> tuple[FileDigest, ...]:
    """Return the files that make up the model, as the manifest has them.

    Args:
        folder: the release's.
        files: their paths; by default the one safetensors file there is or, where there are several, those that the
            one index of the release names.

    Raises:
        UsageError: it is not clear which ones, or a path in `files` is not in the manifest.
        FormatError: the index is malformed, or names a file that the manifest does not (check `file-digests`).
        VerificationError: the index is not that of the manifest, or a file has no fs-verity digest there.
    """
    named = {file.path: file for file in manifest.files}
    for path in files:
        if path not in named:
            raise UsageError("no such file in the manifest", where="files", got=path, wanted="paths of the manifest")
    paths = tuple(sorted(set(files))) or _found_weights(folder, named)
    return tuple(_with_fsverity(named[path]) for path in paths)


def _found_weights(folder: Path, named: Mapping[str, ManifestFile]) -> tuple[str, ...]:
    path = find_weights(named)
    if not path.endswith(INDEX_SUFFIX):
        return (path,)
    paths = parse_index(read_named(folder, named[path], MAX_INDEX_BYTES), path)
    for found in paths:
        if found not in named:
            raise _error(FormatError, path, "names a file that the manifest lacks", found, "files of the release")
    return paths


def find_weights(paths: Collection[str]) -> str:
    """Return the path of the one safetensors file among a release's files or, when there are several, of their index.

    Raises:
        UsageError: there is none, or it is not clear which ones make up the model.
    """
    weights = sorted(path for path in paths if path.endswith(WEIGHTS_SUFFIX))
    indexes = sorted(path for path in paths if path.endswith(INDEX_SUFFIX))
    for found in (weights, indexes):
        if len(found) == 1:
            return found[0]
    got = f"{len(weights)} safetensors files and {len(indexes)} indexes"
    wanted = "one file, or one index that names its files; else name the files of this model yourself (files=...)"
    raise UsageError("which files hold the weights?", where="release", got=got, wanted=wanted)


def parse_index(data: bytes, where: str) -> tuple[str, ...]:
    """Return the paths, from the release's folder, of the files that the index at path `where` names.

    An index is `{"metadata": ..., "weight_map": {tensor: file}}`, files by their paths from its own folder. Headers
    say which tensors a file holds, so nothing here relies on more than the list of files.

    Raises:
        FormatError: it is no index, or names what cannot be a file of a release (check `file-digests`).
    """
    value = parse_json(data, where=where, check=Check.FILE_DIGESTS, max_bytes=MAX_INDEX_BYTES, max_depth=8)
    weight_map = Fields(value, where=where, check=Check.FILE_DIGESTS).fields("weight_map")
    folder = where.rpartition("/")[0]
    names = sorted({weight_map.text(tensor) for tensor in weight_map.keys})
    if not names:
        raise weight_map.error("", "no files", got="an empty object", wanted="a file for every tensor")
    paths = tuple(f"{folder}/{name}".removeprefix("/") for name in names)
    return tuple(parse_path(path, where=where, check=Check.FILE_DIGESTS) for path in paths)


def read_weights(folder: Path, files: Iterable[FileDigest]) -> tuple[WeightsFile, ...]:
    """Read the headers, and nothing more, of files that `choose_weights` returned; they may be cut after them.

    Raises:
        UsageError: no such file. FormatError: an unacceptable header. TemporaryError: it cannot be read.
    """
    weights = []
    for file in files:
        with open_any_file(folder / file.path) as opened:
            weights.append(weights_file(opened, file))
    return tuple(weights)


def weights_file(opened: OpenFile, named: FileDigest) -> WeightsFile:
    """Read the header of an open file that is to be `named`."""
    return WeightsFile(named.path, named.fsverity, read_header(replace(opened, path=named.path), named.size))


def read_table(folder: Path, manifest: Manifest) -> dict[str, TensorRow] | None:
    """Return the release's per-tensor table by tensor; None if the manifest names none.

    Raises:
        VerificationError: it is not the manifest's. FormatError: it is malformed. UsageError: it is not there.
    """
    named = next((file for file in manifest.files if file.path == TABLE_PATH), None)
    return parse_table(read_named(folder, named, MAX_TABLE_BYTES)) if named else None


def read_named(folder: Path, named: ManifestFile, max_bytes: int) -> bytes:
    """Read a small file of the release whole, and compare it with the manifest.

    Raises:
        VerificationError: it has another size or digest than the manifest says (check `file-digests`).
        FormatError: the manifest says that it is larger than `max_bytes`. UsageError: it is not there.
        ChangedError, TemporaryError: it cannot be read, or changed meanwhile.
    """
    if named.size > max_bytes:
        raise _error(FormatError, named.path, "too large", f"{named.size} bytes", f"at most {max_bytes}")
    with open_any_file(folder / named.path) as file:
        if file.size != named.size:
            raise _error(VerificationError, named.path, "another size", f"{file.size} bytes", f"{named.size} bytes")
        data = bytearray(file.size)
        FileSource(file).read_into(memoryview(data), 0)
    for algorithm, wanted, found in (
        (FSVERITY, named.fsverity, fsverity_digest(bytes(data))),
        (SHA256, named.sha256, hashlib.sha256(data).digest()),
    ):
        if wanted is not None and wanted != found:
            raise _error(VerificationError, named.path, f"{algorithm} differs", found.hex(), wanted.hex())
    return bytes(data)


def _with_fsverity(file: ManifestFile) -> FileDigest:
    if file.fsverity is None:
        problem, wanted = "no digest that weights in memory can be compared with", f"{FSVERITY} in the manifest"
        raise _error(VerificationError, file.path, problem, "only its SHA-256", wanted)
    return FileDigest(file.path, file.size, file.fsverity)


def _error(
    kind: type[FormatError | VerificationError], where: str, problem: str, got: str, wanted: str
) -> FormatError | VerificationError:
    return kind(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
