"""Make a release: hash the model's files, sign the manifest, write the evidence, and write the manifest last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from provenance_oracle.publisher.fit_to_publish import READING, refuse_names, refuse_unfit
from provenance_oracle.publisher.manifest import Build, PrivateKey, make_statement, public_key_of, sign_statement
from provenance_oracle.publisher.signing.signature import (
    ModelSignature,
    Publisher,
    match_signed_release,
    signed_digests,
)
from provenance_oracle.publisher.tensor_table import write_tensor_table
from provenance_oracle.publisher.trial import Trial, read_signed, try_evidence, try_gpus
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import (
    FileSet,
    digest_files,
    list_files,
)
from provenance_oracle.verifier.digest.match_files import lfs_pointers, match_file_digests, match_file_set
from provenance_oracle.verifier.digest.sparse import refuse_sparse
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.release import (
    CHAIN_PATH,
    CRL_PATH,
    GPU_FOLDER,
    GPU_PATHS,
    KEY_PATH,
    PROVENANCE_PATHS,
    REPORT_PATH,
    SNP_FOLDER,
    VEK_DER_PATH,
    VEK_PEM_PATH,
    read_release,
)
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER, parse_model_name, parse_version
from provenance_oracle.verifier.manifest.statement import Dependency, Manifest
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.strict.files import (
    OnBytes,
    is_directory,
    kind_of,
    look,
    open_folder,
    pieces_of_file,
)
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder, followed, open_release_folder
from provenance_oracle.verifier.strict.walk import FolderEntry, walk
from provenance_oracle.verifier.strict.write_file import partial_path
from provenance_oracle.verifier.strict.write_folder import write_files

_MOST_NAMES = 32  # in `provenance/` or a folder of it


@dataclass(frozen=True)
class Packed:
    """A release that was written and read back.

    Attributes:
        manifest, files: the manifest, and the digests of the files that it names.
        trial: the judgement of its evidence by a shipped policy.
        signature: the publisher's signature; None if the release has none yet.
        report_reused: the manifest that it replaced had the same report. If an oracle recorded that manifest, the
            shipped policies refuse this one.
    """

    manifest: Manifest
    files: FileSet
    trial: Trial
    signature: ModelSignature | None = None
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
    gpus: tuple[bytes, ...] = (),
    publisher: Publisher | None = None,
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
        gpus: files with evidence of GPUs that was made for the key; see `verifier.judgement.gpus`.
        publisher: the publisher whom the manifest names, and who signs files and manifest, now or later.

    Raises:
        UsageError: the folder does not exist, has secrets or names that Windows cannot hold, has a manifest already or
            unknown files in `provenance/`; a verifier would refuse the name or version; or it is not clear which files
            the tensor table should cover.
        FormatError: a file, its name, the key or the report is not acceptable.
        VerificationError: the evidence is forged, its report does not name the key (check `key-binding`), or nobody
            would accept the publisher's signature (check `publisher-signature`).
        ChangedError: a file changed meanwhile.
        TemporaryError: the disk cannot be read or written, or sigstore does not answer.
    """
    # (1) report errors before reading much, and overwrite nothing without being asked
    _refuse_names(name, version)
    folder = followed(folder)
    _refuse_release(folder, replace=replace)
    refuse_names(folder)
    refuse_unfit(folder, include=include, key=key_path)
    # (2) evidence that no verifier accepts, or that names another key, is refused before the files are read
    pem, _ = public_key_of(key)
    trial = try_evidence(evidence, pem, at=at)
    try_gpus(gpus, pem, at=at)
    if publisher:
        publisher.try_out()
    # (3) every file, read once
    if with_tensor_table:
        write_tensor_table(folder, READING)
    is_signed = publisher is not None and publisher.signs
    files = _digest_all(folder, with_sha256=with_sha256 or is_signed, progress=progress)
    # (4) the signed manifest, and the publisher's signature over it and the files
    line = publisher.identity().line if publisher else ""
    build = Build(name, version, sources, parameters, started_at, finished_at, line)
    named = files if with_sha256 else _without_sha256(files)
    envelope = sign_statement(make_statement(named, build, trial.claims.report.digest), key)
    read_signed(envelope, trial)
    contents = _contents_of(evidence, gpus, pem, envelope)
    signature = publisher.sign(name, signed_digests(files, contents)) if publisher and is_signed else None
    if signature:
        contents = signature.files | contents  # before the manifest, which is written last
    reused = replace and _has_report(folder, evidence.report)
    # (5) a former release goes, manifest first; the new one comes, manifest last, which makes it complete
    write_files(folder, contents, remove=PROVENANCE_PATHS)
    # (6) read it back as a verifier will
    return Packed(_read_back(folder, trial, files, publisher), files, trial, signature, reused)


def _refuse_release(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that is a release already, unless `replace`, and one with strange files in `provenance/`."""
    with open_release_folder(folder, READING) as model:
        has_manifest = _has_manifest(model, folder)
    if has_manifest and not replace:
        raise UsageError(
            "the folder is already a release",
            where=str(folder / MANIFEST_PATH),
            got="a manifest",
            wanted="none; --replace replaces it",
        )


def _digest_all(folder: Path, *, with_sha256: bool, progress: OnBytes | None) -> FileSet:
    """Return the digests of a model's files. Refuse a folder without files, and one with Git LFS pointers."""
    listing = list_files(folder, reading=READING)
    if not listing.files:
        raise UsageError("the folder has no files", where=str(folder), got="no file", wanted="the files of a model")
    refuse_sparse(folder, listing)
    if pointers := lfs_pointers(folder, listing, listing.files):
        got, wanted = f"{len(pointers)} Git LFS pointers", "the files: run `git lfs pull`, and pack again"
        raise UsageError("a pointer lies in place of a file", where=pointers[0].path, got=got, wanted=wanted)
    paths = frozenset(file.path for file in listing.files) if with_sha256 else frozenset()
    return digest_files(folder, listing, sha256_of=paths, hasher=CpuHasher(), progress=progress)


def _contents_of(evidence: Evidence, gpus: tuple[bytes, ...], key_pem: bytes, envelope: bytes) -> dict[str, bytes]:
    """Return the files of `provenance/` by path, in the order in which they are written."""
    contents = {
        KEY_PATH: key_pem,
        REPORT_PATH: evidence.report,
        VEK_PEM_PATH if evidence.vek.startswith(b"-----BEGIN") else VEK_DER_PATH: evidence.vek,
        CHAIN_PATH: evidence.chain,
        CRL_PATH: evidence.crl,
        **dict(zip(GPU_PATHS, gpus, strict=False)),
        MANIFEST_PATH: envelope,
    }
    return {path: data for path, data in contents.items() if data is not None}


def _without_sha256(files: FileSet) -> FileSet:
    return replaced(files, files=tuple(replaced(file, sha256=None) for file in files.files))


def _read_back(folder: Path, trial: Trial, files: FileSet, publisher: Publisher | None) -> Manifest:
    """Return the manifest of the release just written. If it does not read back, remove the manifest and raise."""
    try:
        release = read_release(folder, READING)
        manifest = read_signed(release.envelope, trial)
        match_file_set(manifest, list_files(folder, reading=READING), folder)
        match_file_digests(manifest, files)
        if publisher and publisher.signs:
            match_signed_release(release, manifest, files, publisher)
    except ProvenanceError:
        (folder / MANIFEST_PATH).unlink(missing_ok=True)
        raise
    return manifest


def _has_report(folder: Path, report: bytes) -> bool:
    """Return whether the folder is a release with this report."""
    try:
        with open_release_folder(folder, READING) as model, model.open_named(REPORT_PATH) as file:
            return model.find(MANIFEST_PATH) is not None and b"".join(pieces_of_file(file, len(report) + 1)) == report
    except ProvenanceError:
        return False


def _refuse_names(name: str, version: str) -> None:
    """Apply the manifest's rules for names; here a violation is the caller's error, so UsageError."""
    try:
        parse_model_name(name, "name")
        parse_version(version, "version")
    except FormatError as error:
        raise UsageError(error.problem, where=error.where, got=error.got, wanted=error.wanted) from error


def _has_manifest(model: ReleaseFolder, folder: Path) -> bool:
    """Return whether a model is a release already.

    Files in `provenance/` that no release may hold are refused, except the leftovers of a crash of this module. A link
    in place of a folder is refused too: it would redirect the writes, and the removal of old files.
    """
    known = {*PROVENANCE_PATHS, *map(partial_path, PROVENANCE_PATHS)}
    found = set[str]()

    def visit(entry: FolderEntry) -> bool:
        path = f"{PROVENANCE_FOLDER}/{entry.path}"
        is_inner = path in (SNP_FOLDER, GPU_FOLDER)
        if is_inner and not entry.is_folder:
            raise _taken(folder / path)
        if not is_inner and path not in known:
            problem = "a release may not hold this"
            got, wanted = kind_of(entry.found), "remove it first"
            raise UsageError(problem, check=Check.FILE_SET, where=str(folder / path), got=got, wanted=wanted)
        found.add(path)
        return is_inner

    provenance = look(model.descriptor, PROVENANCE_FOLDER)
    if provenance is None:
        return False
    if not is_directory(provenance):
        raise _taken(folder / PROVENANCE_FOLDER)
    with open_folder(model.descriptor, PROVENANCE_FOLDER) as opened:
        walk(opened, visit, most=_MOST_NAMES, where=PROVENANCE_FOLDER)
    return MANIFEST_PATH in found


def _taken(path: Path) -> UsageError:
    problem = "the path of a folder is taken"
    return UsageError(problem, check=Check.FILE_SET, where=str(path), got="no folder", wanted="a folder")
