"""Make a release: hash the model's files, sign the manifest, write the evidence, and write the manifest last."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from provenance_oracle.publisher.fit_to_publish import refuse_names, refuse_unfit
from provenance_oracle.publisher.manifest import Build, PrivateKey, make_statement, public_key_of, sign_statement
from provenance_oracle.publisher.tensor_table import write_tensor_table
from provenance_oracle.publisher.trial import Trial, try_evidence, try_release
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import (
    FileSet,
    digest_files,
    list_files,
)
from provenance_oracle.verifier.digest.match_files import lfs_pointers, match_file_digests, match_file_set
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.release import (
    CHAIN_PATH,
    CRL_PATH,
    KEY_PATH,
    RELEASE_PATHS,
    REPORT_PATH,
    SNP_FOLDER,
    VEK_DER_PATH,
    VEK_PEM_PATH,
    Release,
    read_release,
)
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.key import PublicKey
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER, parse_model_name, parse_version
from provenance_oracle.verifier.manifest.statement import Dependency, Manifest, parse_statement
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_folder import Reading

_READING = Reading(hub_links=True)  # a snapshot of the Hugging Face cache can be packed as it is


@dataclass(frozen=True)
class Packed:
    """A release that was written and read back.

    `trial` is the judgement of its evidence and manifest by a shipped policy. `report_reused` says that the manifest
    which it replaced had the same report. If an oracle recorded that manifest, the shipped policies refuse this one.
    """

    manifest: Manifest
    files: FileSet
    trial: Trial
    report_reused: bool = False

    @property
    def manifest_digest(self) -> bytes:
        """SHA-256 of the signed payload, 32 bytes."""
        return self.manifest.digest


def pack_release(
    folder: Path,
    evidence: Evidence,
    key: PrivateKey,
    *,
    name: str,
    version: str,
    at: datetime,
    sources: tuple[Dependency, ...] = (),
    parameters: Mapping[str, object] = MappingProxyType({}),
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    with_sha256: bool = False,
    with_tensor_table: bool = False,
    replace: bool = False,
    include: Collection[str] = (),
    key_path: Path | None = None,
    progress: OnBytes | None = None,
) -> Packed:
    """Turn a folder of model files into a release, in place.

    Args:
        name, version, sources, parameters, started_at, finished_at: see `publisher.manifest.Build`.
        with_sha256: add every file's whole-file SHA-256 to the manifest; verifiers must then compute it.
        with_tensor_table: write `tensors.json` first, so that a later mismatch can name the tensor.
        replace: replace an existing manifest.
        at: the moment for which evidence and manifest are judged before anything is written; an aware datetime.
        include, key_path: paths to publish though they look like secrets, and the key's file; see `refuse_unfit`.
        progress: called with (bytes done, bytes in all) while files are hashed.

    Raises:
        UsageError: the folder does not exist, has secrets or names that Windows cannot hold, has a manifest already or
            unknown files in `provenance/`; a verifier would refuse the name or version; or it is not clear which files
            the tensor table should cover.
        FormatError: a file, its name, the key or the report is not acceptable.
        VerificationError: the evidence is forged, or its report does not name the key (check `key-binding`).
        ChangedError: a file changed meanwhile.
        TemporaryError: the disk cannot be read or written.
    """
    # (1) report errors before reading much, and overwrite nothing without being asked
    _refuse_names(name, version)
    _refuse_strange_files(folder)
    if (folder / MANIFEST_PATH).exists() and not replace:
        raise UsageError(
            "the folder is already a release",
            where=str(folder / MANIFEST_PATH),
            got="a manifest",
            wanted="none; --replace replaces it",
        )
    refuse_names(folder)
    refuse_unfit(folder, include=include, key=key_path)
    # (2) evidence that no verifier accepts, or that names another key, is refused before the files are read
    pem, public_key = public_key_of(key)
    report = parse_report(evidence.report, evidence.report_name)
    try_evidence(evidence, pem, at=at)
    # (3) every file, read once
    if with_tensor_table:
        write_tensor_table(folder, _READING)
    listing = list_files(folder, reading=_READING)
    if not listing.files:
        raise UsageError("the folder has no files", where=str(folder), got="no file", wanted="the files of a model")
    if pointers := lfs_pointers(folder, listing, listing.files):
        got, wanted = f"{len(pointers)} Git LFS pointers", "the files: run `git lfs pull`, and pack again"
        raise UsageError("a pointer lies in place of a file", where=pointers[0].path, got=got, wanted=wanted)
    paths = frozenset(file.path for file in listing.files) if with_sha256 else frozenset()
    files = digest_files(folder, listing, sha256_of=paths, hasher=CpuHasher(), progress=progress)
    # (4) the signed manifest
    build = Build(name, version, sources, parameters, started_at, finished_at)
    envelope = sign_statement(make_statement(files, build, report.digest), key)
    trial = try_release(Release(folder, envelope, pem, evidence, evidence.crl), at=at)
    reused = replace and _has_report(folder, evidence.report)
    # (5) the evidence first; the manifest, written last, makes the release complete
    contents = {
        KEY_PATH: pem,
        REPORT_PATH: evidence.report,
        VEK_PEM_PATH if evidence.vek.startswith(b"-----BEGIN") else VEK_DER_PATH: evidence.vek,
        CHAIN_PATH: evidence.chain,
        CRL_PATH: evidence.crl,
        MANIFEST_PATH: envelope,
    }
    _write_all(folder, {path: data for path, data in contents.items() if data is not None})
    # (6) read it back as a verifier will
    return Packed(_read_back(folder, public_key, files), files, trial, reused)


def _read_back(folder: Path, key: PublicKey, files: FileSet) -> Manifest:
    """Return the manifest of the release just written. If it does not read back, remove the manifest and raise."""
    try:
        release = read_release(folder, _READING)
        manifest = parse_statement(verify_envelope(parse_envelope(release.envelope), key))
        match_file_set(manifest, list_files(folder, reading=_READING), folder)
        match_file_digests(manifest, files)
    except ProvenanceError:
        (folder / MANIFEST_PATH).unlink(missing_ok=True)
        raise
    return manifest


def _has_report(folder: Path, report: bytes) -> bool:
    """Return whether the folder is a release with this report."""
    try:
        return (folder / MANIFEST_PATH).exists() and (folder / REPORT_PATH).read_bytes() == report
    except OSError:
        return False


def _refuse_names(name: str, version: str) -> None:
    """Apply the manifest's rules for names; here a violation is the caller's error, so UsageError."""
    try:
        parse_model_name(name, "name")
        parse_version(version, "version")
    except FormatError as error:
        raise UsageError(error.problem, where=error.where, got=error.got, wanted=error.wanted) from error


def _refuse_strange_files(folder: Path) -> None:
    """Refuse files in `provenance/` that no release may hold, except the leftovers of a crash of this module.

    A link in place of a folder is refused too: it would redirect the writes, and the removal of old files.
    """
    for inner in (folder / PROVENANCE_FOLDER, folder / SNP_FOLDER):
        if inner.is_symlink() or (inner.exists() and not inner.is_dir()):
            problem = "the path of a folder is taken"
            raise UsageError(problem, check=Check.FILE_SET, where=str(inner), got="no folder", wanted="a folder")
    known = {folder / path for path in (*RELEASE_PATHS, SNP_FOLDER)}
    known |= {_partial(folder / path) for path in RELEASE_PATHS}
    for found in sorted((folder / PROVENANCE_FOLDER).rglob("*")):
        if found not in known:
            problem = "a release may not hold this"
            raise UsageError(problem, check=Check.FILE_SET, where=str(found), got="a file", wanted="remove it first")


def _write_all(folder: Path, contents: dict[str, bytes]) -> None:
    """Remove the files of a former release, manifest first. Then write in order, each file durable before the next."""
    try:
        (folder / SNP_FOLDER).mkdir(parents=True, exist_ok=True)
        _sync(folder)
        for path in RELEASE_PATHS:  # the manifest is the first of them: without it the release is incomplete
            _partial(folder / path).unlink(missing_ok=True)
            (folder / path).unlink(missing_ok=True)
            if path == MANIFEST_PATH:
                _sync((folder / path).parent)
        for path, data in contents.items():
            _write(folder / path, data)
    except OSError as error:
        raise TemporaryError(
            "the release cannot be written", where=str(folder), got=str(error), wanted="a folder that can be written"
        ) from error


def _write(path: Path, data: bytes) -> None:
    partial = _partial(path)
    with partial.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
    _sync(path.parent)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
