"""Read a release's provenance folder: only the files that it may hold, each up to a limit, each once into memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import (
    FormatError,
    IncompleteError,
    ProvenanceError,
    UsageError,
)
from provenance_oracle.verifier.gpu_evidence.bundle import GPU_FILE_MAX_BYTES
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES
from provenance_oracle.verifier.identity.key_method import PUBLISHER_KEY_MAX_BYTES
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES, parse_envelope
from provenance_oracle.verifier.manifest.key import MAX_KEY_BYTES
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.strict.files import (
    is_directory,
    open_folder,
    open_root,
    pieces_of_file,
    scan,
)
from provenance_oracle.verifier.strict.release_files import (
    FolderFiles,
    OpenRelease,
    ReleaseEntry,
    ReleaseFiles,
    ReleasePlace,
    files_of,
)
from provenance_oracle.verifier.strict.release_folder import STRICT, FoundFile, Reading, holds
from provenance_oracle.verifier.strict.write_file import partial_path

SNP_FOLDER = f"{PROVENANCE_FOLDER}/snp"
GPU_FOLDER = f"{PROVENANCE_FOLDER}/nvidia"
KEY_PATH = f"{PROVENANCE_FOLDER}/cvm-key.pem"
BUNDLE_PATH = f"{PROVENANCE_FOLDER}/model.sig"  # an OpenSSF model signing bundle
PUBLISHER_KEY_PATH = f"{PROVENANCE_FOLDER}/publisher-key.pem"
REPORT_PATH = f"{SNP_FOLDER}/report.bin"
VEK_PEM_PATH = f"{SNP_FOLDER}/vek.pem"
VEK_DER_PATH = f"{SNP_FOLDER}/vek.der"
CHAIN_PATH = f"{SNP_FOLDER}/chain.pem"
CRL_PATH = f"{SNP_FOLDER}/ark.crl"

# Larger than a report, so that `parse_report` can name a report in another form, such as the hex of an Azure report.
_REPORT_MAX_BYTES = 8 * 1024

# The files that the folder may hold: the size limit of each in bytes, and the check that fails if it is missing or
# larger.
_FILES = {
    MANIFEST_PATH: (MAX_ENVELOPE_BYTES, Check.MANIFEST_FORMAT),
    KEY_PATH: (MAX_KEY_BYTES, Check.KEY_BINDING),
    REPORT_PATH: (_REPORT_MAX_BYTES, Check.REPORT_FORMAT),
    VEK_PEM_PATH: (64 * 1024, Check.ENDORSEMENTS_FORMAT),
    VEK_DER_PATH: (64 * 1024, Check.ENDORSEMENTS_FORMAT),
    CHAIN_PATH: (64 * 1024, Check.ENDORSEMENTS_FORMAT),
    CRL_PATH: (1024 * 1024, Check.ENDORSEMENTS_FORMAT),
    BUNDLE_PATH: (BUNDLE_MAX_BYTES, Check.PUBLISHER_SIGNATURE),
    PUBLISHER_KEY_PATH: (PUBLISHER_KEY_MAX_BYTES, Check.PUBLISHER_SIGNATURE),
}
RELEASE_PATHS = tuple(_FILES)
_MOST_NAMES = 16
# Optional evidence of GPUs, numbered from 0 without a gap.
GPU_PATHS = tuple(f"{GPU_FOLDER}/gpu-{number}.json" for number in range(_MOST_NAMES))
PROVENANCE_PATHS = (*RELEASE_PATHS, *GPU_PATHS)
_HALF_SIGNED = (partial_path(BUNDLE_PATH), partial_path(PUBLISHER_KEY_PATH))
_LOOK_ABOVE = 4  # folders above one that is no release, in which a release is looked for
_LOOK_BELOW = 1000  # entries of the folder itself; a folder with more is not searched


@dataclass(frozen=True)
class Release:
    """A complete release as read from disk; nothing in it is trusted.

    The fields hold every byte of the release's `provenance/` folder, so that the verdict can name each file's digest.

    Attributes:
        files: the way to the files that the manifest names.
        envelope: the DSSE envelope with the manifest.
        key: the VM's public key in PEM.
        evidence: report, certificates and the revocation list that is judged.
        own_crl: the revocation list in the folder, whichever list is judged; None if the folder has none.
        gpus: the files with evidence of GPUs, in the order of GPU_PATHS; most releases have none.
        signature: the OpenSSF signing bundle; None if the release has none.
        publisher_key: the publisher's public key in PEM, for a bundle of the method key; else None.
    """

    files: ReleaseFiles
    envelope: bytes
    key: bytes
    evidence: Evidence
    own_crl: bytes | None
    gpus: tuple[bytes, ...] = ()
    signature: bytes | None = None
    publisher_key: bytes | None = None

    @property
    def path(self) -> Path:
        """The folder of a release that lies in one.

        Raises:
            UsageError: it lies elsewhere.
        """
        if isinstance(self.files, FolderFiles):
            return self.files.path
        raise UsageError("the release is not in a folder", where=self.files.where, got="a store", wanted="a folder")

    @property
    def unverified_payload(self) -> bytes:
        """The payload of the envelope, whose signature nobody verified here. Its SHA-256 is the manifest digest.

        Raises:
            FormatError: the envelope is malformed (check `manifest-format`).
        """
        return parse_envelope(self.envelope).payload

    @property
    def provenance(self) -> Mapping[str, bytes]:
        """The bytes of every file of the release's `provenance/`, by name, and of a revocation list from elsewhere.

        The list that is judged has its own name beside the one in the folder. The order is that of a verdict's inputs.
        """
        evidence = self.evidence
        files = (
            (MANIFEST_PATH, self.envelope),
            (KEY_PATH, self.key),
            (evidence.report_name, evidence.report),
            (evidence.vek_name, evidence.vek),
            (evidence.chain_name, evidence.chain),
            (CRL_PATH, self.own_crl),
            (evidence.crl_name, evidence.crl),
            *zip(GPU_PATHS, self.gpus, strict=False),
            (BUNDLE_PATH, self.signature),
            (PUBLISHER_KEY_PATH, self.publisher_key),
        )
        return {name: data for name, data in files if data is not None}


class NoReleaseError(FormatError):
    """The folder has no `provenance/`, so it is no release. If a folder nearby is one, the error names it."""


def read_release(path: ReleasePlace, reading: Reading = STRICT) -> Release:
    """Read the evidence and the signed manifest of a release. Model files are not touched.

    Args:
        path: the release's folder, or its files in another place.
        reading: what is allowed of a folder beyond plain files; by default nothing.

    Raises:
        UsageError: the folder does not exist.
        NoReleaseError: the folder has no `provenance/`.
        IncompleteError: the folder has a `provenance/`, but no signed manifest in it yet.
        FormatError: a file is missing, too large, not a regular file, or not one that a release may hold.
        ChangedError: a file changed while it was read.
    """
    files = files_of(path, reading)
    with files.session() as release:
        # The commit marker comes first: without it the other files of the folder mean nothing.
        if not _has_manifest(release):
            raise _incomplete() if release.holds(PROVENANCE_FOLDER) else _no_release(files)
        data = _read_provenance(release)
    return release_of(files, data)


def release_of(files: ReleaseFiles, data: Mapping[str, bytes]) -> Release:
    """Return a release whose `provenance/` holds these files, by name.

    Args:
        files: the way to its other files.

    Raises:
        IncompleteError: the manifest is missing.
        FormatError: another file is missing, too large, or not one that a release may hold.
    """
    for path, content in data.items():
        _refuse_name(path, "a file")
        _refuse_large(path, len(content))
    if MANIFEST_PATH not in data:
        raise _incomplete()
    vek_path = _vek_path(data)
    for needed in (KEY_PATH, REPORT_PATH, CHAIN_PATH):
        if needed not in data:
            raise _missing(needed)
    return Release(
        files=files,
        envelope=data[MANIFEST_PATH],
        key=data[KEY_PATH],
        evidence=Evidence(
            report=data[REPORT_PATH],
            vek=data[vek_path],
            chain=data[CHAIN_PATH],
            crl=data.get(CRL_PATH),
            report_name=REPORT_PATH,
            vek_name=vek_path,
            chain_name=CHAIN_PATH,
            crl_name=CRL_PATH,
        ),
        own_crl=data.get(CRL_PATH),
        gpus=_gpus(data),
        signature=data.get(BUNDLE_PATH),
        publisher_key=data.get(PUBLISHER_KEY_PATH),
    )


def _has_manifest(release: OpenRelease) -> bool:
    """Return whether a release has a signed manifest. Reading the release tells what else is wrong with it."""
    return release.holds(MANIFEST_PATH)


def _no_release(files: ReleaseFiles) -> NoReleaseError:
    nearby = _nearby(files.path) if isinstance(files, FolderFiles) else None
    return NoReleaseError(
        f"not a release: no {PROVENANCE_FOLDER}/ in it",
        check=Check.MANIFEST_FORMAT,
        where=files.where,
        got=f"a folder without {MANIFEST_PATH}",
        wanted=f"the folder of a release, such as {nearby}" if nearby else "the folder of a release",
    )


def _nearby(path: Path) -> Path | None:
    """Return a folder that looks like a release: one above `path`, or else the first one directly in it."""
    for above in list(path.absolute().parents)[:_LOOK_ABOVE]:
        with suppress(ProvenanceError), open_root(above) as folder:
            if holds(folder, MANIFEST_PATH):
                return above
    with suppress(ProvenanceError), open_root(path) as root:
        entries = scan(root, str(path), most=_LOOK_BELOW)
        return next((path / name for name, found in entries if is_directory(found) and _is_release(root, name)), None)
    return None


def _is_release(parent: int, name: str) -> bool:
    try:
        with open_folder(parent, name) as folder:
            return holds(folder, MANIFEST_PATH)
    except ProvenanceError:
        return False


def _incomplete() -> IncompleteError:
    return IncompleteError(
        "no signed manifest yet",
        check=Check.MANIFEST_FORMAT,
        where=MANIFEST_PATH,
        got="no such file",
        wanted="the manifest, written last",
    )


def _read_provenance(release: OpenRelease) -> dict[str, bytes]:
    data: dict[str, bytes] = {}

    def visit(entry: ReleaseEntry) -> bool:
        path = entry.path
        if path in (SNP_FOLDER, GPU_FOLDER) and entry.is_folder:
            return True
        _refuse_name(path, entry.kind)
        data[path] = _read_file(release, path, entry.identify())
        return False

    release.visit_all(visit, most=_MOST_NAMES, below=PROVENANCE_FOLDER)
    return data


def _refuse_name(path: str, kind: str) -> None:
    """Refuse an entry that no release may hold. `kind` says what it is.

    Raises:
        FormatError: no release may hold it (check `file-set`).
        IncompleteError: it is half of the publisher's signature, which `provenance sign` writes after the manifest.
    """
    if path in _HALF_SIGNED:
        wanted = "the whole signature; if `provenance sign` was interrupted, run it again"
        problem = "the publisher's signature is still being written"
        raise IncompleteError(problem, check=Check.PUBLISHER_SIGNATURE, where=path, got=kind, wanted=wanted)
    if path not in PROVENANCE_PATHS:
        is_gpu = path.startswith(f"{GPU_FOLDER}/")
        wanted = f"{GPU_PATHS[0]} to {GPU_PATHS[-1]}" if is_gpu else "only " + ", ".join(_FILES)
        raise FormatError("a release may not hold this", check=Check.FILE_SET, where=path, got=kind, wanted=wanted)


def _refuse_large(path: str, size: int) -> None:
    most, check = _FILES.get(path, (GPU_FILE_MAX_BYTES, Check.GPU_EVIDENCE))
    if size > most:
        got, wanted = f"{size} bytes", f"at most {most} bytes"
        raise FormatError("the file is too large", check=check, where=path, got=got, wanted=wanted)


def _read_file(release: OpenRelease, path: str, found: FoundFile) -> bytes:
    _refuse_large(path, found.identity.size)
    with release.open(path, found) as file:
        return b"".join(pieces_of_file(file))


def _gpus(data: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """Return the evidence of GPUs in the order of its numbers. A gap would hide that a file is missing."""
    found = [path for path in GPU_PATHS if path in data]
    if found != list(GPU_PATHS[: len(found)]):
        missing = next(path for path in GPU_PATHS if path not in data)
        raise FormatError(
            "the evidence of a GPU is missing",
            check=Check.GPU_EVIDENCE,
            where=missing,
            got="no such file",
            wanted=f"this file, as there is {found[-1]}",
        )
    return tuple(data[path] for path in found)


def _vek_path(data: Mapping[str, bytes]) -> str:
    paths = [path for path in (VEK_PEM_PATH, VEK_DER_PATH) if path in data]
    if not paths:
        raise _missing(VEK_PEM_PATH)
    if len(paths) > 1:
        raise FormatError(
            "the release has two VEK certificates",
            check=Check.ENDORSEMENTS_FORMAT,
            where=SNP_FOLDER,
            got="vek.pem and vek.der",
            wanted="one of them",
        )
    return paths[0]


def _missing(path: str) -> FormatError:
    check = _FILES[path][1]
    problem, wanted = "the file is missing", "this file in every release"
    return FormatError(problem, check=check, where=path, got="no such file", wanted=wanted)
