"""Compare the files of a release with its manifest: names and sizes before any byte, digests after."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.bookkeeping import (
    LFS_POINTER_MAX_BYTES,
    ignore_hint,
    is_bookkeeping,
    is_lfs_pointer,
    most_bytes,
    tool_entry,
)
from provenance_oracle.verifier.digest.files import FileHasher, FileSet, ListedFile, Listing, ReferenceHasher
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, fsverity_digest
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError, VerificationError
from provenance_oracle.verifier.manifest.statement import FSVERITY, SHA256, Manifest, ManifestFile
from provenance_oracle.verifier.strict.files import pieces_of_file
from provenance_oracle.verifier.strict.release_files import OpenRelease, ReleasePlace, files_of
from provenance_oracle.verifier.text import printable

_POINTERS_MAX = 1000  # files of a wrong size that are looked at to recognise Git LFS pointers
_NAMED_MAX_CHARS = 2048  # of the names that a message tells for each kind of difference


def set_aside(root: ReleasePlace, listing: Listing, named: Collection[str]) -> Listing:
    """Return the listing with the files set aside that hub and git added and `named` lacks; see `digest.bookkeeping`.

    Args:
        root: the release that was listed.
        named: the paths of the release: those of the manifest, and those in `provenance/`.

    Raises: as `digest_files`.
    """
    candidates = [file for file in listing.files if file.path not in named and most_bytes(file.path) is not None]
    if not candidates:
        return listing
    aside: dict[ListedFile, FileDigest] = {}
    with files_of(root, listing.reading).session() as release:
        for file in candidates:
            data = _small(release, file, most_bytes(file.path) or 0)
            if data is not None and is_bookkeeping(file.path, data, named):
                aside[file] = FileDigest(file.path, file.size, fsverity_digest(data))
    kept = tuple(file for file in listing.files if file not in aside)
    return replace(listing, files=kept, aside=tuple(aside), uncovered=tuple(aside.values()))


def match_file_set(manifest: Manifest, listing: Listing, root: ReleasePlace | None = None) -> None:
    """Compare the names and sizes of the listed files with the manifest. Call this before you hash any byte.

    Args:
        root: the release that was listed. With it, small files of a wrong size are read to recognise Git LFS pointers.

    Raises:
        VerificationError: a file is not in the manifest, is missing, or has another size (check `file-set`).
        FormatError: the only difference is files under names that tools add, such as `.git` (check `file-set`).
        UsageError: the user left out a file that the manifest names.
    """
    named = {file.path: file.size for file in manifest.files}
    found = {file.path: file for file in listing.files}
    extra, missing = found.keys() - named.keys(), named.keys() - found.keys()
    resized = [found[path] for path in sorted(named.keys() & found.keys()) if named[path] != found[path].size]
    _refuse_ignored(listing, missing)
    entries = {path: tool_entry(path) for path in extra}
    if extra and not missing and not resized and all(entries.values()):
        raise FormatError(
            "the folder holds files that tools added and the manifest does not name",
            check=Check.FILE_SET,
            where="release",
            got="; ".join(_some("not in the manifest", set(entries.values()))),
            wanted=f"only the {len(named)} files of the manifest{ignore_hint(extra)}",
        )
    pointers = lfs_pointers(root, listing, resized[:_POINTERS_MAX]) if root and resized else []
    sizes = [f"{f.path} ({f.size} bytes, not {named[f.path]})" for f in resized if f not in pointers]
    differences = [
        *_some("not in the manifest", extra),
        *_some("missing", missing),
        *_some("Git LFS pointers, not the files", [file.path for file in pointers]),
        *_some("of another size", sizes),
    ]
    if differences:
        wanted = f"exactly the {len(named)} files of the manifest, each of its size"
        lfs = "Git LFS pointers lie in place of files: run `git lfs pull`, which fetches the files, and check again"
        raise VerificationError(
            lfs if pointers else "the files are not those that the manifest names",
            check=Check.FILE_SET,
            where="release",
            got="; ".join(differences),
            wanted=wanted + ignore_hint(extra),
        )


def match_file_digests(manifest: Manifest, files: FileSet) -> None:
    """Compare every digest in the manifest with the one computed. The error tells all files that differ.

    Raises:
        VerificationError: a digest differs or was not computed (check `file-digests`), or a name or size differs (check
            `file-set`).
    """
    found = {file.path: file for file in files.files}
    if len(found) != len(manifest.files):
        got, wanted = f"{len(found)} files", f"{len(manifest.files)} files"
        problem = "the release and the manifest have different numbers of files"
        raise VerificationError(problem, check=Check.FILE_SET, where="release", got=got, wanted=wanted)
    match_some_digests(manifest.files, found.values())


def match_some_files(
    root: ReleasePlace, listing: Listing, manifest: Manifest, paths: Collection[str], hasher: FileHasher | None = None
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
    digests = []
    with files_of(root, listing.reading).session() as release:
        for listed in listing.files:
            if listed.path in paths:
                with release.open(listed.path, listed.found) as file:
                    wanted = named[listed.path].sha256 is not None
                    digests.append(hasher(file, sha256=wanted, advance=lambda _: None))
    match_some_digests([named[path] for path in sorted(paths)], digests)


def match_some_digests(named: Collection[ManifestFile], files: Iterable[FileDigest]) -> None:
    """Compare files with their entries in a manifest. Raises as `match_file_digests`."""
    found = {file.path: file for file in files}
    first: VerificationError | None = None
    wrong: list[str] = []
    for entry in named:
        if problem := _problem_of(entry, found.get(entry.path)):
            first = first or problem
            wrong.append(entry.path)
    if first is None:
        return
    if len(wrong) > 1:
        raise VerificationError(
            f"{len(wrong)} files differ from the manifest",
            check=first.check,
            where="release",
            got="; ".join(_some("different", wrong)),
            wanted="files with the digests in the manifest",
        )
    raise first


def lfs_pointers(root: ReleasePlace, listing: Listing, files: Iterable[ListedFile]) -> list[ListedFile]:
    """Return the listed files that hold a Git LFS pointer. Only files as small as a pointer are read."""
    small = [file for file in files if file.size <= LFS_POINTER_MAX_BYTES]
    try:
        with files_of(root, listing.reading).session() as release:
            return [file for file in small if is_lfs_pointer(_small(release, file, LFS_POINTER_MAX_BYTES) or b"")]
    except ProvenanceError:
        return []  # the file changed or cannot be read: the sizes differ in any case


def _problem_of(named: ManifestFile, found: FileDigest | None) -> VerificationError | None:
    if found is None or found.size != named.size:
        got = f"{found.size} bytes" if found else "no such file"
        wanted = f"{named.size} bytes"
        problem = "the file is missing or has another size"
        return VerificationError(problem, check=Check.FILE_SET, where=named.path, got=got, wanted=wanted)
    for algorithm, got_digest, wanted_digest in (
        (FSVERITY, found.fsverity, named.fsverity),
        (SHA256, found.sha256, named.sha256),
    ):
        if wanted_digest is not None and got_digest != wanted_digest:
            return VerificationError(
                f"{algorithm} differs",
                check=Check.FILE_DIGESTS,
                where=named.path,
                got=got_digest.hex() if got_digest else "not computed",
                wanted=wanted_digest.hex(),
            )
    return None


def _refuse_ignored(listing: Listing, missing: Collection[str]) -> None:
    """Refuse to leave out a file that the manifest names: what is then accepted would not be the release."""
    ignored = [path for path in missing if any(path == out or path.startswith(f"{out}/") for out in listing.ignored)]
    if ignored:
        raise UsageError(
            "a file of the release cannot be left out",
            where="--ignore",
            got="; ".join(_some("named by the manifest", ignored)),
            wanted="patterns of other files; `check RELEASE FILE...` checks some files of a release",
        )


def _small(release: OpenRelease, file: ListedFile, max_bytes: int) -> bytes | None:
    """Return the bytes of a listed file, None if it has more than `max_bytes`."""
    if file.size > max_bytes:
        return None
    with release.open(file.path, file.found) as opened:
        return b"".join(pieces_of_file(opened))


def _some(what: str, names: Iterable[str]) -> list[str]:
    """Return a list with one phrase that names the files, as many as a message may hold; empty if there are none."""
    ordered = sorted(names)
    if not ordered:
        return []
    shown: list[str] = []
    room = _NAMED_MAX_CHARS
    for name in ordered:
        text = printable(name, 200)
        room -= len(text) + len(", ")
        if room < 0:
            break
        shown.append(text)
    more = f" and {len(ordered) - len(shown)} more" if len(ordered) > len(shown) else ""
    return [f"{what}: {', '.join(shown)}{more}"]
