"""Read a release's folder as it lies on disk, a snapshot of the Hugging Face cache included.

The cache keeps a repository as `snapshots/<commit>/` with links into `blobs/` beside it. The operating system never
follows such a link: its text must be the one that the cache writes, and the blob is then opened by its name in the
folder `blobs`, which was opened once, from the snapshot's own descriptor. A blob that is a link itself is refused.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from provenance_oracle.verifier.errors import ChangedError, FormatError, ProvenanceError, UsageError
from provenance_oracle.verifier.strict.files import (
    FOLDER_FLAGS,
    Identity,
    OpenFile,
    file_name,
    identify,
    is_directory,
    kind_of,
    look,
    not_allowed,
    open_file,
    open_folder,
    open_root,
    os_errors,
    read_start,
)
from provenance_oracle.verifier.strict.walk import FolderEntry, walk

_LINK = re.compile("((?:\\.\\./)+)blobs/([0-9a-f]{40}|[0-9a-f]{64})")
_BLOCK_BYTES = 512  # the unit of st_blocks, stat(2)
_FOLDERS_ABOVE = 2  # from a snapshot up to its repository's folder


@dataclass(frozen=True)
class Reading:
    """What the reader of a folder allows beyond plain files. The oracle allows nothing: see `STRICT`.

    Attributes:
        hub_links: follow the links of a Hugging Face cache's snapshot into its `blobs/`.
        ignored: patterns of paths that the user leaves out, each for the whole path of a file or folder.
        sparse: hash files that are mostly holes too; see `digest.sparse`.
        below: the folder of strangers' releases that holds the release. No link below it is followed. None: a link in
            the path of the release's folder is followed, since the user named the path.
    """

    hub_links: bool = False
    ignored: tuple[re.Pattern[str], ...] = ()
    sparse: bool = False
    below: Path | None = None

    def ignores(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self.ignored)


STRICT = Reading()


@dataclass(frozen=True)
class RemoteIdentity:
    """The attributes of a file in a remote store that change when anybody replaces it.

    `size` is in bytes. `version` is the store's own word for these bytes, such as a version id or an ETag.
    """

    size: int
    version: str


@dataclass(frozen=True)
class FoundFile:
    """A regular file of a release.

    Attributes:
        identity: changes when the file does. That of a file on disk is an `Identity`.
        blob: the file's name in the cache's `blobs/`; None for a file in the folder itself.
        allocated_bytes: the disk space that the file system states. It can change while the file does not.
    """

    identity: Identity | RemoteIdentity
    blob: str | None = None
    allocated_bytes: int = field(default=0, compare=False)


@dataclass(frozen=True)
class ReleaseFolder:
    """An open folder of a release: its descriptor, its device, and the descriptor of the cache's `blobs/` if any.

    Readers find files by name (`walk`, `find`), take their sizes from `FoundFile`, and read their bytes from `open`.
    """

    descriptor: int
    device: int
    blobs: int | None

    def identify(self, parent: int, path: str, found: os.stat_result) -> FoundFile:
        """Return the file at the entry that the last segment of `path` names in the open folder `parent`.

        Args:
            path: the path from the release's folder.
            found: the stat result of the entry, taken without following links.

        Raises:
            FormatError: the entry is not a regular file with one name, or is a link other than the cache's (check
                `file-set`).
        """
        if self.blobs is None or not stat.S_ISLNK(found.st_mode):
            return FoundFile(identify(found, path, self.device), None, _BLOCK_BYTES * found.st_blocks)
        with os_errors(path):
            text = os.readlink(file_name(path), dir_fd=parent).decode("utf-8", "surrogateescape")
        link = _LINK.fullmatch(text)
        if link is None or link[1] != "../" * (path.count("/") + _FOLDERS_ABOVE):
            raise not_allowed(path, "a symbolic link, but not to a blob of the same repository")
        try:
            blob = os.stat(link[2], dir_fd=self.blobs, follow_symlinks=False)
        except FileNotFoundError as error:
            raise not_allowed(path, "a link to a blob that is missing: download the file again") from error
        return FoundFile(identify(blob, path, self.device), link[2], _BLOCK_BYTES * blob.st_blocks)

    def find(self, path: str) -> FoundFile | None:
        """Return the file at `path`, a path of a manifest, without looking at any other file; None if there is none.

        Raises: as `open_folder` and `identify`.
        """
        try:
            with self._parent(path) as parent:
                found = look(parent, path)
                return found and self.identify(parent, path, found)
        except ChangedError:  # the error of a folder that is not there
            return None

    @contextmanager
    def open(self, path: str, found: FoundFile) -> Iterator[OpenFile]:
        """Open a file that was found, folder by folder, so that no link is followed. Raises as `open_file` does."""
        identity = found.identity
        assert isinstance(identity, Identity)
        if found.blob is None:
            with self._parent(path) as parent, open_file(parent, path, identity) as file:
                yield file
            return
        assert self.blobs is not None
        with open_file(self.blobs, f"{path} -> blobs/{found.blob}", identity) as file:
            yield replace(file, path=path)

    @contextmanager
    def open_named(self, path: str) -> Iterator[OpenFile]:
        """Find and open the file at `path`, a path of a manifest or index.

        Raises:
            UsageError: there is no such file. Other errors are those of `find` and `open`.
        """
        found = self.find(path)
        if found is None:
            raise UsageError("no such file", where=path, got="nothing there", wanted="a file of the release")
        with self.open(path, found) as file:
            yield file

    def visit_all(self, visit: Callable[[FileEntry], bool], *, most: int, below: str = "") -> None:
        """Visit every entry below the folder `below`, "" being the release's own. Arguments and errors: `walk.walk`.

        Raises also: as `open_folder`.
        """
        with self._folder(below) as folder:
            walk(
                folder,
                lambda entry: visit(FileEntry(self, entry)),
                most=most,
                where=below or "release",
                inside=below,
            )

    def holds(self, path: str) -> bool:
        """Return whether there is an entry at `path`, of any kind.

        True also if something that a release may not hold, or that cannot be read, is in the way: reading the release
        tells what it is.
        """
        return holds(self.descriptor, path)

    def read_start(self, path: str, most: int) -> bytes:
        """Return at most `most` bytes of the regular file at `path`. Raises as `files.read_start`."""
        with self._parent(path) as parent:
            return read_start(parent, path, most)

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        """Open the folder at `path`, which is "" for the release's own."""
        with self._parent(path) as parent:
            if not path:
                yield parent
                return
            with open_folder(parent, path) as folder:
                yield folder

    @contextmanager
    def _parent(self, path: str) -> Iterator[int]:
        """Open the folder that holds `path`."""
        with ExitStack() as stack:
            folder = self.descriptor
            for position, char in enumerate(path):
                if char == "/":
                    folder = stack.enter_context(open_folder(folder, path[:position]))
            yield folder


class FileEntry:
    """An entry of a release's folder, while a walk is there; see `release_files.Entry`."""

    __slots__ = ("_entry", "_folder", "depth", "is_folder", "path")

    def __init__(self, folder: ReleaseFolder, entry: FolderEntry) -> None:
        self.path, self.depth, self.is_folder = entry.path, entry.depth, entry.is_folder
        self._folder = folder
        self._entry = entry

    @property
    def kind(self) -> str:
        return kind_of(self._entry.found)

    def identify(self) -> FoundFile:
        return self._folder.identify(self._entry.folder, self.path, self._entry.found)


def holds(folder: int, path: str) -> bool:
    """Return whether an open folder has an entry at `path`; see `ReleaseFolder.holds`."""
    name, _, rest = path.partition("/")
    try:
        found = look(folder, name)
        if not rest or not is_directory(found):
            return found is not None and (not rest or stat.S_ISLNK(found.st_mode))
        with open_folder(folder, name) as inner:
            return holds(inner, rest)
    except ChangedError:
        return False
    except ProvenanceError:
        return True


def followed(path: Path) -> Path:
    """Return the folder that a link named by the user leads to; any other path unchanged."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return path


@contextmanager
def open_release_folder(path: Path, reading: Reading = STRICT) -> Iterator[ReleaseFolder]:
    """Open the folder of a release; with `reading.hub_links` also the `blobs/` of its repository in a cache.

    Raises:
        UsageError: the folder does not exist, is not a folder, or is a symbolic link; or a folder between it and
            `reading.below` is one.
        TemporaryError: the operating system cannot open it.
    """
    with ExitStack() as stack:
        top = reading.below
        root = stack.enter_context(open_root(path)) if top is None else _open_below(path, top, stack)
        blobs = _open_blobs(root, stack) if reading.hub_links else None
        yield ReleaseFolder(root, os.fstat(root).st_dev, blobs)


def _open_below(path: Path, top: Path, stack: ExitStack) -> int:
    """Open the folder at `path` from `top` down, folder by folder, so that no link is followed."""
    folder = stack.enter_context(open_root(followed(top)))
    names = path.relative_to(top).parts
    try:
        for depth in range(len(names)):
            folder = stack.enter_context(open_folder(folder, "/".join(names[: depth + 1])))
    except (ChangedError, FormatError) as error:
        got, wanted = error.got, "an existing folder, not a link to one"
        raise UsageError("no such folder", where=str(path), got=got, wanted=wanted) from error
    return folder


def _open_blobs(snapshot: int, stack: ExitStack) -> int | None:
    """Open the folder `blobs` beside the folder `snapshots` that a snapshot lies in; None if there is none."""

    def opened(name: str, parent: int) -> int:
        descriptor = os.open(name, FOLDER_FLAGS, dir_fd=parent)
        stack.callback(os.close, descriptor)
        return descriptor

    try:
        snapshots = opened("..", snapshot)
        repository = opened("..", snapshots)
        named = os.stat("snapshots", dir_fd=repository, follow_symlinks=False)
        if not os.path.samestat(named, os.fstat(snapshots)):
            return None
        return opened("blobs", repository)
    except OSError:
        return None  # no cache: links are refused as anywhere else
