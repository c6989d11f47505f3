"""The files of a release: list them, compare them with the manifest, hash each one once.

Sizes are compared before any byte is read, so an attacker's sparse file of a terabyte costs nothing. The folder is
listed again after the last byte, and digests are returned only if the two listings are equal.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, FsVerityHasher, model_digest
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.manifest.names import MAX_FOLDERS, PROVENANCE_FOLDER, parse_path, refuse_collisions
from provenance_oracle.verifier.manifest.statement import FSVERITY, MAX_FILES, SHA256, Manifest, ManifestFile
from provenance_oracle.verifier.strict.files import (
    Identity,
    OnBytes,
    OpenFile,
    changed,
    identify,
    open_any_file,
    open_file,
    open_folder,
    open_root,
    scan,
)
from provenance_oracle.verifier.text import printable

PIECE_BYTES = 1024 * 1024
_BATCH_FILES = 1024  # files handed to the threads at a time
_NAMED_MAX = 10  # files that a message names for each kind of difference


@dataclass(frozen=True)
class Limits:
    """The limits of a release. `files` counts files and folders, `depth` the folders above a file."""

    files: int = MAX_FILES
    depth: int = MAX_FOLDERS
    total_bytes: int = 2**44


@dataclass(frozen=True)
class ListedFile:
    """One file in a listing. Its bytes were not read. `path` is relative to the release's folder, POSIX style."""

    path: str
    identity: Identity

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.identity.size


@dataclass(frozen=True)
class Listing:
    """All files of a release outside `provenance/`, sorted by the UTF-8 bytes of their paths; and the limits."""

    files: tuple[ListedFile, ...]
    limits: Limits

    @property
    def total_bytes(self) -> int:
        """The size of all files together in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class FileSet:
    """The digests of all files of a release, in the order of the listing, and the model digest (32 bytes)."""

    files: tuple[FileDigest, ...]
    model_digest: bytes


class FileHasher(Protocol):
    """Reads and hashes one open file. Every implementation has the same results as `ReferenceHasher`."""

    @property
    def files_at_once(self) -> int:
        """The number of threads that should call the hasher at the same time; more must not."""

    def __call__(self, file: OpenFile, *, sha256: bool, advance: Callable[[int], None]) -> FileDigest:
        """Read exactly `file.size` bytes, once. Call `advance` with the size of every piece read.

        Raises:
            ChangedError: the file has fewer bytes.
        """


def list_files(root: Path, limits: Limits = Limits()) -> Listing:
    """List every file under the folder `root`, except `provenance/`, without reading any of them.

    Raises:
        UsageError: the folder does not exist.
        FormatError: the folder holds a link, a special file, an unacceptable name, or more than `limits` (check
            `file-set`).
        ChangedError: a file or folder vanished meanwhile.
    """
    with open_root(root) as folder:
        walk = _Walk(os.fstat(folder).st_dev, limits)
        files = sorted(walk.files(folder, "", depth=0), key=lambda file: file.path.encode())
    refuse_collisions((file.path for file in files), where="release", check=Check.FILE_SET)
    return Listing(tuple(files), limits)


class _Walk:
    """One walk through a folder. It counts against the limits as it goes, so that no folder exhausts memory."""

    def __init__(self, device: int, limits: Limits) -> None:
        self._device = device
        self._limits = limits
        self._files = 0
        self._total_bytes = 0

    def files(self, folder: int, path: str, depth: int) -> Iterator[ListedFile]:
        self._limit("folders within folders", depth, self._limits.depth, path)
        for name, found in scan(folder, path or "release", most=self._limits.files + 1):
            inner = f"{path}/{name}".lstrip("/")
            is_folder = stat.S_ISDIR(found.st_mode)
            if is_folder and inner == PROVENANCE_FOLDER:
                continue
            parse_path(inner, where="release", check=Check.FILE_SET)
            self._files += 1
            self._limit("files", self._files, self._limits.files, inner)
            if is_folder:
                with open_folder(folder, inner) as opened:
                    yield from self.files(opened, inner, depth + 1)
            else:
                identity = identify(found, inner, self._device)
                self._total_bytes += identity.size
                self._limit("bytes", self._total_bytes, self._limits.total_bytes, inner)
                yield ListedFile(inner, identity)

    def _limit(self, what: str, got: int, most: int, path: str) -> None:
        if got > most:
            raise FormatError(
                "the release is too large",
                check=Check.FILE_SET,
                where=path,
                got=f"{got} {what} or more",
                wanted=f"at most {most}",
            )


def match_file_set(manifest: Manifest, listing: Listing) -> None:
    """Compare the names and sizes of the listed files with the manifest. Call this before you read any byte.

    Raises:
        VerificationError: a file is not in the manifest, is missing, or has another size (check `file-set`).
    """
    named = {file.path: file.size for file in manifest.files}
    found = {file.path: file.size for file in listing.files}
    resized = [path for path in named.keys() & found.keys() if named[path] != found[path]]
    differences = [
        *_some("not in the manifest", found.keys() - named.keys()),
        *_some("missing", named.keys() - found.keys()),
        *_some("of another size", [f"{path} ({found[path]} bytes, not {named[path]})" for path in resized]),
    ]
    if differences:
        raise VerificationError(
            "the files are not those that the manifest names",
            check=Check.FILE_SET,
            where="release",
            got="; ".join(differences),
            wanted=f"exactly the {len(named)} files of the manifest, each of its size",
        )


def digest_files(
    root: Path,
    listing: Listing,
    *,
    sha256_of: Collection[str] = frozenset(),
    hasher: FileHasher | None = None,
    progress: OnBytes | None = None,
) -> FileSet:
    """Read every byte of the listed files once and return their digests.

    Args:
        listing: the result of `list_files(root)`. If there is a manifest, compare it first.
        sha256_of: paths of the files to compute the whole-file SHA-256 of too.
        hasher: hashes one file; by default the readable reference.

    Raises:
        ChangedError: a file or the folder changed since the listing was taken.
        FormatError: a link or special file has replaced a file (check `file-set`).
        TemporaryError: a file cannot be read.
    """
    hasher = hasher or ReferenceHasher()
    meter = _Meter(listing.total_bytes, progress)
    with open_root(root) as folder:

        def digest(listed: ListedFile) -> FileDigest:
            with _opened(folder, listed) as file:
                return hasher(file, sha256=listed.path in sha256_of, advance=meter.advance)

        digests = _side_by_side(digest, listing.files, hasher.files_at_once)
    if list_files(root, listing.limits) != listing:
        raise changed(str(root))
    return FileSet(tuple(digests), model_digest(digests))


def match_some_files(
    root: Path, listing: Listing, manifest: Manifest, paths: Collection[str], hasher: FileHasher | None = None
) -> None:
    """Read only the files at `paths`, once, and compare their digests with the manifest.

    Args:
        listing: the result of `list_files(root)`, compared with the manifest by `match_file_set`.
        hasher: hashes one file; by default the readable reference.

    Raises:
        VerificationError: a digest differs (check `file-digests`).
        ChangedError: a file changed since the listing was taken. FormatError: a link or special file has replaced a
            file (check `file-set`). TemporaryError: a file cannot be read.
    """
    hasher = hasher or ReferenceHasher()
    named = {file.path: file for file in manifest.files}
    with open_root(root) as folder:
        for listed in listing.files:
            if listed.path in paths:
                with _opened(folder, listed) as file:
                    found = hasher(file, sha256=named[listed.path].sha256 is not None, advance=lambda _: None)
                _match_file(named[listed.path], found)


def digest_file(
    path: Path, *, sha256: bool = False, hasher: FileHasher | None = None, progress: OnBytes | None = None
) -> FileDigest:
    """Read one file, given by the user, once and return its digests.

    Raises:
        UsageError: there is no such regular file.
        ChangedError: the file changed meanwhile. TemporaryError: the file cannot be read.
    """
    with open_any_file(path) as file:
        return (hasher or ReferenceHasher())(file, sha256=sha256, advance=_Meter(file.size, progress).advance)


@contextmanager
def _opened(root: int, listed: ListedFile) -> Iterator[OpenFile]:
    """Open a listed file, folder by folder from the open folder `root`, so that no link is followed."""
    with ExitStack() as stack:
        folder = root
        for position, char in enumerate(listed.path):
            if char == "/":
                folder = stack.enter_context(open_folder(folder, listed.path[:position]))
        yield stack.enter_context(open_file(folder, listed.path, listed.identity))


class ReferenceHasher:
    """The reference `FileHasher`: one pass in pieces of 1 MiB, one file at a time."""

    files_at_once = 1

    def __call__(self, file: OpenFile, *, sha256: bool, advance: Callable[[int], None]) -> FileDigest:
        tree = FsVerityHasher()
        whole = hashlib.sha256() if sha256 else None
        left = file.size
        while left:
            piece = os.read(file.descriptor, min(left, PIECE_BYTES))
            if not piece:
                raise changed(file.path)
            tree.update(piece)
            if whole:
                whole.update(piece)
            left -= len(piece)
            advance(len(piece))
        return FileDigest(file.path, file.size, tree.digest(), whole.digest() if whole else None)


class _Meter:
    """Adds up the bytes that several threads have hashed."""

    def __init__(self, total_bytes: int, progress: OnBytes | None) -> None:
        self._total_bytes = total_bytes
        self._progress = progress
        self._done_bytes = 0
        self._lock = Lock()

    def advance(self, size: int) -> None:
        with self._lock:
            self._done_bytes += size
            if self._progress:
                self._progress(self._done_bytes, self._total_bytes)


def _side_by_side(
    digest: Callable[[ListedFile], FileDigest], files: Sequence[ListedFile], files_at_once: int
) -> list[FileDigest]:
    """Return the digests of files in their order. Several files are hashed at once; the first failure ends all."""
    if files_at_once == 1 or len(files) < 2:
        return [digest(file) for file in files]
    digests: list[FileDigest] = []
    with ThreadPoolExecutor(files_at_once, thread_name_prefix="file") as pool:
        try:
            for first in range(0, len(files), _BATCH_FILES):
                digests += pool.map(digest, files[first : first + _BATCH_FILES])
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return digests


def match_file_digests(manifest: Manifest, files: FileSet) -> None:
    """Compare every digest in the manifest with the one computed.

    Raises:
        VerificationError: a digest differs or was not computed (check `file-digests`), or a name or size differs (check
            `file-set`).
    """
    found = {file.path: file for file in files.files}
    if len(found) != len(manifest.files):
        got, wanted = f"{len(found)} files", f"{len(manifest.files)} files"
        problem = "the release and the manifest have different numbers of files"
        raise VerificationError(problem, check=Check.FILE_SET, where="release", got=got, wanted=wanted)
    for named in manifest.files:
        _match_file(named, found.get(named.path))


def _match_file(named: ManifestFile, found: FileDigest | None) -> None:
    if found is None or found.size != named.size:
        got = f"{found.size} bytes" if found else "no such file"
        wanted = f"{named.size} bytes"
        problem = "the file is missing or has another size"
        raise VerificationError(problem, check=Check.FILE_SET, where=named.path, got=got, wanted=wanted)
    for algorithm, got_digest, wanted_digest in (
        (FSVERITY, found.fsverity, named.fsverity),
        (SHA256, found.sha256, named.sha256),
    ):
        if wanted_digest is not None and got_digest != wanted_digest:
            raise VerificationError(
                f"{algorithm} differs",
                check=Check.FILE_DIGESTS,
                where=named.path,
                got=got_digest.hex() if got_digest else "not computed",
                wanted=wanted_digest.hex(),
            )


def _some(what: str, names: Iterable[str]) -> list[str]:
    """Return a list with one phrase that names the first few files, or an empty list if there are none."""
    ordered = sorted(names)
    if not ordered:
        return []
    shown = ", ".join(printable(name, 200) for name in ordered[:_NAMED_MAX])
    more = f" and {len(ordered) - _NAMED_MAX} more" if len(ordered) > _NAMED_MAX else ""
    return [f"{what}: {shown}{more}"]
