"""Sign a release that was packed before, as the publisher whom its manifest names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from provenance_oracle.publisher.fit_to_publish import READING
from provenance_oracle.publisher.signing.signature import (
    ModelSignature,
    Publisher,
    match_signed_release,
    signed_digests,
)
from provenance_oracle.publisher.signing.signers import PublisherSigner
from provenance_oracle.publisher.trial import Trial, read_signed, try_evidence, try_gpus
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import FileSet, digest_files, list_files
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set, set_aside
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import ProvenanceError, UsageError
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.judgement.release import (
    BUNDLE_PATH,
    PROVENANCE_PATHS,
    PUBLISHER_KEY_PATH,
    Release,
    read_release,
)
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import Manifest
from provenance_oracle.verifier.strict.files import OnBytes
from provenance_oracle.verifier.strict.release_folder import followed
from provenance_oracle.verifier.strict.write_file import partial_path
from provenance_oracle.verifier.strict.write_folder import write_files

_SIGNATURE = (BUNDLE_PATH, PUBLISHER_KEY_PATH)


@dataclass(frozen=True)
class NewlySigned:
    """A release that was signed and read back.

    Attributes:
        manifest, files: the manifest, and the digests of the files that it names.
        trial: the judgement of its evidence by a shipped policy.
        signature: the publisher's.
    """

    manifest: Manifest
    files: FileSet
    trial: Trial
    signature: ModelSignature


def sign_release(
    folder: Path,
    signer: PublisherSigner,
    *,
    clock: Callable[[], datetime],
    replace: bool = False,
    progress: OnBytes | None = None,
) -> NewlySigned:
    """Sign the files and the manifest of a release. Every file is read once.

    Args:
        clock: returns the present, for which evidence and signature are judged.
        replace: replace a signature that is there.
        progress: called with (bytes done, bytes in all) while files are hashed.

    Raises:
        UsageError: the folder does not exist, the manifest names no publisher or another one than the signer, or there
            is a signature already.
        FormatError, VerificationError: a verifier would refuse the release or the signature.
        ChangedError: a file changed meanwhile. TemporaryError: the disk fails, or sigstore does not answer.
    """
    # (1) a genuine release whose manifest names this signer, and overwrite nothing without being asked
    folder = followed(folder)
    write_files(folder, {}, remove=map(partial_path, _SIGNATURE))  # what an interruption left
    release = read_release(folder, READING)
    if release.signature is not None and not replace:
        got, wanted = "a signature", "none; --replace replaces it"
        raise UsageError("the release is signed already", where=str(folder / BUNDLE_PATH), got=got, wanted=wanted)
    trial = _tried(release, clock())
    manifest = read_signed(release.envelope, trial)
    publisher = _named_publisher(manifest, signer, clock)
    publisher.try_out()
    # (2) exactly the files that the manifest names, each read once
    listing = set_aside(folder, list_files(folder, reading=READING), {*manifest.paths, *PROVENANCE_PATHS})
    match_file_set(manifest, listing, folder)
    paths = frozenset(file.path for file in listing.files)
    files = digest_files(folder, listing, sha256_of=paths, hasher=CpuHasher(), progress=progress)
    match_file_digests(manifest, files)
    # (3) the signature; the bundle, written last, completes the release
    signature = publisher.sign(manifest.name, signed_digests(files, release.provenance))
    write_files(folder, signature.files, remove=_SIGNATURE)
    # (4) read it back as a verifier will
    try:
        match_signed_release(read_release(folder, READING), manifest, files, publisher)
    except ProvenanceError:
        write_files(folder, {}, remove=_SIGNATURE)
        raise
    return NewlySigned(manifest, files, trial, signature)


def _tried(release: Release, at: datetime) -> Trial:
    """Return the trial of a release's evidence: a publisher should not vouch for a release that all others refuse."""
    trial = try_evidence(release.evidence, release.key, at=at)
    try_gpus(release.gpus, release.key, at=at)
    return trial


def _named_publisher(manifest: Manifest, signer: PublisherSigner, clock: Callable[[], datetime]) -> Publisher:
    if not manifest.publisher:
        raise UsageError(
            "the manifest names no publisher, so a signature would not count",
            check=Check.PUBLISHER_IDENTITY,
            where=MANIFEST_PATH,
            got="no internalParameters.publisher",
            wanted="a release made by `provenance pack --publisher LINE`",
        )
    return Publisher(parse_identity(manifest.publisher, MANIFEST_PATH), signer, clock)
