"""One commit of a model's repository on the Hugging Face Hub, read with the hub's own package, huggingface_hub."""

from __future__ import annotations

import re
import shutil
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.bookkeeping import GIT_ATTRIBUTES
from provenance_oracle.verifier.digest.files import Limits, ListedFile, Listing
from provenance_oracle.verifier.digest.match_files import match_file_set
from provenance_oracle.verifier.errors import (
    FormatError,
    TemporaryError,
    UsageError,
    VerificationError,
    naming_extras,
)
from provenance_oracle.verifier.manifest.dsse import MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.manifest.statement import MAX_FILES, Manifest
from provenance_oracle.verifier.strict.release_folder import FoundFile, RemoteIdentity
from provenance_oracle.verifier.text import printable

_SLUG = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_NAME = re.compile(f"{_SLUG}/{_SLUG}")
_COMMIT = re.compile("[0-9a-f]{40}")
_BESIDE_MAX = 64  # files that a repository may hold beside those that a manifest can name
_PROVENANCE_MAX_BYTES = MAX_ENVELOPE_BYTES + (8 << 20)  # of the whole folder, as `judgement.release` limits its files
_ETAG_TIMEOUT_SECONDS = 10
_NOTES = ".cache"  # the folder in which huggingface_hub keeps notes about a download


@dataclass(frozen=True)
class HubFile:
    """A file of a commit as the hub lists it. `sha256` is that of an LFS or Xet file; None for a small one."""

    path: str
    size: int
    sha256: bytes | None


@dataclass(frozen=True)
class ModelCommit:
    """A commit of a repository, whose files cannot change.

    Attributes:
        repository: `organisation/model`.
        commit: 40 hex digits.
        token, endpoint: as huggingface_hub takes them; None for its own defaults.
    """

    repository: str
    commit: str
    files: tuple[HubFile, ...]
    token: str | bool | None = None
    endpoint: str | None = None

    @property
    def where(self) -> str:
        """The address of the commit for messages."""
        return f"hf://{self.repository}@{self.commit}"

    def match_manifest(self, manifest: Manifest) -> None:
        """Compare the list of files with a manifest, before anything large is downloaded.

        Raises:
            VerificationError: the commit has other names or sizes (check `file-set`), or a SHA-256 that the hub states
                differs (check `file-digests`).
        """
        named = {file.path: file for file in manifest.files}
        listed = [file for file in self.files if not _is_beside(file.path, named)]
        found = [ListedFile(file.path, FoundFile(RemoteIdentity(file.size, self.commit))) for file in listed]
        match_file_set(manifest, Listing(tuple(found), Limits()))
        for file in listed:
            wanted = named[file.path].sha256
            if wanted is not None and file.sha256 not in (None, wanted):
                raise VerificationError(
                    "the hub has another file than the release",
                    check=Check.FILE_DIGESTS,
                    where=f"{self.where}, {file.path}",
                    got=(file.sha256 or b"").hex(),
                    wanted=wanted.hex(),
                )

    def download_provenance(self, folder: Path) -> None:
        """Download evidence and manifest into a folder. Raises FormatError if they are too large, see `download`."""
        size = sum(file.size for file in self.files if file.path.startswith(f"{PROVENANCE_FOLDER}/"))
        if size > _PROVENANCE_MAX_BYTES:
            got, wanted = f"{size} bytes", f"at most {_PROVENANCE_MAX_BYTES} bytes in {PROVENANCE_FOLDER}/"
            where = self.where
            raise FormatError("too large", check=Check.MANIFEST_FORMAT, where=where, got=got, wanted=wanted)
        self.download(folder, patterns=(f"{PROVENANCE_FOLDER}/*",))

    def download(self, folder: Path, *, patterns: Sequence[str] | None = None, workers: int = 8) -> None:
        """Download all files, or those that a pattern matches, and leave no notes of the download.

        Raises:
            UsageError, TemporaryError: see `hub_errors`.
        """
        with naming_extras():
            from huggingface_hub import snapshot_download
        with hub_errors(self.where):
            snapshot_download(
                self.repository,
                revision=self.commit,
                local_dir=folder,
                allow_patterns=list(patterns) if patterns else None,
                etag_timeout=_ETAG_TIMEOUT_SECONDS,
                max_workers=workers,
                token=self.token,
                endpoint=self.endpoint,
            )

    @staticmethod
    def forget_notes(folder: Path) -> None:
        """Remove the notes that let an interrupted download go on."""
        shutil.rmtree(folder / _NOTES, ignore_errors=True)


def open_commit(
    repository: str, revision: str | None, token: str | bool | None = None, endpoint: str | None = None
) -> ModelCommit:
    """Find the commit that a branch, a tag or a commit names, and list its files.

    Raises:
        UsageError: the name is malformed, or the hub has no such model or revision for you.
        FormatError: the commit has too many files (check `file-set`).
        TemporaryError: the hub does not answer.
    """
    if not _NAME.fullmatch(repository) or ".." in repository:
        raise UsageError("not a model on the hub", got=printable(repository), wanted="ORGANISATION/MODEL")
    with naming_extras():
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile
    where = f"hf://{repository}" + (f"@{printable(revision)}" if revision else "")
    api = HfApi(endpoint=endpoint, token=token)
    with hub_errors(where):
        commit = str(api.model_info(repository, revision=revision, expand=["sha"], timeout=_ETAG_TIMEOUT_SECONDS).sha)
        if not _COMMIT.fullmatch(commit):
            raise ValueError(f"the hub names no commit: {commit[:80]}")
        tree = api.list_repo_tree(repository, revision=commit, recursive=True)
        listed = list(islice((one for one in tree if isinstance(one, RepoFile)), MAX_FILES + _BESIDE_MAX + 1))
        files = tuple(HubFile(str(one.path), int(one.size), _sha256(one)) for one in listed)
    if len(files) > MAX_FILES + _BESIDE_MAX:
        got, wanted = f"more than {MAX_FILES + _BESIDE_MAX}", f"at most {MAX_FILES}"
        raise FormatError("too many files", check=Check.FILE_SET, where=where, got=got, wanted=wanted)
    return ModelCommit(repository, commit, files, token, endpoint)


@contextmanager
def hub_errors(where: str) -> Iterator[None]:
    """Turn the errors of huggingface_hub into ours.

    Raises:
        UsageError: there is no such model or revision, or you may not read it.
        TemporaryError: anything else of the network, the hub or the disk; the package documents no closed list.
    """
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        yield
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        wanted = "a model and revision that you may read; `hf auth login` for private and gated ones"
        raise UsageError("the hub has no such model", where=where, got=_first_line(error), wanted=wanted) from error
    except Exception as error:
        got = _first_line(error)
        raise TemporaryError("the download failed", where=where, got=got, wanted="a hub that answers") from error


def _is_beside(path: str, named: Container[str]) -> bool:
    """Return whether a file is not one of the model's: evidence, or the attributes that the hub gives git."""
    return path.startswith(f"{PROVENANCE_FOLDER}/") or (path == GIT_ATTRIBUTES and path not in named)


def _sha256(file: object) -> bytes | None:
    lfs = getattr(file, "lfs", None)
    return bytes.fromhex(str(lfs.sha256)) if lfs is not None else None


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
