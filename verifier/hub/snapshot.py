"""`snapshot_download` and `expected_hashes`, the functions that users call. They read the clock of this machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError, unwritten
from provenance_oracle.verifier.hub.repository import ModelCommit, open_commit
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.judgement.confirm import Confirmation, RecordSource, confirm
from provenance_oracle.verifier.judgement.expected import Expected, match_expected
from provenance_oracle.verifier.judgement.live_model import Accepted, accept
from provenance_oracle.verifier.judgement.release import Release, read_release
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.snp.kds import Fetcher

_COMMIT_CHARS = 12  # of a commit, in the name of the folder for its download


@dataclass(frozen=True)
class Snapshot:
    """A commit on disk, every byte of which belongs to a recorded release. It can be used as a path.

    Attributes:
        path: the folder.
        commit: 40 hex digits.
        confirmation: the judgement of this machine and the record.
    """

    path: Path
    commit: str
    confirmation: Confirmation

    def __fspath__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class ExpectedFile:
    """What a file of a recorded release must be: its size in bytes, and its digests in hex, None where not recorded."""

    size: int
    sha256: str | None
    fsverity: str | None


def snapshot_download(
    repo_id: str,
    *,
    registry: RecordSource,
    policy: Policy | str | Path = "baseline",
    revision: str | None = None,
    name: str | None = None,
    publisher: bytes | None = None,
    identities: Collection[str] = (),
    local_dir: Path | str | None = None,
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
    max_workers: int = 8,
) -> Snapshot:
    """Download a model from the Hugging Face Hub, but only one that a registry has a record of.

    The evidence and the manifest come first, and are judged. Nothing else is downloaded before the registry has an
    active record of this manifest and the hub lists exactly its files. Then the commit is downloaded beside the place
    where it will lie, judged as `provenance check` does, every byte, and only then moved there. A refused model leaves
    nothing; a download that the network interrupts goes on at the next call.

    Args:
        repo_id: `organisation/model` on the hub.
        registry: reads the records: a `RegistryReader`.
        policy: a `Policy`, the name of a shipped one, or the path of a file.
        revision: branch, tag or commit, by default the hub's main branch. The download is pinned to its commit.
        name: the name that the release must have, `namespace/model` or `namespace/model@version`; by default
            `repo_id`. Otherwise the hub could answer with any other recorded model.
        publisher: the digest of the identity that the publisher must have, 32 bytes; None for any.
        identities: lines, one of which must fit the publisher, as `provenance identity` prints them; empty for any.
        local_dir: the folder to make; by default one below `~/.cache/provenance/models`, named by the commit. If it is
            there already, it must hold this release, is judged again, and is not downloaded.
        at: the moment to judge for; by default that of the record.
        fetcher: fetches a current revocation list if the release has none; None: nothing is fetched.
        token, endpoint, max_workers: as for the function of huggingface_hub.

    Raises:
        RecordError: the registry has no active record.
        VerificationError: evidence, manifest or a file is forged, or the hub lists other files than the manifest.
        AppraisalError: the policy refuses the release, or it has another name or publisher.
        FormatError: the release is malformed.
        UsageError: there is no such model, the folder holds something else, or huggingface_hub is not installed.
        TemporaryError: the hub, the chain or the disk failed, or another process downloads the same.
    """
    rules = load_policy(policy) if isinstance(policy, str | Path) else policy
    expected, now = _expected(name or repo_id, publisher, identities), datetime.now(UTC)
    # (1) the commit, which cannot change
    commit = open_commit(repo_id, revision, token, endpoint)
    place = (Path(local_dir) if local_dir is not None else _default_place(commit)).absolute()
    with _staging(place, commit.commit) as folder:
        # (2) evidence, manifest and record
        commit.download_provenance(folder)
        release = read_release(folder)
        accepted = _accept(release, rules, registry, expected, at, now, fetcher)
        # (3) the hub lists the files of the manifest, and no others
        commit.match_manifest(accepted.manifest)
        if os.path.lexists(place):
            _refuse_other(place, release)
            folder = place
        else:
            commit.download(folder, workers=max_workers)
            commit.forget_notes(folder)
        # (4) every byte, as `provenance check` judges it
        found = confirm(
            read_release(folder), rules, registry=registry, at=at, now=now, fetcher=fetcher, expected=expected
        )
        # (5) only now the folder is there under its name
        if folder != place:
            folder.rename(place)
    return Snapshot(place, commit.commit, found)


def expected_hashes(
    repo_id: str,
    *,
    registry: RecordSource,
    policy: Policy | str | Path = "baseline",
    revision: str | None = None,
    name: str | None = None,
    publisher: bytes | None = None,
    identities: Collection[str] = (),
    at: datetime | None = None,
    fetcher: Fetcher | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
) -> dict[str, ExpectedFile]:
    """Return the size and the digests of every file of a recorded model on the hub, by path, for other downloaders.

    Only evidence and manifest are downloaded and judged. The arguments and errors are those of `snapshot_download`.
    """
    rules = load_policy(policy) if isinstance(policy, str | Path) else policy
    expected, now = _expected(name or repo_id, publisher, identities), datetime.now(UTC)
    commit = open_commit(repo_id, revision, token, endpoint)
    with TemporaryDirectory() as folder:
        commit.download_provenance(Path(folder))
        accepted = _accept(read_release(Path(folder)), rules, registry, expected, at, now, fetcher)
    commit.match_manifest(accepted.manifest)
    return {
        file.path: ExpectedFile(
            file.size,
            file.sha256.hex() if file.sha256 is not None else None,
            file.fsverity.hex() if file.fsverity is not None else None,
        )
        for file in accepted.manifest.files
    }


def _expected(name: str, publisher: bytes | None, identities: Collection[str]) -> Expected:
    parsed = tuple(parse_identity(line, "identities") for line in identities)
    return Expected(name=name, publisher=publisher, identities=parsed)


def _accept(
    release: Release,
    policy: Policy,
    registry: RecordSource,
    expected: Expected,
    at: datetime | None,
    now: datetime,
    fetcher: Fetcher | None,
) -> Accepted:
    """Judge evidence and manifest, and find an active record of the manifest, before any other file is there."""
    record = registry.entry(hashlib.sha256(release.unverified_payload).digest())
    accepted = accept(release, policy, record, at, now, fetcher)
    assert accepted.result is not None  # a policy was given
    match_expected(accepted.result, expected)
    return accepted


def _default_place(commit: ModelCommit) -> Path:
    """Return the folder of a commit in XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise UsageError("no place to download to", where="home folder", got=str(error), wanted="local_dir") from error
    return parent / "provenance" / "models" / commit.repository / commit.commit


@contextmanager
def _staging(place: Path, commit: str) -> Iterator[Path]:
    """Yield the folder beside `place` in which a commit is downloaded, for one process at a time.

    It goes when the block ends, or the model is refused. An interrupted download stays, for the next call.

    Raises:
        UsageError: it cannot be made. TemporaryError: the disk is full, or another process holds it.
    """
    folder = place.with_name(f".{place.name}.{commit[:_COMMIT_CHARS]}.part")
    with ExitStack() as stack:
        with _os_errors(folder):
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_held = os.path.samestat(os.fstat(descriptor), folder.lstat())
        except OSError:
            is_held = False
        if not is_held:  # or it was moved to its place before the lock was ours
            wanted = "one process at a time"
            raise TemporaryError("another process downloads it", where=str(place), got=str(folder), wanted=wanted)
        try:
            with _os_errors(folder):
                yield folder
        except ProvenanceError as error:
            if not error.retry:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _os_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritten("cannot be written", error, where=str(folder), wanted="a folder that you may write") from error


def _refuse_other(place: Path, release: Release) -> None:
    """Raise UsageError if the folder that is there holds another release than the hub's commit, or none."""
    try:
        found = read_release(place).envelope
    except ProvenanceError as error:
        raise _another(place, str(error)) from error
    if found != release.envelope:
        raise _another(place, "a release with another manifest")


def _another(place: Path, got: str) -> UsageError:
    wanted = "this release, or no such folder: remove it, or choose another local_dir"
    return UsageError("the folder holds something else", check=Check.FILE_SET, where=str(place), got=got, wanted=wanted)
