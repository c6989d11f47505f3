"""The weight files of a release: the choice of files, their headers, their index, their per-tensor table.

Only the manifest of a release is trusted. Small files are compared with it when they are read. A header is part of its
file, so it is trusted only after the digest of the whole file, header and tensors, matches the manifest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest
from provenance_oracle.verifier.digest.tree.merkle import FileSource
from provenance_oracle.verifier.digest.weights.gguf_header import read_gguf_header
from provenance_oracle.verifier.digest.weights.safetensors_header import Header, read_header
from provenance_oracle.verifier.digest.weights.tensor_table import MAX_TABLE_BYTES, TABLE_PATH, TensorRow, parse_table
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.manifest.names import parse_path
from provenance_oracle.verifier.manifest.statement import FSVERITY, SHA256, Manifest, ManifestFile
from provenance_oracle.verifier.strict.files import OpenFile
from provenance_oracle.verifier.strict.parse_json import MAX_TOKENS, Fields, parse_json, refuse_structure
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder

WEIGHTS_SUFFIX = ".safetensors"
GGUF_SUFFIX = ".gguf"
INDEX_SUFFIX = ".safetensors.index.json"
MAX_INDEX_BYTES = 100_000_000
CONFIG_PATH = "config.json"
MAX_CONFIG_BYTES = 16_000_000
_SPLIT = re.compile(r"(?P<name>.*)-(?P<number>[0-9]{5})-of-(?P<all>[0-9]{5})\.gguf", re.DOTALL)


@dataclass(frozen=True)
class WeightsFile:
    """A safetensors or GGUF file: path and fs-verity digest (32 bytes) from the manifest, header from disk."""

    path: str
    fsverity: bytes
    header: Header


def choose_weights(release: ReleaseFolder, manifest: Manifest, files: Collection[str] = ()) -> tuple[FileDigest, ...]:
    """Return the weight files of the model, with size and digest from the manifest.

    Args:
        release: the release's open folder.
        files: the paths of the files; by default those that `find_weights` finds, or the files that its index names.

    Raises:
        UsageError: it is not clear which files hold the weights, or a path in `files` is not in the manifest.
        FormatError: the index is malformed, or names a file that the manifest lacks (check `file-digests`).
        VerificationError: the index differs from the manifest, or the manifest has no fs-verity digest of a file.
        ChangedError, TemporaryError: the index changed meanwhile, or cannot be read.
    """
    named = {file.path: file for file in manifest.files}
    for path in files:
        if path not in named:
            raise UsageError("no such file in the manifest", where="files", got=path, wanted="paths of the manifest")
    paths = tuple(sorted(set(files))) or _found_weights(release, named)
    return tuple(_with_fsverity(named[path]) for path in paths)


def _found_weights(release: ReleaseFolder, named: Mapping[str, ManifestFile]) -> tuple[str, ...]:
    found = find_weights(named)
    if not found[0].endswith(INDEX_SUFFIX):
        return found
    path = found[0]
    paths = parse_index(read_named(release, named[path], MAX_INDEX_BYTES), path)
    for inner in paths:
        if inner not in named:
            problem = "the index names a file that the manifest lacks"
            raise _error(FormatError, path, problem, inner, "files of the release")
    return paths


def find_weights(paths: Collection[str]) -> tuple[str, ...]:
    """Return the paths of the weights among a release's files, or of the index that names them.

    They are the only safetensors file, or the only index if there are several; without any, the only GGUF file, or the
    files of the only GGUF model that is split (`NAME-00001-of-00003.gguf`).

    Raises:
        UsageError: it is not clear which files hold the weights.
    """
    weights = sorted(path for path in paths if path.endswith(WEIGHTS_SUFFIX))
    indexes = sorted(path for path in paths if path.endswith(INDEX_SUFFIX))
    for found in (weights, indexes):
        if len(found) == 1:
            return (found[0],)
    gguf = sorted(path for path in paths if path.endswith(GGUF_SUFFIX))
    if not weights and (len(gguf) == 1 or _is_split(gguf)):
        return tuple(gguf)
    got = f"{len(weights)} safetensors files, {len(indexes)} indexes and {len(gguf)} GGUF files"
    wanted = "one file, or one index that names its files; else name the files of this model yourself (files=...)"
    raise UsageError("it is not clear which files hold the weights", where="release", got=got, wanted=wanted)


def _is_split(paths: Sequence[str]) -> bool:
    """Return whether sorted paths are the files of one split GGUF model, all of them."""
    parts = [_SPLIT.fullmatch(path) for path in paths]
    found = [(part["name"], int(part["number"]), int(part["all"])) for part in parts if part]
    return bool(found) and found == [(found[0][0], number, len(paths)) for number in range(1, len(paths) + 1)]


def parse_index(data: bytes, where: str) -> tuple[str, ...]:
    """Return the paths, from the release's folder, of the files that the index at path `where` names.

    An index is `{"metadata": ..., "weight_map": {tensor: file}}`, with the paths of files from its own folder, as the
    library transformers writes it. Only the list of files is used, since headers tell which tensors a file holds.

    Raises:
        FormatError: the bytes are not an index, or a path is not acceptable in a release (check `file-digests`).
    """
    value = parse_json(data, where=where, check=Check.FILE_DIGESTS, max_bytes=MAX_INDEX_BYTES, max_depth=8)
    weight_map = Fields(value, where=where, check=Check.FILE_DIGESTS).fields("weight_map")
    folder = where.rpartition("/")[0]
    names = sorted({weight_map.text(tensor) for tensor in weight_map.keys})
    if not names:
        raise weight_map.error("", "the index names no file", got="an empty object", wanted="a file for every tensor")
    paths = tuple(f"{folder}/{name}".removeprefix("/") for name in names)
    return tuple(parse_path(path, where=where, check=Check.FILE_DIGESTS) for path in paths)


def read_weights(release: ReleaseFolder, files: Iterable[FileDigest]) -> tuple[WeightsFile, ...]:
    """Read only the headers of files that `choose_weights` returned. The files may be cut after their headers.

    Raises:
        UsageError: a file does not exist. FormatError: a header is unacceptable.
        ChangedError, TemporaryError: a file changed meanwhile, or cannot be read.
    """
    weights = []
    for file in files:
        with release.open_named(file.path) as opened:
            weights.append(weights_file(opened, file))
    return tuple(weights)


def weights_file(opened: OpenFile, named: FileDigest) -> WeightsFile:
    """Read the header of an open file that should be the file `named` of the manifest.

    Raises the errors of `read_any_header`.
    """
    return WeightsFile(named.path, named.fsverity, read_any_header(replace(opened, path=named.path), named.size))


def read_any_header(file: OpenFile, file_bytes: int) -> Header:
    """Read the header of an open safetensors or GGUF file, told apart by the name. See their modules for the arguments.

    Raises:
        FormatError: the header is unacceptable. UsageError: a GGUF file needs the package `gguf`.
        ChangedError, TemporaryError: the file changed meanwhile, or cannot be read.
    """
    read = read_gguf_header if file.path.endswith(GGUF_SUFFIX) else read_header
    return read(file, file_bytes)


def read_table(release: ReleaseFolder, manifest: Manifest) -> dict[str, TensorRow] | None:
    """Return the rows of the release's per-tensor table by name; None if the manifest names no table.

    Raises:
        VerificationError: the table differs from the manifest. FormatError: the table is malformed.
        UsageError: the table does not exist. ChangedError, TemporaryError: the table changed or cannot be read.
    """
    named = next((file for file in manifest.files if file.path == TABLE_PATH), None)
    return parse_table(read_named(release, named, MAX_TABLE_BYTES)) if named else None


def read_architecture(release: ReleaseFolder, manifest: Manifest) -> tuple[str, ...]:
    """Return the model class and type that the release's `config.json` names; an empty tuple if it names none.

    Raises:
        VerificationError: the configuration differs from the manifest. UsageError: it does not exist.
        ChangedError, TemporaryError: it changed or cannot be read.
    """
    named = next((file for file in manifest.files if file.path == CONFIG_PATH), None)
    if named is None or named.size > MAX_CONFIG_BYTES:
        return ()
    data = read_named(release, named, MAX_CONFIG_BYTES)
    try:  # configurations hold fractions, which `parse_json` refuses
        text = data.decode()
        refuse_structure(text, max_depth=32, max_tokens=MAX_TOKENS)
        config = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(config, dict):
        return ()
    classes, kind = config.get("architectures"), config.get("model_type")
    found = [classes[0]] if isinstance(classes, list) and len(classes) == 1 else []
    return tuple(name for name in (*found, kind) if isinstance(name, str))


def read_named(release: ReleaseFolder, named: ManifestFile, max_bytes: int) -> bytes:
    """Read a small file of the release whole, and compare it with the manifest.

    Raises:
        VerificationError: size or digest differ from the manifest (check `file-digests`).
        FormatError: the manifest states a size above `max_bytes`. UsageError: the file does not exist.
        ChangedError, TemporaryError: the file changed meanwhile, or cannot be read.
    """
    if named.size > max_bytes:
        raise _error(FormatError, named.path, "the file is too large", f"{named.size} bytes", f"at most {max_bytes}")
    with release.open_named(named.path) as file:
        if file.size != named.size:
            problem, got, wanted_size = "the file has another size", f"{file.size} bytes", f"{named.size} bytes"
            raise _error(VerificationError, named.path, problem, got, wanted_size)
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
        problem = "the manifest has no digest that weights in memory can be compared with"
        wanted = f"{FSVERITY} in the manifest"
        raise _error(VerificationError, file.path, problem, "only its SHA-256", wanted)
    return FileDigest(file.path, file.size, file.fsverity)


def _error(
    kind: type[FormatError | VerificationError], where: str, problem: str, got: str, wanted: str
) -> FormatError | VerificationError:
    return kind(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)
