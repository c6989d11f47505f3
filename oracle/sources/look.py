"""Read a release without trust, as far as it can be read, to tell it from others."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from provenance_oracle.oracle.sources.found_files import FoundFiles
from provenance_oracle.verifier.errors import FormatError, IncompleteError, ProvenanceError, UsageError
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES, parse_bundle
from provenance_oracle.verifier.judgement.release import NoReleaseError, Release, read_release
from provenance_oracle.verifier.judgement.signed_release import (
    SIGNED_BUNDLE_PATH,
    SignedRelease,
    read_signed_release,
)
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES, parse_envelope
from provenance_oracle.verifier.strict.release_files import ReleaseFiles
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """A release as it was read.

    `envelope` is the bytes of the file with the signed payload, and `path` is its name: the manifest, or the bundle of
    a release that has only a signature. `content` is the digest of the payload (32 bytes), or SHA-256 of the file if no
    payload can be read. Exactly one of `release` and `problem` is not None.
    """

    envelope: bytes
    content: bytes
    release: Release | SignedRelease | None
    problem: ProvenanceError | None
    path: str = MANIFEST_PATH


def look_at(files: ReleaseFiles, name: str) -> Look | None:
    """Read a release; None if it has gone, is incomplete or cannot be read now. `name` names it in the log.

    A release may have only a signature if the files are `FoundFiles`.
    """
    path, most = MANIFEST_PATH, MAX_ENVELOPE_BYTES
    try:
        try:
            release = read_release(files)
            return Look(release.envelope, _content_digest(release.envelope), release, None)
        except NoReleaseError:
            if not isinstance(files, FoundFiles):
                return None
            path, most = SIGNED_BUNDLE_PATH, BUNDLE_MAX_BYTES
            signed = read_signed_release(files.files, files.found)
            return Look(signed.bundle, _payload_digest(signed.bundle), signed, None, path)
    except (IncompleteError, NoReleaseError, UsageError):
        return None  # the release went away since the scan
    except ProvenanceError as error:
        if error.retry:  # without the content digest there is no row to park; the next scan tries again
            _log.warning("%s: release cannot be read now: %s", printable(name), error)
            return None
        data = start_of(files, path, most + 1)
        digest = _content_digest(data) if path == MANIFEST_PATH else _payload_digest(data)
        return Look(data, digest, None, error, path)


def _content_digest(envelope: bytes) -> bytes:
    """Return the manifest digest (32 bytes), or SHA-256 of the file if it is not a DSSE envelope."""
    try:
        return hashlib.sha256(parse_envelope(envelope).payload).digest()
    except FormatError:
        return hashlib.sha256(envelope).digest()


def _payload_digest(bundle: bytes) -> bytes:
    """Return the digest of a bundle's payload (32 bytes), or SHA-256 of the file if it is no bundle."""
    try:
        return hashlib.sha256(parse_bundle(bundle, SIGNED_BUNDLE_PATH).envelope.payload).digest()
    except FormatError:
        return hashlib.sha256(bundle).digest()


def start_of(files: ReleaseFiles, name: str, most: int) -> bytes:
    """Return at most `most` bytes of a file of a release, to tell the release from others.

    Empty if there is no regular file or it cannot be read. On disk, every open call is relative to the parent's
    descriptor, follows no link and never waits, so an entry that is swapped meanwhile neither hangs the scan nor leads
    outside.

    Args:
        name: the file's path in the release.
    """
    try:
        with files.session() as release:
            return release.read_start(name, most)
    except ProvenanceError:
        return b""
