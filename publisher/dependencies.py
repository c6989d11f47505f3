"""The dependencies of a model on the command line: NAME=ALGORITHM:HEX, or NAME=@PATH for what lies there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import IncompleteError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.release import KEY_PATH, NoReleaseError, read_release
from provenance_oracle.verifier.manifest.dsse import parse_envelope, verify_envelope
from provenance_oracle.verifier.manifest.key import parse_public_key
from provenance_oracle.verifier.manifest.statement import (
    DIGEST_SIZES,
    MANIFEST_DIGEST,
    MODEL_DIGEST,
    SHA256,
    Dependency,
    Role,
    parse_statement,
)
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.release_folder import Reading

_WANTED = "NAME=sha256:HEX, NAME=provenance_model_v1:HEX,provenance_manifest_v1:HEX, NAME=@FILE or NAME=@FOLDER"
_READING = Reading(hub_links=True)


def parse_sources(texts: Mapping[Role, Iterable[str]]) -> tuple[Dependency, ...]:
    """Parse the options of each role into dependencies, in the order given.

    A file is digested with SHA-256. A folder gets its model digest, and the digest of its manifest if it is a release:
    both together name that one release, while others may have the same files recorded too.

    Raises:
        UsageError: a text has none of the forms, or a file or folder cannot be read.
        FormatError: a folder holds files that no model may hold, or a manifest that is malformed.
        VerificationError: a folder is a release whose manifest has a false signature or names other files.
        ChangedError, TemporaryError: a folder changes meanwhile, or cannot be read.
    """
    return tuple(_parse_source(role, text) for role, given in texts.items() for text in given)


def _parse_source(role: Role, text: str) -> Dependency:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError("the dependency is malformed", where=f"--{role}", got=text, wanted=_WANTED)
    digests = _digests_at(role, value[1:]) if value.startswith("@") else _parse_digests(role, value)
    return Dependency(role=role, name=name, uri="", digests=digests, relation="")


def _parse_digests(role: Role, text: str) -> tuple[tuple[str, bytes], ...]:
    digests = tuple(_parse_digest(role, part) for part in text.split(","))
    if len(dict(digests)) < len(digests):
        raise UsageError("a digest is named twice", where=f"--{role}", got=text, wanted=_WANTED)
    return digests


def _parse_digest(role: Role, text: str) -> tuple[str, bytes]:
    algorithm, _, hex_text = text.partition(":")
    try:
        digest = bytes.fromhex(hex_text)
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_SIZES.get(algorithm):
        raise UsageError("the digest is malformed", where=f"--{role}", got=text, wanted=_WANTED)
    return algorithm, digest


def _digests_at(role: Role, path: str) -> tuple[tuple[str, bytes], ...]:
    if Path(path).is_dir():
        return digests_of_folder(Path(path))
    digest = hashlib.sha256()
    try:
        with open_any_file(Path(path)) as file:
            for piece in pieces_of_file(file):
                digest.update(piece)
    except (UsageError, TemporaryError) as error:
        raise UsageError(
            "the file cannot be read", where=f"--{role} {path}", got=error.got, wanted="a file or a folder"
        ) from error
    return ((SHA256, digest.digest()),)


def digests_of_folder(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Return the digests by which a manifest names a model, with that of its own manifest if it is a release.

    The release's signature and files are verified, but not its evidence: an oracle does that.

    Raises:
        ProvenanceError: as for `parse_sources`.
    """
    try:
        release = read_release(folder, _READING)
        manifest = parse_statement(
            verify_envelope(parse_envelope(release.envelope), parse_public_key(release.key, KEY_PATH))
        )
    except (NoReleaseError, IncompleteError):
        manifest = None
    listing = list_files(folder, reading=_READING)
    if not listing.files:
        raise UsageError("the folder has no files", where=str(folder), got="no file", wanted="the files of a model")
    if manifest is None:
        files = digest_files(folder, listing, hasher=CpuHasher())
        return ((MODEL_DIGEST, files.model_digest),)
    match_file_set(manifest, listing, folder)
    files = digest_files(folder, listing, sha256_of=manifest.sha256_paths, hasher=CpuHasher())
    match_file_digests(manifest, files)
    return (MODEL_DIGEST, files.model_digest), (MANIFEST_DIGEST, manifest.digest)
