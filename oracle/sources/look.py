"""Read a release without trust, as far as it can be read, to tell it from others."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from provenance_oracle.verifier.errors import FormatError, IncompleteError, ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.release import NoReleaseError, Release, read_release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES, parse_envelope
from provenance_oracle.verifier.strict.release_files import ReleaseFiles
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """A release as it was read.

    `envelope` is the manifest file's bytes. `content` is the digest of the signed payload (32 bytes), or SHA-256 of the
    file if it is not a DSSE envelope. Exactly one of `release` and `problem` is not None.
    """

    envelope: bytes
    content: bytes
    release: Release | None
    problem: ProvenanceError | None


def look_at(files: ReleaseFiles, name: str) -> Look | None:
    """Read a release; None if it has gone, is incomplete or cannot be read now. `name` names it in the log."""
    try:
        release = read_release(files)
        return Look(release.envelope, _content_digest(release.envelope), release, None)
    except (IncompleteError, NoReleaseError, UsageError):
        return None  # the release went away since the scan
    except ProvenanceError as error:
        if error.retry:  # without the content digest there is no row to park; the next scan tries again
            _log.warning("%s: release cannot be read now: %s", printable(name), error)
            return None
        envelope = start_of(files, MANIFEST_PATH, MAX_ENVELOPE_BYTES + 1)
        return Look(envelope, _content_digest(envelope), None, error)


def _content_digest(envelope: bytes) -> bytes:
    """Return the manifest digest (32 bytes), or SHA-256 of the file if it is not a DSSE envelope."""
    try:
        return hashlib.sha256(parse_envelope(envelope).payload).digest()
    except FormatError:
        return hashlib.sha256(envelope).digest()


def start_of(files: ReleaseFiles, name: str, most: int) -> bytes:
    """Return at most `most` bytes of a file in a release's `provenance/`, to tell the release from others.

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
