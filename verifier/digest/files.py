"""The files of a release: list them, hash each one once. `match_files` compares them with the manifest.

Sizes are compared before any byte is read, so an attacker's sparse file of a terabyte costs nothing. The folder is
listed again after the last byte, and digests are returned only if the two listings are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.bookkeeping import ignore_hint
from provenance_oracle.verifier.digest.byte_meter import ByteMeter
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, FsVerityHasher, model_digest
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.names import MAX_FOLDERS, PROVENANCE_FOLDER, parse_path, refuse_collisions
from provenance_oracle.verifier.manifest.statement import MAX_FILES
from provenance_oracle.verifier.strict.files import OnBytes, OpenBytes, changed, open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.release_files import ReleaseEntry, ReleasePlace, files_of
from provenance_oracle.verifier.strict.release_folder import STRICT, FoundFile, Reading
from provenance_oracle.verifier.text import printable

_BATCH_FILES = 1024  # files handed to the threads at a time
_NAMED_MAX = 10  # refused entries that a message names
NOBODY: Mapping[str, Take] = MappingProxyType({})


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
    found: FoundFile

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.found.identity.size


@dataclass(frozen=True)
class Listing:
    """The files of a release outside `provenance/`, sorted by the UTF-8 bytes of their paths.

    Attributes:
        files: the files that the manifest must name.
        whole: the files in `provenance/` are listed too.
        limits, reading: those that the folder was listed with.
        ignored: paths of files and folders that the user leaves out (`Reading.ignored`); no folder of them was entered.
        aside: files that tools added; `match_files.set_aside` moves them here from `files`.
        uncovered: the digests of the files in `aside`.
    """

    files: tuple[ListedFile, ...]
    limits: Limits
    reading: Reading = STRICT
    ignored: tuple[str, ...] = ()
    aside: tuple[ListedFile, ...] = ()
    uncovered: tuple[FileDigest, ...] = ()
    whole: bool = False

    @property
    def total_bytes(self) -> int:
        """The size of all files together in bytes."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class FileSet:
    """The digests of all files of a release, in the order of the listing, and the model digest (32 bytes).

    `uncovered` and `ignored` are the files that the model digest leaves out, as `Listing` has them.
    """

    files: tuple[FileDigest, ...]
    model_digest: bytes
    uncovered: tuple[FileDigest, ...] = ()
    ignored: tuple[str, ...] = ()


class FileHasher(Protocol):
    """Reads and hashes one open file. Every implementation has the same results as `ReferenceHasher`."""

    @property
    def files_at_once(self) -> int:
        """The number of threads that should call the hasher at the same time; more must not."""

    def __call__(
        self, file: OpenBytes, *, sha256: bool, advance: Callable[[int], None], also: Sequence[Take] = ()
    ) -> FileDigest:
        """Read exactly `file.size` bytes, once. Call `advance` with the size of every piece read.

        Args:
            sha256: whether to compute the whole-file SHA-256 too.
            also: each called with all bytes of the file, piece by piece in their order, from this read.

        Raises:
            ChangedError: the file has fewer bytes.
        """


def list_files(
    root: ReleasePlace, limits: Limits = Limits(), reading: Reading = STRICT, *, whole: bool = False
) -> Listing:
    """List every file of the release at `root`, except `provenance/`, without reading any of them.

    Args:
        whole: list the files in `provenance/` too.

    Raises:
        UsageError: the folder does not exist.
        FormatError: the release holds links, special files or unacceptable names, all of which the error tells, or more
            than `limits` (check `file-set`).
        ChangedError: a file or folder vanished meanwhile.
    """
    release = files_of(root, reading)
    with release.session() as opened:
        listed = _Files(limits, release.reading, whole)
        opened.visit_all(listed.visit, most=limits.files + 1)
    listed.refuse()
    files = sorted(listed.files, key=lambda file: file.path.encode())
    refuse_collisions((file.path for file in files), where="release", check=Check.FILE_SET)
    return Listing(tuple(files), limits, release.reading, tuple(listed.ignored), whole=whole)


class _Files:
    """The files that a walk finds. It counts them against the limits, so that no folder exhausts memory."""

    def __init__(self, limits: Limits, reading: Reading, whole: bool) -> None:
        self.files: list[ListedFile] = []
        self.ignored: list[str] = []
        self._whole = whole
        self._limits = limits
        self._reading = reading
        self._entries = 0
        self._total_bytes = 0
        self._refusals: list[tuple[str, FormatError]] = []  # at most _NAMED_MAX of them
        self._refused = 0

    def visit(self, entry: ReleaseEntry) -> bool:
        """Take an entry, and return whether to enter it."""
        if entry.is_folder and entry.path == PROVENANCE_FOLDER and not self._whole:
            return False
        self._entries += 1
        self._limit("files and folders", self._entries, self._limits.files, entry.path)
        if self._reading.ignores(entry.path):
            self.ignored.append(entry.path)
            return False
        try:
            parse_path(entry.path, where="release", check=Check.FILE_SET, in_provenance=self._whole)
            found = None if entry.is_folder else entry.identify()
        except FormatError as error:  # not the end: the user is told all of them at once
            self._refuse_later(entry.path, error)
            return False
        if found is None:
            self._limit("folders within folders", entry.depth + 1, self._limits.depth, entry.path)
            return True
        file = ListedFile(entry.path, found)
        self._total_bytes += file.size
        self._limit("bytes", self._total_bytes, self._limits.total_bytes, entry.path)
        self.files.append(file)
        return False

    def _refuse_later(self, path: str, error: FormatError) -> None:
        self._refused += 1
        if len(self._refusals) < _NAMED_MAX:
            self._refusals.append((path, error))

    def refuse(self) -> None:
        """Raise one FormatError for everything that the walk could not list; return if there is nothing."""
        if not self._refusals:
            return
        hint = ignore_hint(path for path, _ in self._refusals)
        if self._refused == 1:
            only = self._refusals[0][1]
            only.wanted += hint
            raise only
        shown = [f"{printable(path, 200)}: {_reason(error)}" for path, error in self._refusals]
        more = f"; and {self._refused - len(shown)} more" if self._refused > len(shown) else ""
        raise FormatError(
            "files and folders that a release may not hold; rename or remove them",
            check=Check.FILE_SET,
            where="release",
            got="; ".join(shown) + more,
            wanted=f"only regular files and folders, with names that look the same on every screen{hint}",
        )

    def _limit(self, what: str, got: int, most: int, path: str) -> None:
        if got > most:
            raise FormatError(
                "the release is too large",
                check=Check.FILE_SET,
                where=path,
                got=f"{got} {what} or more",
                wanted=f"at most {most}",
            )


def digest_files(
    root: ReleasePlace,
    listing: Listing,
    *,
    sha256_of: Collection[str] = frozenset(),
    also: Mapping[str, Take] = NOBODY,
    hasher: FileHasher | None = None,
    progress: OnBytes | None = None,
) -> FileSet:
    """Read every byte of the listed files once and return their digests.

    Args:
        listing: the result of `list_files(root)`. If there is a manifest, compare it first.
        sha256_of: paths of the files to compute the whole-file SHA-256 of too.
        also: takes the bytes of the file at a path from the same read; see `FileHasher`.
        hasher: hashes one file; by default the readable reference.

    Raises:
        ChangedError: a file or the folder changed since the listing was taken.
        FormatError: a link or special file has replaced a file (check `file-set`).
        TemporaryError: a file cannot be read.
    """
    hasher = hasher or ReferenceHasher()
    meter = ByteMeter(listing.total_bytes, progress)
    with files_of(root, listing.reading).session() as release:

        def digest(listed: ListedFile) -> FileDigest:
            with release.open(listed.path, listed.found) as file:
                others = (also[listed.path],) if listed.path in also else ()
                return hasher(file, sha256=listed.path in sha256_of, advance=meter.advance, also=others)

        digests = _side_by_side(digest, listing.files, hasher.files_at_once)
    refuse_changes(root, listing)
    return FileSet(tuple(digests), model_digest(digests), listing.uncovered, listing.ignored)


def refuse_changes(root: ReleasePlace, listing: Listing) -> None:
    """List the release again, and raise ChangedError if it is not as it was when `listing` was taken."""
    now = list_files(root, listing.limits, listing.reading, whole=listing.whole)
    if {*now.files} != {*listing.files, *listing.aside} or now.ignored != listing.ignored:
        raise changed(files_of(root).where)


def digest_some(
    root: ReleasePlace,
    paths: Sequence[str],
    *,
    sha256_of: Collection[str] = frozenset(),
    also: Mapping[str, Take] = NOBODY,
    hasher: FileHasher | None = None,
    reading: Reading = STRICT,
    progress: OnBytes | None = None,
) -> tuple[FileDigest, ...]:
    """Read the files at `paths` once and return their digests, in this order. No other file is looked at.

    A file that does not exist is left out. Arguments and errors are otherwise those of `digest_files`.
    """
    hasher = hasher or ReferenceHasher()
    with files_of(root, reading).session() as release:
        found = {path: file for path in paths if (file := release.find(path))}
        meter = ByteMeter(sum(file.identity.size for file in found.values()), progress)
        digests = []
        for path, known in found.items():
            with release.open(path, known) as opened:
                others = (also[path],) if path in also else ()
                digests.append(hasher(opened, sha256=path in sha256_of, advance=meter.advance, also=others))
    return tuple(digests)


def digest_file(
    path: Path, *, sha256: bool = False, hasher: FileHasher | None = None, progress: OnBytes | None = None
) -> FileDigest:
    """Read one file, given by the user, once and return its digests.

    Raises:
        UsageError: there is no such regular file.
        ChangedError: the file changed meanwhile. TemporaryError: the file cannot be read.
    """
    with open_any_file(path) as file:
        return (hasher or ReferenceHasher())(file, sha256=sha256, advance=ByteMeter(file.size, progress).advance)


class ReferenceHasher:
    """The reference `FileHasher`: one pass in pieces of 1 MiB, one file at a time."""

    files_at_once = 1

    def __call__(
        self, file: OpenBytes, *, sha256: bool, advance: Callable[[int], None], also: Sequence[Take] = ()
    ) -> FileDigest:
        tree = FsVerityHasher()
        whole = hashlib.sha256() if sha256 else None
        for piece in pieces_of_file(file):
            tree.update(piece)
            if whole:
                whole.update(piece)
            for take in also:
                take(piece)
            advance(len(piece))
        return FileDigest(file.path, file.size, tree.digest(), whole.digest() if whole else None)


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


def _reason(error: FormatError) -> str:
    return error.problem.removeprefix("file name ") if error.where == "release" else error.got
