"""A release that has only its publisher's signature: a folder with an OpenSSF bundle and no `provenance/`.

Nothing tells where such a model was made. The bundle lies at the top of the folder, where OpenSSF model signing puts
it, or beside it. It binds the files and no name, so the name is that of the place where somebody found the release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES
from provenance_oracle.verifier.judgement.release import NoReleaseError
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER, parse_model_name, parse_version
from provenance_oracle.verifier.strict.files import pieces_of_file
from provenance_oracle.verifier.strict.release_files import ReleaseFiles, ReleasePlace, files_of
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading

SIGNED_BUNDLE_PATH = "model.sig"
BUNDLE_BESIDE = "--signature"  # the name of a bundle that does not lie in the folder


@dataclass(frozen=True)
class FoundName:
    """The name under which somebody found a release: `namespace/model`, and a version such as the commit of a hub."""

    name: str
    version: str


@dataclass(frozen=True)
class SignedRelease:
    """A release with only a signature, as read; nothing in it is trusted.

    Attributes:
        files: the way to the model's files.
        bundle: the OpenSSF signing bundle.
        bundle_path: its path in the release, or BUNDLE_BESIDE.
        found: the name under which it was found; None for a folder that nobody named.
    """

    files: ReleaseFiles
    bundle: bytes
    bundle_path: str
    found: FoundName | None

    @property
    def provenance(self) -> Mapping[str, bytes]:
        """The bundle by its name, as `Release.provenance` has the files of a release with evidence."""
        return {self.bundle_path: self.bundle}


def read_signed_release(
    place: ReleasePlace, found: FoundName | str | None, *, reading: Reading = STRICT, bundle: bytes | None = None
) -> SignedRelease:
    """Read the signature of a release that has no evidence. Model files are not touched.

    Args:
        place: the folder, or the files of a release in another place.
        found: the name under which the release was found. If the place has no versions, the name alone: the version is
            then the SHA-256 of the bundle in hex.
        reading: what is allowed of a folder beyond plain files; by default nothing.
        bundle: a bundle that does not lie in the release.

    Raises:
        UsageError: the folder does not exist.
        NoReleaseError: there is no bundle, or the release has a `provenance/`, so that it is of the other kind.
        FormatError: the bundle is too large or no file, or the name is none (check `publisher-signature`).
        ChangedError: the bundle changed while it was read.
    """
    files = files_of(place, reading)
    path = SIGNED_BUNDLE_PATH if bundle is None else BUNDLE_BESIDE
    data = _read_bundle(files) if bundle is None else bundle
    if isinstance(found, str):
        found = FoundName(found, hashlib.sha256(data).hexdigest())
    if found is not None:
        parse_model_name(found.name, "the name of the place")
        parse_version(found.version, "the version of the place")
    return SignedRelease(files, data, path, found)


def _read_bundle(files: ReleaseFiles) -> bytes:
    with files.session() as release:
        if release.holds(PROVENANCE_FOLDER):
            raise _no_release(files, f"a folder with {PROVENANCE_FOLDER}/")
        entry = release.find(SIGNED_BUNDLE_PATH)
        if entry is None:
            raise _no_release(files, f"no {PROVENANCE_FOLDER}/ and no {SIGNED_BUNDLE_PATH}")
        if entry.identity.size > BUNDLE_MAX_BYTES:
            raise FormatError(
                "the file is too large",
                check=Check.PUBLISHER_SIGNATURE,
                where=SIGNED_BUNDLE_PATH,
                got=f"{entry.identity.size} bytes",
                wanted=f"at most {BUNDLE_MAX_BYTES} bytes",
            )
        with release.open(SIGNED_BUNDLE_PATH, entry) as file:
            return b"".join(pieces_of_file(file))


def _no_release(files: ReleaseFiles, got: str) -> NoReleaseError:
    return NoReleaseError(
        "not a signed release",
        check=Check.PUBLISHER_SIGNATURE,
        where=files.where,
        got=got,
        wanted=f"a folder with {SIGNED_BUNDLE_PATH} and without {PROVENANCE_FOLDER}/",
    )
