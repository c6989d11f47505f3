"""`hf://ORG/MODEL[@REVISION]`: find a snapshot of a model in the Hugging Face cache, or download it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.errors import ProvenanceError, UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.strict.release_folder import Reading

HUB_SCHEME = "hf://"
_SLUG = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_MODEL = re.compile(f"({_SLUG})/({_SLUG})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{{0,199}}))?")
_COMMIT = re.compile("[0-9a-f]{40}")
_REF_MAX_BYTES = 256
_ETAG_TIMEOUT_SECONDS = 10
_EXTRA = "pip install 'provenance-oracle[hf]'"


def hub_folder(address: str, *, offline: bool) -> Path:
    """Return the folder of a model's snapshot: from the cache if all its files are there, else downloaded.

    Args:
        address: `hf://ORG/MODEL[@REVISION]`; the revision is a commit, branch or tag, by default `main`.
        offline: only look into the cache.

    Raises:
        UsageError: the address is malformed, there is no such model, or it is not in the cache and cannot be downloaded
            because of `offline` or a missing package.
        TemporaryError: the download failed.
    """
    model = _MODEL.fullmatch(address.removeprefix(HUB_SCHEME))
    if model is None or ".." in address:
        raise UsageError("not a model on the hub", got=address, wanted="hf://ORG/MODEL or hf://ORG/MODEL@REVISION")
    repository, revision = f"{model[1]}/{model[2]}", model[3] or "main"
    cached = cached_snapshot(repository, revision, os.environ)
    if cached and (offline or _is_whole(cached)):
        return cached
    if offline:
        raise UsageError("not in the cache", where=address, got="--offline", wanted=f"hf download {repository} first")
    return _downloaded(address, repository, revision)


def cached_snapshot(repository: str, revision: str, environ: Mapping[str, str]) -> Path | None:
    """Return the folder of a repository's snapshot in the cache, complete or not; None if there is none."""
    from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file

    folder = _cache(environ) / f"models--{repository.replace('/', '--')}"
    commit = revision
    if not _COMMIT.fullmatch(revision):
        try:
            with open_any_file(folder / "refs" / revision) as file:
                commit = b"".join(pieces_of_file(file, _REF_MAX_BYTES)).decode("ascii", "replace").strip()
        except ProvenanceError:
            return None
    snapshot = folder / "snapshots" / commit
    return snapshot if _COMMIT.fullmatch(commit) and snapshot.is_dir() else None


def _cache(environ: Mapping[str, str]) -> Path:
    """Return the folder of the cache by the variables that huggingface_hub reads."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return Path(environ[name]).expanduser()
    home = environ.get("HF_HOME") or f"{environ.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(home).expanduser() / "hub"


def _is_whole(snapshot: Path) -> bool:
    """Return whether a snapshot has the files that its manifest or its signature names.

    Programs download only those that they load. Nothing is verified here: this only decides on a download.
    """
    from provenance_oracle.verifier.judgement.release import NoReleaseError
    from provenance_oracle.verifier.strict.release_folder import Reading, open_release_folder

    reading = Reading(hub_links=True)
    try:
        try:
            named = _named_by_manifest(snapshot, reading)
        except NoReleaseError:
            named = _named_by_signature(snapshot, reading)
        with open_release_folder(snapshot, reading) as folder:
            return all(map(folder.find, named))
    except ProvenanceError:
        return False


def _named_by_manifest(snapshot: Path, reading: Reading) -> Iterable[str]:
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.manifest.statement import parse_statement

    return parse_statement(read_release(snapshot, reading).unverified_payload).paths


def _named_by_signature(snapshot: Path, reading: Reading) -> Iterable[str]:
    from provenance_oracle.verifier.identity.bundle import parse_bundle
    from provenance_oracle.verifier.identity.statement import parse_signed_files
    from provenance_oracle.verifier.judgement.signed_release import read_signed_release

    release = read_signed_release(snapshot, None, reading=reading)
    bundle = parse_bundle(release.bundle, release.bundle_path)
    return parse_signed_files(bundle.envelope.payload, release.bundle_path).paths


def _downloaded(address: str, repository: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        wanted = f"{_EXTRA}, or `hf download {repository}` first"
        problem = "not whole in the cache, and huggingface_hub is not installed"
        raise UsageError(problem, where=address, got=str(error), wanted=wanted) from error
    from provenance_oracle.verifier.hub.repository import hub_errors

    with hub_errors(address):
        return Path(snapshot_download(repository, revision=revision, etag_timeout=_ETAG_TIMEOUT_SECONDS))
